"""One end of a connection: who is told what and when, and how it closes."""

import pytest
from endpoint import Endpoint, close, frame, law, law_events, text
from wsproto.events import CloseConnection, Ping, Pong

from sansio_web.effects import AbortTransport, CloseTransport, ShutdownWrite
from sansio_web.errors import LocalProtocolError
from sansio_web.websocket import (
    ABORT,
    CloseReceived,
    ConnectionFailed,
    DeflateParameters,
    Ended,
    MessageReceived,
    Opcode,
    PingReceived,
    PongReceived,
    Role,
    SendBytes,
    SendFrame,
    SendPing,
    SendPong,
    SendText,
    SocketClosed,
    StartClose,
    State,
    WebSocket,
    WebSocketLimits,
)

BYE = b"\x88\x05\x03\xe9bye"


# -- messages ------------------------------------------------------------------------------------------------


def test_a_message_is_told_when_it_is_asked_for_one_at_a_time() -> None:
    end = Endpoint().feed(text("a") + text("b"))
    assert end.took_events() == []
    assert end.ask().took_events() == [MessageReceived("a")]
    assert end.ask().took_events() == [MessageReceived("b")]
    assert end.ask().took_events() == []
    assert end.feed(text("c")).took_events() == [MessageReceived("c")]
    assert end.feed(text("d")).took_events() == []


def test_a_second_reader_is_told_so() -> None:
    end = Endpoint().ask()
    with pytest.raises(LocalProtocolError, match="one is asked for already"):
        end.ask()


@pytest.mark.parametrize("one", [text("x" * 100), text("")])
def test_a_peer_is_not_read_from_while_nobody_reads_what_it_said(one: bytes) -> None:
    end = Endpoint(limits=WebSocketLimits(max_unread_messages=5, max_unread_bytes=300))
    count = 0
    while end.machine.wants_data():
        end.feed(one)
        count += 1
    assert count == (3 if len(one) > 10 else 5)
    end.feed(one * 10)
    held = end.machine.buffered()
    assert held <= 300 + 100 + 10 * len(one)
    end.ask()
    assert len(end.took_events()) == 1
    for _ in range(count + 9):
        end.ask()
    assert len(end.took_events()) == count + 9
    assert end.machine.wants_data()
    assert end.machine.buffered() == 0


def test_one_message_may_be_larger_than_what_is_kept_unread() -> None:
    end = Endpoint(limits=WebSocketLimits(max_unread_bytes=0, max_unread_messages=0))
    assert end.machine.wants_data()
    end.feed(text("abc"))
    assert not end.machine.wants_data()
    assert end.ask().took_events() == [MessageReceived("abc")]


def test_everything_unfinished_is_seen_in_what_is_held() -> None:
    end = Endpoint().feed(frame(2, b"abc", fin=False))
    assert end.machine.buffered() == 3
    end.feed(frame(0, b"defg")[:-2])
    assert end.machine.buffered() == 3 + 2 + 4 + 2
    end.feed(frame(0, b"defg")[-2:])
    assert end.machine.buffered() == 7


def test_a_frame_too_large_to_collect_is_read_as_it_comes() -> None:
    size = 300_000
    data = frame(2, bytes(size)) + text("next")
    end = Endpoint().ask()
    for at in range(0, len(data), 50_000):
        end.feed(data[at : at + 50_000])
    assert end.took_events() == [MessageReceived(bytes(size))]
    assert end.ask().took_events() == [MessageReceived("next")]


def test_what_follows_a_large_frame_is_read_as_well() -> None:
    """Also in the same piece, and when another large frame comes."""
    large = frame(2, bytes(300_000), fin=False)
    data = large + frame(9, b"?") + frame(10) + frame(0, b"a", fin=False) + frame(0, b"b") + text("c") * 2
    for size in (len(data), 299_000, 70_000):
        end = Endpoint().ask()
        for at in (*range(0, len(data), size), *range(0, len(data), size)):
            end.feed(data[at : at + size])
        end.read_all()
        assert (
            end.took_events()
            == [
                MessageReceived(bytes(300_000) + b"ab"),
                MessageReceived("c"),
                MessageReceived("c"),
            ]
            * 2
        )
        assert end.took() == b"\x8a\x01?" * 2


