"""How a connection ends: lingering, half-closes, resets, aborts, in each state."""

import pytest
from tests.support.machine import CHUNKED_POST, GET, OK, OK_BYTES, READ, Server, h11_reads, post

from sansio_web.effects import AbortTransport, CloseTransport, Effect, ShutdownWrite
from sansio_web.errors import LocalProtocolError, PeerDisconnected
from sansio_web.http.commands import (
    ABORT,
    STOP_PERSISTING,
    LimitContent,
    SendContent,
    SendEnd,
    SendHead,
    SendResponse,
)
from sansio_web.http.events import ConnectionClosed, ContentBroken, PeerEnded, RequestRefused
from sansio_web.http.lifecycle import CloseReason, Phase, Receive, Send
from sansio_web.limits import Limits

CLOSING_GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CLOSING_POST = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
GET_1_0 = b"GET / HTTP/1.0\r\n\r\n"
HEAD_OK = SendHead(200, b"OK", [], complete=True)
THREE = SendHead(200, b"OK", [(b"Content-Length", b"3")], complete=True)


# -- lingering close (RFC 9112 9.6) ----


def test_after_the_last_response_our_half_ends_and_the_rest_is_discarded() -> None:
    server = Server().feed(CLOSING_POST).send(OK)
    assert (server.phase, server.effects) == (Phase.LINGERING, [ShutdownWrite()])
    server.feed(b"x" * 100_000)
    assert server.machine.wants_data()
    assert server.machine.buffered() == 0
    server.eof()
    assert (server.closed(), server.effects) == (CloseReason.PEER_ASKED, [ShutdownWrite(), CloseTransport()])


def test_lingering_ends_at_its_deadline() -> None:
    server = Server().feed(CLOSING_GET).send(OK).wait(1.9).feed(b"x")
    assert server.phase is Phase.LINGERING
    server.wait(0.1)
    assert server.closed() is CloseReason.PEER_ASKED


def test_lingering_ends_at_its_limit() -> None:
    server = Server(Limits(max_linger_bytes=1000)).feed(CLOSING_GET).send(OK).feed(b"x" * 1000)
    assert server.phase is Phase.LINGERING
    server.feed(b"x")
    assert server.closed() is CloseReason.PEER_ASKED


def test_lingering_lasts_while_the_peer_takes_what_we_sent() -> None:
    server = Server().feed(CLOSING_GET).send(OK).unsent(50_000)
    for left in range(49_000, 40_000, -1500):
        server.unsent(left).wait(10.0)
    assert server.phase is Phase.LINGERING
    server.unsent(0).wait(2.0)
    assert (server.phase, server.effects) == (Phase.CLOSED, [ShutdownWrite(), CloseTransport()])


@pytest.mark.parametrize("limits", [Limits(), Limits(linger_timeout=0)])
def test_without_half_close_or_lingering_the_transport_closes_at_once(limits: Limits) -> None:
    server = Server(limits, can_half_close=limits.linger_timeout == 0).feed(CLOSING_GET).send(OK)
    assert (server.closed(), server.effects) == (CloseReason.PEER_ASKED, [CloseTransport()])


def test_the_answer_to_a_refused_request_is_followed_by_a_lingering_close() -> None:
    server = Server().feed(GET).send(OK).wait(60.0)
    server.took()
    server.feed(b"GET\r\n\r\n")
    assert server.took().startswith(b"HTTP/1.1 400 Bad Request\r\n")
    server.wait(1.9).feed(b"more that we do not want to reset")
    assert server.phase is Phase.LINGERING
    server.wait(0.1)
    assert server.closed() is CloseReason.REFUSED


# -- the peer ends its half, in each state ----


def test_eof_between_requests_closes() -> None:
    for server in (Server(), Server().feed(GET).send(OK)):
        server.eof().eof()
        assert (server.closed(), server.effects) == (CloseReason.PEER_ENDED, [CloseTransport()])


def test_eof_within_a_head_is_answered() -> None:
    server = Server().feed(GET[:9]).eof()
    refused, ended, closed = server.events
    assert isinstance(refused, RequestRefused)
    assert isinstance(refused.error, PeerDisconnected)
    assert (type(ended), type(closed)) == (PeerEnded, ConnectionClosed) or (type(ended), type(closed)) == (
        ConnectionClosed,
        PeerEnded,
    )
    assert server.took().startswith(b"HTTP/1.1 400 ")
    assert server.effects == [CloseTransport()]


