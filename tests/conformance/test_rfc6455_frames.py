"""Frames, messages and Close codes against RFC 6455 and RFC 7692, one row for each rule, by real bytes."""

import zlib
from typing import Any

import pytest

from sansio_web.effects import AbortTransport, CloseTransport, Effect, ShutdownWrite, Transmit
from sansio_web.websocket import (
    RECEIVE_MESSAGE,
    CloseReceived,
    ConnectionFailed,
    DeflateParameters,
    MessageReceived,
    PingReceived,
    PongReceived,
    Role,
    SocketClosed,
    State,
    WebSocket,
    WebSocketEvent,
    WebSocketLimits,
)

KEY = b"\x37\xfa\x21\x3d"
LIMITS = WebSocketLimits(max_message_bytes=70_000, max_fragments=8)


def masked(data: bytes) -> bytes:
    return bytes(byte ^ KEY[at % 4] for at, byte in enumerate(data))


def f(first: int, payload: bytes = b"", *, client: bool = True) -> bytes:
    """A frame in its shortest form; a client's is masked."""
    size = len(payload)
    bit = client << 7
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65_536:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    return head + (KEY + masked(payload) if client else payload)


def run(
    pieces: list[bytes], role: Role = Role.SERVER, *, deflate: bool = False, autoping: bool = True
) -> tuple[list[WebSocketEvent], list[Effect], WebSocket]:
    """An application that always asks for another message; effects with all Transmits joined, if there are any."""
    socket = WebSocket(
        role,
        LIMITS,
        now=0.0,
        mask=(lambda: KEY) if role is Role.CLIENT else None,
        deflate=DeflateParameters() if deflate else None,
        autoping=autoping,
    )
    events: list[WebSocketEvent] = []
    effects: list[Effect] = []
    out = b""
    for piece in [b"", *pieces]:
        socket.receive_data(piece, 0.0)
        while True:
            while (effect := socket.next_effect()) is not None:
                if isinstance(effect, Transmit):
                    out += effect.data
                else:
                    effects.append(effect)
            event = socket.next_event()
            if event is not None:
                events.append(event)
            elif not socket._wanted and socket.state in (State.OPEN, State.REMOTE_CLOSING):
                socket.send(RECEIVE_MESSAGE, 0.0)
            else:
                break
    return events, [Transmit(out), *effects] if out else effects, socket


TEXT, BINARY, CONT, CLOSE, PING, PONG = 0x81, 0x82, 0x80, 0x88, 0x89, 0x8A
FIN = 0x80
KAPPA = "κόσμε"
LONGEST_CONTROL = b"\xfe" * 125

