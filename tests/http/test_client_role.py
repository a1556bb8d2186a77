"""Requests and the course of an exchange, as the client's machine has them (RFC 9110, RFC 9112)."""

import pytest
from client_talk import CHUNKED_UPLOAD, HOST, UPLOAD, Talk

from sansio_web.effects import AbortTransport, CloseTransport
from sansio_web.errors import LocalProtocolError, PeerDisconnected
from sansio_web.http.commands import (
    ABORT,
    READ_CONTENT,
    STOP_PERSISTING,
    LimitContent,
    SendContent,
    SendEnd,
    SendRequest,
)
from sansio_web.http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentReceived,
    ExchangeEnded,
    InterimReceived,
    ProtocolSwitched,
    ResponseBroken,
    ResponseReceived,
)
from sansio_web.http.fields import Fields
from sansio_web.http.framing import Length
from sansio_web.http.lifecycle import CloseReason, Phase, Receive, Send
from sansio_web.limits import Limits

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
FOUR = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


def kinds(events: list[object]) -> list[str]:
    return [type(event).__name__ for event in events]


# ---- one exchange after another


def test_a_request_without_content_is_complete_with_its_head() -> None:
    talk = Talk()
    assert talk.ask() == b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    assert (talk.role.sending, talk.role.receive) == (Send.COMPLETE, Receive.IDLE)


def test_a_response_without_content_ends_the_exchange_and_another_may_follow() -> None:
    talk = Talk()
    for _ in range(3):
        talk.ask()
        talk.receive(EMPTY)
        assert kinds(talk.events()) == ["ResponseReceived", "ExchangeEnded"]
        assert (talk.role.sending, talk.role.receive, talk.role.phase) == (
            *(Send.IDLE, Receive.IDLE),
            Phase.PERSISTENT,
        )
        assert (talk.role.request, talk.role.response) == (None, None)
    assert talk.effects() == []


def test_content_comes_when_it_is_asked_for_and_the_exchange_ends_after_it() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(FOUR + b"abcd")
    assert kinds(talk.events()) == ["ResponseReceived"]
    talk.send(READ_CONTENT)
    assert talk.events() == [ContentReceived(b"abcd")]
    talk.send(READ_CONTENT)
    assert talk.events() == [ContentEnded(), ExchangeEnded(persistent=True)]


def test_content_that_is_waited_for_comes_at_once() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(FOUR)
    talk.events()
    talk.send(READ_CONTENT)
    assert talk.events() == []
    talk.receive(b"ab")
    assert talk.events() == [ContentReceived(b"ab")]
    talk.receive(b"cd")
    assert talk.events() == []
    assert talk.read() == [ContentReceived(b"cd"), ContentEnded(), ExchangeEnded(persistent=True)]


def test_a_request_waits_for_the_open_exchange() -> None:
    talk = Talk()
    talk.ask()
    assert "no pipelining (RFC 9112 9.3.2)" in talk.refuses(SendRequest(b"GET", b"/", [HOST]))
    talk.receive(FOUR + b"abcd")
    assert "cannot WHOLE in COMPLETE" in talk.refuses(SendRequest(b"GET", b"/", [HOST]))
    talk.read()
    talk.ask()


def test_content_of_known_length_goes_out_as_it_is_given() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    assert talk.role.sending is Send.CONTENT
    assert talk.send(SendContent(b"ab"), SendContent(b"cd")) == b"abcd"
    assert talk.send(SendEnd()) == b""
    talk.receive(EMPTY)
    assert talk.events()[-1] == ExchangeEnded(persistent=True)


def test_chunked_content_goes_out_in_chunks_with_trailers() -> None:
    talk = Talk()
    talk.ask(b"PUT", CHUNKED_UPLOAD)
    assert talk.send(SendContent(b"0123456789")) == b"a\r\n0123456789\r\n"
    assert talk.send(SendEnd([(b"X-Sum", b"45")])) == b"0\r\nX-Sum: 45\r\n\r\n"


def test_content_beside_the_declared_length_is_refused_where_it_is_given() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    assert talk.refuses(SendContent(b"12345")).startswith("content exceeds Content-Length: 4 declared, 5 sent")
    talk.send(SendContent(b"123"))
    assert talk.refuses(SendEnd()).startswith("content is shorter than Content-Length: 4 declared, 3 sent")
    assert talk.send(SendContent(b"4"), SendEnd()) == b"4"
    assert talk.refuses(SendContent(b"5")).startswith("cannot DATA in COMPLETE")
    assert talk.refuses(SendEnd()).startswith("cannot END in COMPLETE")


def test_a_malformed_request_is_refused_and_leaves_the_connection_as_it_was() -> None:
    talk = Talk()
    assert "Host" in talk.refuses(SendRequest(b"GET", b"/", []))
    assert "0x" not in talk.refuses(SendRequest(b"GET", b"/ x", [HOST]))
    assert talk.role.request is None
    talk.ask()


