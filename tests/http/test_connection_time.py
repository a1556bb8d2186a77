"""Every phase that waits for the peer has its deadline (RFC 9110 15.5.9, RFC 9112 9.5)."""

import pytest
from tests.support.machine import CHUNKED_POST, GET, OK, OK_BYTES, READ, Server, post

from sansio_web.effects import AbortTransport, CloseTransport, ShutdownWrite
from sansio_web.http.commands import SendContent, SendEnd, SendHead, SendResponse
from sansio_web.http.connection import join
from sansio_web.http.events import ConnectionClosed, ContentBroken, ContentReceived, RequestRefused
from sansio_web.http.lifecycle import CloseReason, Phase
from sansio_web.limits import Limits

CLOSING_GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SWITCHING_GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"


def test_a_silent_peer_is_closed_without_a_word() -> None:
    server = Server().wait(74.9)
    assert server.phase is Phase.PERSISTENT
    server.wait(0.1)
    assert (server.closed(), server.effects, server.took()) == (
        CloseReason.IDLE_TIMEOUT,
        [CloseTransport()],
        b"",
    )


def test_idle_time_begins_again_after_each_exchange() -> None:
    server = Server().wait(70.0).feed(GET).wait(1000.0).send(OK).wait(74.0)
    assert server.phase is Phase.PERSISTENT
    server.wait(1.0)
    assert server.closed() is CloseReason.IDLE_TIMEOUT


def test_a_connection_is_not_idle_while_the_peer_takes_what_we_sent() -> None:
    server = Server().feed(GET).send(OK).unsent(90_000).feed(GET)
    for left in range(88_000, 67_000, -2000):
        server.wait(29.0).unsent(left)
    server.took_events()
    server.unsent(0)
    assert len(server.took_events()) == 1  # the request that had waited
    server = Server(Limits(write_timeout=None)).feed(GET).send(OK).unsent(90_000).wait(75.0)
    assert server.closed() is CloseReason.IDLE_TIMEOUT


@pytest.mark.parametrize("step", [0.5, 5.0, 19.0])
def test_a_head_has_its_time_however_it_dribbles(step: float) -> None:
    server = Server().feed(b"GET / HTTP/1.1\r\n")
    began = server.now
    while server.phase is Phase.PERSISTENT:
        server.feed(b"a").wait(step)
        assert server.now - began <= 20.0 + step
    refused = server.took_events()[0]
    assert isinstance(refused, RequestRefused)
    assert str(refused.error) == "no complete head within 20.0 s (Limits.head_timeout)"
    assert server.took().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert server.effects[0] == ShutdownWrite()


def test_a_head_that_waited_behind_an_exchange_has_all_its_time() -> None:
    server = Server().feed(GET + GET[:9]).wait(100.0).send(OK).wait(19.9).feed(GET[9:]).send(OK)
    assert server.took() == OK_BYTES * 2


def test_content_must_make_progress_while_somebody_waits() -> None:
    server = Server().feed(post(b"", length=10_000)).wait(500.0).send(READ)
    server.took_events()
    server.wait(29.9)
    assert server.events == []
    (told,) = server.wait(0.1).took_events()
    assert isinstance(told, ContentBroken)
    assert told.error.status_hint == 408
    assert "fewer than 1024 bytes of content within 30.0 s" in str(told.error)
    server.send(SendResponse(408, b"", [], b""))
    assert (server.reason, server.effects) == (CloseReason.CONTENT_BROKEN, [ShutdownWrite()])


def test_a_peer_that_dribbles_content_is_timed_over_all_reads() -> None:
    server = Server().feed(CHUNKED_POST)
    began = server.now
    while not isinstance(told := server.read(), ContentBroken):
        server.wait(1.0).feed(b"1\r\nx\r\n")
        assert server.now - began < 40
    assert told.error.status_hint == 408


def test_coding_without_content_is_no_progress() -> None:
    server = Server().feed(CHUNKED_POST).send(READ)
    server.took_events()
    server.wait(20.0).feed(b"5;").wait(9.0).feed(b"a").wait(1.0)
    assert isinstance(server.took_events()[0], ContentBroken)


def test_a_span_with_enough_content_begins_anew() -> None:
    server = Server().feed(post(b"", length=100_000))
    for _ in range(50):
        server.send(READ).wait(29.0).feed(b"x" * 1024)
    assert all(not isinstance(event, ContentBroken) for event in server.events)
    assert sum(len(event.data) for event in server.events if isinstance(event, ContentReceived)) == 50 * 1024


def test_time_in_which_nobody_reads_is_not_the_peers() -> None:
    server = Server().feed(post(b"", length=10_000))
    for _ in range(20):
        server.feed(b"x")
        assert server.read() == b"x"
        server.wait(1000.0)
    server.send(READ).wait(20.0).feed(b"x").wait(1000.0)
    server.took_events()
    server.send(READ).wait(9.0)
    assert server.took_events() == []
    assert isinstance(server.wait(1.0).took_events()[0], ContentBroken)


