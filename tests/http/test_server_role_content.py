"""Content coming in: reading, limits, 100 (Continue), what nobody reads."""

import pytest
from tests.support.machine import CHUNKED_POST, GET, OK, OK_BYTES, READ, Server, h11_reads, post

from sansio_web.effects import CloseTransport, ShutdownWrite
from sansio_web.errors import LocalProtocolError, PeerDisconnected
from sansio_web.http.commands import LimitContent, SendContent, SendEnd, SendHead, SendInterim, SendResponse
from sansio_web.http.events import ContentBroken, ContentEnded, ContentReceived, PeerEnded, RequestRefused
from sansio_web.http.lifecycle import CloseReason, Phase, Receive, Send
from sansio_web.limits import Limits

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def broken(told: object) -> tuple[int, str]:
    assert isinstance(told, ContentBroken), told
    return told.error.status_hint, str(told.error)


# -- reading ----


def test_content_is_told_only_when_asked_for() -> None:
    server = Server().feed(post(b"ab", length=5))
    server.request()
    assert server.events == []
    assert server.read() == b"ab"
    assert server.read() is None
    server.feed(b"cde")
    assert server.took_events() == [ContentReceived(b"cde")]
    assert server.read() == ContentEnded()
    assert server.machine.buffered() == 0


def test_pieces_that_came_between_two_reads_are_one() -> None:
    server = Server().feed(post(b"a", length=3), b"b", b"c")
    assert server.read() == b"abc"
    assert server.read() == ContentEnded()


def test_chunked_content_comes_with_its_trailers() -> None:
    server = Server().feed(CHUNKED_POST + b"3;x=y\r\nabc\r\n0\r\nDigest: x\r\n\r\n" + GET)
    assert server.read() == b"abc"
    ended = server.read()
    assert isinstance(ended, ContentEnded)
    assert ended.trailers.items() == ((b"Digest", b"x"),)
    server.send(OK)
    assert b"digest" not in server.request().fields


def test_a_message_without_content_has_nothing_to_read() -> None:
    server = Server().feed(GET)
    with pytest.raises(LocalProtocolError, match="the message has none"):
        server.send(READ)
    server.send(LimitContent(3), OK)
    assert server.took() == OK_BYTES


def test_after_the_end_there_is_nothing_more_to_read() -> None:
    server = Server().feed(post(b"a"))
    server.read()
    server.read()
    with pytest.raises(LocalProtocolError, match="nothing more to read"):
        server.send(READ)
    assert server.send(OK).took() == OK_BYTES


def test_the_peer_waits_while_the_application_does_not_read() -> None:
    limits = Limits(max_buffered_content_bytes=1000)
    server = Server(limits).feed(post(b"", length=10**9))
    while server.machine.wants_data():
        server.feed(b"x" * 300)
    assert server.machine.buffered() == 1200
    server.read()
    assert (server.machine.buffered(), server.machine.wants_data()) == (0, True)


def test_malformed_content_is_told_after_what_came_before_it() -> None:
    server = Server().feed(CHUNKED_POST + b"3\r\nabc\r\nzz\r\n")
    assert server.read() == b"abc"
    assert broken(server.read())[0] == 400
    assert broken(server.read())[0] == 400
    assert (server.http.receive, server.reason) == (Receive.BROKEN, CloseReason.CONTENT_BROKEN)
    server.feed(b"anything")
    assert h11_reads(server.send(OK).took(), [b"POST"], ended=True)[0].headers[b"connection"] == b"close"
    assert server.effects == [ShutdownWrite()]


def test_content_cut_off_by_the_peer_is_told_after_what_came() -> None:
    server = Server().feed(post(b"ab", length=5)).eof()
    assert [type(event) for event in server.took_events()[1:]] == [PeerEnded]
    assert server.read() == b"ab"
    told = server.read()
    assert broken(told) == (400, "content ended after 2 of 5 bytes (RFC 9112 8)")
    assert isinstance(told, ContentBroken)
    assert isinstance(told.error, PeerDisconnected)
    server.send(SendResponse(400, b"", [], b""))
    assert (server.effects, server.reason) == ([CloseTransport()], CloseReason.CONTENT_BROKEN)


def test_a_waiting_reader_is_told_of_the_end_of_the_stream() -> None:
    server = Server().feed(CHUNKED_POST).send(READ)
    server.took_events()
    told, ended = server.eof().took_events()
    assert broken(told)[1] == "chunked content ended before its last chunk (RFC 9112 8)"
    assert ended == PeerEnded()