def test_wrong_utf_8_in_a_large_frame_is_found_before_its_end() -> None:
    end = Endpoint().ask().feed(frame(1, b"\xff" * 300_000)[:1_000])
    assert isinstance(end.events[0], ConnectionFailed)
    assert end.events[0].error.close_code_hint == 1007


# -- sending -------------------------------------------------------------------------------------------------


def test_messages_go_out_as_one_frame_each() -> None:
    end = Endpoint().send(SendText("Hello"), SendBytes(bytes(256)), SendText("x" * 65_536), SendText(""))
    assert (
        end.took()
        == b"\x81\x05Hello"
        + b"\x82\x7e\x01\x00"
        + bytes(256)
        + (b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + b"x" * 65_536)
        + b"\x81\x00"
    )


def test_a_client_masks_with_a_fresh_key_each_time() -> None:
    """RFC 6455 5.3, 5.7."""
    keys = iter([b"\x37\xfa\x21\x3d", b"\x00\x00\x00\x00", b"\x01\x01\x01\x01"])
    end = Endpoint(Role.CLIENT, mask=lambda: next(keys))
    end.send(SendText("Hello"), SendText("Hello"), SendPing(b"\x00"))
    assert (
        end.took() == b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58" + b"\x81\x85\0\0\0\0Hello" + b"\x89\x81\1\1\1\1\1"
    )


def test_the_role_decides_who_masks() -> None:
    with pytest.raises(LocalProtocolError, match=r"RFC 6455 5\.1"):
        WebSocket(Role.CLIENT, now=0.0)
    with pytest.raises(LocalProtocolError, match=r"RFC 6455 5\.1"):
        WebSocket(Role.SERVER, now=0.0, mask=lambda: b"abcd")


def test_control_frames_may_stand_between_fragments_and_messages_may_not() -> None:
    """RFC 6455 5.4."""
    end = Endpoint().send(SendFrame(Opcode.TEXT, b"a", fin=False), SendPing(), SendPong(b"p"))
    for command in (SendText("b"), SendBytes(b"b"), SendFrame(Opcode.BINARY, b"b")):
        with pytest.raises(LocalProtocolError, match="a fragmented TEXT message is going out"):
            end.send(command)
    end.send(SendFrame(Opcode.CONTINUATION, b"c", fin=False), SendFrame(Opcode.CONTINUATION, b"d"), SendText("e"))
    assert end.took() == b"\x01\x01a\x89\x00\x8a\x01p\x00\x01c\x80\x01d\x81\x01e"
    with pytest.raises(LocalProtocolError, match="CONTINUATION without a message"):
        end.send(SendFrame(Opcode.CONTINUATION, b"f"))
    with pytest.raises(LocalProtocolError, match="SendFrame of CLOSE"):
        end.send(SendFrame(Opcode.CLOSE, b""))
    assert end.took() == b""


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (SendText("a\ud800"), "lone surrogate at offset 1"),
        (SendText("a" * 200 + "\udfff"), "lone surrogate at offset 200"),
        (SendPing(bytes(126)), "PING exceeds 125 bytes: 126"),
        (SendPong(bytes(126)), "PONG exceeds 125 bytes: 126"),
        (StartClose(1005), "Close code 1005 must not be sent"),
        (StartClose(1006), "Close code 1006 must not be sent"),
        (StartClose(999), "Close code 999 must not be sent"),
        (StartClose(None, "why"), "without a code"),
        (StartClose(1000, "a" * 124), "exceeds 123 bytes of UTF-8: 124"),
        (StartClose(1000, "\ud800"), "lone surrogate at offset 0"),
        (SendText("a", compress=True), "permessage-deflate was not agreed"),
        (SendFrame(Opcode.TEXT, b"", compress=True), "permessage-deflate was not agreed"),
    ],
)
def test_what_may_not_be_sent_is_refused_and_nothing_of_it_is_done(command: object, what: str) -> None:
    end = Endpoint()
    with pytest.raises(LocalProtocolError, match=what):
        end.send(command)  # type: ignore[arg-type]
    assert (end.took(), end.state) == (b"", State.OPEN)
    assert end.send(SendText("a")).took() == b"\x81\x01a"


