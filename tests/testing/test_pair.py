"""The pair: what the link and the virtual clock do to two machines."""

from typing import Any

import pytest

from sansio_web.effects import AbortTransport, CloseTransport, ShutdownWrite, Transmit
from sansio_web.http.client_role import ClientRole
from sansio_web.http.commands import (
    ABORT,
    READ_CONTENT,
    STOP_PERSISTING,
    SendContent,
    SendEnd,
    SendHead,
    SendRequest,
    SendResponse,
)
from sansio_web.http.events import (
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ExchangeEnded,
    PeerEnded,
    RequestReceived,
    ResponseBroken,
    ResponseReceived,
)
from sansio_web.http.lifecycle import CloseReason, Phase
from sansio_web.limits import Limits
from sansio_web.testing.pair import Pair

GET = SendRequest(b"GET", b"/", [(b"Host", b"h")])
PUT = SendRequest(b"PUT", b"/", [(b"Host", b"h"), (b"Content-Length", b"4")])
GET_BYTES = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
HELLO = SendResponse(200, b"OK", [], b"hello", complete=True)
HELLO_BYTES = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


# ---- bytes


def test_bytes_are_in_flight_until_they_are_delivered() -> None:
    pair = Pair.http()
    pair.client.send(GET, now=pair.now)
    assert pair.client_effects == [Transmit(GET_BYTES)]
    assert (bytes(pair.to_server.data), pair.server_events) == (GET_BYTES, [])
    assert pair.deliver_to_server() == len(GET_BYTES)
    assert kinds(pair.server_events) == [RequestReceived]
    pair.server.send(HELLO, pair.now)
    assert (bytes(pair.to_client.data), pair.server_effects) == (HELLO_BYTES, [Transmit(HELLO_BYTES)])
    assert pair.deliver_to_client() == len(HELLO_BYTES)
    assert kinds(pair.client_events) == [ResponseReceived]


def test_bytes_are_delivered_in_pieces_of_given_sizes() -> None:
    pair = Pair.http()
    pair.client.send(GET, now=pair.now)
    assert pair.deliver_to_server(5, 0, 3) == 8
    assert bytes(pair.to_server.data) == GET_BYTES[8:]
    assert pair.deliver_to_server(1_000, 1) == len(GET_BYTES) - 8
    assert kinds(pair.server_events) == [RequestReceived]


def test_bytes_are_delivered_one_by_one_in_both_directions() -> None:
    pair = Pair.http()
    pair.client.send(GET, now=pair.now)
    assert pair.deliver_bytewise_to_server() == len(GET_BYTES)
    pair.server.send(HELLO, pair.now)
    assert pair.deliver_bytewise_to_client() == len(HELLO_BYTES)
    pair.client.send(READ_CONTENT, pair.now)
    pair.client.send(READ_CONTENT, pair.now)
    assert pair.client_events[1:] == [
        ContentReceived(b"hello"),
        ContentEnded(),
        ExchangeEnded(persistent=True),
    ]


def test_a_machine_that_does_not_want_to_read_gets_nothing() -> None:
    pair = Pair.http(server_limits=Limits(max_buffered_content_bytes=2))
    pair.client.send(PUT, now=pair.now)
    pair.client.send(SendContent(b"abcd"), now=pair.now)
    pair.deliver_bytewise_to_server()
    assert bytes(pair.to_server.data) == b"cd"
    pair.server.send(READ_CONTENT, pair.now)
    assert pair.deliver_to_server() == 2


def test_applications_answer_events_as_they_happen() -> None:
    pair = Pair.http()

    def serve(event: Any) -> None:
        if isinstance(event, RequestReceived):
            pair.server.send(HELLO, pair.now)

    def read(event: Any) -> None:
        if isinstance(event, (ResponseReceived, ContentReceived)):
            pair.client.send(READ_CONTENT, pair.now)

    pair.on_server_event(serve)
    pair.on_client_event(read)
    for _ in range(2):
        pair.client.send(GET, pair.now)
        pair.run()
    assert kinds(pair.client_events) == [ResponseReceived, ContentReceived, ContentEnded, ExchangeEnded] * 2
    assert [who for _, who, what in pair.trace if isinstance(what, Transmit)] == ["client", "server"] * 2


# ---- ends


def test_a_closed_end_is_the_end_of_the_stream_for_the_other() -> None:
    pair = Pair.http()
    pair.client.send(STOP_PERSISTING, pair.now)
    assert pair.client_effects == [CloseTransport()]
    pair.run()
    assert pair.server_events == [ConnectionClosed(CloseReason.PEER_ENDED)]


def test_bytes_for_a_closed_end_come_back_as_a_reset() -> None:
    pair = Pair.http()
    pair.server.send(STOP_PERSISTING, pair.now)
    pair.client.send(PUT, pair.now)
    pair.deliver_to_server()
    assert (bytes(pair.to_server.data), pair.to_client.reset) == (b"", True)
    pair.client.send(SendContent(b"ab"), pair.now)
    pair.deliver_to_client()
    assert kinds(pair.client_events) == [ResponseBroken, ConnectionClosed]
    assert pair.client_events[-1].reason is CloseReason.PEER_LOST
    trace = list(pair.trace)
    pair.run()
    assert pair.trace == trace


