"""What the fast lane takes at all; that it agrees with h11 is in properties/test_lanes_agree.py."""

import pytest

from sansio_web.http import fast_lane
from sansio_web.http.content import ChunkedReader, LengthReader, UntilCloseReader
from sansio_web.http.events import RequestReceived, ResponseReceived
from sansio_web.http.fields import Fields
from sansio_web.http.framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Length
from sansio_web.limits import DEFAULT_LIMITS, Limits

HOST = b"Host: a\r\n"


def request(fields: bytes, line: bytes = b"GET / HTTP/1.1") -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


def response(fields: bytes, line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_plain_request_is_read_up_to_its_empty_line(kind: type[bytes] | type[bytearray]) -> None:
    data = request(b"Host: a\r\nAccept: */*\r\n", b"GET /b?c HTTP/1.1")
    read = fast_lane.read_request(kind(data + b"GET"), DEFAULT_LIMITS)
    assert read is not None
    fields = Fields([(b"Host", b"a"), (b"Accept", b"*/*")])
    assert read.event == RequestReceived(b"GET", b"/b?c", b"1.1", fields, NO_CONTENT)
    assert (read.consumed, read.reader) == (len(data), None)
    assert type(read.event.method) is type(read.event.fields.items()[0][0]) is bytes


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        (HOST + b"Content-Length: 12\r\n", Length(12)),
        (b"content-length:12\r\n" + HOST, Length(12)),
        (HOST + b"Content-Length: 0\r\n", NO_CONTENT),
        (HOST + b"Transfer-Encoding: chunked\r\n", CHUNKED),
        (b"TRANSFER-ENCODING: chunked\t\r\n" + HOST, CHUNKED),
    ],
)
def test_a_plain_request_with_content_has_its_reader(fields: bytes, framing: object) -> None:
    read = fast_lane.read_request(request(fields), DEFAULT_LIMITS)
    assert read is not None
    assert read.event.framing == framing
    kinds = {Length: LengthReader, type(CHUNKED): ChunkedReader, type(NO_CONTENT): type(None)}
    assert type(read.reader) is kinds[type(framing)]


@pytest.mark.parametrize(
    ("fields", "persistent"),
    [
        (HOST + b"Connection: Keep-Alive\r\n", True),
        (HOST + b"Connection: close\r\n", False),
        (b"connection: Close\r\n" + HOST, False),
        (b"Connection: close\r\n" + HOST + b"Connection: keep-alive\r\n", False),
    ],
)
def test_connection_says_if_the_client_lets_it_persist(fields: bytes, persistent: bool) -> None:
    read = fast_lane.read_request(request(fields), DEFAULT_LIMITS)
    assert read is not None
    assert read.event.persistent is persistent


@pytest.mark.parametrize(
    "name",
    [
        b"Hosts",
        b"X-Host",
        b"Content-Type",
        b"Content-Lengths",
        b"Connections",
        b"Proxy-Connection",
        b"TE",
        b"Trailer",
        b"Expected",
        b"Upgrade-Insecure-Requests",
        b"!",
        b"u",
        b"E-",
        b"t",
    ],
)
def test_names_that_only_look_like_those_with_a_meaning_are_plain(name: bytes) -> None:
    data = request(HOST + name + b": whatever, 1\r\n")
    assert fast_lane.read_request(data, DEFAULT_LIMITS) is not None