def test_deflate_can_be_left_out_for_one_message() -> None:
    end = Endpoint(deflate=DeflateParameters())
    end.send(SendText("Hello"), SendText("Hello", compress=False), SendBytes(b"", compress=True))
    data = end.took()
    assert data[0] == 0xC1
    assert b"\x81\x05Hello" in data
    assert data[data.index(b"\x81\x05Hello") + 7] == 0xC2


def test_deflated_fragments_are_whole_each_and_one_message_together() -> None:
    """RFC 7692 6.1, 7.2.1."""
    end = Endpoint(deflate=DeflateParameters())
    other = Endpoint(Role.CLIENT, deflate=DeflateParameters()).ask()
    end.send(SendFrame(Opcode.TEXT, b"Hel", fin=False))
    first = end.took()
    assert first[0] == 0x41
    assert b"\x00\x00\xff\xff" in first
    end.send(SendFrame(Opcode.CONTINUATION, b"", fin=False), SendFrame(Opcode.CONTINUATION, b"lo"))
    other.feed(first, end.took())
    assert other.took_events() == [MessageReceived("Hello")]
    end.send(
        SendFrame(Opcode.BINARY, b"raw", fin=False, compress=False), SendFrame(Opcode.CONTINUATION, b"", compress=True)
    )
    assert end.took() == b"\x02\x03raw\x80\x00"


# -- Ping and Pong -------------------------------------------------------------------------------------------


def test_a_ping_is_answered_though_nobody_reads() -> None:
    end = Endpoint().feed(text("a") + frame(9, b"?"))
    assert end.took() == b"\x8a\x01?"


def test_where_the_application_answers_it_is_told_of_ping_and_pong() -> None:
    end = Endpoint(autoping=False).feed(frame(9, b"?") + frame(10, b"!"))
    assert end.took() == b""
    assert end.machine.buffered() == 2
    assert end.ask(2).took_events() == [PingReceived(b"?"), PongReceived(b"!")]
    assert end.send(SendPong(b"?")).took() == b"\x8a\x01?"


def test_of_the_pings_of_a_peer_that_takes_nothing_only_the_last_is_answered() -> None:
    """RFC 6455 5.5.3."""
    end = Endpoint().feed(frame(9, b"1"))
    end.unsent(65_537).feed(*(frame(9, b"%d" % number) for number in range(2, 9)))
    assert end.took() == b"\x8a\x011"
    assert end.unsent(65_537).took() == b""
    assert end.unsent(100).took() == b"\x8a\x018"
    assert end.unsent(0).took() == b""


def test_a_ping_after_our_close_is_not_answered() -> None:
    end = Endpoint().send(StartClose()).feed(frame(9, b"?"))
    assert end.took() == b"\x88\x02\x03\xe8"
    end = Endpoint().unsent(100_000).feed(frame(9, b"?")).send(StartClose()).unsent(0)
    assert end.took() == b"\x88\x02\x03\xe8"


# -- closing: we ---------------------------------------------------------------------------------------------


def test_our_close_is_answered_and_the_server_ends_first() -> None:
    """RFC 6455 7.1.1."""
    end = Endpoint().send(StartClose(1001, "bye"))
    assert (end.took(), end.state, end.effects) == (BYE, State.LOCAL_CLOSING, [])
    end.feed(close(1001, "bye"))
    assert (end.took(), end.state, end.effects) == (b"", State.DRAINING, [ShutdownWrite()])
    assert end.took_events() == [CloseReceived(1001, "bye")]
    end.eof()
    assert end.effects == [ShutdownWrite(), CloseTransport()]
    assert end.closed == SocketClosed(1001, "bye", True, Ended.LOCAL)


def test_a_client_waits_for_the_server_to_end_the_stream() -> None:
    end = Endpoint(Role.CLIENT).send(StartClose(1000)).feed(close(1000, mask=None))
    assert (end.state, end.effects) == (State.DRAINING, [])
    end.eof()
    assert end.effects == [CloseTransport()]
    assert end.closed == SocketClosed(1000, "", True, Ended.LOCAL)


