"""Deadlines of a client's connection: every phase that waits for the server has one."""

from client_talk import CHUNKED_UPLOAD, UPLOAD, Talk

from sansio_web.effects import AbortTransport, CloseTransport
from sansio_web.http.commands import READ_CONTENT, SendContent, SendEnd
from sansio_web.http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentReceived,
    ExchangeEnded,
    ResponseBroken,
    ResponseReceived,
)
from sansio_web.http.lifecycle import CloseReason, Phase
from sansio_web.limits import Limits

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
FOUR = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
LIMITS = Limits(
    idle_timeout=50.0,
    head_timeout=20.0,
    content_timeout=30.0,
    write_timeout=10.0,
    min_content_bytes=2,
    min_write_bytes=8,
)


def test_an_idle_connection_is_closed_in_time_before_and_between_exchanges() -> None:
    for exchanges in (0, 2):
        talk = Talk(LIMITS)
        for _ in range(exchanges):
            talk.wait(30)
            talk.ask()
            assert talk.role.next_deadline() == talk.now + 20
            talk.receive(EMPTY)
            talk.events()
        assert talk.role.next_deadline() == talk.now + 50
        talk.wait(49)
        assert talk.events() == []
        talk.wait(1)
        assert (talk.events(), talk.effects()) == (
            [ConnectionClosed(CloseReason.IDLE_TIMEOUT)],
            [CloseTransport()],
        )
        assert talk.role.next_deadline() is None


def test_a_response_must_begin_in_time_after_the_request_is_complete() -> None:
    talk = Talk(LIMITS)
    talk.ask(b"PUT", UPLOAD)
    talk.send(SendContent(b"ab"))
    assert talk.role.next_deadline() is None  # what is missing is ours
    talk.now = 100.0
    talk.send(SendContent(b"cd"), SendEnd())
    assert talk.role.next_deadline() == 120.0
    talk.wait(20)
    broken, closed = talk.events()
    assert isinstance(broken, ResponseBroken)
    assert "no complete head of a response within 20.0 s (Limits.head_timeout)" in str(broken.error)
    assert closed == ConnectionClosed(CloseReason.RESPONSE_BROKEN, broken.error)
    assert talk.effects() == [CloseTransport()]


def test_a_head_that_dribbles_does_not_move_its_deadline() -> None:
    talk = Talk(LIMITS)
    talk.ask()
    for at in range(19):
        talk.receive(EMPTY[at : at + 1])
        talk.wait(1)
    assert talk.role.next_deadline() == 20.0
    talk.wait(1)
    assert isinstance(talk.events()[0], ResponseBroken)


def test_an_interim_response_gives_the_final_one_its_time_anew() -> None:
    talk = Talk(LIMITS)
    talk.ask()
    talk.wait(15)
    talk.receive(b"HTTP/1.1 102 Processing\r\n\r\n")
    assert talk.role.next_deadline() == 35.0