def test_eof_while_a_response_is_owed_lets_it_be_sent() -> None:
    server = Server().feed(GET).eof()
    assert server.took_events()[1:] == [PeerEnded()]
    assert not server.machine.wants_data()
    server.send(OK)
    assert h11_reads(server.took(), [b"GET"], ended=True)[0].complete
    assert (server.reason, server.effects) == (CloseReason.PEER_ENDED, [CloseTransport()])


def test_eof_within_a_response_lets_it_end() -> None:
    server = Server().feed(GET).send(HEAD_OK).eof().send(SendContent(b"x"), SendEnd())
    assert PeerEnded() in server.took_events()
    assert h11_reads(server.took(), [b"GET"], ended=True)[0].complete
    assert (server.reason, server.effects) == (CloseReason.PEER_ENDED, [CloseTransport()])


def test_every_request_before_the_end_of_the_stream_is_told_of_it() -> None:
    server = Server().feed(GET + post(b"ab") + GET).eof()
    for _ in range(3):
        assert server.took_events()[-1] == PeerEnded()
        server.send(OK)
    assert server.closed() is CloseReason.PEER_ENDED


def test_bytes_that_are_no_request_before_the_end_of_the_stream_are_refused() -> None:
    server = Server().feed(GET + b"zz\r\n\r\n").eof().send(OK)
    assert server.took()[len(OK_BYTES) :].startswith(b"HTTP/1.1 400 ")
    assert server.closed() is CloseReason.REFUSED


def test_requests_that_wait_for_a_slow_reader_outlive_the_end_of_the_stream() -> None:
    server = Server().feed(GET).unsent(100_000).send(OK).feed(GET).eof()
    assert server.effects == []
    server.took_events()
    server.unsent(0)
    assert [type(event).__name__ for event in server.took_events()] == ["RequestReceived", "PeerEnded"]


# -- the transport breaks, in each state ----


@pytest.mark.parametrize(
    ("fed", "commands", "within"),
    [
        ([], [], False),
        ([GET[:9]], [], True),
        ([GET], [], True),
        ([GET], [HEAD_OK], True),
        ([GET], [OK], False),
        ([post(b"", length=9)], [], True),
        ([post(b"", length=9)], [OK], True),
        ([CLOSING_GET], [OK], False),
    ],
)
def test_a_reset_ends_everything_and_is_an_error_within_an_exchange(
    fed: list[bytes], commands: list[SendResponse], within: bool
) -> None:
    server = Server().feed(*fed).send(*commands).unsent(10)
    before = list(server.effects)
    server.lose().lose()
    reason = CloseReason.PEER_ASKED if fed == [CLOSING_GET] else CloseReason.PEER_LOST
    assert server.closed() is reason
    closed = server.events[-1]
    assert isinstance(closed, ConnectionClosed)
    assert isinstance(closed.error, PeerDisconnected) is within
    assert server.effects == before
    assert server.machine.next_deadline() is None


def test_a_reset_after_the_close_stops_the_clock() -> None:
    server = Server().feed(GET).send(OK).unsent(10).eof()
    assert server.machine.next_deadline() is not None
    server.lose()
    assert server.machine.next_deadline() is None


def test_a_waiting_reader_is_told_of_a_reset() -> None:
    server = Server().feed(CHUNKED_POST).send(READ)
    server.took_events()
    told, closed = server.lose().took_events()
    assert (type(told), type(closed)) == (ContentBroken, ConnectionClosed)
    with pytest.raises(
        LocalProtocolError, match=r"cannot SendResponse: the connection has ended \(the transport broke\)"
    ):
        server.send(OK)
    with pytest.raises(LocalProtocolError, match=r"cannot SendHead: the connection has ended"):
        server.send(HEAD_OK)


# -- the application aborts, in each state and framing (lifecycle, rule 4) ----


