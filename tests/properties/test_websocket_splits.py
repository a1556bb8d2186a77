"""Laws 2 and 4 for WebSockets: however the bytes are split, the same events at either end; and bounded memory."""

import random
import zlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_web.effects import Transmit
from sansio_web.websocket import (
    RECEIVE_MESSAGE,
    DeflateParameters,
    Role,
    SocketClosed,
    State,
    WebSocket,
    WebSocketEvent,
    WebSocketLimits,
)
from sansio_web.websocket.writer import frame

LIMITS = WebSocketLimits(max_message_bytes=400, max_fragments=5, max_unread_messages=3, max_unread_bytes=150)
KEY = b"\x01\x80\x00\xfe"


def deflated(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return (squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]


def wire(rng: random.Random, *, masked: bool, deflate: bool) -> bytes:
    """Frames of a peer that errs now and then."""
    out = []
    open_ = False
    mask = (lambda: KEY) if masked else None
    for _ in range(rng.randint(1, 10)):
        payload = rng.choice(
            [b"", b"a", "é€😀".encode(), b"\xc3", b"\xa9\xff", b"x" * 130, b"y" * 399, b"z" * 401, b"\x80" * 500]
        )
        opcode = 0 if open_ and rng.random() < 0.95 else rng.choice([1, 2])
        fin = rng.random() < 0.6
        first = fin << 7 | opcode
        kind = rng.random()
        if kind < 0.2:
            opcode = rng.choice([8, 9, 10])
            first, payload = 0x80 | opcode, rng.choice([b"", b"\x03\xe8", b"\x0f\xa0bye", b"\xff\xff", b"\x03"])
        elif kind < 0.25:
            first = rng.choice([0xC1, 0x41, 0xC0, 0xA1, 0x83, 0x89 & 0x7F])
        else:
            open_ = not fin
            if deflate and opcode and rng.random() < 0.6:
                first |= 0x40
                payload = deflated(payload)
                if rng.random() < 0.2:
                    payload = payload[: rng.randint(0, len(payload))] + rng.randbytes(rng.randint(0, 5))
        out.append(frame(first, payload, mask))
    data = b"".join(out)
    return data[: rng.randint(1, len(data))] if rng.random() < 0.2 else data


def told(role: Role, pieces: list[bytes], deflate: DeflateParameters | None) -> tuple[list[Any], bytes, State]:
    """What an application that always asks is told, and what goes out."""
    mask = None if role is Role.SERVER else lambda: KEY
    socket = WebSocket(role, LIMITS, now=0.0, mask=mask, deflate=deflate)
    events: list[WebSocketEvent] = []
    out = b""
    socket.send(RECEIVE_MESSAGE, 0.0)
    for piece in pieces:
        socket.receive_data(piece, 0.0)
        while True:
            while (effect := socket.next_effect()) is not None:
                out += effect.data if isinstance(effect, Transmit) else b""
            event = socket.next_event()
            if event is None:
                break
            events.append(event)
            if not socket._wanted:
                socket.send(RECEIVE_MESSAGE, 0.0)
    return [(type(e).__name__, str(e)) for e in events], out, socket.state


def some_pieces(rng: random.Random, data: bytes) -> list[bytes]:
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(1, 8)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(seed=st.integers(0, 1 << 40), role=st.sampled_from(Role), deflate=st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_split_gives_the_same_events_and_the_same_answers(seed: int, role: Role, deflate: bool) -> None:
    rng = random.Random(seed)
    agreed = DeflateParameters() if deflate else None
    for _ in range(15):
        data = wire(rng, masked=role is Role.SERVER, deflate=deflate)
        whole = told(role, [data], agreed)
        assert told(role, [data[at : at + 1] for at in range(len(data))], agreed) == whole
        assert told(role, some_pieces(rng, data), agreed) == whole


@given(seed=st.integers(0, 1 << 40), deflate=st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_is_held_is_bounded_whoever_reads(seed: int, deflate: bool) -> None:
    """The bound: one message, the unread ones and one more, a frame collected whole, and the last piece that came."""
    rng = random.Random(seed)
    socket = WebSocket(Role.SERVER, LIMITS, now=0.0, deflate=DeflateParameters() if deflate else None)
    largest = 300
    now = 0.0
    closed = 0
    for _ in range(60):
        now += rng.random()
        socket.handle_timeout(now)
        if socket.wants_data():
            socket.receive_data(wire(rng, masked=True, deflate=deflate)[:largest], now)
        if rng.random() < 0.3 and not socket._wanted:
            socket.send(RECEIVE_MESSAGE, now)
        while socket.next_effect() is not None:
            pass
        while (event := socket.next_event()) is not None:
            assert not closed
            closed += isinstance(event, SocketClosed)
        assert socket.buffered() <= 400 + (150 + 400) + (400 + 14) + largest
        assert len(socket._inbox) <= 3 + 1
    assert closed == (socket.state is State.CLOSED)