def test_reading_without_content_is_an_error_that_says_why() -> None:
    talk = Talk()
    talk.ask()
    assert "no final response has come" in talk.refuses(READ_CONTENT)
    talk.receive(FOUR + b"abcd")
    talk.read()
    talk.ask(b"PUT", UPLOAD)
    talk.receive(FOUR + b"abcd")
    talk.events()
    talk.read()
    assert "its end was told" in talk.refuses(READ_CONTENT)


def test_trailers_of_a_response_come_with_its_end() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n")
    talk.events()
    assert talk.read() == [
        ContentReceived(b"hi"),
        ContentEnded(Fields([(b"X", b"y")])),
        ExchangeEnded(persistent=True),
    ]


# ---- interim responses


def test_interim_responses_come_before_the_final_one() -> None:
    talk = Talk()
    talk.ask()
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    talk.receive(hints + b"HTTP/1.1 102 Processing\r\n\r\n" + EMPTY)
    events = talk.events()
    assert events[:2] == [
        InterimReceived(103, b"Early Hints", Fields([(b"Link", b"</a>")])),
        InterimReceived(102, b"Processing", Fields()),
    ]
    assert kinds(events[2:]) == ["ResponseReceived", "ExchangeEnded"]


def test_interim_responses_are_counted_for_each_exchange() -> None:
    talk = Talk(Limits(max_interim_responses=2))
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    for _ in range(2):
        talk.ask()
        talk.receive(interim * 2 + EMPTY)
        assert talk.events()[-1] == ExchangeEnded(persistent=True)
    talk.ask()
    talk.receive(interim * 3 + EMPTY)
    events = talk.events()
    assert kinds(events) == ["InterimReceived"] * 2 + ["ResponseBroken", "ConnectionClosed"]
    assert "more than 2 interim responses (Limits.max_interim_responses)" in str(events[2].error)
    assert talk.effects() == [CloseTransport()]


# ---- Expect: 100-continue (RFC 9110 10.1.1)

EXPECTING = (*UPLOAD, (b"Expect", b"100-Continue"))


def test_the_user_is_told_when_the_server_wants_the_content() -> None:
    talk = Talk()
    talk.ask(b"PUT", EXPECTING)
    assert talk.role.awaits_continue
    talk.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert not talk.role.awaits_continue
    assert talk.events() == [InterimReceived(100, b"Continue", Fields())]
    talk.send(SendContent(b"abcd"), SendEnd())
    talk.receive(EMPTY)
    assert talk.events()[-1] == ExchangeEnded(persistent=True)