def test_content_without_a_timeout_waits_for_ever() -> None:
    server = Server(Limits(content_timeout=None)).feed(post(b"", length=9)).send(READ)
    assert server.machine.next_deadline() is None
    server.feed(b"x")
    assert server.read() is None


def test_bytes_that_the_peer_does_not_take_have_their_time() -> None:
    server = Server().feed(GET).send(SendHead(200, b"OK", []), SendContent(b"x" * 100_000)).unsent(90_000).wait(29.9)
    assert server.effects == []
    server.wait(0.1)
    assert (server.effects, server.closed()) == ([AbortTransport()], CloseReason.WRITE_TIMEOUT)


@pytest.mark.parametrize(("rate", "survives"), [(1024, True), (1023, False)])
def test_a_peer_that_dribbles_acknowledgements_must_reach_the_minimum(rate: int, survives: bool) -> None:
    server = Server().feed(GET).send(SendHead(200, b"OK", []), SendContent(b"x" * 100_000)).unsent(90_000)
    unsent = 90_000
    for _ in range(10):
        for _ in range(3):
            server.wait(9.0)
            unsent -= rate // 3 if rate == 1023 else rate // 3 + 1
            if server.phase is Phase.PERSISTENT:
                server.unsent(unsent)
        server.wait(3.0)
    assert (server.phase is Phase.PERSISTENT) is survives


def test_all_bytes_taken_is_progress_however_few() -> None:
    server = Server().feed(GET).send(SendHead(200, b"OK", [])).unsent(5).wait(29.0).unsent(0).wait(100.0)
    assert server.effects == []
    server.unsent(5).wait(15.0).unsent(0).unsent(4).wait(29.9)
    assert server.effects == []


def test_a_minimum_of_zero_still_means_some_progress() -> None:
    server = Server(Limits(min_write_bytes=0)).feed(GET).send(SendHead(200, b"OK", []), SendContent(b"x" * 99))
    server.unsent(99).wait(29.0).unsent(98).wait(59.0).unsent(98)
    assert server.effects == [AbortTransport()]


def test_a_closed_connection_that_does_not_drain_is_aborted() -> None:
    server = Server().feed(GET).send(OK).eof().unsent(40)
    assert server.closed() is CloseReason.PEER_ENDED
    server.wait(30.0)
    assert server.effects == [CloseTransport(), AbortTransport()]
    assert server.machine.next_deadline() is None


def test_a_switched_connection_that_does_not_drain_is_aborted() -> None:
    server = Server().feed(SWITCHING_GET).send(SendHead(101, b"", [])).unsent(40).wait(30.0)
    assert server.effects == [AbortTransport()]
    assert (server.phase, server.machine.next_deadline()) == (Phase.SWITCHED, None)


def test_a_lingering_connection_that_does_not_drain_is_aborted() -> None:
    server = Server().feed(CLOSING_GET).send(OK).unsent(40).wait(30.0)
    assert server.effects == [ShutdownWrite(), AbortTransport()]
    assert server.closed() is CloseReason.PEER_ASKED


@pytest.mark.parametrize(
    "server",
    [
        Server(),
        Server().feed(GET).send(OK),
        Server().feed(GET[:9]),
        Server().feed(CHUNKED_POST).send(READ),
        Server().feed(CHUNKED_POST).send(OK),
        Server().feed(CLOSING_GET).send(OK),
        Server().feed(CLOSING_GET).send(OK).eof(),
    ],
    ids=["new", "idle", "head", "content", "drain", "linger", "closed"],
)
@pytest.mark.parametrize("first", [1.0, 200.0])
def test_deadlines_that_fall_due_together_are_all_handled(server: Server, first: float) -> None:
    server.now += first
    server.unsent(4000)
    server.now += 10_000.0  # the machine was asleep
    server.machine.handle_timeout(server.now)
    server.drain().wait(10_000.0)
    assert server.phase is Phase.CLOSED
    assert len([event for event in server.events if isinstance(event, ConnectionClosed)]) == 1


def test_an_early_timer_is_harmless() -> None:
    server = Server()
    server.machine.handle_timeout(server.now + 1.0)
    assert server.drain().phase is Phase.PERSISTENT


def test_every_wait_for_the_peer_has_a_deadline_by_default() -> None:
    waits = {
        "nothing": Server(),
        "head": Server().feed(b"G"),
        "content": Server().feed(post(b"", length=9)).send(READ),
        "unread content": Server().feed(post(b"", length=9)).send(OK),
        "next request": Server().feed(GET).send(OK),
        "the end": Server().feed(CLOSING_GET).send(OK),
        "taking": Server().feed(GET).send(SendHead(200, b"", []), SendContent(b"x")).unsent(1),
        "taking the end": Server().feed(GET).send(SendHead(200, b"", []), SendEnd()).unsent(1).eof(),
    }
    assert {name for name, server in waits.items() if server.machine.next_deadline() is None} == set()


def test_join_grows_in_place() -> None:
    held = join(b"", b"ab")
    assert held == b"ab"
    grown = join(held, b"c")
    assert isinstance(grown, bytearray)
    assert join(grown, b"d") is grown
    assert grown == b"abcd"
