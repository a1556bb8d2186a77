"""FAQ 14: a middleware's own response."""

import logging

import httpx
import pytest
from examples.faq import faq_14_own_response as faq
from tests.support.raw_http import request, response
from tests.support.serving import serving


def test_a_new_response_each_time_works_instead_of_the_handler(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        for _ in range(3):
            answer = client.get("/closed/room")
            assert (answer.status_code, answer.text) == (503, "closed for today")
            assert answer.headers["Retry-After"] == "3600"


def test_a_response_made_of_cached_content_works_each_time(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        answers = [client.get("/") for _ in range(3)]
        assert [answer.text for answer in answers] == ["made by the handler"] * 3
        assert [answer.headers.get("X-Cache") for answer in answers] == [None, "hit", "hit"]


def test_a_response_sent_again_is_a_500_and_the_connection_lives(
    runtime: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.ERROR),
        serving(faq.make_app(), runtime) as served,
        served.connect() as sock,
    ):
        request(sock, "GET", "/mistake")
        assert response(sock).content == b"once, and never again"

        request(sock, "GET", "/mistake?again")
        assert response(sock).status == 500

        request(sock, "GET", "/")
        assert response(sock).content == b"made by the handler"

    (record,) = (record for record in caplog.records if record.exc_info)
    assert "GET /mistake" in str(record.exc_info and record.exc_info[1])  # the request that it was sent for


def test_a_response_sent_again_on_another_connection_is_a_500(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served:
        assert httpx.get(f"{served.url}/mistake").status_code == 200
        assert httpx.get(f"{served.url}/mistake").status_code == 500
        assert httpx.get(served.url).status_code == 200