def test_another_interim_response_is_no_continue() -> None:
    talk = Talk()
    talk.ask(b"PUT", EXPECTING)
    talk.receive(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert talk.role.awaits_continue


def test_waiting_for_continue_ends_by_itself() -> None:
    talk = Talk(continue_timeout=1.5)
    talk.ask(b"PUT", EXPECTING)
    assert talk.role.next_deadline() == 1.5
    talk.wait(1.4)
    assert talk.role.awaits_continue
    talk.wait(0.1)
    assert not talk.role.awaits_continue
    assert (talk.role.next_deadline(), talk.events()) == (None, [])
    talk.send(SendContent(b"abcd"), SendEnd())


def test_a_user_may_wait_for_continue_without_bound_and_need_not_wait() -> None:
    talk = Talk(continue_timeout=None)
    talk.ask(b"PUT", EXPECTING)
    assert (talk.role.awaits_continue, talk.role.next_deadline()) == (True, None)
    talk.send(SendContent(b"abcd"))
    assert not talk.role.awaits_continue


def test_a_final_response_instead_of_continue_ends_the_waiting() -> None:
    talk = Talk()
    talk.ask(b"PUT", EXPECTING)
    talk.receive(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
    assert not talk.role.awaits_continue
    assert kinds(talk.events()) == ["ResponseReceived"]
    talk.role.send(ABORT, talk.now)
    assert talk.events() == [ConnectionClosed(CloseReason.CUT)]


def test_a_server_ignores_the_expectation_of_http_1_0() -> None:
    talk = Talk()
    talk.ask(b"PUT", EXPECTING, b"1.0")
    assert not talk.role.awaits_continue


def test_a_request_without_content_expects_nothing() -> None:
    talk = Talk()
    talk.ask(b"GET", (HOST, (b"Expect", b"100-continue")))
    assert not talk.role.awaits_continue


# ---- a final response before the request is complete


def test_an_early_response_lets_the_request_go_on() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    talk.receive(FOUR + b"full")
    talk.events()
    assert talk.read() == [ContentReceived(b"full"), ContentEnded()]
    assert talk.role.phase is Phase.PERSISTENT
    talk.send(SendContent(b"abcd"), SendEnd())
    assert talk.events() == [ExchangeEnded(persistent=True)]
    talk.ask()


def test_an_early_response_may_be_read_after_the_request_is_complete() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    talk.receive(FOUR + b"fu")
    talk.send(SendContent(b"abcd"), SendEnd())
    talk.receive(b"ll")
    assert kinds(talk.events()) == ["ResponseReceived"]
    assert talk.read()[-1] == ExchangeEnded(persistent=True)


def test_a_user_who_stops_sending_after_an_early_response_aborts() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    talk.receive(FOUR + b"full")
    talk.events()
    talk.read()
    talk.role.send(ABORT, talk.now)
    assert talk.effects() == [AbortTransport()]
    assert talk.events() == [ConnectionClosed(CloseReason.CUT)]
    assert (talk.role.sending, talk.role.phase) == (Send.CUT, Phase.CLOSED)


def test_a_server_that_closes_after_an_early_response_ends_the_request() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    talk.receive(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nn")
    assert talk.send(SendContent(b"ab")) == b"ab"  # legal until the response is complete (RFC 9112 9.6)
    talk.receive(b"o")
    assert talk.effects() == [CloseTransport()]
    assert talk.role.sending is Send.CUT
    assert "the peer sent Connection: close" in talk.refuses(SendContent(b"cd"))
    assert kinds(talk.events()) == ["ResponseReceived"]
    assert talk.read() == [ContentReceived(b"no"), ContentEnded(), ConnectionClosed(CloseReason.PEER_ASKED)]


def test_a_server_that_ends_its_half_after_an_early_response_ends_the_request() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    talk.receive(EMPTY)
    assert talk.effects() == []
    talk.eof()
    assert talk.effects() == [CloseTransport()]
    assert talk.events()[1:] == [ConnectionClosed(CloseReason.PEER_ENDED)]


def test_a_request_that_says_close_is_sent_to_its_end_after_an_early_response() -> None:
    talk = Talk()
    talk.ask(b"PUT", (*UPLOAD, (b"Connection", b"close")))
    talk.receive(EMPTY)
    talk.send(SendContent(b"abcd"))
    talk.role.send(SendEnd(), talk.now)
    assert talk.effects() == [CloseTransport()]
    assert talk.events()[1:] == [ExchangeEnded(persistent=False), ConnectionClosed(CloseReason.APPLICATION)]


# ---- another protocol takes over

UPGRADE = (HOST, (b"Connection", b"upgrade"), (b"Upgrade", b"websocket, Other/2"))
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n"


def test_101_hands_over_the_connection_with_what_came_behind_it() -> None:
    talk = Talk()
    talk.ask(b"GET", UPGRADE)
    talk.receive(SWITCHING + b"\x88\x00")
    head, switched = talk.events()
    assert isinstance(head, ResponseReceived)
    assert head.status == 101
    assert switched == ProtocolSwitched(b"WebSocket", b"\x88\x00")
    assert (talk.role.phase, talk.role.receive, talk.role.sending) == (
        *(Phase.SWITCHED, Receive.SWITCHED),
        Send.SWITCHED,
    )
    assert (talk.role.next_deadline(), talk.role.wants_data(), talk.role.buffered()) == (None, False, 0)
    talk.receive(b"more")
    talk.eof()
    talk.role.transport_lost(talk.now)
    talk.send(ABORT, STOP_PERSISTING)
    assert "this state is final" in talk.refuses(SendRequest(b"GET", b"/", [HOST]))
    assert (talk.events(), talk.effects()) == ([], [])


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ((HOST,), SWITCHING),
        ((HOST, (b"Upgrade", b"websocket")), SWITCHING),
        (UPGRADE, b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
        (UPGRADE, b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n"),
    ],
    ids=["not-asked", "no-connection-option", "another-protocol", "no-protocol"],
)
def test_a_switch_that_was_not_asked_for_breaks_the_exchange(
    asked: tuple[tuple[bytes, bytes], ...], answer: bytes
) -> None:
    talk = Talk()
    talk.ask(b"GET", asked)
    talk.receive(answer)
    broken, closed = talk.events()
    assert "RFC 9110 7.8" in str(broken.error)
    assert closed == ConnectionClosed(CloseReason.RESPONSE_BROKEN, broken.error)


def test_a_2xx_to_connect_opens_the_tunnel_whatever_its_fields_say() -> None:
    talk = Talk()
    talk.ask(b"CONNECT")
    talk.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x16\x03")
    assert talk.events()[1] == ProtocolSwitched(b"CONNECT", b"\x16\x03")


def test_a_refused_connect_is_an_ordinary_response() -> None:
    talk = Talk()
    talk.ask(b"CONNECT")
    talk.receive(b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno")
    talk.events()
    assert talk.read() == [ContentReceived(b"no"), ContentEnded(), ExchangeEnded(persistent=True)]


def test_we_switch_after_our_request_is_complete() -> None:
    talk = Talk(Limits(max_pipelined_bytes=4))
    talk.ask(b"POST", (*UPGRADE, (b"Content-Length", b"4")))
    talk.receive(SWITCHING + b"\x01\x02")
    assert kinds(talk.events()) == ["ResponseReceived"]
    assert talk.role.wants_data()
    talk.receive(b"\x03\x04")
    assert (talk.role.wants_data(), talk.role.buffered()) == (False, 4)
    assert talk.send(SendContent(b"abcd"), SendEnd()) == b"abcd"
    assert talk.events() == [ProtocolSwitched(b"WebSocket", b"\x01\x02\x03\x04")]


def test_a_server_that_leaves_before_we_could_switch_breaks_the_exchange() -> None:
    talk = Talk()
    talk.ask(b"POST", (*UPGRADE, (b"Content-Length", b"4")))
    talk.receive(SWITCHING)
    talk.eof()
    head, broken, closed = talk.events()
    assert isinstance(head, ResponseReceived)
    assert isinstance(broken, ResponseBroken)
    assert closed == ConnectionClosed(CloseReason.PEER_ENDED, broken.error)
    assert talk.effects() == [CloseTransport()]


# ---- abort, limits


def test_abort_gives_up_what_was_not_read() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(FOUR + b"ab")
    talk.events()
    talk.role.send(ABORT, talk.now)
    assert talk.effects() == [AbortTransport()]
    assert talk.events() == [ConnectionClosed(CloseReason.ABORTED)]
    assert talk.role.next_deadline() is None
    talk.send(ABORT)
    assert talk.events() == []


def test_abort_tells_whoever_waits_for_content() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(FOUR + b"ab")
    talk.events()
    talk.send(READ_CONTENT, READ_CONTENT)
    talk.role.send(ABORT, talk.now)
    received, broken, closed = talk.events()
    assert received == ContentReceived(b"ab")
    assert isinstance(broken, ContentBroken)
    assert closed == ConnectionClosed(CloseReason.ABORTED)


def test_abort_before_a_response_breaks_the_exchange() -> None:
    talk = Talk()
    talk.ask(b"PUT", UPLOAD)
    talk.role.send(ABORT, talk.now)
    broken, closed = talk.events()
    assert isinstance(broken.error, PeerDisconnected)
    assert closed == ConnectionClosed(CloseReason.CUT, broken.error)


def test_a_limit_for_one_response_holds_for_what_came_already() -> None:
    talk = Talk()
    talk.ask()
    talk.receive(FOUR + b"abc")
    talk.events()
    talk.role.send(LimitContent(2), talk.now)
    assert talk.effects() == [CloseTransport()]
    broken, closed = talk.read()  # judged before anything of it is told, so that a split changes nothing
    assert "content exceeds 2 bytes" in str(broken.error)
    assert closed == ConnectionClosed(CloseReason.CONTENT_BROKEN, broken.error)


def test_a_declared_length_over_the_limit_breaks_when_content_is_asked_for() -> None:
    talk = Talk(Limits(max_content_bytes=3))
    talk.ask()
    talk.receive(FOUR)
    assert talk.events() == [ResponseReceived(200, b"OK", b"1.1", Fields([(b"Content-Length", b"4")]), Length(4))]
    assert kinds(talk.read()) == ["ContentBroken", "ConnectionClosed"]


def test_a_limit_without_content_is_harmless() -> None:
    talk = Talk()
    talk.send(LimitContent(3))
    talk.ask()
    talk.receive(EMPTY)
    assert talk.events()[-1] == ExchangeEnded(persistent=True)


def test_content_nobody_reads_is_held_up_to_the_limit() -> None:
    talk = Talk(Limits(max_buffered_content_bytes=3))
    talk.ask()
    talk.receive(FOUR + b"ab")
    assert talk.role.wants_data()
    talk.receive(b"c")
    assert (talk.role.wants_data(), talk.role.buffered()) == (False, 3)
    talk.events()
    talk.send(READ_CONTENT)
    assert (talk.role.wants_data(), talk.role.buffered()) == (True, 0)


def test_commands_after_the_close_say_why() -> None:
    talk = Talk()
    talk.role.send(STOP_PERSISTING, talk.now)
    for command in (SendRequest(b"GET", b"/", [HOST]), SendContent(b""), SendEnd()):
        talk.effects()
        with pytest.raises(LocalProtocolError, match=r"the connection has ended \(we are stopping\)"):
            talk.role.send(command, talk.now)