def test_what_was_held_can_be_read_after_the_connection_ended_and_then_the_error() -> None:
    server = Server().feed(post(b"ab", length=5)).lose()
    assert server.closed() is CloseReason.PEER_LOST
    assert server.read() == b"ab"
    assert "transport broke" in broken(server.read())[1]
    assert "transport broke" in broken(server.read())[1]


def test_content_that_came_whole_can_be_read_after_the_connection_ended() -> None:
    server = Server().feed(post(b"ab")).lose()
    assert server.read() == b"ab"
    assert server.read() == ContentEnded()


# -- limits ----


def test_a_declared_length_over_the_limit_fails_at_the_first_read() -> None:
    server = Server(Limits(max_content_bytes=10)).feed(post(b"", b"Expect: 100-continue", length=11))
    told = server.read()
    assert broken(told) == (
        413,
        "content exceeds 10 bytes (Limits.max_content_bytes, or the route's own limit)",
    )
    assert server.took() == b""  # no 100 for what will not be read
    server.send(SendResponse(413, b"", [], b""))
    assert server.effects == [ShutdownWrite()]


@pytest.mark.parametrize("cuts", [[], [10], [9, 10, 11], list(range(1, 12))])
def test_streamed_content_over_the_limit_fails_after_the_limit(cuts: list[int]) -> None:
    content = b"0123456789ab"
    server = Server(Limits(max_content_bytes=10)).feed(CHUNKED_POST)
    got = b""
    for start, stop in zip([0, *cuts], [*cuts, len(content)], strict=True):
        piece = content[start:stop]
        server.feed(b"%x\r\n%b\r\n" % (len(piece), piece))
    while isinstance(told := server.read(), bytes):
        assert told
        got += told
    assert got == b"0123456789"
    assert broken(told)[0] == 413


def test_a_route_may_lower_the_limit_for_what_is_held_already() -> None:
    server = Server().feed(CHUNKED_POST + b"5\r\nabcde\r\n")
    server.send(LimitContent(3))
    assert server.read() == b"abc"
    assert broken(server.read())[0] == 413
    server = Server().feed(CHUNKED_POST + b"5\r\nabcde\r\n")
    assert server.read() == b"abcde"
    server.send(LimitContent(3))
    assert broken(server.read())[0] == 413
    server = Server().feed(post(b"abcde")).send(LimitContent(3))  # declared: refused as a whole
    assert broken(server.read())[0] == 413


def test_a_route_may_lower_the_limit_below_what_was_declared() -> None:
    server = Server().feed(post(b"abcd", length=9)).send(LimitContent(3))
    assert broken(server.read())[0] == 413


def test_a_waiting_reader_is_told_of_a_new_limit() -> None:
    server = Server().feed(post(b"", length=9)).send(READ)
    server.took_events()
    server.send(LimitContent(3))
    assert broken(server.took_events()[0])[0] == 413


def test_a_route_may_raise_the_limit() -> None:
    server = Server(Limits(max_content_bytes=3)).feed(post(b"", length=5)).send(LimitContent(None))
    server.feed(b"abcde")
    assert server.read() == b"abcde"
    assert server.read() == ContentEnded()


# -- 100 (Continue), RFC 9110 10.1.1 ----

EXPECTING = post(b"", b"Expect: 100-continue", length=3)


def test_continue_is_sent_when_content_is_first_read_and_once() -> None:
    server = Server().feed(EXPECTING)
    assert server.request().expects_continue
    assert server.took() == b""
    assert server.read() is None
    assert server.took() == CONTINUE
    server.feed(b"a")
    server.read()
    server.feed(b"bc")
    server.read()
    (message,) = h11_reads(CONTINUE + server.send(OK).took(), [b"POST"], ended=False)
    assert (message.status, message.interim, server.reason) == (200, [100], None)


@pytest.mark.parametrize("late", [False, True])
def test_continue_is_not_sent_when_content_is_on_its_way(late: bool) -> None:
    server = Server()
    server.feed(EXPECTING, b"a") if late else server.feed(EXPECTING + b"a")
    assert server.read() == b"a"
    server.feed(b"bc").send(OK)
    assert server.took() == OK_BYTES
    assert server.reason is None


def test_continue_is_not_sent_after_a_final_response_and_the_connection_ends() -> None:
    server = Server().feed(EXPECTING).send(SendHead(200, b"OK", [(b"Content-Length", b"2")], complete=True))
    assert server.took() == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    server.send(READ, SendContent(b"hi"), SendEnd())
    assert server.took() == b"hi"
    assert (server.reason, server.effects) == (CloseReason.UNMET_EXPECTATION, [ShutdownWrite()])