@pytest.mark.parametrize(
    "data",
    [
        request(b""),
        request(HOST * 2),
        request(b"Host:\r\n"),
        request(HOST + b"Expect: 100-continue\r\n"),
        request(HOST + b"Upgrade: x\r\n"),
        request(HOST + b"Connection: upgrade\r\n"),
        request(HOST + b"Connection: keep-alive, close\r\n"),
        request(HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n"),
        request(b"Content-Length: 1\r\n" + HOST + b"Content-Length: 1\r\n"),
        request(b"Content-Length: 1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"),
        request(b"Transfer-Encoding: chunked\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"),
        request(HOST + b"Content-Length: " + b"1" * 16 + b"\r\n"),
        request(HOST + b"Transfer-Encoding: Chunked\r\n"),
        request(HOST, b"get / HTTP/1.1"),
        request(HOST, b"CONNECT / HTTP/1.1"),
        request(HOST, b"OPTIONS * HTTP/1.1"),
        request(HOST, b"GET http://a/ HTTP/1.1"),
        request(HOST, b"GET / HTTP/1.0"),
        b"\r\n" + request(HOST),
        request(HOST)[:-1],
        b"",
    ],
)
def test_a_request_that_is_not_plain_or_not_complete_is_left_to_h11(data: bytes) -> None:
    assert fast_lane.read_request(data, DEFAULT_LIMITS) is None


def test_a_head_over_a_limit_is_left_to_h11() -> None:
    data = request(HOST + b"a:\r\n" * 9)
    for limits in (Limits(max_field_lines=10), Limits(max_head_bytes=len(data))):
        assert fast_lane.read_request(data, limits) is not None
        assert fast_lane.read_response(response(b"a:\r\n" * 10), limits, request_method=b"GET") is not None
    for limits in (Limits(max_field_lines=9), Limits(max_head_bytes=len(data) - 1)):
        assert fast_lane.read_request(data, limits) is None
    data = response(b"a:\r\n" * 10)
    for limits in (Limits(max_field_lines=9), Limits(max_head_bytes=len(data) - 1)):
        assert fast_lane.read_response(data, limits, request_method=b"GET") is None


def test_a_head_of_many_lines_without_an_end_costs_no_more_than_its_length() -> None:
    data = b"GET / HTTP/1.1\r\n" + b"Content-Typ: x\r\nHos: y\r\nTrail: z\r\n" * 20_000
    assert fast_lane.read_request(data, DEFAULT_LIMITS) is None
    assert fast_lane.read_request(data + HOST + data[16:] + b"\x00", DEFAULT_LIMITS) is None


@pytest.mark.parametrize(
    ("method", "data", "framing", "persistent"),
    [
        (b"GET", response(b"Content-Length: 3\r\n"), Length(3), True),
        (b"GET", response(b"Content-Length: 0\r\nConnection: close\r\n"), NO_CONTENT, False),
        (b"GET", response(b"Transfer-Encoding: chunked\r\n"), CHUNKED, True),
        (b"GET", response(b"Host: x\r\nExpect: y\r\nUpgrade: z\r\n"), UNTIL_CLOSE, False),
        (b"HEAD", response(b"Content-Length: 3\r\n"), NO_CONTENT, True),
        (b"GET", response(b"", b"HTTP/1.1 204 No Content"), NO_CONTENT, True),
        (b"GET", response(b"Content-Length: 3\r\n", b"HTTP/1.1 304 "), NO_CONTENT, True),
    ],
)
def test_a_plain_response_is_framed_by_method_status_and_fields(
    method: bytes, data: bytes, framing: object, persistent: bool
) -> None:
    read = fast_lane.read_response(data + b"x", DEFAULT_LIMITS, request_method=method)
    assert read is not None
    assert isinstance(read.event, ResponseReceived)
    assert (read.event.framing, read.event.persistent, read.consumed) == (framing, persistent, len(data))
    kinds = {Length: LengthReader, type(CHUNKED): ChunkedReader, type(UNTIL_CLOSE): UntilCloseReader}
    assert type(read.reader) is kinds.get(type(framing), type(None))


@pytest.mark.parametrize(
    ("method", "data"),
    [
        (b"CONNECT", response(b"")),
        (b"GET", response(b"", b"HTTP/1.1 100 Continue")),
        (b"GET", response(b"", b"HTTP/1.0 200 OK")),
        (b"GET", response(b"", b"HTTP/1.1 200")),
        (b"GET", response(b"Content-Length: 0\r\n", b"HTTP/1.1 204 No Content")),
        (b"GET", response(b"A: b\r\n c\r\n")),
        (b"GET", response(b"Connection: upgrade\r\n")),
        (b"GET", response(b"")[:-2]),
    ],
)
def test_a_response_that_is_not_plain_is_left_to_h11(method: bytes, data: bytes) -> None:
    assert fast_lane.read_response(data, DEFAULT_LIMITS, request_method=method) is None
