"""FAQ 3: a sink for a prefix."""

import httpx
import pytest
from examples.faq import faq_03_prefix_sink as faq
from tests.support.raw_http import request, response
from tests.support.serving import serving


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_the_sink_takes_every_method(runtime: str, method: str) -> None:
    with serving(faq.make_app(), runtime) as served:
        answer = httpx.request(method, f"{served.url}/path/to/a")
        assert (answer.status_code, answer.json()) == (200, {"method": method, "tail": "a"})


@pytest.mark.parametrize(
    ("target", "tail"),
    [
        ("/path/to/a/b/c", "a/b/c"),
        ("/path/to/a/", "a/"),
        ("/path/to//a", "/a"),
        ("/path/to/a%20b", "a b"),
        ("/path/to/a%2520b", "a%20b"),  # decoded once, not twice
        ("/path/to/gr%C3%BCn", "grün"),
        ("/path/to/a?b=c", "a"),
    ],
)
def test_the_tail_is_the_rest_of_the_path_decoded_once(runtime: str, target: str, tail: str) -> None:
    with serving(faq.make_app(), runtime) as served, served.connect() as sock:
        request(sock, "GET", target)  # by hand: clients like to normalise targets
        answer = response(sock)
        assert answer.status == 200
        assert httpx.Response(200, content=answer.content).json() == {"method": "GET", "tail": tail}


def test_what_is_not_below_the_prefix_is_not_found(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        for path in ("/", "/path", "/path/to", "/path/to/", "/path/tooth", "/x/path/to/a"):
            assert client.get(path).status_code == 404, path


def test_the_longer_fixed_prefix_wins_over_the_sink(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        assert client.get("/path/to/health").text == "healthy"
        assert client.get("/path/to/healthy").json()["tail"] == "healthy"
