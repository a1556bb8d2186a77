"""`web.request`: reading content, forms, limits, broken content."""

import json
from typing import Any

import pytest
from fake_exchange import FakeExchange, run
from hypothesis import given
from hypothesis import strategies as st

from sansio_web import web
from sansio_web.errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError
from sansio_web.http.framing import CHUNKED, Length
from sansio_web.web._body import PayloadAccessError, RequestPayloadError

FORM = ("Content-Type", "application/x-www-form-urlencoded")


def post(*pieces: bytes | Exception, fields: Any = (), method: str = "POST", **kwargs: Any) -> web.Request:
    return web.Request(FakeExchange(method, fields=fields, content=pieces, **kwargs))


# ---- whether there is content


def test_request_without_content() -> None:
    ours = post()
    assert not ours.body_exists
    assert not ours.can_read_body
    assert run(ours.read()) == b""
    assert run(ours.text()) == ""
    assert ours.content.at_eof()


def test_content_length_0_is_no_content() -> None:
    ours = post(framing=Length(0))
    assert not ours.body_exists
    assert not ours.can_read_body
    assert run(ours.read()) == b""


def test_content_exists_even_when_it_was_read() -> None:
    ours = post(b"abc", framing=Length(3))
    assert ours.body_exists
    assert ours.can_read_body
    run(ours.read())
    assert ours.body_exists
    assert not ours.can_read_body


# ---- reading


def test_read_gives_the_same_again() -> None:
    ours = post(b"ab", b"cd")
    assert run(ours.read()) == run(ours.read()) == b"abcd"


def test_read_gives_what_content_has_left() -> None:
    ours = post(b"abcd")
    assert run(ours.content.read(3)) == b"abc"
    assert run(ours.read()) == b"d"


def test_text_follows_the_charset() -> None:
    assert run(post("ä".encode()).text()) == "ä"
    assert run(post(b"\xe4", fields=[("Content-Type", "text/plain; charset=latin-1")]).text()) == "ä"
    with pytest.raises(UnicodeDecodeError):
        run(post(b"\xff").text())


@pytest.mark.parametrize("charset", ["nope", "zlib", "rot13"])
def test_unknown_charset_is_415(charset: str) -> None:
    fields = [("Content-Type", f"application/x-www-form-urlencoded; charset={charset}")]
    for read in (web.Request.text, web.Request.json, web.Request.post):
        with pytest.raises(web.HTTPUnsupportedMediaType) as caught:
            run(read(post(b"ab", fields=fields)))
        assert charset in (caught.value.text or "")


def test_json_is_loaded_by_what_is_given() -> None:
    ours = post(b'{"a": 1}')
    assert run(ours.json()) == {"a": 1}
    assert run(ours.json(loads=len)) == 8
    with pytest.raises(json.JSONDecodeError):
        run(post(b"ab").json())


def test_release_reads_what_is_left() -> None:
    ours = post(b"abc", b"def")
    run(ours.content.read(1))
    run(ours.release())
    assert ours.content.at_eof()
    assert not ours.can_read_body


def test_trailers_come_with_the_end() -> None:
    ours = post(b"abc", trailers=[(b"Check", b"1")])
    assert len(ours.trailers) == 0
    run(ours.read())
    assert ours.trailers["check"] == "1"
    assert "check" not in ours.headers


# ---- limits


def limited(*pieces: bytes, limit: int, **kwargs: Any) -> tuple[web.Request, FakeExchange]:
    exchange = FakeExchange("POST", content=pieces, **kwargs)
    return web.Request(exchange, client_max_size=limit), exchange


def test_content_up_to_the_limit_is_read() -> None:
    ours, _ = limited(b"x" * 60, b"x" * 40, limit=100)
    assert len(run(ours.read())) == 100


def test_length_over_the_limit_is_refused_before_anything_is_received() -> None:
    ours, exchange = limited(b"x" * 101, limit=100, framing=Length(101))
    with pytest.raises(web.HTTPRequestEntityTooLarge) as caught:
        run(ours.read())
    assert "100" in (caught.value.text or "")
    assert exchange.receive_calls == 0


def test_content_over_the_limit_is_refused_as_soon_as_it_is_seen_and_again() -> None:
    ours, exchange = limited(b"x" * 60, b"x" * 60, b"x" * 60, limit=100)
    for _ in range(2):
        with pytest.raises(web.HTTPRequestEntityTooLarge):
            run(ours.read())
    assert exchange.receive_calls == 2


def test_limit_0_is_none_and_the_stream_has_none() -> None:
    ours, _ = limited(b"x" * 200, limit=0)
    assert len(run(ours.read())) == 200
    ours, _ = limited(b"x" * 200, limit=100)
    assert len(run(ours.content.read())) == 200


