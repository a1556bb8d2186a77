"""Persistence, pipelining, versions, framing of responses: one exchange after another."""

import pytest
from tests.support.machine import CHUNKED_POST, GET, OK, OK_BYTES, Server, h11_reads, post

from sansio_web.effects import CloseTransport, ShutdownWrite
from sansio_web.http.commands import (
    STOP_PERSISTING,
    SendContent,
    SendEnd,
    SendHead,
    SendInterim,
    SendResponse,
)
from sansio_web.http.events import ConnectionClosed, RequestReceived, RequestRefused
from sansio_web.http.lifecycle import CloseReason, Phase, Receive, Send
from sansio_web.limits import Limits

HEAD_OK = SendHead(200, b"OK", [], complete=True)


def request(*lines: bytes, version: bytes = b"1.1", method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" / HTTP/" + version, b"Host: a", *lines, b"", b""])


# -- persistence (RFC 9112 9.3) ----


def test_an_exchange_leaves_the_connection_as_it_was() -> None:
    server = Server()
    for _ in range(3):
        assert server.feed(GET).request().method == b"GET"
        assert (server.http.receive, server.http.sending) == (Receive.COMPLETE, Send.OWED)
        assert server.send(OK).took() == OK_BYTES
        assert (server.http.receive, server.http.sending) == (Receive.IDLE, Send.IDLE)
        assert (server.phase, server.reason, server.http.request) == (Phase.PERSISTENT, None, None)
    assert server.effects == []


@pytest.mark.parametrize(
    ("version", "lines", "reason"),
    [
        (b"1.1", [], None),
        (b"1.1", [b"Connection: close"], CloseReason.PEER_ASKED),
        (b"1.1", [b"Connection: Close, TE"], CloseReason.PEER_ASKED),
        (b"1.0", [], CloseReason.VERSION),
        (b"1.0", [b"Connection: close"], CloseReason.VERSION),
        (b"1.0", [b"Connection: keep-alive"], None),
    ],
)
def test_what_the_client_says_of_persistence_holds(
    version: bytes, lines: list[bytes], reason: CloseReason | None
) -> None:
    server = Server().feed(request(*lines, version=version))
    server.send(OK)
    assert server.reason is reason
    (message,) = h11_reads(server.took(), [b"GET"], ended=reason is not None)
    assert message.complete
    assert message.keeps_alive is (reason is None)
    assert server.effects == ([] if reason is None else [ShutdownWrite()])


def test_a_kept_http_1_0_connection_says_so() -> None:
    server = Server().feed(request(b"Connection: keep-alive", version=b"1.0")).send(OK)
    assert b"\r\nConnection: keep-alive\r\n" in server.took()


def test_the_applications_close_is_a_reason() -> None:
    server = Server().feed(GET).send(SendResponse(200, b"OK", [(b"Connection", b"close")], b"x"))
    assert server.reason is CloseReason.APPLICATION
    assert server.effects == [ShutdownWrite()]


def test_the_first_reason_is_kept() -> None:
    server = Server().feed(request(b"Connection: close")).send(STOP_PERSISTING)
    server.send(SendResponse(200, b"OK", [(b"Connection", b"close")], b""))
    assert server.reason is CloseReason.PEER_ASKED
    assert server.took().count(b"close") == 1


def test_after_the_last_exchange_later_requests_are_not_read() -> None:
    server = Server().feed(request(b"Connection: close") + GET)
    server.request()
    server.send(OK).feed(GET)
    assert server.events == []
    assert server.machine.buffered() == 0
    server.eof()
    assert server.closed() is CloseReason.PEER_ASKED


# -- pipelining (RFC 9112 9.3.2) ----


def test_requests_wait_for_the_response_before_them() -> None:
    server = Server().feed(GET + post(b"abc") + GET[:10])
    assert server.request().method == b"GET"
    server.send(OK)
    assert server.request().method == b"POST"
    assert server.read() == b"abc"
    server.feed(GET[10:]).send(OK)
    assert server.request().method == b"GET"
    assert server.send(OK).took() == OK_BYTES * 3