@pytest.mark.parametrize(
    ("fed", "commands", "effect"),
    [
        (GET, [], ShutdownWrite()),
        (GET, [HEAD_OK], ShutdownWrite()),
        (GET, [HEAD_OK, SendContent(b"ab")], ShutdownWrite()),
        (GET, [THREE], ShutdownWrite()),
        (GET, [THREE, SendContent(b"ab")], ShutdownWrite()),
        (GET_1_0, [], ShutdownWrite()),
        (GET_1_0, [THREE, SendContent(b"ab")], ShutdownWrite()),
        (GET_1_0, [HEAD_OK], AbortTransport()),
        (GET_1_0, [HEAD_OK, SendContent(b"ab")], AbortTransport()),
    ],
)
def test_a_response_cut_off_never_looks_complete(fed: bytes, commands: list[SendHead], effect: Effect) -> None:
    server = Server().feed(fed).send(*commands, ABORT)
    assert server.effects == [effect]
    assert server.http.sending is Send.CUT
    assert server.reason in (CloseReason.CUT, CloseReason.VERSION)
    data = server.took()
    if effect == ShutdownWrite():  # an orderly end, in which h11 sees the gap
        assert not any(message.complete for message in h11_reads(data, [b"GET"], ended=True))
    with pytest.raises(LocalProtocolError, match="the connection has ended"):
        server.send(SendContent(b"c"))
    with pytest.raises(LocalProtocolError, match="the connection has ended"):
        server.send(OK)
    assert server.took() == b""


def test_the_answer_to_head_cannot_be_cut_short_of_content() -> None:
    server = Server().feed(b"HEAD / HTTP/1.0\r\n\r\n").send(HEAD_OK, ABORT)
    assert server.effects == [ShutdownWrite()]


def test_aborting_between_exchanges_is_a_reset() -> None:
    for server in (Server(), Server().feed(GET[:9]), Server().feed(post(b"", length=9)).send(OK)):
        server.send(ABORT, ABORT)
        assert (server.effects, server.closed()) == ([AbortTransport()], CloseReason.ABORTED)


def test_aborting_tells_the_waiting_reader() -> None:
    server = Server().feed(post(b"", length=9)).send(READ)
    server.took_events()
    assert type(server.send(ABORT).took_events()[0]) is ContentBroken
    server = Server(role=True).feed(b"POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\n").send(HEAD_OK, READ)
    server.took_events()
    told, closed = server.send(ABORT).took_events()
    assert isinstance(told, ContentBroken)
    assert "aborted" in str(told.error)
    assert type(closed) is ConnectionClosed


def test_aborting_while_the_connection_ends_spares_a_peer_that_takes_its_bytes() -> None:
    server = Server().feed(CLOSING_GET).send(OK, ABORT)
    assert (server.phase, server.effects) == (Phase.LINGERING, [ShutdownWrite()])
    server.unsent(10).send(ABORT)
    assert (server.phase, server.effects[1:]) == (Phase.CLOSED, [AbortTransport()])
    server = Server(can_half_close=False).feed(CLOSING_GET).send(OK).unsent(10).send(ABORT, ABORT)
    assert server.effects == [CloseTransport(), AbortTransport()]
    assert server.machine.next_deadline() is None


# -- commands when all is over ----


@pytest.mark.parametrize("command", [OK, HEAD_OK, SendContent(b"x"), SendEnd()])
def test_a_second_response_is_refused_with_what_is_wrong(command: SendResponse) -> None:
    for fed in (CLOSING_GET, CLOSING_POST):
        server = Server().feed(fed).send(OK)
        for _ in range(2):
            with pytest.raises(LocalProtocolError, match="one request, one response"):
                server.send(command)
            server.eof()
        assert h11_reads(server.took(), [b"GET"], ended=True)[0].content == b"hi"
    server = Server().feed(post(b"", length=9)).send(OK)
    with pytest.raises(LocalProtocolError, match="one request, one response"):
        server.send(command)


def test_stopping_and_aborting_after_the_end_do_nothing() -> None:
    server = Server().feed(CLOSING_GET).send(OK).eof().send(STOP_PERSISTING, ABORT)
    assert server.effects == [ShutdownWrite(), CloseTransport()]
    assert server.http.receive is Receive.COMPLETE


@pytest.mark.parametrize("can_half_close", [False, True])
def test_content_is_not_read_any_more_once_our_half_has_ended(can_half_close: bool) -> None:
    server = Server(can_half_close=can_half_close).feed(CLOSING_POST + b"ab").send(OK)
    assert server.http.receive is Receive.BROKEN
    server.send(LimitContent(1), LimitContent(None))
    assert isinstance(server.read(), ContentBroken)
    server.feed(b"x" * 100).eof()
    assert server.machine.buffered() == 0
    assert server.phase is Phase.CLOSED