def test_a_client_takes_a_reset_after_the_closing_handshake_for_a_normal_end() -> None:
    end = Endpoint(Role.CLIENT).send(StartClose(1000)).feed(close(1000, mask=None)).lose()
    assert end.effects == []
    assert end.closed == SocketClosed(1000, "", True, Ended.LOCAL)


def test_a_close_without_a_code() -> None:
    end = Endpoint().send(StartClose(None)).feed(close())
    assert end.took() == b"\x88\x00"
    assert end.eof().closed == SocketClosed(1005, "", True, Ended.LOCAL)


def test_nothing_but_a_second_close_follows_ours_and_that_changes_nothing() -> None:
    end = Endpoint().send(StartClose(1001, "bye"), StartClose(4000))
    assert end.took() == BYE
    for command in (SendText("a"), SendBytes(b""), SendFrame(Opcode.TEXT, b""), SendPing(), SendPong()):
        with pytest.raises(LocalProtocolError, match="in LOCAL_CLOSING; legal here: RECV_FRAME, RECV_CLOSE"):
            end.send(command)
    end.feed(close(1001)).send(StartClose(4000)).eof().send(StartClose(4000), ABORT)
    assert end.took() == b""
    with pytest.raises(LocalProtocolError, match="cannot SEND_DATA in CLOSED; legal here: nothing"):
        end.send(SendText("a"))


def test_messages_on_their_way_are_told_after_our_close_to_whoever_asks() -> None:
    """RFC 6455 1.4: the peer may finish what it says."""
    end = Endpoint().send(StartClose()).feed(text("a") + text("b")).ask()
    assert end.took_events() == [MessageReceived("a")]
    assert end.feed(close(1000)).took_events() == [MessageReceived("b"), CloseReceived(1000, "")]


def test_after_our_close_a_flood_that_nobody_reads_hides_no_close() -> None:
    limits = WebSocketLimits(max_unread_messages=2)
    end = Endpoint(limits=limits).feed(text("1") + text("2") + text("3") * 100)
    assert not end.machine.wants_data()
    end.send(StartClose(1001))
    assert end.machine.wants_data()
    end.feed(text("4") * 1_000, close(1001))
    assert end.took_events() == [MessageReceived("1"), MessageReceived("2"), CloseReceived(1001, "")]
    assert end.machine.buffered() == 0


def test_after_our_close_control_frames_that_nobody_reads_are_dropped_too() -> None:
    limits = WebSocketLimits(max_unread_messages=1)
    end = Endpoint(limits=limits, autoping=False).send(StartClose(1001)).feed(frame(9, b"1") + frame(9, b"2"))
    assert end.feed(close(1001)).took_events() == [PingReceived(b"1"), CloseReceived(1001, "")]


def test_a_close_waiting_behind_unread_messages_is_found_when_we_close() -> None:
    limits = WebSocketLimits(max_unread_messages=1)
    end = Endpoint(limits=limits).feed(text("1") + text("2") + close(4000, "x"))
    assert end.state is State.OPEN
    end.send(StartClose(1001))
    assert end.state is State.DRAINING
    assert end.took_events() == [MessageReceived("1"), CloseReceived(4000, "x")]
    assert end.eof().closed == SocketClosed(4000, "x", True, Ended.LOCAL)


def test_simultaneous_close() -> None:
    """RFC 6455 7.1.3: each has begun by itself; the code is that of the other's Close (7.1.5)."""
    end = Endpoint().send(StartClose(1001, "bye")).feed(close(4000, "mine"))
    assert end.took() == BYE
    assert end.eof().closed == SocketClosed(4000, "mine", True, Ended.LOCAL)


def test_data_after_close_is_ignored() -> None:
    end = Endpoint().feed(close(1000) + text("late") + close(4000) * 50).feed(text("later"), b"\xff" * 100)
    assert end.took() == b"\x88\x02\x03\xe8"
    assert end.took_events() == [CloseReceived(1000, "")]
    assert end.eof().feed(b"last").closed == SocketClosed(1000, "", True, Ended.REMOTE)


