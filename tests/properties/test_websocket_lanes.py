"""Invariant: `fast_lane` answers None or exactly what wsproto does, and takes every plain frame; wsproto reads ours."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.speedups import apply_mask
from wsproto.connection import CLIENT, SERVER, Connection
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import FrameDecoder, ParseFailed

from sansio_web.errors import RemoteProtocolError
from sansio_web.websocket.codes import read_close
from sansio_web.websocket.deflate import Inflater
from sansio_web.websocket.fast_lane import awaited, long_xor, plain_firsts, read_frame, small_message, use_masking, xor
from sansio_web.websocket.intake import Intake
from sansio_web.websocket.limits import WebSocketLimits
from sansio_web.websocket.outgoing import Outgoing

FRAMES_PER_EXAMPLE = 60
SIZES = [0, 1, 2, 3, 4, 5, 64, 124, 125, 126, 127, 128, 1_000, 65_535, 65_536, 65_537]


def some_frame(rng: random.Random, *, masked: bool) -> bytes:
    """By the grammar of RFC 6455 5.2, mostly plain."""
    opcode = rng.choice([1, 1, 2, 2, 0, 8, 9, 10, 3, 11, 15])
    fin = rng.random() < 0.8
    rsv = rng.choice([0, 0, 0, 0, 4, 2, 1, 6])
    size = rng.choice(SIZES[:9] if rng.random() < 0.9 else SIZES)
    form = 0 if size < 126 else 1 if size < 65_536 else 2
    if rng.random() < 0.1:
        form = rng.randint(form, 2)
    has_mask = masked is not (rng.random() < 0.05)
    declared = size if rng.random() < 0.95 else rng.choice([0, size + 1, 1 << 20, 1 << 62, 1 << 63, (1 << 64) - 1])
    if declared != size:
        form = 2 if declared > 65_535 else max(form, 0 if declared < 126 else 1)
    length = [
        bytes([declared & 127]),
        b"\x7e" + declared.to_bytes(8, "big")[-2:],
        b"\x7f" + declared.to_bytes(8, "big"),
    ][form]
    first = bytes([fin << 7 | rsv << 4 | opcode, has_mask << 7 | length[0]])
    key = rng.randbytes(4) if has_mask else b""
    payload = (
        rng.randbytes(size) if rng.random() < 0.5 else b"abc\xc3\xa9"[: size % 6] + b"z" * (size - min(size, size % 6))
    )
    return first + length[1:] + key + payload


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Cut, flipped, or with something behind it."""
    kind = rng.random()
    if kind < 0.4:
        return data
    if kind < 0.6:
        return data[: rng.randint(0, len(data))]
    if kind < 0.8:
        at = rng.randrange(min(len(data), 16))
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    return data + rng.randbytes(rng.randint(1, 20))


def by_law(data: bytes, *, masked: bool, deflated: bool) -> Any:
    """What wsproto's decoder makes of the first frame: the frame and how much it took, "more", or "wrong"."""
    extension = PerMessageDeflate()
    extension._enabled = True
    extension.frame_inbound_payload_data = lambda proto, data: data  # type: ignore[method-assign]
    extension.frame_inbound_complete = lambda proto, fin: None  # type: ignore[method-assign]
    decoder = FrameDecoder(client=not masked, extensions=[extension] if deflated else [])
    decoder.receive_bytes(data)
    first = data[0] if data else 0
    payload = b""
    try:
        while True:
            frame = decoder.process_buffer()
            if frame is None:
                return "more"
            payload += bytes(frame.payload)  # type: ignore[arg-type]
            if frame.frame_finished:
                return first, payload, len(data) - len(decoder.buffer)
    except ParseFailed:
        return "wrong"


