"""The HTTPException family, compared with aiohttp's."""

import copy
import pickle
from typing import Any

import aiohttp.web
import pytest
from fake_exchange import FakeExchange, run
from yarl import URL

from sansio_web import web
from sansio_web.web import exceptions

FAMILY = [name for name in aiohttp.web.__all__ if name.startswith("HTTP")]
RENAMED = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def arguments(name: str) -> tuple[Any, ...]:
    kind = getattr(web, name)
    if issubclass(kind, web.HTTPMove):
        return ("/there?a=é",)
    special = {
        "HTTPMethodNotAllowed": ("PUT", ["POST", "GET"]),
        "HTTPRequestEntityTooLarge": (10, 20),
        "HTTPUnavailableForLegalReasons": ("http://example.org/law",),
    }
    return special.get(name, ())


@pytest.mark.parametrize("name", FAMILY)
def test_each_exception_is_the_response_that_aiohttp_makes(name: str) -> None:
    ours, theirs = getattr(web, name)(*arguments(name)), getattr(aiohttp.web, name)(*arguments(name))
    assert (ours.status, ours.empty_body) == (theirs.status, theirs.empty_body)
    assert list(ours.headers.items()) == list(theirs.headers.items())
    if ours.status not in RENAMED:
        assert (ours.reason, ours.text, str(ours)) == (theirs.reason, theirs.text, str(theirs))
    assert [kind.__name__ for kind in type(ours).__mro__ if kind.__name__ in FAMILY] == [
        kind.__name__ for kind in type(theirs).__mro__ if kind.__name__ in FAMILY
    ]
    assert isinstance(ours, web.Response)
    assert isinstance(ours, Exception)


@pytest.mark.parametrize(("status", "reason"), RENAMED.items())
def test_reasons_are_those_of_rfc_9110(status: int, reason: str) -> None:
    assert web.Response(status=status).reason == reason


def test_the_family_is_complete() -> None:
    assert len(FAMILY) == 58
    assert set(FAMILY) <= set(web.__all__)


def test_text_reason_headers_and_type_can_be_given() -> None:
    error = web.HTTPNotFound(reason="Why", headers={"X": "y"})
    assert (error.reason, error.text, error.headers["X"], str(error)) == ("Why", "404: Why", "y", "Why")
    error = web.HTTPNotFound(text="{}", content_type="application/json")
    assert (error.text, error.content_type) == ("{}", "application/json")
    assert web.HTTPNotFound(content_type="text/html").text == "404: Not Found"
    assert web.HTTPNoContent(text="x").text == "x"


def test_a_reason_cannot_break_out_of_its_line() -> None:
    with pytest.raises(ValueError, match="reason"):
        web.HTTPNotFound(reason="R\r\nX: y")


def test_the_argument_body_is_deprecated_and_warns_at_the_callers_line() -> None:
    for make in (
        lambda: web.HTTPNotFound(body=b"x"),
        lambda: web.HTTPFound("/", body=b"x"),
        lambda: web.HTTPMethodNotAllowed("GET", [], body=b"x"),
        lambda: web.HTTPUnavailableForLegalReasons(None, body=b"x"),
        lambda: web.HTTPRequestEntityTooLarge(1, text=None, body=b"x"),
    ):
        with pytest.warns(DeprecationWarning, match="body") as caught:
            error = make()
        assert caught[0].filename == __file__
        assert error.body == b"x"


@pytest.mark.parametrize("location", ["", None])
def test_a_redirect_needs_a_location(location: Any) -> None:
    with pytest.raises(ValueError, match="HTTPFound needs a location"):
        web.HTTPFound(location)


def test_what_exceptions_were_made_of_can_be_read() -> None:
    assert web.HTTPFound("/x").location == "/x"
    assert web.HTTPFound(URL("/x")).location == URL("/x")
    not_allowed = web.HTTPMethodNotAllowed("PUT", ("POST", "GET", "GET"))
    assert (not_allowed.method, not_allowed.allowed_methods) == ("PUT", {"GET", "POST"})
    assert not_allowed.headers["Allow"] == "GET,POST"
    assert web.HTTPUnavailableForLegalReasons("http://x").link == URL("http://x")
    assert web.HTTPUnavailableForLegalReasons(None).link is None
    too_large = web.HTTPRequestEntityTooLarge(10, 20)
    assert (too_large.max_size, too_large.actual_size) == (10, 20)
    assert web.HTTPRequestEntityTooLarge(10, 20, text="z").text == "z"


def test_a_family_of_ones_own_works() -> None:
    class Teapot(web.HTTPClientError):
        status_code = 418

    assert (Teapot().status, Teapot().text) == (418, "418: I'm a Teapot")


def test_exceptions_survive_pickle_and_copy_even_after_they_were_sent() -> None:
    error = web.HTTPMethodNotAllowed("PUT", ["GET"], text="no")
    error.set_cookie("a", "b")
    exchange = FakeExchange()
    run(error.prepare(web.Request(exchange)))
    run(error.write_eof())
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert isinstance(other, web.HTTPMethodNotAllowed)
        assert (other.status, other.text, other.allowed_methods, str(other)) == (
            405,
            "no",
            {"GET"},
            str(error),
        )
        assert not other.prepared
    assert exceptions._rebuild(web.HTTPNotFound, "Not Found", {}).args == ("Not Found",)
