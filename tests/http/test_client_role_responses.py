"""Where responses end (RFC 9112 6.3), by real bytes: whole, byte by byte, split anywhere, more behind."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from client_talk import HOST, Talk

from sansio_web.effects import CloseTransport
from sansio_web.errors import PeerDisconnected
from sansio_web.http.commands import STOP_PERSISTING
from sansio_web.http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentReceived,
    ExchangeEnded,
    ResponseBroken,
    ResponseReceived,
)
from sansio_web.http.lifecycle import CloseReason, Phase
from sansio_web.limits import Limits


class Row(NamedTuple):
    """What the server sends to `method`, and what a client makes of it.

    content: None where there is none
    reason: why the connection does not persist, None if it does
    ends: whether the content ends with the stream
    """

    name: str
    method: bytes
    data: bytes
    status: int
    content: bytes | None
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    reason: CloseReason | None = None
    ends: bool = False
    version: bytes = b"1.1"


def head(fields: bytes = b"", line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


CODED = b"Transfer-Encoding: chunked\r\n"
CLOSE, OLD, STREAM = CloseReason.PEER_ASKED, CloseReason.VERSION, CloseReason.UNTIL_CLOSE

WHOLE = [
    # 6.3 item 1: HEAD, 1xx, 204, 304 have no content, whatever the fields say
    Row("1-head-length", b"HEAD", head(b"Content-Length: 5\r\n"), 200, None),
    Row("1-head-chunked", b"HEAD", head(CODED), 200, None),
    Row("1-head-neither", b"HEAD", head(), 200, None),
    Row("1-204", b"GET", head(line=b"HTTP/1.1 204 No Content"), 204, None),
    Row("1-204-post", b"POST", head(line=b"HTTP/1.1 204 No Content"), 204, None),
    Row("1-304-length", b"GET", head(b"Content-Length: 5\r\n", b"HTTP/1.1 304 Not Modified"), 304, None),
    Row("1-304-chunked", b"GET", head(CODED, b"HTTP/1.1 304 Not Modified"), 304, None),
    Row(
        "1-100-first",
        b"GET",
        head(line=b"HTTP/1.1 100 Continue") + head(b"Content-Length: 1\r\n") + b"a",
        200,
        b"a",
    ),
    Row("1-205-has-content", b"GET", head(b"Content-Length: 1\r\n", b"HTTP/1.1 205 R") + b"a", 205, b"a"),
    # item 4: chunked
    Row("4-chunked", b"GET", head(CODED) + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, b"abcde"),
    Row(
        "4-chunked-upper",
        b"GET",
        head(b"TRANSFER-ENCODING: Chunked\r\n") + b"A\r\n0123456789\r\n0\r\n\r\n",
        200,
        b"0123456789",
    ),
    Row("4-chunked-empty", b"GET", head(CODED) + b"0\r\n\r\n", 200, b""),
    Row("4-chunked-zeros", b"GET", head(CODED) + b"0003\r\nabc\r\n000\r\n\r\n", 200, b"abc"),
    Row("4-chunked-extension", b"GET", head(CODED) + b'3;a=b;c="d;e"\r\nabc\r\n0;f\r\n\r\n', 200, b"abc"),
    Row(
        "4-chunked-trailers",
        b"GET",
        head(CODED) + b"1\r\na\r\n0\r\nX: y\r\nZ:  w \r\n\r\n",
        200,
        b"a",
        ((b"X", b"y"), (b"Z", b"w")),
    ),
    Row("4-chunked-404", b"GET", head(CODED, b"HTTP/1.1 404 Not Found") + b"1\r\na\r\n0\r\n\r\n", 404, b"a"),
    Row(
        "4-chunked-close",
        b"GET",
        head(CODED + b"Connection: close\r\n") + b"1\r\na\r\n0\r\n\r\n",
        200,
        b"a",
        (),
        CLOSE,
    ),
    # items 5 and 6: Content-Length
    Row("6-length", b"GET", head(b"Content-Length: 5\r\n") + b"abcde", 200, b"abcde"),
    Row("6-length-zero", b"GET", head(b"Content-Length: 0\r\n"), 200, None),
    Row(
        "6-length-post",
        b"POST",
        head(b"content-length:5\r\n", b"HTTP/1.1 201 Created") + b"abcde",
        201,
        b"abcde",
    ),
    Row("5-length-repeated", b"GET", head(b"Content-Length: 2\r\nContent-Length: 2\r\n") + b"ab", 200, b"ab"),
    Row("6-length-of-crlf", b"GET", head(b"Content-Length: 4\r\n") + b"\r\n\r\n", 200, b"\r\n\r\n"),
    Row(
        "6-length-close",
        b"GET",
        head(b"Content-Length: 2\r\nConnection: close\r\n") + b"ab",
        200,
        b"ab",
        (),
        CLOSE,
    ),
    Row(
        "6-length-1.0",
        b"GET",
        head(b"Content-Length: 2\r\n", b"HTTP/1.0 200 OK") + b"ab",
        200,
        b"ab",
        (),
        OLD,
        version=b"1.0",
    ),
    Row(
        "9.3-length-1.0-keep-alive",
        b"GET",
        head(b"Content-Length: 2\r\nConnection: Keep-Alive\r\n", b"HTTP/1.0 200 OK") + b"ab",
        200,
        b"ab",
        version=b"1.0",
    ),
    Row(
        "6-content-like-a-response",
        b"GET",
        head(b"Content-Length: 19\r\n") + b"HTTP/1.1 404 No\r\n\r\n",
        200,
        b"HTTP/1.1 404 No\r\n\r\n",
    ),
    # item 8: until the server ends the connection
    Row("8-until-close", b"GET", head() + b"abc", 200, b"abc", (), STREAM, ends=True),
    Row("8-until-close-empty", b"GET", head(), 200, b"", (), STREAM, ends=True),
    Row(
        "8-until-close-1.0",
        b"GET",
        head(line=b"HTTP/1.0 200 OK") + b"abc",
        200,
        b"abc",
        (),
        STREAM,
        ends=True,
        version=b"1.0",
    ),
    Row(
        "8-until-close-keep-alive",
        b"GET",
        head(b"Connection: keep-alive\r\n") + b"abc",
        200,
        b"abc",
        (),
        STREAM,
        ends=True,
    ),
]

Feed = Callable[[Talk, bytes], None]


def whole(talk: Talk, data: bytes) -> None:
    talk.receive(data)


def bytewise(talk: Talk, data: bytes) -> None:
    talk.receive(*[data[at : at + 1] for at in range(len(data))])


def with_empty_pieces(talk: Talk, data: bytes) -> None:
    talk.receive(b"", data[:7], b"", data[7:], b"")


def splits(data: bytes) -> Iterator[Feed]:
    yield from (whole, bytewise, with_empty_pieces)
    for at in range(1, len(data)):
        yield lambda talk, all_of_it, at=at: talk.receive(all_of_it[:at], all_of_it[at:])


def answered(row: Row, feed: Feed, more: bytes = b"") -> tuple[Talk, list[Any]]:
    talk = Talk()
    talk.ask(row.method)
    feed(talk, row.data + more)
    if row.ends:
        talk.eof()
    events = [event for event in talk.events() if not _interim(event)]
    if row.content is not None:
        events += talk.read()
    return talk, events


def _interim(event: object) -> bool:
    return type(event).__name__ == "InterimReceived"


@pytest.mark.parametrize("row", WHOLE, ids=[row.name for row in WHOLE])
def test_a_response_ends_where_rfc_9112_says_in_any_pieces(row: Row) -> None:
    for feed in splits(row.data):
        talk, events = answered(row, feed)
        response, rest = events[0], events[1:]
        assert isinstance(response, ResponseReceived)
        assert (response.status, response.version) == (row.status, row.version)
        assert response.persistent is (row.reason is None)
        if row.content:
            assert rest.pop(0) == ContentReceived(row.content)
        if row.content is not None:
            end = rest.pop(0)
            assert isinstance(end, ContentEnded)
            assert end.trailers.items() == row.trailers
        assert rest.pop(0) == ExchangeEnded(persistent=row.reason is None)
        if row.reason is None:
            assert (rest, talk.effects(), talk.role.phase) == ([], [], Phase.PERSISTENT)
        else:
            assert rest == [ConnectionClosed(row.reason)]
            assert (talk.effects(), talk.role.phase) == ([CloseTransport()], Phase.CLOSED)


@pytest.mark.parametrize("row", [row for row in WHOLE if not row.ends], ids=[row.name for row in WHOLE if not row.ends])
def test_bytes_behind_a_response_leave_it_whole_and_end_the_connection(row: Row) -> None:
    for feed in (whole, bytewise):
        talk, events = answered(row, feed, b"HTTP/1.1 200 OK\r\n")
        assert [event for event in events if isinstance(event, ResponseReceived)] == events[:1]
        assert isinstance(events[-1], ConnectionClosed)
        if feed is whole:
            assert events[-2:] == [
                ExchangeEnded(persistent=False),
                ConnectionClosed(row.reason or CloseReason.UNASKED),
            ]
        assert b"".join(event.data for event in events if isinstance(event, ContentReceived)) == (row.content or b"")
        assert talk.effects() == [CloseTransport()]


# 6.3, 8: a response cut off is incomplete, except where the content ends with the stream
CUT = [
    Row("6-length", b"GET", head(b"Content-Length: 5\r\n") + b"abcd", 200, b"abcd"),
    Row("6-length-nothing", b"GET", head(b"Content-Length: 5\r\n"), 200, b""),
    Row("4-chunk-size", b"GET", head(CODED) + b"3", 200, b""),
    Row("4-inside-a-chunk", b"GET", head(CODED) + b"3\r\nab", 200, b"ab"),
    Row("4-after-a-chunk", b"GET", head(CODED) + b"3\r\nabc\r\n", 200, b"abc"),
    Row("4-after-the-last-chunk", b"GET", head(CODED) + b"3\r\nabc\r\n0\r\n", 200, b"abc"),
    Row("4-inside-the-trailers", b"GET", head(CODED) + b"0\r\nX: y\r\n", 200, b""),
]


@pytest.mark.parametrize("row", CUT, ids=[row.name for row in CUT])
def test_a_response_cut_off_is_not_taken_for_complete(row: Row) -> None:
    for feed in (whole, bytewise):
        talk = Talk()
        talk.ask(row.method)
        feed(talk, row.data)
        talk.eof()
        assert [type(event) for event in talk.events()] == [ResponseReceived]
        told = talk.read()
        assert told[:-2] == ([ContentReceived(row.content)] if row.content else [])
        assert isinstance(told[-2], ContentBroken)
        assert isinstance(told[-2].error, PeerDisconnected)
        assert told[-1] == ConnectionClosed(CloseReason.CONTENT_BROKEN, told[-2].error)
        assert talk.effects() == [CloseTransport()]


@pytest.mark.parametrize("length", range(len(head(b"Content-Length: 0\r\n"))))
def test_a_head_cut_off_is_no_response(length: int) -> None:
    talk = Talk()
    talk.ask()
    talk.receive(head(b"Content-Length: 0\r\n")[:length])
    talk.eof()
    broken, closed = talk.events()
    assert isinstance(broken, ResponseBroken)
    assert isinstance(broken.error, PeerDisconnected)
    assert ("before a response" if not length else "within the head of a response") in str(broken.error)
    assert closed == ConnectionClosed(CloseReason.PEER_ENDED, broken.error)


def test_a_reset_leaves_content_that_ends_with_the_stream_incomplete() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(head() + b"abc")
    talk.role.transport_lost(talk.now)
    talk.events()
    told = talk.read()
    assert told[0] == ContentReceived(b"abc")
    assert isinstance(told[1], ContentBroken)
    assert told[2] == ConnectionClosed(CloseReason.UNTIL_CLOSE, told[1].error)  # the first reason is kept
    assert talk.effects() == []


# what is no response at all: the head, or the framing of the content
BROKEN_HEADS = [
    ("4-not-http", b"SSH-2.0-OpenSSH\r\n", "not with HTTP/1"),
    ("2.3-major-version", b"HTTP/2.0 200 OK\r\n\r\n", "HTTP/2"),
    ("4-status", b"HTTP/1.1 20 OK\r\n\r\n", "status line"),
    ("2.2-bare-lf", b"HTTP/1.1 200 OK\n\n", "LF without CR"),
    (
        "6.3-3-length-and-coding",
        head(b"Content-Length: 1\r\n" + CODED),
        "Content-Length and Transfer-Encoding",
    ),
    ("6.3-4-coding-not-chunked", head(b"Transfer-Encoding: gzip\r\n"), "does not end in chunked"),
    ("6.3-5-lengths-differ", head(b"Content-Length: 1\r\nContent-Length: 2\r\n"), "response refused"),
    ("6.3-5-length-no-number", head(b"Content-Length: one\r\n"), "response refused"),
    ("9110-8.6-length-in-204", head(b"Content-Length: 0\r\n", b"HTTP/1.1 204 No Content"), "204"),
    ("limit-head", head(b"A: " + b"b" * 600 + b"\r\n"), "Limits.max_head_bytes"),
]


@pytest.mark.parametrize(("data", "says"), [row[1:] for row in BROKEN_HEADS], ids=[row[0] for row in BROKEN_HEADS])
def test_what_is_no_response_breaks_the_exchange_and_ends_the_connection(data: bytes, says: str) -> None:
    for feed in (whole, bytewise):
        talk = Talk(Limits(max_head_bytes=500))
        talk.ask()
        feed(talk, data + b"more")
        broken, closed = talk.events()
        assert isinstance(broken, ResponseBroken)
        assert says in str(broken.error)
        assert closed == ConnectionClosed(CloseReason.RESPONSE_BROKEN, broken.error)
        assert talk.effects() == [CloseTransport()]
        assert (talk.role.next_deadline(), talk.role.wants_data(), talk.role.buffered()) == (None, False, 0)


BROKEN_CONTENT = [
    ("7.1-size", b"x\r\n", b"", "hexadecimal"),
    ("7.1-no-crlf-behind", b"1\r\naXX", b"a", "instead of CRLF"),
    ("7.1.2-framing-in-trailers", b"0\r\nContent-Length: 1\r\n\r\n", b"", "trailer section"),
]


@pytest.mark.parametrize(
    ("data", "content", "says"), [row[1:] for row in BROKEN_CONTENT], ids=[row[0] for row in BROKEN_CONTENT]
)
def test_chunks_that_are_none_break_the_content_and_end_the_connection(data: bytes, content: bytes, says: str) -> None:
    for feed in (whole, bytewise):
        talk = Talk()
        talk.ask()
        feed(talk, head(CODED) + data)
        assert talk.effects() == [CloseTransport()]
        talk.events()
        told = talk.read()
        assert told[:-2] == ([ContentReceived(content)] if content else [])
        assert isinstance(told[-2], ContentBroken)
        assert says in str(told[-2].error)
        assert told[-1] == ConnectionClosed(CloseReason.CONTENT_BROKEN, told[-2].error)


def test_an_error_that_waiting_readers_are_told_at_once() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(head(CODED))
    talk.events()
    assert talk.read() == []
    talk.receive(b"nonsense")
    broken, closed = talk.events()
    assert isinstance(broken, ContentBroken)
    assert closed == ConnectionClosed(CloseReason.CONTENT_BROKEN, broken.error)


def test_an_answer_that_nobody_asked_for_closes_the_connection() -> None:
    for before in (False, True):
        talk = Talk()
        if before:
            talk.ask()
            talk.receive(head(b"Content-Length: 0\r\n"))
            talk.events()
        talk.receive(head(b"Content-Length: 0\r\n", b"HTTP/1.1 408 Request Timeout"))
        (closed,) = talk.events()
        assert closed.reason is CloseReason.UNASKED
        assert "no request was open" in str(closed.error)
        assert talk.effects() == [CloseTransport()]


def test_bytes_after_an_early_response_end_the_connection_and_the_request() -> None:
    talk = Talk()
    talk.ask(b"PUT", (HOST, (b"Content-Length", b"4")))
    talk.receive(head(b"Content-Length: 0\r\n"), b"x")
    assert talk.events()[1:] == [ConnectionClosed(CloseReason.UNASKED)]


def test_bytes_after_unread_content_end_the_connection_not_the_content() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(head(b"Content-Length: 2\r\n") + b"ab", b"x")
    assert talk.effects() == [CloseTransport()]
    talk.events()
    assert talk.read() == [
        *(ContentReceived(b"ab"), ContentEnded(), ExchangeEnded(persistent=False)),
        ConnectionClosed(CloseReason.UNASKED),
    ]


# ---- the end of the connection, from either side


def test_a_server_that_closes_an_idle_connection_is_noticed() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(head(b"Content-Length: 0\r\n"))
    talk.events()
    assert talk.role.wants_data()
    talk.eof()
    assert talk.events() == [ConnectionClosed(CloseReason.PEER_ENDED)]
    assert talk.effects() == [CloseTransport()]
    talk.eof()
    talk.role.transport_lost(talk.now)
    assert (talk.events(), talk.effects(), talk.role.wants_data()) == ([], [], False)


def test_a_server_that_ends_its_half_behind_unread_content_ends_the_connection_not_the_content() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(head(b"Content-Length: 2\r\n") + b"ab")
    talk.eof()
    assert talk.effects() == [CloseTransport()]
    talk.events()
    assert talk.read() == [
        *(ContentReceived(b"ab"), ContentEnded(), ExchangeEnded(persistent=False)),
        ConnectionClosed(CloseReason.PEER_ENDED),
    ]


def test_a_broken_transport_breaks_the_open_exchange() -> None:
    talk = Talk()
    talk.ask()
    talk.role.transport_lost(talk.now)
    broken, closed = talk.events()
    assert isinstance(broken, ResponseBroken)
    assert closed == ConnectionClosed(CloseReason.PEER_LOST, broken.error)
    assert talk.role.next_deadline() is None


@pytest.mark.parametrize(
    ("fields", "version", "reason"),
    [
        ((HOST, (b"Connection", b"close")), b"1.1", CloseReason.APPLICATION),
        ((HOST, (b"Connection", b"Close")), b"1.0", CloseReason.VERSION),
        ((HOST,), b"1.0", CloseReason.VERSION),
        ((HOST, (b"Connection", b"keep-alive")), b"1.0", None),
        ((HOST, (b"Connection", b"keep-alive")), b"1.1", None),
    ],
)
def test_a_request_decides_about_persistence_too(
    fields: tuple[tuple[bytes, bytes], ...], version: bytes, reason: CloseReason | None
) -> None:
    talk = Talk()
    talk.ask(b"GET", fields, version)
    talk.receive(head(b"Content-Length: 0\r\n"))
    events = talk.events()[1:]
    assert events[0] == ExchangeEnded(persistent=reason is None)
    assert events[1:] == ([ConnectionClosed(reason)] if reason else [])


def test_a_stop_ends_an_idle_connection_at_once_and_an_open_one_after_its_exchange() -> None:
    idle = Talk()
    idle.role.send(STOP_PERSISTING, idle.now)
    assert (idle.events(), idle.effects()) == ([ConnectionClosed(CloseReason.STOPPING)], [CloseTransport()])
    busy = Talk()
    busy.ask()
    busy.send(STOP_PERSISTING)
    assert (busy.events(), busy.role.phase) == ([], Phase.LAST)
    busy.send(STOP_PERSISTING)
    busy.receive(head(b"Content-Length: 0\r\n"))
    assert busy.events()[1:] == [ExchangeEnded(persistent=False), ConnectionClosed(CloseReason.STOPPING)]


def test_a_stop_while_content_is_unread_closes_and_keeps_the_content() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(head(b"Content-Length: 2\r\n") + b"ab")
    talk.role.send(STOP_PERSISTING, talk.now)
    assert talk.effects() == [CloseTransport()]
    talk.events()
    assert [type(event) for event in talk.read()] == [
        ContentReceived,
        ContentEnded,
        ExchangeEnded,
        ConnectionClosed,
    ]