def test_nothing_for_a_closed_end_is_no_reset() -> None:
    pair = Pair.http()
    pair.server.send(STOP_PERSISTING, pair.now)
    pair.deliver_to_server()
    assert not pair.to_client.reset


def test_an_aborted_end_is_a_lost_transport_for_the_other() -> None:
    pair = Pair.http()
    pair.client.send(PUT, pair.now)
    pair.deliver_to_server()
    pair.client.send(SendContent(b"ab"), pair.now)
    pair.client.send(ABORT, pair.now)
    assert pair.client_effects[-1] == AbortTransport()
    assert bytes(pair.to_server.data) == b""
    pair.deliver_to_server()
    assert pair.server_events[-1].reason is CloseReason.PEER_LOST


def test_a_half_closed_end_may_be_sent_to() -> None:
    pair = Pair.http()
    pair.client.send(PUT, pair.now)
    pair.deliver_to_server()
    pair.server.send(SendHead(413, b"Too Large", [(b"Connection", b"close")]), pair.now)
    pair.server.send(SendEnd(), pair.now)
    assert pair.server_effects[-1] == ShutdownWrite()
    pair.client.send(SendContent(b"abcd"), pair.now)
    assert pair.deliver_to_server() == 4
    pair.run()
    assert pair.client.phase is Phase.LAST or pair.client.phase is Phase.CLOSED
    assert pair.server.http.phase is Phase.LINGERING or pair.server.http.phase is Phase.CLOSED


def test_a_cut_ends_a_stream_behind_what_is_in_flight() -> None:
    pair = Pair.http()
    pair.client.send(GET, pair.now)
    pair.cut_to_server()
    pair.deliver_to_server()
    assert kinds(pair.server_events) == [RequestReceived, PeerEnded]


def test_a_cut_may_take_some_of_what_is_in_flight_and_all_that_comes_later() -> None:
    pair = Pair.http()
    pair.client.send(PUT, pair.now)
    pair.deliver_to_server()
    pair.server.send(HELLO, pair.now)
    pair.cut_to_client(after=20)
    pair.client.send(SendContent(b"ab"), pair.now)
    pair.cut_to_server(after=1)
    pair.client.send(SendContent(b"cd"), pair.now)
    assert pair.deliver_to_server() == 1
    assert pair.deliver_to_client() == 20
    assert kinds(pair.client_events) == [ResponseBroken, ConnectionClosed]


def test_a_lost_transport_is_lost_for_both_and_stays_so() -> None:
    pair = Pair.http()
    pair.client.send(GET, pair.now)
    pair.lose()
    assert kinds(pair.client_events) == [ResponseBroken, ConnectionClosed]
    assert pair.server_events == [ConnectionClosed(CloseReason.PEER_LOST)]
    assert (pair.deliver_to_server(), pair.deliver_to_client(), pair.next_deadline()) == (0, 0, None)


# ---- time


def test_time_passes_deadline_by_deadline() -> None:
    pair = Pair.http(Limits(idle_timeout=10.0), server_limits=Limits(idle_timeout=5.0), now=100.0)
    assert pair.next_deadline() == 105.0
    pair.advance(4.0)
    assert (pair.now, pair.trace) == (104.0, [])
    pair.advance(100.0)
    assert pair.now == 204.0
    assert [(at, who) for at, who, what in pair.trace if what == "timeout"] == [
        (105.0, "server"),
        (110.0, "client"),
    ]
    assert pair.client_events == [ConnectionClosed(CloseReason.IDLE_TIMEOUT)]
    assert pair.next_deadline() is None


def test_a_transport_that_holds_back_is_told_to_its_machine() -> None:
    limits = Limits(write_timeout=3.0, min_write_bytes=8)
    pair = Pair.http(limits, window=len(GET_BYTES) + 100)
    pair.client.send(PUT, pair.now)
    assert pair.next_deadline() == limits.idle_timeout
    pair.client.send(SendContent(b"abcd"), pair.now)
    big = SendRequest(b"PUT", b"/" + b"a" * 200, [(b"Host", b"h"), (b"Content-Length", b"4")])
    pair = Pair.http(limits, window=100)
    pair.client.send(big, pair.now)
    assert (pair.to_server.unsent > 100, pair.next_deadline()) == (True, 3.0)
    pair.deliver_to_server(60)
    pair.advance(3.0)
    assert pair.client.phase is Phase.PERSISTENT
    pair.deliver_to_server()
    pair.advance(100.0)
    assert pair.client.phase is Phase.PERSISTENT
    stuck = Pair.http(limits, window=100)
    stuck.client.send(big, stuck.now)
    stuck.advance(4.0)
    assert stuck.client_events[-1].reason is CloseReason.WRITE_TIMEOUT
    assert stuck.client_effects[-1] == AbortTransport()


class Stuck(ClientRole):
    """A machine that breaks the law: its deadline stays due."""

    def handle_timeout(self, now: float) -> None:
        """Do nothing."""


def test_a_timeout_without_progress_is_an_error() -> None:
    pair = Pair(Stuck(now=0.0), ClientRole(Limits(idle_timeout=None), now=0.0))
    with pytest.raises(AssertionError, match=r"handle_timeout\(75.0\) makes no progress: 75.0 is still due"):
        pair.advance(80.0)