def test_a_refused_final_response_does_not_lose_the_expectation() -> None:
    server = Server().feed(EXPECTING)
    with pytest.raises(LocalProtocolError, match="has no content"):
        server.send(SendResponse(204, b"", [], b"x"))
    assert server.phase is Phase.PERSISTENT
    server.read()
    assert server.took() == CONTINUE


def test_the_application_may_send_continue_itself() -> None:
    server = Server().feed(EXPECTING).send(SendInterim(100, b"Continue"), READ)
    assert server.took() == CONTINUE
    server.feed(b"abc").send(OK)
    assert server.reason is None


def test_another_interim_response_does_not_meet_the_expectation() -> None:
    server = Server().feed(EXPECTING).send(SendInterim(103, b"", []))
    server.took()
    server.read()
    assert server.took() == CONTINUE


def test_an_unknown_expectation_is_refused_with_417() -> None:
    server = Server().feed(post(b"", b"Expect: 200-ok", length=3))
    (refused,) = server.took_events()
    assert isinstance(refused, RequestRefused)
    assert server.took().startswith(b"HTTP/1.1 417 Expectation Failed\r\n")
    assert server.effects == [ShutdownWrite()]


# -- content that nobody read (lifecycle, rule 2) ----


def test_unread_content_is_drained_and_the_connection_kept() -> None:
    server = Server().feed(post(b"ab", length=100_000)).send(OK)
    assert server.took() == OK_BYTES
    assert (server.http.receive, server.http.sending, server.phase) == (
        Receive.CONTENT,
        Send.COMPLETE,
        Phase.PERSISTENT,
    )
    assert server.machine.wants_data()
    server.feed(b"x" * 50_000, b"x" * 49_998 + GET)
    assert server.machine.buffered() == 0
    assert server.took_events()[-1].method == b"GET"  # type: ignore[union-attr]
    assert server.send(OK).took() == OK_BYTES


def test_content_known_to_be_too_much_to_drain_closes_with_the_response() -> None:
    server = Server().feed(post(b"", length=262_145)).send(OK)
    assert b"Connection: close" in server.took()
    assert (server.reason, server.effects) == (CloseReason.UNREAD_CONTENT, [ShutdownWrite()])


def test_draining_ends_at_its_limit() -> None:
    server = Server(Limits(max_drained_bytes=1000)).feed(CHUNKED_POST).send(OK)
    for _ in range(10):
        server.feed(b"64\r\n" + b"x" * 100 + b"\r\n")
    assert server.phase is Phase.PERSISTENT
    server.feed(b"1\r\nx\r\n")
    assert (server.reason, server.effects) == (CloseReason.UNREAD_CONTENT, [ShutdownWrite()])
    assert server.took() == OK_BYTES


def test_a_streamed_response_to_content_too_much_to_drain_closes_after_it() -> None:
    server = Server().feed(post(b"", length=10**9))
    server.send(SendHead(200, b"OK", [(b"Content-Length", b"0")]), SendEnd())
    assert (server.reason, server.effects) == (CloseReason.UNREAD_CONTENT, [ShutdownWrite()])


def test_draining_ends_at_its_deadline() -> None:
    server = Server().feed(post(b"", length=1000)).send(OK)
    server.wait(4.9).feed(b"x").wait(0.2)
    assert (server.reason, server.effects) == (CloseReason.UNREAD_CONTENT, [ShutdownWrite()])


def test_draining_malformed_content_closes() -> None:
    server = Server().feed(CHUNKED_POST).send(OK).feed(b"zz\r\n")
    assert (server.reason, server.effects) == (CloseReason.CONTENT_BROKEN, [ShutdownWrite()])


def test_the_end_of_the_stream_ends_draining() -> None:
    server = Server().feed(post(b"", length=1000)).send(OK).eof()
    assert (server.closed(), server.effects) == (CloseReason.CONTENT_BROKEN, [CloseTransport()])


def test_reading_what_is_drained_is_an_error_told_at_once() -> None:
    server = Server().feed(post(b"ab", length=1000)).send(OK)
    assert "discarded" in broken(server.read())[1]


@pytest.mark.parametrize("can_half_close", [False, True])
@pytest.mark.parametrize("line", [b"Connection: close", b"Connection: keep-alive"])
def test_a_reader_who_waits_when_the_response_ends_is_told(can_half_close: bool, line: bytes) -> None:
    server = Server(can_half_close=can_half_close).feed(post(b"", line, length=1000)).send(READ)
    server.took_events()
    server.send(OK)
    assert "discarded" in broken(server.took_events()[0])[1]
    assert "discarded" in broken(server.read())[1]
    assert server.machine.next_deadline() is None or server.phase is not Phase.CLOSED
