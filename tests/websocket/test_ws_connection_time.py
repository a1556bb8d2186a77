"""Time: every wait has its bound, and a due deadline is progress."""

import pytest
from endpoint import Endpoint, close, frame, text

from sansio_web.effects import AbortTransport, CloseTransport, ShutdownWrite
from sansio_web.errors import PeerDisconnected
from sansio_web.websocket import (
    CloseReceived,
    ConnectionFailed,
    Ended,
    MessageReceived,
    Role,
    SendText,
    SocketClosed,
    StartClose,
    State,
    WebSocketLimits,
)

BEATING = WebSocketLimits(heartbeat=10.0)
PING = b"\x89\x011"


def test_an_idle_connection_waits_for_nothing_by_default() -> None:
    end = Endpoint().feed(text("a"))
    assert end.machine.next_deadline() is None
    assert end.wait(100_000).state is State.OPEN


# -- closing -------------------------------------------------------------------------------------------------


def test_a_peer_that_never_answers_our_close() -> None:
    end = Endpoint().send(StartClose(1001)).wait(9.9).feed(text("still talking"))
    assert end.state is State.LOCAL_CLOSING
    end.wait(0.2)
    assert end.effects == [CloseTransport()]
    assert end.events == [MessageReceived("still talking"), SocketClosed(1006, "", False, Ended.LOCAL)]


def test_a_close_may_have_a_timeout_of_its_own() -> None:
    end = Endpoint().send(StartClose(1001, timeout=1.0)).wait(1.0)
    assert end.closed.by is Ended.LOCAL


def test_a_peer_that_takes_nothing_does_not_hold_up_our_close() -> None:
    end = Endpoint().send(SendText("a" * 1000)).unsent(900).send(StartClose(1001)).wait(10.0)
    assert end.effects == [AbortTransport()]
    assert end.closed.by is Ended.LOCAL


def test_the_end_of_draining_is_within_the_close_timeout() -> None:
    end = Endpoint().send(StartClose(1001)).wait(9.5).feed(close(1001))
    assert end.state is State.DRAINING
    end.wait(0.5)
    assert end.effects == [ShutdownWrite(), CloseTransport()]
    assert end.closed == SocketClosed(1001, "", True, Ended.LOCAL)


@pytest.mark.parametrize("role", Role)
def test_a_peer_that_never_ends_its_half(role: Role) -> None:
    end = Endpoint(role).feed(close(1000, mask=None if role is Role.CLIENT else b"abcd"))
    end.wait(1.9)
    assert end.state is State.DRAINING
    end.feed(b"\xff" * 1_000_000).wait(0.1)
    assert end.effects[-1] == CloseTransport()
    assert end.closed == SocketClosed(1000, "", True, Ended.REMOTE)


def test_a_slow_peer_gets_our_close_before_the_transport_goes() -> None:
    """WRITE guards the wait."""
    end = Endpoint().send(SendText("a" * 20_000)).unsent(20_000).feed(b"\xff\xff")
    for left in range(18_000, 0, -2_000):
        end.wait(5.0).unsent(left)
    assert end.state is State.DRAINING
    end.unsent(0).wait(2.0)
    assert end.effects == [ShutdownWrite(), CloseTransport()]


def test_without_a_write_timeout_draining_is_bounded_by_its_own() -> None:
    limits = WebSocketLimits(write_timeout=None)
    end = Endpoint(limits=limits).send(SendText("a" * 20_000)).unsent(20_000).feed(close(1000)).wait(2.0)
    assert end.effects == [ShutdownWrite(), AbortTransport()]


def test_a_close_waits_only_so_long_for_an_application_that_does_not_read() -> None:
    end = Endpoint().feed(text("1") + text("2") + close(1000)).ask().wait(0.9)
    assert (end.state, end.took()) == (State.REMOTE_CLOSING, b"")
    end.wait(0.1)
    assert end.took() == b"\x88\x02\x03\xe8"
    assert end.events == [MessageReceived("1"), MessageReceived("2"), CloseReceived(1000, "")]
    assert end.state is State.DRAINING