@given(seed=st.integers(0, 1 << 32), masked=st.booleans(), deflated=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_fast_lane_is_silent_or_says_what_wsproto_says(seed: int, masked: bool, deflated: bool) -> None:
    rng = random.Random(seed)
    firsts = plain_firsts(deflated=deflated)
    for _ in range(FRAMES_PER_EXAMPLE):
        data = mutated(rng, some_frame(rng, masked=masked))
        expected = by_law(data, masked=masked, deflated=deflated)
        found = read_frame(data, 0, firsts, masked=masked)
        assert found is None or found == expected
        assert (found is None) is isinstance(expected, str), "every plain frame that is whole is taken"
        offset = read_frame(b"###" + data, 3, firsts, masked=masked)
        assert offset == (found and (found[0], found[1], found[2] + 3))
        assert read_frame(bytearray(data), 0, firsts, masked=masked) == found
        if masked:
            assert_small(data, found)
        if found is None:
            more = awaited(data, 0, firsts, 1_000, masked=masked)
            assert more is None or (expected == "more" and more > len(data))
            if expected == "wrong":
                assert more is None, "what breaks a rule goes to wsproto at once"


def assert_small(data: bytes, found: tuple[int, bytes, int] | None) -> None:
    """`small_message` says the same of the frames that it is for: one, whole, short, masked, with nothing behind it."""
    said = small_message(data)
    if found is None or found[0] not in (0x81, 0x82) or found[2] != len(data) or len(found[1]) > 125:
        assert said is None
    elif found[0] == 0x82:
        assert said == found[1]
    else:
        assert said == (found[1].decode() if said is not None else None)
        assert said is not None or b"\xef\xbf\xbd" in found[1].decode(errors="replace").encode()


@given(data=st.binary(max_size=40_000), key=st.binary(min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_masking_is_that_of_the_rfc(data: bytes, key: bytes) -> None:
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(data))
    assert xor(data, key) == long_xor(data, key) == masked
    assert xor(bytearray(masked), key) == data


@given(data=st.binary(max_size=40_000), key=st.binary(min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_compiled_masking_is_ours(data: bytes, key: bytes) -> None:
    """What the adapters use where the extra `speedups` is installed."""
    use_masking(apply_mask)
    try:
        assert xor(data, key) == long_xor(data, key)
        assert xor(bytearray(data), key) == long_xor(data, key)
    finally:
        use_masking(None)


# -- whole messages: our two lanes against wsproto's connection ---------------------------------------------------


def story(rng: random.Random, *, masked: bool) -> bytes:
    """Some frames in a row that make sense more often than not."""
    frames = []
    open_ = False
    for _ in range(rng.randint(1, 8)):
        kind = rng.random()
        if kind < 0.1:
            frames.append(some_frame(rng, masked=masked))
            continue
        opcode = 0 if open_ else rng.choice([1, 2])
        fin = rng.random() < 0.6
        payload = rng.choice([b"", b"a", "é€😀".encode(), b"\xc3", b"\xa9", b"x" * 200, b"\xff", b"\xed\xa0\x80"])
        if kind < 0.3:
            opcode, fin = rng.choice([9, 10, 8]), True
            payload = rng.choice([b"", b"\x03\xe8bye", b"\x03\xed", b"\x0f\xa0", b"x"]) if opcode == 8 else payload[:20]
        else:
            open_ = not fin
        head = bytes([fin << 7 | opcode])
        size = (
            bytes([masked << 7 | len(payload)]) if len(payload) < 126 else bytes([masked << 7 | 126, 0, len(payload)])
        )
        key = rng.randbytes(4) if masked else b""
        frames.append(head + size + key + (xor(payload, key) if masked else payload))
    return b"".join(frames)


def law_story(data: bytes, *, masked: bool) -> list[Any]:
    connection = Connection(SERVER if masked else CLIENT)
    connection.receive_data(data)
    told: list[Any] = []
    parts: list[Any] = []
    for event in connection.events():
        if isinstance(event, TextMessage | BytesMessage):
            parts.append(event.data)
            if event.message_finished:
                told.append((0, ("" if isinstance(event, TextMessage) else b"").join(parts)))
                parts = []
        elif isinstance(event, Ping):
            told.append((9, bytes(event.payload)))
        elif isinstance(event, Pong):
            told.append((10, bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            wrong = event.code in (1002, 1007) and event.reason and connection.state.name == "OPEN"
            told.append(("wrong", int(event.code)) if wrong else (8, int(event.code), event.reason or ""))
            break
    return told


def our_story(pieces: list[bytes], *, masked: bool) -> list[Any]:
    limits = WebSocketLimits(max_message_bytes=None, max_fragments=None)
    intake = Intake(limits, masked=masked, inflater=None)
    told: list[Any] = []
    for piece in pieces:
        intake.feed(piece)
        try:
            while (item := intake.next()) is not None:
                if item[0] == 8:
                    assert isinstance(item[1], bytes)
                    code, reason = read_close(item[1])
                    return [*told, (8, int(code), reason)]
                told.append(item)
        except RemoteProtocolError as error:
            return [*told, ("wrong", error.close_code_hint)]
    return told


@given(seed=st.integers(0, 1 << 32), masked=st.booleans())
@settings(max_examples=60, deadline=None)
def test_messages_are_wsprotos_in_one_piece_or_many(seed: int, masked: bool) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        data = story(rng, masked=masked)
        expected = law_story(data, masked=masked)
        whole = our_story([data], masked=masked)
        bytewise = our_story([data[at : at + 1] for at in range(len(data))], masked=masked)
        assert whole == bytewise
        # of an incomplete frame, wrong UTF-8 is told by wsproto at once, wrong order by us; else all is the same
        shorter, longer = sorted([whole, expected], key=len)
        if shorter != longer:
            assert longer[:-1] == shorter
            assert longer[-1] in ([("wrong", 1007)] if longer is expected else [("wrong", 1002)])


@given(
    messages=st.lists(st.one_of(st.text(max_size=300), st.binary(max_size=70_000)), max_size=6),
    client=st.booleans(),
    key=st.binary(min_size=4, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_what_we_write_wsproto_reads(messages: list[str | bytes], client: bool, key: bytes) -> None:
    outgoing = Outgoing((lambda: key) if client else None, None)
    law = Connection(SERVER if client else CLIENT)
    for message in messages:
        data = outgoing.text(message, None) if isinstance(message, str) else outgoing.binary(message, None)
        law.receive_data(data)
        told = list(law.events())
        kind = TextMessage if isinstance(message, str) else BytesMessage
        assert [type(event) for event in told] == [kind] * len(told)
        assert ("" if isinstance(message, str) else b"").join(event.data for event in told) == message  # type: ignore[attr-defined]


@given(
    messages=st.lists(st.tuples(st.text(max_size=400), st.integers(0, 4)), min_size=1, max_size=6),
    client=st.booleans(),
    keeps=st.booleans(),
    bits=st.integers(9, 15),
)
@settings(max_examples=60, deadline=None)
def test_deflated_messages_of_wsproto_are_read(
    messages: list[tuple[str, int]], client: bool, keeps: bool, bits: int
) -> None:
    """In fragments, too; and in any window."""
    extension = PerMessageDeflate(
        client_no_context_takeover=not keeps,
        server_no_context_takeover=not keeps,
        client_max_window_bits=bits,
        server_max_window_bits=bits,
    )
    extension._enabled = True
    law = Connection(CLIENT if client else SERVER, [extension])
    intake = Intake(WebSocketLimits(), masked=client, inflater=Inflater(bits, keeps=keeps))
    for message, cuts in messages:
        size = len(message) // (cuts + 1) + 1
        pieces = [message[at : at + size] for at in range(0, len(message), size)] or [""]
        for at, piece in enumerate(pieces):
            intake.feed(bytes(law.send(Message(data=piece, message_finished=at == len(pieces) - 1))))
        assert intake.next() == (0, message)
        assert intake.next() is None