def test_limit_is_a_mebibyte_by_default() -> None:
    assert web.Request(FakeExchange()).client_max_size == 1024**2
    assert web.Request(FakeExchange()).client_max_fields == 1000


# ---- broken content


def test_broken_content_raises_payload_error_each_time() -> None:
    ours = post(b"ab", RemoteProtocolError("chunk size is b'zz'", status_hint=400))
    for _ in range(2):
        with pytest.raises(RequestPayloadError, match="chunk size is b'zz'") as caught:
            run(ours.read())
        assert caught.value.status_hint == 400
    assert not isinstance(caught.value, ConnectionResetError)
    assert run(ours.content.readany()) == b"ab"


def test_error_of_the_machine_brings_its_status() -> None:
    ours = post(RemoteProtocolError("content exceeds 10 bytes", status_hint=413), framing=CHUNKED)
    with pytest.raises(RequestPayloadError) as caught:
        run(ours.read())
    assert caught.value.status_hint == 413


def test_lost_client_is_also_a_connection_error() -> None:
    ours = post(PeerDisconnected("the peer left after 2 of 9 bytes"), framing=CHUNKED)
    with pytest.raises(RequestPayloadError, match="2 of 9 bytes") as caught:
        run(ours.text())
    assert isinstance(caught.value, ConnectionResetError)


def test_reading_where_it_is_not_allowed_is_payload_access_error() -> None:
    ours = post(LocalProtocolError("the response is complete"), framing=CHUNKED)
    with pytest.raises(PayloadAccessError, match="the response is complete"):
        run(ours.content.read())


# ---- forms


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"a", [("a", "")]),
        (b"a=%D1%88+x", [("a", "ш x")]),
        (b"&&=x", [("", "x")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
        ("a=ä".encode(), [("a", "ä")]),
        (b"a=1\r\n", [("a", "1")]),
        (b"a=%ff&b=\xff", [("a", "\ufffd"), ("b", "\ufffd")]),
    ],
)
def test_urlencoded_form(body: bytes, expected: list[tuple[str, str]]) -> None:
    ours = post(body, fields=[FORM])
    assert list(run(ours.post()).items()) == expected
    assert run(ours.post()) is run(ours.post())
    assert run(ours.read()) == body


def test_form_follows_its_charset() -> None:
    ours = post(b"a=\xe4&b=%e4", fields=[("Content-Type", f"{FORM[1]}; charset=latin-1")])
    assert run(ours.post()) == {"a": "ä", "b": "ä"}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_with_forms(method: str) -> None:
    assert run(post(b"a=1", fields=[FORM], method=method).post()) == {"a": "1"}


@pytest.mark.parametrize(
    ("method", "fields"),
    [("GET", [FORM]), ("OPTIONS", [FORM]), ("POST", []), ("POST", [("Content-Type", "text/plain")])],
)
def test_what_is_no_form_gives_an_empty_one_and_stays_unread(method: str, fields: Any) -> None:
    ours = post(b"a=1", method=method, fields=fields)
    assert len(run(ours.post())) == 0
    assert run(ours.read()) == b"a=1"


def test_form_of_nothing_is_empty() -> None:
    assert len(run(post(fields=[FORM]).post())) == 0


def test_number_of_fields_is_limited() -> None:
    assert len(run(post(b"&".join([b"a=1"] * 1000), fields=[FORM]).post())) == 1000
    with pytest.raises(web.HTTPRequestEntityTooLarge) as caught:
        run(post(b"&".join([b"a=1"] * 1001), fields=[FORM]).post())
    assert caught.value.text == "Maximum number of form fields 1000 exceeded."
    assert len(run(post(b"&".join([b"a=1"] * 1001), fields=[FORM]).clone(client_max_fields=0).post())) == 1001


def test_multipart_form_is_415() -> None:
    ours = post(b"--x--", fields=[("Content-Type", "multipart/form-data; boundary=x")])
    with pytest.raises(web.HTTPUnsupportedMediaType) as caught:
        run(ours.post())
    assert "multipart/form-data is not read here" in (caught.value.text or "")


@given(st.lists(st.binary(min_size=1, max_size=20)), st.integers(0, 30))
def test_any_split_of_the_content_reads_the_same(pieces: list[bytes], first: int) -> None:
    ours = post(*pieces, framing=CHUNKED)
    beginning = run(ours.content.read(first))
    assert beginning + run(ours.read()) == b"".join(pieces)


@pytest.mark.parametrize(("limit", "told"), [(3, 3), (None, 0)])
def test_a_limit_of_its_own_holds_for_reading_whole_and_for_the_stream(limit: int | None, told: int) -> None:
    exchange = FakeExchange(method="POST", content=[b"abc"])
    request = web.Request(exchange)
    request.limit_content(limit)
    assert exchange.limits_set == [limit]
    assert request.client_max_size == told
    assert run(request.read()) == b"abc"
