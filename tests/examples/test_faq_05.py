"""FAQ 5: data between middlewares and handlers."""

import httpx
import pytest
from examples.faq import faq_05_typed_keys as faq
from tests.support.serving import serving

from sansio_web import web


def test_what_a_middleware_stores_in_the_request_reaches_the_handler(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        assert client.get("/", headers={"X-User": "Ada"}).text == "Hello, Ada"
        assert client.get("/", headers={"X-User": "Ada", "Accept-Language": "de"}).text == "Hallo, Ada"


def test_what_a_handler_stores_in_the_response_reaches_the_middleware(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        headers = {"X-User": "Ada"}
        assert client.get("/", headers=headers).headers["Cache-Control"] == "private, max-age=60"
        assert "Cache-Control" not in client.get("/whoami", headers=headers).headers


def test_each_request_has_a_mapping_of_its_own(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        for name in ("Ada", "Grace"):  # on one connection
            assert client.get("/whoami", headers={"X-User": name}).json() == {"name": name, "keys": 1}


def test_an_exception_of_the_inner_middleware_is_the_answer(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served:
        answer = httpx.get(served.url)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "X-User")
        assert answer.text == "say who you are in X-User"


def test_a_middleware_sees_requests_that_no_route_takes(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served:
        assert httpx.get(f"{served.url}/nowhere").status_code == 401
        assert httpx.get(f"{served.url}/nowhere", headers={"X-User": "Ada"}).status_code == 404


def test_requests_and_responses_are_mappings() -> None:
    response = web.Response()
    response[faq.MAX_AGE] = 1
    assert dict(response) == {faq.MAX_AGE: 1}
    del response[faq.MAX_AGE]
    assert list(response) == []


def test_a_plain_string_is_a_key_that_works_and_warns() -> None:
    response = web.Response()
    with pytest.warns(web.NotAppKeyWarning):
        response["plain"] = 2
    assert response["plain"] == 2