def test_waiting_requests_are_bounded_and_the_peer_is_told_to_wait() -> None:
    limits = Limits(max_pipelined_bytes=1000)
    server = Server(limits).feed(GET)
    fed = 0
    while server.machine.wants_data():
        server.feed(GET)
        fed += 1
        assert server.machine.buffered() < 1000 + len(GET)
    assert fed == -(-1000 // len(GET))
    for _ in range(fed):
        server.send(OK)
    assert server.machine.wants_data()
    assert len(server.took_events()) == fed + 1


def test_ten_thousand_requests_whose_answers_nobody_reads() -> None:
    limits = Limits(max_unsent_bytes=1000, max_pipelined_bytes=1000)
    server = Server(limits)
    stream, unsent, answered, peak = GET * 10_000, 0, 0, 0
    while server.machine.wants_data() and stream:
        piece, stream = stream[:500], stream[500:]
        server.feed(piece)
        while server.took_events():
            unsent += len(server.send(OK).took())
            server.unsent(unsent)
            answered += 1
        peak = max(peak, unsent + server.machine.buffered())
    assert stream
    assert peak < 1000 + len(OK_BYTES) + 1000 + 500
    while answered < 10_000:  # the peer reads after all: everything is answered
        server.unsent(0)
        while server.took_events():
            server.send(OK).took()
            answered += 1
        server.feed(stream[:500])
        stream = stream[500:]
    assert server.reason is None


def test_a_head_that_has_begun_is_read_to_its_end_though_the_peer_reads_slowly() -> None:
    server = Server().feed(GET[:5]).unsent(100_000)
    assert server.machine.wants_data()
    server.feed(GET[5:])
    assert server.request().method == b"GET"


def test_no_request_begins_while_too_much_is_unsent() -> None:
    server = Server().unsent(100_000).feed(GET)
    assert server.took_events() == []
    server.unsent(70_000)
    assert server.took_events() == []
    server.unsent(65_536)
    assert server.request().method == b"GET"


def test_requests_before_the_end_of_the_stream_are_answered() -> None:
    server = Server().feed(GET + GET[:20]).eof()
    server.send(OK)
    refused = [event for event in server.events if isinstance(event, RequestRefused)]
    assert "ended its stream within a head" in str(refused[0].error)
    assert server.took().startswith(OK_BYTES + b"HTTP/1.1 400 ")
    assert server.effects == [CloseTransport()]


# -- what may stand before a request (RFC 9112 2.2) ----


@pytest.mark.parametrize("blank", [b"\r\n", b"\r"])
def test_an_empty_line_after_content_begins_no_request(blank: bytes) -> None:
    server = Server().feed(post(b"abc") + blank)
    server.read()
    server.send(OK)
    assert server.http.receive is Receive.IDLE
    server.wait(75.0)
    assert server.closed() is CloseReason.IDLE_TIMEOUT
    assert server.took() == OK_BYTES


def test_an_empty_line_and_the_end_of_the_stream_are_an_end_between_requests() -> None:
    for late in (False, True):
        server = Server().feed(GET + b"\r\n")
        if late:
            server.send(OK).eof()
        else:
            server.eof().send(OK)
        assert server.closed() is CloseReason.PEER_ENDED
        assert server.took() == OK_BYTES


# -- framing of what goes out ----


def test_content_without_length_is_chunked_with_trailers() -> None:
    server = Server().feed(GET).send(HEAD_OK, SendContent(b"ab"), SendContent(b""), SendContent(b"c" * 20))
    server.send(SendEnd([(b"Digest", b"x")]))
    data = server.took()
    assert data.endswith(b"\r\n\r\n2\r\nab\r\n14\r\n" + b"c" * 20 + b"\r\n0\r\nDigest: x\r\n\r\n")
    (message,) = h11_reads(data, [b"GET"], ended=False)
    assert (message.content, message.trailers, message.complete) == (
        b"ab" + b"c" * 20,
        [(b"digest", b"x")],
        True,
    )
    assert server.reason is None


def test_content_with_length_is_sent_as_it_is() -> None:
    head = SendHead(200, b"OK", [(b"Content-Length", b"3")], complete=True)
    server = Server().feed(GET).send(head, SendContent(b"ab"), SendContent(b"c"), SendEnd())
    assert server.took() == b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


def test_http_1_0_reads_content_without_length_until_the_end_of_the_connection() -> None:
    server = Server().feed(request(b"Connection: keep-alive", version=b"1.0")).send(HEAD_OK, SendContent(b"abc"))
    assert server.took() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"
    server.send(SendEnd([(b"Digest", b"x")]))
    assert server.took() == b""
    assert (server.reason, server.effects) == (CloseReason.UNTIL_CLOSE, [ShutdownWrite()])


@pytest.mark.parametrize("command", [OK, SendResponse(200, b"OK", [(b"Transfer-Encoding", b"chunked")], b"hi")])
def test_the_answer_to_head_is_described_and_not_sent(command: SendResponse) -> None:
    server = Server().feed(request(method=b"HEAD")).send(command)
    data = server.took()
    assert data.endswith(b"\r\n\r\n")
    assert h11_reads(data, [b"HEAD"], ended=False)[0].complete
    server.feed(request(method=b"HEAD")).send(HEAD_OK, SendContent(b"unseen"), SendEnd())
    data = server.took()
    assert data == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert server.reason is None


def test_a_length_that_only_head_describes_need_not_be_met() -> None:
    told = SendHead(200, b"OK", [(b"Content-Length", b"1000")], complete=True)
    server = Server().feed(request(method=b"HEAD")).send(told, SendEnd())
    assert server.took() == b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    server.feed(request(method=b"HEAD")).send(SendResponse(200, b"OK", told.fields, b"", complete=True))
    assert server.took() == b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_content_end_with_their_head(status: int) -> None:
    server = Server().feed(GET).send(SendResponse(status, b"", [], b"", complete=True))
    assert server.took() == b"HTTP/1.1 %d \r\n\r\n" % status
    server.feed(GET).send(SendHead(status, b"", [], complete=True), SendEnd())
    assert server.took() == b"HTTP/1.1 %d \r\n\r\n" % status
    assert server.reason is None


def test_chunked_content_may_be_asked_for_in_one_piece() -> None:
    server = (
        Server().feed(GET).send(SendResponse(200, b"OK", [(b"Transfer-Encoding", b"chunked")], b"hi", complete=True))
    )
    assert server.took() == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"


def test_date_and_server_are_stamped_unless_given_or_unwanted() -> None:
    server = Server(role=True)
    server.feed(GET).send(SendResponse(200, b"OK", [], b""))
    assert b"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n" in server.took()
    server.feed(GET).send(SendHead(200, b"OK", [(b"date", b"today")]), SendEnd())
    assert server.took().lower().count(b"date:") == 1
    server.feed(GET).send(OK)
    assert server.took() == OK_BYTES


# -- interim responses (RFC 9110 15.2) ----


def test_interim_responses_go_before_the_final_one() -> None:
    hints = SendInterim(103, b"Early Hints", [(b"Link", b"</a.css>")])
    server = Server().feed(GET).send(hints, hints, OK)
    (message,) = h11_reads(server.took(), [b"GET"], ended=False)
    assert (message.status, message.interim) == (200, [103, 103])


def test_no_interim_response_goes_to_http_1_0() -> None:
    server = Server().feed(request(version=b"1.0")).send(SendInterim(103, b"", []))
    assert server.took() == b""


# -- stopping ----


def test_stopping_closes_an_idle_connection_at_once() -> None:
    server = Server().send(STOP_PERSISTING, STOP_PERSISTING)
    assert (server.effects, server.closed()) == ([CloseTransport()], CloseReason.STOPPING)


def test_stopping_lets_the_open_exchange_end() -> None:
    server = Server().feed(GET + GET).send(STOP_PERSISTING, OK)
    assert b"Connection: close" in server.took()
    assert [type(event) for event in server.events] == [RequestReceived]
    assert (server.effects, server.reason) == ([ShutdownWrite()], CloseReason.STOPPING)


def test_stopping_within_a_head_waits_for_the_request() -> None:
    server = Server().feed(GET[:9]).send(STOP_PERSISTING)
    assert server.effects == []
    server.feed(GET[9:]).send(OK)
    assert server.effects == [ShutdownWrite()]
    server = Server().feed(GET[:9]).send(STOP_PERSISTING).wait(20.0)
    assert server.took().startswith(b"HTTP/1.1 408 ")


def test_stopping_while_content_is_drained_ends_with_it() -> None:
    server = Server().feed(CHUNKED_POST).send(OK)
    assert server.http.receive is Receive.CONTENT
    server.send(STOP_PERSISTING).feed(b"3\r\nabc\r\n0\r\n\r\n")
    assert (server.effects, server.reason) == ([ShutdownWrite()], CloseReason.STOPPING)


def test_stopping_within_a_response_lets_it_end() -> None:
    server = Server().feed(GET).send(HEAD_OK, STOP_PERSISTING, SendContent(b"x"), SendEnd())
    assert h11_reads(server.took(), [b"GET"], ended=True)[0].complete
    assert server.effects == [ShutdownWrite()]


@pytest.mark.parametrize("role", [False, True])
def test_nothing_comes_after_the_end(role: bool) -> None:
    server = Server(role=role).eof()
    assert server.events == [ConnectionClosed(CloseReason.PEER_ENDED)]
    server.took_events()
    server.feed(GET).eof().lose().send(STOP_PERSISTING)
    server.wait(1000.0)
    assert (server.events, server.effects, server.took()) == ([], [CloseTransport()], b"")
    assert not server.machine.wants_data()
    assert server.machine.next_deadline() is None
