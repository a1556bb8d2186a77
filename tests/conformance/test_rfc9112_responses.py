"""Response heads against RFC 9110 and RFC 9112, one row for each rule, by real bytes."""

import pytest

from sansio_web.errors import RemoteProtocolError
from sansio_web.http import fast_lane, h11_reader
from sansio_web.http.events import InterimReceived, ResponseReceived
from sansio_web.http.framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Framing, Length
from sansio_web.limits import Limits

LIMITS = Limits(max_head_bytes=2_000, max_field_lines=10)


def head(line: bytes = b"HTTP/1.1 200 OK", fields: bytes = b"") -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


REFUSED = [
    ("4-not-http", b"SSH-2.0-x\r\n", 400),
    ("2.2-empty-line-first", b"\r\n" + head(), 400),
    ("2.2-bare-lf", b"HTTP/1.1 200 OK\nA: b\r\n\r\n", 400),
    ("2.2-bare-lf-hides-a-field-line", head(fields=b"A: b\nContent-Length: 3\r\n"), 400),
    ("2.2-bare-cr-in-value", head(fields=b"A: b\rc\r\n"), 400),
    ("4-two-spaces", head(b"HTTP/1.1  200 OK"), 400),
    ("4-no-status", head(b"HTTP/1.1 OK"), 400),
    ("4-two-digits", head(b"HTTP/1.1 20 OK"), 400),
    ("4-four-digits", head(b"HTTP/1.1 2000 OK"), 400),
    ("9110-15-status-below-100", head(b"HTTP/1.1 099 OK"), 400),
    ("4-control-in-reason", head(b"HTTP/1.1 200 O\x01K"), 400),
    ("2.3-major-version", head(b"HTTP/2.0 200 OK"), 505),
    ("5.1-space-before-colon", head(fields=b"A : b\r\n"), 400),
    ("5.2-fold-first", head(fields=b" A: b\r\n"), 400),
    ("9110-5.5-control", head(fields=b"A: b\x00\r\n"), 400),
    ("6.3-length-and-coding", head(fields=b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400),
    ("6.1-coding-in-1.0", head(b"HTTP/1.0 200 OK", b"Transfer-Encoding: chunked\r\n"), 400),
    ("6.1-unknown-coding", head(fields=b"Transfer-Encoding: gzip, chunked\r\n"), 501),
    ("6.3-chunked-not-last", head(fields=b"Transfer-Encoding: gzip\r\n"), 400),
    ("9110-8.6-lengths-differ", head(fields=b"Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
    ("9110-8.6-length-in-204", head(b"HTTP/1.1 204 No Content", b"Content-Length: 0\r\n"), 400),
    ("6.1-coding-in-204", head(b"HTTP/1.1 204 No Content", b"Transfer-Encoding: chunked\r\n"), 400),
    ("9110-8.6-length-in-1xx", head(b"HTTP/1.1 103 Early Hints", b"Content-Length: 0\r\n"), 400),
    ("6.1-coding-in-1xx", head(b"HTTP/1.1 100 Continue", b"Transfer-Encoding: chunked\r\n"), 400),
    ("9110-8.6-length-in-101", head(b"HTTP/1.1 101 Switching Protocols", b"Content-Length: 1\r\n"), 400),
    ("limit-status-line", b"HTTP/1.1 200 " + b"a" * 2_000, 414),
    ("limit-head", head(fields=b"A: " + b"b" * 2_000 + b"\r\n"), 431),
    ("limit-field-lines", head(fields=b"a:\r\n" * 11), 431),
]


@pytest.mark.parametrize(("data", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_response_that_breaks_a_rule_is_refused_and_every_prefix_is_open_or_refused_alike(
    data: bytes, status: int
) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        h11_reader.read_response(data, LIMITS, request_method=b"GET")
    assert refused.value.status_hint == status
    assert fast_lane.read_response(data, LIMITS, request_method=b"GET") is None
    for end in range(len(data)):
        assert fast_lane.read_response(data[:end], LIMITS, request_method=b"GET") is None
        try:
            assert h11_reader.read_response(data[:end], LIMITS, request_method=b"GET") is None
        except RemoteProtocolError as error:
            assert (str(error), error.status_hint) == (str(refused.value), status)  # noqa: PT017


FINAL = [
    ("6.3-length", b"GET", head(fields=b"Content-Length: 5\r\n"), Length(5), True),
    ("6.3-length-zero", b"GET", head(fields=b"Content-Length: 0\r\n"), NO_CONTENT, True),
    ("9110-8.6-length-repeated", b"GET", head(fields=b"Content-Length: 5, 5\r\n"), Length(5), True),
    ("7.1-chunked", b"GET", head(fields=b"Transfer-Encoding: Chunked\r\n"), CHUNKED, True),
    ("6.3-neither", b"GET", head(), UNTIL_CLOSE, False),
    ("6.3-head", b"HEAD", head(fields=b"Content-Length: 5\r\n"), NO_CONTENT, True),
    ("6.3-head-chunked", b"HEAD", head(fields=b"Transfer-Encoding: chunked\r\n"), NO_CONTENT, True),
    ("6.3-head-neither", b"HEAD", head(), NO_CONTENT, True),
    ("6.3-204", b"GET", head(b"HTTP/1.1 204 No Content"), NO_CONTENT, True),
    ("6.3-304", b"GET", head(b"HTTP/1.1 304 Not Modified", b"Content-Length: 5\r\n"), NO_CONTENT, True),
    ("6.3-connect", b"CONNECT", head(fields=b"Content-Length: 5\r\n"), NO_CONTENT, True),
    ("6.3-connect-refused", b"CONNECT", head(b"HTTP/1.1 403 No", b"Content-Length: 5\r\n"), Length(5), True),
    ("9.3-close", b"GET", head(fields=b"Connection: close\r\nContent-Length: 5\r\n"), Length(5), False),
    ("9.3-1.0", b"GET", head(b"HTTP/1.0 200 OK", b"Content-Length: 5\r\n"), Length(5), False),
    (
        "9.3-1.0-keep-alive",
        b"GET",
        head(b"HTTP/1.0 200 OK", b"Content-Length: 5\r\nConnection: keep-alive\r\n"),
        Length(5),
        True,
    ),
    ("4-no-reason", b"GET", head(b"HTTP/1.1 200 ", b"Content-Length: 5\r\n"), Length(5), True),
    ("4-no-space-either", b"GET", head(b"HTTP/1.1 200", b"Content-Length: 5\r\n"), Length(5), True),
    ("9110-15-status-999", b"GET", head(b"HTTP/1.1 999 Odd", b"Content-Length: 5\r\n"), Length(5), True),
    ("9110-7.8-101", b"GET", head(b"HTTP/1.1 101 Switching Protocols"), NO_CONTENT, True),
]


@pytest.mark.parametrize(
    ("method", "data", "framing", "persistent"), [row[1:] for row in FINAL], ids=[row[0] for row in FINAL]
)
def test_a_final_response_is_framed_by_method_status_and_fields(
    method: bytes, data: bytes, framing: Framing, persistent: bool
) -> None:
    read = h11_reader.read_response(data + b"more", LIMITS, request_method=method)
    assert read is not None
    assert isinstance(read.event, ResponseReceived)
    assert (read.event.framing, read.event.persistent, read.consumed) == (framing, persistent, len(data))
    assert (read.reader is None) == (framing is NO_CONTENT)
    for end in range(len(data)):
        assert h11_reader.read_response(data[:end], LIMITS, request_method=method) is None


def test_an_interim_response_is_no_final_one() -> None:
    data = head(b"HTTP/1.1 103 Early Hints", b"Link: </a>\r\n")
    read = h11_reader.read_response(data + head(), LIMITS, request_method=b"GET")
    assert read is not None
    assert isinstance(read.event, InterimReceived)
    assert (read.event.status, read.event.reason, read.consumed) == (103, b"Early Hints", len(data))
    assert read.event.fields.items() == ((b"Link", b"</a>"),)
    assert read.reader is None


def test_obs_fold_becomes_a_space() -> None:
    read = h11_reader.read_response(head(fields=b"A: b\r\n \t c\r\nB: d\r\n"), LIMITS, request_method=b"GET")
    assert read is not None
    assert read.event.fields.items() == ((b"A", b"b c"), (b"B", b"d"))


def test_a_folded_transfer_encoding_hides_nothing() -> None:
    data = head(fields=b"Transfer-Encoding: chunked,\r\n gzip\r\n")
    with pytest.raises(RemoteProtocolError, match="does not end in chunked"):
        h11_reader.read_response(data, LIMITS, request_method=b"GET")