# id, bytes of a client, messages as the application gets them, bytes that go back
DELIVERED: list[tuple[str, bytes, list[Any], bytes]] = [
    # RFC 6455 5.7: the examples
    ("5.7-masked-text", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", ["Hello"], b""),
    ("5.7-fragmented", f(0x01, b"Hel") + f(CONT, b"lo"), ["Hello"], b""),
    ("5.7-masked-ping", b"\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", [], b"\x8a\x05Hello"),
    ("5.7-256-bytes", f(BINARY, bytes(256)), [bytes(256)], b""),
    ("5.7-64-kib", f(BINARY, b"x" * 65_536), [b"x" * 65_536], b""),
    # 5.2: every form of the length
    ("5.2-0-bytes", f(TEXT) + f(BINARY), ["", b""], b""),
    ("5.2-125-bytes", f(TEXT, b"*" * 125), ["*" * 125], b""),
    ("5.2-126-bytes", f(TEXT, b"*" * 126), ["*" * 126], b""),
    ("5.2-127-bytes", f(BINARY, b"\xfe" * 127), [b"\xfe" * 127], b""),
    ("5.2-65535-bytes", f(TEXT, b"*" * 65_535), ["*" * 65_535], b""),
    # 5.4: fragments
    ("5.4-empty-fragments", f(0x01) + f(0x00) + f(CONT), [""], b""),
    ("5.4-only-the-middle", f(0x01) + f(0x00, b"mid") + f(CONT), ["mid"], b""),
    ("5.4-ping-between", f(0x02, b"a") + f(PING, b"!") + f(CONT, b"b"), [b"ab"], b"\x8a\x01!"),
    ("5.4-pong-between", f(0x02, b"a") + f(PONG, b"!") + f(CONT, b"b"), [b"ab"], b""),
    ("5.4-two-messages", f(0x01, b"a") + f(CONT, b"b") + f(0x02, b"c") + f(CONT, b"d"), ["ab", b"cd"], b""),
    ("5.4-as-many-as-allowed", f(0x02, b"a") + f(0x00, b"a") * 6 + f(CONT, b"a"), [b"a" * 8], b""),
    # 5.5: control frames
    ("5.5-ping-empty", f(PING), [], b"\x8a\x00"),
    ("5.5-ping-125", f(PING, LONGEST_CONTROL), [], b"\x8a\x7d" + LONGEST_CONTROL),
    ("5.5.2-ten-pings", f(PING, b"p") * 10, [], b"\x8a\x01p" * 10),
    ("5.5.3-unasked-pong", f(PONG, b"x") + f(TEXT, b"a"), ["a"], b""),
    # 5.6, 8.1: UTF-8
    ("8.1-words", f(TEXT, KAPPA.encode()), [KAPPA], b""),
    ("8.1-character-over-fragments", f(0x01, b"\xce") + f(0x00, b"\xba\xe2\x82") + f(CONT, b"\xac"), ["κ€"], b""),
    (
        "8.1-four-bytes-over-fragments",
        f(0x01, b"\xf0") + f(0x00, b"\x9f") + f(0x00, b"\x98") + f(CONT, b"\x80"),
        ["😀"],
        b"",
    ),
    ("8.1-last-code-point", f(TEXT, b"\xf4\x8f\xbf\xbf"), ["\U0010ffff"], b""),
    ("8.1-noncharacters", f(TEXT, b"\xef\xbf\xbe\xef\xbf\xbf"), ["\ufffe\uffff"], b""),
    ("8.1-nul", f(TEXT, b"\x00"), ["\0"], b""),
    ("5.6-binary-is-any", f(BINARY, b"\xff\xfe\x00"), [b"\xff\xfe\x00"], b""),
]


def splits(data: bytes) -> list[list[bytes]]:
    """Whole, in halves, and byte by byte where that is short."""
    ways = [[data], [data[: len(data) // 2], data[len(data) // 2 :]]]
    if len(data) < 2_000:
        ways.append([data[at : at + 1] for at in range(len(data))])
    return ways


@pytest.mark.parametrize(
    ("data", "messages", "back"), [row[1:] for row in DELIVERED], ids=[row[0] for row in DELIVERED]
)
def test_messages_are_delivered(data: bytes, messages: list[Any], back: bytes) -> None:
    for pieces in splits(data):
        events, effects, socket = run(pieces)
        assert events == [MessageReceived(message) for message in messages]
        assert effects == ([Transmit(back)] if back else [])
        assert socket.state is State.OPEN
        assert socket.buffered() == 0


# id, bytes of a client, messages before, the code that the connection is failed with
BROKEN: list[tuple[str, bytes, list[Any], int]] = [
    # RFC 6455 5.1, 5.3
    ("5.1-unmasked", f(TEXT, b"Hello", client=False), [], 1002),
    ("5.1-unmasked-ping", f(PING, client=False), [], 1002),
    ("5.1-unmasked-after-message", f(TEXT, b"a") + f(TEXT, b"b", client=False), ["a"], 1002),
    # 5.2: reserved bits, opcodes, lengths
    ("5.2-rsv1", f(0xC1, b"a"), [], 1002),
    ("5.2-rsv2", f(0xA1, b"a"), [], 1002),
    ("5.2-rsv3", f(0x91, b"a"), [], 1002),
    ("5.2-rsv-all", f(0xF1, b"a"), [], 1002),
    ("5.2-rsv-on-ping", f(0xC9), [], 1002),
    ("5.2-rsv-on-close", f(0xA8), [], 1002),
    ("5.2-rsv-after-message", f(TEXT, b"a") + f(0xB1), ["a"], 1002),
    *[(f"5.2-opcode-{opcode:x}", f(FIN | opcode, b"a"), [], 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
    ("5.2-long-form-of-2-bytes", b"\x81\xfe\x00\x7d" + KEY + masked(b"a" * 125), [], 1002),
    ("5.2-long-form-of-8-bytes", b"\x82\xff" + (65_535).to_bytes(8, "big") + KEY, [], 1002),
    ("5.2-2-to-the-63", b"\x82\xff" + (1 << 63).to_bytes(8, "big") + KEY, [], 1002),
    ("5.2-all-ones", b"\x82\xff" + b"\xff" * 8, [], 1002),
    # 5.4: fragments
    ("5.4-nothing-to-continue", f(CONT, b"a"), [], 1002),
    ("5.4-nothing-to-continue-not-final", f(0x00, b"a"), [], 1002),
    ("5.4-nothing-to-continue-after-message", f(TEXT, b"a") + f(CONT, b"b"), ["a"], 1002),
    ("5.4-text-within-text", f(0x01, b"a") + f(TEXT, b"b"), [], 1002),
    ("5.4-binary-within-text", f(0x01, b"a") + f(0x02, b"b"), [], 1002),
    ("5.4-told-before-the-end", f(0x01, b"a") + f(TEXT, b"b" * 1_000)[:8], [], 1002),
    # 5.5: control frames
    ("5.5-fragmented-ping", f(0x09, b"a"), [], 1002),
    ("5.5-fragmented-pong", f(0x0A, b"a"), [], 1002),
    ("5.5-fragmented-close", f(0x08), [], 1002),
    ("5.5-ping-126", f(PING, bytes(126)), [], 1002),
    ("5.5-ping-long-form", b"\x89\xff" + bytes(8), [], 1002),
    ("5.5-close-126", f(CLOSE, b"\x03\xe8" + b"a" * 124), [], 1002),
    # 5.5.1, 7.4: Close
    ("5.5.1-half-a-code", f(CLOSE, b"\x03"), [], 1002),
    *[
        (f"7.4-code-{code}", f(CLOSE, code.to_bytes(2, "big")), [], 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    ],
    ("5.5.1-reason-not-utf-8", f(CLOSE, b"\x03\xe8\xff"), [], 1007),
    ("5.5.1-reason-cut-character", f(CLOSE, b"\x03\xe8\xc3"), [], 1007),
    # 8.1: UTF-8
    ("8.1-lone-continuation", f(TEXT, b"\x80"), [], 1007),
    ("8.1-never-a-byte", f(TEXT, b"\xfe"), [], 1007),
    ("8.1-overlong-slash", f(TEXT, b"\xc0\xaf"), [], 1007),
    ("8.1-overlong-nul", f(TEXT, b"\xe0\x80\x80"), [], 1007),
    ("8.1-surrogate", f(TEXT, b"\xed\xa0\x80"), [], 1007),
    ("8.1-paired-surrogates", f(TEXT, b"\xed\xa0\xbd\xed\xb8\x80"), [], 1007),
    ("8.1-beyond-unicode", f(TEXT, b"\xf4\x90\x80\x80"), [], 1007),
    ("8.1-cut-at-the-end", f(TEXT, b"\xe2\x82"), [], 1007),
    ("8.1-cut-at-the-end-of-fragments", f(0x01, b"\xe2") + f(CONT, b"\x82"), [], 1007),
    ("8.1-in-a-later-fragment", f(0x01, b"a") + f(0x00, b"\xff"), [], 1007),
    ("8.1-told-before-the-end", f(0x01, KAPPA.encode() + b"\xf4\x90"), [], 1007),
    ("8.1-after-message", f(TEXT, b"a") + f(TEXT, b"\xff"), ["a"], 1007),
    # limits of ours
    ("limit-one-frame", f(BINARY, bytes(70_001)), [], 1009),
    ("limit-announced", b"\x82\xff" + (70_001).to_bytes(8, "big") + KEY, [], 1009),
    ("limit-announced-huge", b"\x82\xff" + ((1 << 63) - 1).to_bytes(8, "big") + KEY, [], 1009),
    ("limit-fragments-together", f(0x02, bytes(35_000)) + f(0x00, bytes(35_001)), [], 1009),
    ("limit-fragments", f(0x02) + f(0x00) * 8, [], 1009),
]


@pytest.mark.parametrize(("data", "messages", "code"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_breaks_a_rule_fails_the_connection_after_what_came_before(
    data: bytes, messages: list[Any], code: int
) -> None:
    """RFC 6455 7.1.7; what follows is discarded."""
    for pieces in [*splits(data), [data, f(TEXT, b"more")], [data + f(TEXT, b"more")]]:
        events, effects, socket = run(pieces)
        *before, failed = events
        assert before == [MessageReceived(message) for message in messages]
        assert isinstance(failed, ConnectionFailed)
        assert failed.error.close_code_hint == code
        transmit, *ends = effects
        assert isinstance(transmit, Transmit)
        assert transmit.data[0] == CLOSE
        assert transmit.data[1] == len(transmit.data) - 2 <= 125
        assert transmit.data[2:4] == code.to_bytes(2, "big")
        assert transmit.data[4:].decode() in str(failed.error)
        assert ends == [ShutdownWrite()]
        assert socket.state is State.DRAINING
        assert socket.buffered() == 0


@pytest.mark.parametrize(
    ("payload", "code", "reason"),
    [
        (b"", 1005, ""),
        *[(code.to_bytes(2, "big"), code, "") for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011)],
        *[(code.to_bytes(2, "big"), code, "") for code in (1012, 1013, 1014, 3000, 3999, 4000, 4999)],
        (b"\x03\xe8" + KAPPA.encode(), 1000, KAPPA),
        (b"\x03\xe8" + b"a" * 123, 1000, "a" * 123),
    ],
)
def test_a_close_is_echoed_and_a_missing_code_is_not_made_up(payload: bytes, code: int, reason: str) -> None:
    """RFC 6455 5.5.1, 7.1.5: 1005 is never on the wire; a server ends its half (7.1.1)."""
    data = f(TEXT, b"a") + f(CLOSE, payload)
    for pieces in [*splits(data), [data + f(TEXT, b"after") + b"\xff\xff"]]:
        events, effects, socket = run(pieces)
        assert events == [MessageReceived("a"), CloseReceived(code, reason)]
        assert effects == [Transmit(bytes((CLOSE, len(payload))) + payload), ShutdownWrite()]
        assert socket.state is State.DRAINING
        socket.receive_eof(0.0)
        assert socket.next_effect() == CloseTransport()
        end = socket.next_event()
        assert isinstance(end, SocketClosed)
        assert (end.code, end.reason, end.clean) == (code, reason, True)


def test_a_masked_frame_of_a_server_fails_the_connection() -> None:
    """RFC 6455 5.1."""
    events, effects, _ = run([f(TEXT, b"a", client=False) + f(TEXT, b"b")], Role.CLIENT)
    assert events[0] == MessageReceived("a")
    assert isinstance(events[1], ConnectionFailed)
    assert isinstance(effects[0], Transmit)
    assert effects[0].data[:2] == bytes((CLOSE, 0x80 | (len(effects[0].data) - 6)))
    assert masked(effects[0].data[6:])[:2] == b"\x03\xea"
    assert effects[1:] == [ShutdownWrite()]


def test_the_examples_of_a_server_are_read_by_a_client() -> None:
    """RFC 6455 5.7: unmasked."""
    data = (
        b"\x81\x05\x48\x65\x6c\x6c\x6f"
        + b"\x01\x03\x48\x65\x6c"
        + b"\x80\x02\x6c\x6f"
        + b"\x89\x05\x48\x65\x6c\x6c\x6f"
    )
    for pieces in splits(data):
        events, effects, _ = run(pieces, Role.CLIENT)
        assert events == [MessageReceived("Hello")] * 2
        assert effects == [Transmit(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")]


def test_control_frames_are_told_in_their_place_where_the_application_answers() -> None:
    data = f(TEXT, b"a") + f(PING, b"1") + f(0x01, b"b") + f(PONG, b"2") + f(CONT, b"c")
    for pieces in splits(data):
        events, effects, _ = run(pieces, autoping=False)
        assert events == [MessageReceived("a"), PingReceived(b"1"), PongReceived(b"2"), MessageReceived("bc")]
        assert effects == []


# -- RFC 7692 ----------------------------------------------------------------------------------------------------

HELLO = bytes.fromhex("f248cdc9c90700")
INFLATED: list[tuple[str, bytes, list[Any]]] = [
    ("7.2.3.1-one-block", f(0xC1, HELLO), ["Hello"]),
    ("7.2.3.1-fragmented", f(0x41, HELLO[:3]) + f(CONT, HELLO[3:]), ["Hello"]),
    ("7.2.3.2-shared-window", f(0xC1, HELLO) + f(0xC1, bytes.fromhex("f200110000")), ["Hello", "Hello"]),
    ("7.2.3.3-no-compression", f(0xC1, bytes.fromhex("000500faff48656c6c6f00")), ["Hello"]),
    ("7.2.3.4-bfinal", f(0xC1, bytes.fromhex("f348cdc9c9070000")), ["Hello"]),
    ("7.2.3.4-bfinal-twice", f(0xC1, bytes.fromhex("f348cdc9c9070000")) * 2, ["Hello"] * 2),
    ("7.2.3.5-two-blocks", f(0xC1, bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", ""))), ["Hello"]),
    ("7.2.3.6-empty", f(0xC1, b"\x00"), [""]),
    ("6.1-some-are-not", f(TEXT, b"a") + f(0xC1, HELLO) + f(BINARY, b"b"), ["a", "Hello", b"b"]),
    ("6.1-ping-between", f(0x41, HELLO[:3]) + f(PONG) + f(CONT, HELLO[3:]), ["Hello"]),
    ("6.1-empty-last-fragment", f(0x42, HELLO) + f(CONT), [b"Hello"]),
]


@pytest.mark.parametrize(("data", "messages"), [row[1:] for row in INFLATED], ids=[row[0] for row in INFLATED])
def test_deflated_messages_are_inflated(data: bytes, messages: list[Any]) -> None:
    for pieces in splits(data):
        events, effects, socket = run(pieces, deflate=True)
        assert events == [MessageReceived(message) for message in messages]
        assert effects == []
        assert socket.state is State.OPEN


def bomb(size: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=-15)
    return (squeeze.compress(bytes(size)) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]


def plain_flood() -> bytes:
    """Deflate blocks that stand for nothing, without end."""
    return b"\x00\x00\x00\xff\xff" * 20_000


BROKEN_DEFLATE: list[tuple[str, bytes, int]] = [
    ("6-rsv1-on-continuation", f(0x41, HELLO[:3]) + f(0xC0, HELLO[3:]), 1002),
    ("6-rsv1-on-plain-continuation", f(0x01, b"a") + f(0xC0, b"b"), 1002),
    ("6-rsv1-on-ping", f(0xC9), 1002),
    ("6-rsv2", f(0xE1, HELLO), 1002),
    ("7.2.2-no-deflate", f(0xC2, b"\xff\xff\xff"), 1007),
    ("7.2.2-no-utf-8", f(0xC1, bytes.fromhex("0001 00fe ff ff 00".replace(" ", ""))), 1007),
    ("limit-bomb", f(0xC2, bomb(10_000_000)), 1009),
    ("limit-bomb-in-fragments", f(0x42, bomb(10_000_000)[:5_000]) + f(CONT, bomb(10_000_000)[5_000:]), 1009),
    ("limit-one-more", f(0xC2, bomb(70_001)), 1009),
    ("limit-empty-blocks", f(0xC2, plain_flood()), 1009),
    ("limit-final-blocks", f(0xC2, b"\x03\x00" * 100), 1007),
]


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in BROKEN_DEFLATE], ids=[row[0] for row in BROKEN_DEFLATE])
def test_what_breaks_a_rule_of_deflate_fails_the_connection(data: bytes, code: int) -> None:
    for pieces in splits(data):
        events, effects, socket = run(pieces, deflate=True)
        (failed,) = events
        assert isinstance(failed, ConnectionFailed)
        assert failed.error.close_code_hint == code
        assert isinstance(effects[0], Transmit)
        assert effects[0].data[2:4] == code.to_bytes(2, "big")
        assert socket.state is State.DRAINING


def test_a_message_of_exactly_the_limit_is_inflated() -> None:
    for pieces in splits(f(0xC2, bomb(70_000))):
        events, _, _ = run(pieces, deflate=True)
        assert events == [MessageReceived(bytes(70_000))]


def test_nothing_is_aborted_where_a_close_can_be_said() -> None:
    """So that no reset swallows the Close."""
    for _, data, _, _ in BROKEN:
        assert AbortTransport() not in run([data])[1]