def test_a_failure_waits_only_so_long_for_an_application_that_does_not_read() -> None:
    end = Endpoint().feed(text("1") + b"\xff\xff").wait(1.0)
    assert end.took()[2:4] == b"\x03\xea"
    assert end.state is State.DRAINING


def test_without_autoclose_an_application_that_does_not_answer_has_the_close_timeout() -> None:
    end = Endpoint(autoclose=False).ask().feed(close(1000)).wait(9.9)
    assert end.took() == b""
    assert end.wait(0.1).took() == b"\x88\x02\x03\xe8"


def test_an_end_behind_messages_that_nobody_reads_is_told_in_time() -> None:
    end = Endpoint(limits=WebSocketLimits(max_unread_messages=1)).feed(text("1") + text("2")).eof().wait(1.0)
    assert end.events == [MessageReceived("1"), SocketClosed(1006, "", False, Ended.TRANSPORT)]


# -- a frame that does not go on -----------------------------------------------------------------------------


def test_one_byte_a_second_is_too_little() -> None:
    end = Endpoint().ask()
    data = frame(2, bytes(100_000))
    for at in range(40):
        if end.state is State.OPEN:
            end.feed(data[at : at + 1]).wait(1.0)
    assert isinstance(end.events[0], ConnectionFailed)
    assert end.events[0].error.close_code_hint == 1008
    assert end.took()[2:4] == b"\x03\xf0"
    assert end.wait(2.0).closed.by is Ended.FAILED


@pytest.mark.parametrize("size", [40_000, 400_000])
def test_a_slow_frame_that_goes_on_is_no_offence(size: int) -> None:
    end = Endpoint().ask()
    data = frame(2, bytes(size))
    for at in range(0, len(data), 2_000):
        end.feed(data[at : at + 2_000]).wait(25.0)
    assert end.events == [MessageReceived(bytes(size))]
    assert end.machine.next_deadline() is None


def test_the_next_frame_has_a_span_of_its_own() -> None:
    end = Endpoint().ask().feed(text("1")[:3]).wait(20.0).feed(text("1")[3:] + text("2")[:3]).wait(20.0)
    assert end.state is State.OPEN
    assert end.wait(22.0).state is State.DRAINING


def test_a_frame_that_we_do_not_read_is_not_late() -> None:
    end = Endpoint(limits=WebSocketLimits(max_unread_messages=2)).feed(text("1") + text("2")[:3]).wait(20.0)
    end.feed(text("2")[3:] + text("3")[:3])
    assert not end.machine.wants_data()
    end.wait(100.0).ask().wait(25.0)
    assert end.state is State.OPEN
    assert end.wait(5.0).state is State.REMOTE_CLOSING


def test_between_fragments_a_peer_may_be_silent() -> None:
    end = Endpoint().ask().feed(frame(1, b"a", fin=False)).wait(1_000).feed(frame(0, b"b"))
    assert end.events == [MessageReceived("ab")]


# -- going out -----------------------------------------------------------------------------------------------


def test_a_peer_that_takes_nothing_is_dropped() -> None:
    end = Endpoint().send(SendText("a" * 5_000)).unsent(5_000).wait(29.9)
    assert end.state is State.OPEN
    end.wait(0.1)
    assert end.effects == [AbortTransport()]
    closed = end.closed
    assert (closed.code, closed.clean, closed.by) == (1006, False, Ended.TIMEOUT)
    assert isinstance(closed.error, PeerDisconnected)
    assert "WebSocketLimits.write_timeout" in str(closed.error)


def test_a_peer_that_takes_enough_is_not() -> None:
    end = Endpoint().send(SendText("a" * 5_000)).unsent(5_000)
    end.wait(29.0).unsent(3_900).wait(2.0).unsent(2_800).wait(29.0)
    assert end.state is State.OPEN
    end.unsent(0).wait(1_000)
    assert end.state is State.OPEN


def test_a_closed_connection_whose_last_bytes_nobody_takes_is_dropped() -> None:
    end = Endpoint().send(SendText("a" * 5_000)).unsent(5_000).eof()
    assert end.effects == [CloseTransport()]
    end.wait(30.0)
    assert end.effects == [CloseTransport(), AbortTransport()]
    assert end.machine.next_deadline() is None