def test_the_head_of_an_early_response_is_timed_from_its_first_byte() -> None:
    talk = Talk(LIMITS)
    talk.ask(b"PUT", UPLOAD)
    talk.now = 7.0
    talk.receive(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert talk.role.next_deadline() is None
    talk.receive(EMPTY[:5])
    assert talk.role.next_deadline() == 27.0
    talk.wait(3)
    talk.send(SendContent(b"abcd"), SendEnd())
    assert talk.role.next_deadline() == 27.0
    talk.receive(EMPTY[5:])
    assert talk.events()[-1] == ExchangeEnded(persistent=True)


def test_a_response_is_not_awaited_while_the_request_is_still_leaving() -> None:
    talk = Talk(LIMITS)
    talk.ask(b"PUT", CHUNKED_UPLOAD)
    talk.send(SendContent(b"x" * 100), SendEnd())
    talk.role.transmitted(90, talk.now)
    for unsent in (70, 50, 30, 10):
        talk.now += 6.0
        talk.role.transmitted(unsent, talk.now)
        talk.role.handle_timeout(talk.now)
    assert talk.now == 24.0
    assert (talk.events(), talk.role.phase) == ([], Phase.PERSISTENT)
    talk.role.transmitted(0, talk.now)
    assert talk.role.next_deadline() == 44.0
    talk.wait(20)
    assert isinstance(talk.events()[0], ResponseBroken)


def test_a_server_that_takes_nothing_is_given_up() -> None:
    talk = Talk(LIMITS)
    talk.ask(b"PUT", UPLOAD)
    talk.send(SendContent(b"abcd"))
    talk.role.transmitted(30, talk.now)
    assert talk.role.next_deadline() == 10.0
    talk.role.transmitted(29, 10.0)
    talk.wait(10)
    broken, closed = talk.events()
    assert isinstance(broken, ResponseBroken)
    assert closed == ConnectionClosed(CloseReason.WRITE_TIMEOUT, broken.error)
    assert talk.effects() == [AbortTransport()]
    assert talk.role.next_deadline() is None


def test_a_server_that_answers_and_takes_nothing_more_is_heard() -> None:
    talk = Talk(LIMITS)
    talk.ask(b"PUT", UPLOAD)
    talk.role.transmitted(10, talk.now)
    talk.receive(FOUR + b"full")
    talk.wait(10)
    assert talk.effects() == [AbortTransport()]
    assert [type(event) for event in talk.events()] == [ResponseReceived]
    assert talk.read()[-1] == ConnectionClosed(CloseReason.WRITE_TIMEOUT)


def test_a_server_that_takes_bytes_again_changes_nothing_else() -> None:
    talk = Talk(Limits(max_unsent_bytes=5))
    talk.ask(b"PUT", UPLOAD)
    talk.role.transmitted(10, talk.now)
    assert talk.role.wants_data()  # a response may come all the same
    talk.role.transmitted(0, talk.now)
    assert (talk.events(), talk.effects(), talk.role.next_deadline()) == ([], [], None)


def test_content_must_come_in_time_while_somebody_waits_for_it() -> None:
    talk = Talk(LIMITS)
    talk.ask()
    talk.receive(FOUR)
    talk.events()
    assert talk.role.next_deadline() is None
    talk.wait(1_000)
    talk.send(READ_CONTENT)
    assert talk.role.next_deadline() == 1_030
    talk.wait(29)
    talk.receive(b"a")  # less than min_content_bytes
    assert talk.events() == [ContentReceived(b"a")]
    talk.send(READ_CONTENT)
    assert talk.role.next_deadline() == 1_030
    talk.wait(1)
    broken, closed = talk.events()
    assert isinstance(broken, ContentBroken)
    assert "Limits.content_timeout, min_content_bytes" in str(broken.error)
    assert closed == ConnectionClosed(CloseReason.CONTENT_BROKEN, broken.error)
    assert (talk.effects(), talk.role.next_deadline()) == ([CloseTransport()], None)


def test_content_that_comes_gains_time() -> None:
    talk = Talk(LIMITS)
    talk.ask()
    talk.receive(FOUR)
    talk.events()
    talk.send(READ_CONTENT)
    talk.wait(29)
    talk.receive(b"ab")
    talk.send(READ_CONTENT)
    assert talk.role.next_deadline() == 59.0


def test_bytes_that_leave_too_slowly_are_given_up_after_a_switch_too() -> None:
    talk = Talk(LIMITS)
    talk.ask(b"CONNECT")
    talk.role.transmitted(20, talk.now)
    talk.receive(b"HTTP/1.1 200 OK\r\n\r\n")
    assert talk.role.phase is Phase.SWITCHED
    talk.wait(10)
    assert (talk.effects(), talk.role.next_deadline()) == ([AbortTransport()], None)


def test_without_timeouts_nothing_is_due() -> None:
    talk = Talk(Limits(idle_timeout=None, head_timeout=None, content_timeout=None, write_timeout=None))
    assert talk.role.next_deadline() is None
    talk.ask()
    talk.role.transmitted(10, talk.now)
    assert talk.role.next_deadline() is None
    talk.receive(FOUR)
    talk.events()
    talk.send(READ_CONTENT)
    assert talk.role.next_deadline() is None


def test_a_tick_before_anything_is_due_is_harmless() -> None:
    talk = Talk()
    talk.ask()
    talk.wait(1)
    assert (talk.events(), talk.effects(), talk.role.next_deadline()) == ([], [], 20.0)