def test_garbage_instead_of_an_answer() -> None:
    end = Endpoint().send(StartClose(1001)).feed(text("a") + b"\xff\xff")
    assert (end.state, end.effects) == (State.DRAINING, [ShutdownWrite()])
    message, failed = end.took_events()
    assert message == MessageReceived("a")
    assert isinstance(failed, ConnectionFailed)
    assert end.took() == b"\x88\x02\x03\xe9", "one Close, and it was ours"
    assert end.eof().closed == SocketClosed(1006, "", False, Ended.LOCAL, failed.error)


# -- closing: the peer ---------------------------------------------------------------------------------------


def test_close_from_peer_is_echoed_then_write_side_shut() -> None:
    end = Endpoint().feed(close(1001, "bye"))
    assert (end.took(), end.effects, end.state) == (BYE, [ShutdownWrite()], State.DRAINING)
    assert end.eof().closed == SocketClosed(1001, "bye", True, Ended.REMOTE)
    assert end.effects == [ShutdownWrite(), CloseTransport()]


def test_the_messages_before_a_close_are_answered_before_it() -> None:
    """closing, rule 1."""
    end = Endpoint().feed(text("1") + text("2") + close(1000))
    assert (end.state, end.took()) == (State.REMOTE_CLOSING, b"")
    assert end.ask().took_events() == [MessageReceived("1")]
    assert end.send(SendText("one")).took() == b"\x81\x03one"
    assert end.ask().took_events() == [MessageReceived("2"), CloseReceived(1000, "")], "told, not answered yet"
    assert end.send(SendText("two")).took() == b"\x81\x03two"
    assert end.ask().took() == b"\x88\x02\x03\xe8"
    assert end.state is State.DRAINING


def test_the_messages_before_a_broken_frame_are_answered_before_the_connection_is_failed() -> None:
    end = Endpoint().ask().feed(text("1") + b"\xff\xff")
    assert end.took_events()[0] == MessageReceived("1")
    assert end.send(SendText("one")).took() == b"\x81\x03one"
    data = end.ask().took()
    assert (data[0], data[2:4]) == (0x88, b"\x03\xea")
    assert end.state is State.DRAINING
    assert end.effects == [ShutdownWrite()]


def test_a_close_that_comes_while_somebody_waits_is_answered_at_once() -> None:
    end = Endpoint().feed(text("1")).ask(2).feed(close(1000))
    assert end.took_events() == [MessageReceived("1"), CloseReceived(1000, "")]
    assert end.took() == b"\x88\x02\x03\xe8"


def test_the_application_may_answer_with_a_code_of_its_own() -> None:
    end = Endpoint().ask().feed(text("1") + close(1000)).send(StartClose(4001, "mine"))
    assert end.took() == b"\x88\x06\x0f\xa1mine"
    assert end.eof().closed == SocketClosed(1000, "", True, Ended.REMOTE)


def test_the_application_cannot_hide_why_the_connection_failed() -> None:
    end = Endpoint().ask().feed(text("1") + text("\x00")[:2].replace(b"\x81", b"\xff")).send(StartClose(4001, "mine"))
    data = end.took()
    assert data[:1] == b"\x88"
    assert data[2:4] == b"\x03\xea"
    closed = end.eof().closed
    assert (closed.code, closed.clean, closed.by) == (1002, False, Ended.FAILED)
    assert closed.error is not None
    assert closed.reason == str(closed.error) == data[4:].decode()


def test_without_autoclose_the_application_answers() -> None:
    end = Endpoint(autoclose=False).ask().feed(close(1000))
    assert (end.took_events(), end.took()) == ([CloseReceived(1000, "")], b"")
    assert end.send(SendText("last words"), StartClose(1000)).took() == b"\x81\nlast words\x88\x02\x03\xe8"
    assert end.state is State.DRAINING


def test_without_autoclose_a_broken_protocol_is_answered_all_the_same() -> None:
    end = Endpoint(autoclose=False).ask().feed(b"\xff\xff")
    assert end.took()[2:4] == b"\x03\xea"


