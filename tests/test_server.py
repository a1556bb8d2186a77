import pytest
from tests.support.machine import GET, OK, OK_BYTES, Server, h11_reads, post

from sansio_web.effects import CloseTransport, ShutdownWrite, Transmit
from sansio_web.errors import LocalProtocolError
from sansio_web.http.commands import SendResponse
from sansio_web.http.events import ConnectionClosed, RequestRefused
from sansio_web.http.lifecycle import CloseReason, Phase
from sansio_web.limits import Limits
from sansio_web.server import ServerConnection


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"\x16\x03\x01\x02\x00", 400, "request begins with b'\\x16'"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "has no Host"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "not HTTP/1"),
        (b"GET /" + b"a" * 40_000, 414, "Limits.max_head_bytes"),
        (GET[:-2] + b"X: " + b"a" * 40_000, 431, "Limits.max_head_bytes"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "Content-Length and",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            501,
            "is not chunked alone",
        ),
    ],
)
def test_what_is_no_request_is_answered_with_its_status_and_the_connection_ends(
    data: bytes, status: int, says: str
) -> None:
    server = Server().feed(data)
    (refused,) = server.took_events()
    assert isinstance(refused, RequestRefused)
    assert says in str(refused.error)
    (answer,) = h11_reads(server.took(), [b"GET"], ended=True)
    assert (answer.status, answer.complete, answer.headers[b"connection"]) == (status, True, b"close")
    assert answer.headers[b"date"] == b"Sun, 06 Nov 1994 08:49:37 GMT"
    assert answer.content.startswith(b"%d: " % status)
    assert says.encode() in answer.content
    assert (server.effects, server.reason) == ([ShutdownWrite()], CloseReason.REFUSED)


def test_a_peers_bytes_cannot_leave_the_answers_content() -> None:
    server = Server().feed(b"G\xffT \r\n\r\n")
    (answer,) = h11_reads(server.took(), [b"GET"], ended=True)
    assert answer.content.isascii()


def test_a_refusal_waits_for_the_response_before_it() -> None:
    server = Server().feed(GET + b"\x00")
    assert server.took() == b""
    server.send(OK)
    first, second = h11_reads(server.took(), [b"GET", b"GET"], ended=True)
    assert (first.status, second.status) == (200, 400)


def test_a_refusal_on_a_connection_that_has_ended_is_not_sent() -> None:
    server = ServerConnection(now=0.0)
    server.receive_data(b"\x00", 0.0)
    server.transport_lost(0.0)
    assert isinstance(server.next_event(), RequestRefused)
    assert isinstance(server.next_event(), ConnectionClosed)
    assert (server.next_event(), server.next_effect()) == (None, None)


def test_a_refusal_is_in_time_for_the_lingering_close() -> None:
    server = ServerConnection(now=0.0)
    server.receive_data(b"G", 50.0)
    server.receive_data(b"\r", 60.0)
    server.receive_data(b"\r", 61.0)
    server.receive_data(b"\n", 62.0)
    assert isinstance(server.next_event(), RequestRefused)
    assert type(server.next_effect()) is Transmit
    assert server.next_effect() == ShutdownWrite()
    assert server.next_deadline() == 64.0


def test_the_switchboard_is_the_machine_until_another_protocol_takes_over() -> None:
    server = Server(Limits(idle_timeout=5.0)).feed(GET)
    machine = server.machine
    assert isinstance(machine, ServerConnection)
    assert (machine.answerable, machine.buffered()) == (True, 0)
    server.send(OK)
    assert (machine.answerable, server.took()) == (False, OK_BYTES)
    assert machine.next_deadline() == server.now + 5.0
    server.feed(post(b"x" * 10, length=50))
    assert machine.buffered() == 10
    server.unsent(5).wait(30.0)
    assert server.phase is Phase.CLOSED
    assert not machine.answerable
    with pytest.raises(LocalProtocolError, match="the connection has ended"):
        server.send(OK)


def test_its_own_defaults_need_no_clock_and_no_name() -> None:
    server = ServerConnection(now=0.0)
    server.receive_data(GET, 0.0)
    server.next_event()
    server.send(OK, 0.0)
    assert server.next_effect() == Transmit(OK_BYTES)
    server.receive_eof(0.0)
    assert server.next_effect() == CloseTransport()
    server = ServerConnection(now=0.0, server=b"me", date=lambda: b"today")
    server.receive_data(b"\x00", 0.0)
    assert server.next_event() is not None
    sent = server.next_effect()
    assert isinstance(sent, Transmit)
    assert b"\r\nDate: today\r\nServer: me\r\n" in sent.data


def test_each_response_has_the_date_of_its_own_time_on_the_short_way_and_on_the_long_one() -> None:
    dates = {1.0: b"one", 60.0: b"two", 120.0: b"three"}
    now = 1.0
    connection = ServerConnection(now=now, date=lambda: dates[now])
    for now, head in ((1.0, b"GET"), (60.0, b"HEAD"), (120.0, b"GET")):  # HEAD goes the long way
        connection.receive_data(head + b" / HTTP/1.1\r\nHost: a\r\n\r\n", now)
        connection.next_event()
        connection.send(SendResponse(200, b"OK", [], b"hi"), now)
        sent = connection.next_effect()
        assert isinstance(sent, Transmit)
        assert b"Date: " + dates[now] + b"\r\n" in sent.data