def test_a_peer_that_takes_nothing_is_dropped_also_while_we_close() -> None:
    limits = WebSocketLimits(close_timeout=None)
    end = Endpoint(limits=limits).send(SendText("a" * 5_000)).unsent(5_000).send(StartClose(1001)).wait(30.0)
    assert end.effects == [AbortTransport()]
    assert end.closed == SocketClosed(1006, "", False, Ended.LOCAL)


def test_what_was_due_after_the_end_does_nothing() -> None:
    end = Endpoint(limits=WebSocketLimits(write_timeout=10.0)).send(SendText("a" * 5_000)).unsent(5_000)
    end.send(StartClose())
    end.now += 10.0
    end.machine.handle_timeout(end.now)
    end.drain()
    assert end.effects == [AbortTransport()]


# -- heartbeat -----------------------------------------------------------------------------------------------


def test_a_silent_peer_is_pinged_then_told_then_left() -> None:
    end = Endpoint(limits=BEATING).wait(9.9)
    assert end.took() == b""
    assert end.wait(0.1).took() == PING
    assert end.wait(4.9).state is State.OPEN
    end.wait(0.1)
    data = end.took()
    assert data[2:4] == b"\x03\xf3"
    assert end.effects == [CloseTransport()]
    closed = end.closed
    assert (closed.code, closed.clean, closed.by) == (1006, False, Ended.TIMEOUT)
    assert str(closed.error) == data[4:].decode()
    assert "no sign of life within 5.0 s" in str(closed.error)


def test_a_pong_keeps_the_connection() -> None:
    end = Endpoint(limits=BEATING)
    for beat in range(1, 6):
        end.wait(10.0)
        assert end.took() == b"\x89\x01%d" % beat
        end.feed(frame(10, b"%d" % beat))
    assert end.state is State.OPEN


@pytest.mark.parametrize("sign", [text("a"), frame(9), frame(2, bytes(50))[:5]])
def test_any_byte_is_a_sign_of_life(sign: bytes) -> None:
    end = Endpoint(limits=BEATING).ask().wait(10.0)
    end.took()
    end.wait(4.0).feed(sign).wait(2.0)
    assert end.state is State.OPEN
    end.took()
    assert end.wait(8.0).took() == b"\x89\x012", "ten seconds after that sign"


def test_a_busy_peer_is_not_pinged() -> None:
    end = Endpoint(limits=BEATING)
    for _ in range(20):
        end.ask().wait(3.0).feed(text("a"))
    assert end.took() == b""


def test_a_late_pong_behind_messages_that_nobody_reads_is_not_the_peers_fault() -> None:
    limits = WebSocketLimits(heartbeat=10.0, pong_timeout=1.0, max_unread_messages=1)
    end = Endpoint(limits=limits).feed(text("1"))
    end.wait(1_000)
    assert end.state is State.OPEN
    end.ask()
    assert end.wait(9.9).state is State.OPEN
    assert end.wait(1.2).closed.by is Ended.TIMEOUT


def test_a_peer_that_has_not_got_our_ping_yet_is_not_late() -> None:
    end = Endpoint(limits=BEATING).send(SendText("a" * 50_000)).unsent(50_000)
    for left in range(48_000, 20_000, -2_000):
        end.wait(5.0).unsent(left)
    assert end.state is State.OPEN
    end.unsent(0).wait(16.0)
    assert end.closed.by is Ended.TIMEOUT


def test_a_dead_peer_that_takes_nothing_is_not_told() -> None:
    limits = WebSocketLimits(heartbeat=10.0, write_timeout=None)
    end = Endpoint(limits=limits).send(SendText("a")).unsent(3)
    end.took()
    end.wait(15.0)
    assert end.took() == PING
    assert end.effects == [AbortTransport()]


def test_no_heartbeat_while_closing() -> None:
    end = Endpoint(limits=WebSocketLimits(heartbeat=1.0)).send(StartClose())
    end.took()
    assert end.wait(9.0).took() == b""