def test_a_peer_that_ends_its_half_after_its_close_is_still_answered() -> None:
    end = Endpoint().ask().feed(text("1") + close(1000)).eof()
    assert end.state is State.REMOTE_CLOSING
    end.send(SendText("one")).ask()
    assert end.took() == b"\x81\x03one\x88\x02\x03\xe8"
    assert end.effects == [CloseTransport()]
    assert end.closed == SocketClosed(1000, "", True, Ended.REMOTE)


# -- closing: nobody -----------------------------------------------------------------------------------------


def test_an_end_without_a_close_is_1006() -> None:
    """RFC 6455 7.1.5."""
    end = Endpoint().feed(text("1") + text("2") + text("3")[:4]).eof().eof()
    assert end.effects == [CloseTransport()]
    assert end.took() == b""
    *before, closed = end.events
    assert before == [MessageReceived("1"), MessageReceived("2")]
    assert closed == SocketClosed(1006, "", False, Ended.TRANSPORT)
    assert not end.machine.wants_data()


def test_an_end_behind_messages_that_nobody_read_yet() -> None:
    end = Endpoint(limits=WebSocketLimits(max_unread_messages=1)).feed(text("1") + text("2") + text("3"))
    end.eof()
    assert end.ask(2).took_events() == [MessageReceived("1"), MessageReceived("2")]
    assert end.state is State.OPEN
    end.ask()
    assert end.took_events() == [MessageReceived("3"), SocketClosed(1006, "", False, Ended.TRANSPORT)]


@pytest.mark.parametrize("role", Role)
def test_a_lost_transport_needs_no_effect(role: Role) -> None:
    end = Endpoint(role).ask().lose().lose()
    assert end.effects == []
    assert end.closed == SocketClosed(1006, "", False, Ended.TRANSPORT)
    assert end.machine.next_deadline() is None


def test_lost_after_the_peers_close_keeps_its_code() -> None:
    end = Endpoint().ask().feed(text("1") + close(4000, "why")).lose()
    assert end.closed == SocketClosed(4000, "why", False, Ended.REMOTE)


def test_abort() -> None:
    end = Endpoint().send(ABORT)
    assert end.effects == [AbortTransport()]
    assert end.closed == SocketClosed(1006, "", False, Ended.LOCAL)
    end.send(ABORT)
    end.ask()
    assert end.effects == [AbortTransport()]


def test_abort_drops_what_a_closed_connection_still_sends() -> None:
    end = Endpoint().send(SendText("a")).unsent(3).eof()
    assert end.effects == [CloseTransport()]
    assert end.send(ABORT).effects == [CloseTransport(), AbortTransport()]


def test_a_transport_that_cannot_end_one_half() -> None:
    clean = Endpoint(can_half_close=False).feed(close(1000))
    assert clean.effects == [CloseTransport()]
    assert clean.closed.clean
    failed = Endpoint(can_half_close=False).feed(b"\xff\xff")
    assert (failed.effects, failed.state) == ([], State.DRAINING)
    assert failed.eof().effects == [CloseTransport()]
    slow = Endpoint(can_half_close=False).send(SendText("a")).unsent(3).feed(close(1000))
    assert slow.effects == [CloseTransport()], "what is unsent still goes out"


def test_a_client_that_fails_the_connection_ends_its_half() -> None:
    end = Endpoint(Role.CLIENT).feed(b"\xff\xff")
    assert end.effects == [ShutdownWrite()]


def test_wsproto_understands_our_side_of_a_whole_conversation() -> None:
    ours = Endpoint(deflate=None)
    peer = law(client=True)
    ours.send(SendText("é" * 100), SendPing(b"?"), StartClose(1001, "bye"))
    events = law_events(peer, ours.took())
    assert [type(event).__name__ for event in events] == ["TextMessage", "Ping", "CloseConnection"]
    ours.feed(peer.send(Pong(b"?")) if peer.state.name == "OPEN" else b"", bytes(peer.send(events[-1].response())))
    assert ours.took_events() == [CloseReceived(1001, "bye")]
    assert isinstance(events[1], Ping)
    assert isinstance(events[2], CloseConnection)
