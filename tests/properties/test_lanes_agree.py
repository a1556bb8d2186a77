"""Invariant: `fast_lane` answers None or exactly what `h11_reader` does, and takes every plain head."""

import random
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_web.errors import RemoteProtocolError
from sansio_web.http import fast_lane, h11_reader
from sansio_web.http.content import ContentReader
from sansio_web.http.heads import RequestHead, ResponseHead
from sansio_web.limits import Limits

LIMITS = Limits(max_head_bytes=700, max_field_lines=12, max_chunk_line_bytes=20, max_trailer_bytes=60)
HEADS_PER_EXAMPLE = 50
METHODS = [b"GET", b"HEAD", b"CONNECT"]

TCHARS = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
KNOWN_NAMES = [b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"]
SPICES = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\x00",
    b"\t",
    b" ",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b":",
    b",",
    b"\r\n ",
    b"#",
]
TAILS = [b"", b"abc", b"3\r\nabc\r\n0\r\n\r\nGET", b"1;a\r\nx\r\n0\r\nX: y\r\n\r\n", b"2 \r\nab", b"\r\n"]


def some_case(rng: random.Random, name: bytes) -> bytes:
    return rng.choice([name, name.title(), name.upper(), name.capitalize()])


def token(rng: random.Random) -> bytes:
    return bytes(rng.choices(TCHARS, k=rng.randint(1, 10)))


def plain_value(rng: random.Random) -> bytes:
    alphabet = rng.choice([b"abc-/;=,", b'"\\(){}<>@ \t', bytes(range(0x80, 0x100)), bytes(range(0x21, 0x7F))])
    return bytes(rng.choices(alphabet, k=rng.randint(0, 12)))


def ows(rng: random.Random) -> bytes:
    return rng.choice([b" ", b" ", b" ", b"", b"\t", b"  "])


def other_line(rng: random.Random) -> bytes:
    name = rng.choice([token(rng), rng.choice(KNOWN_NAMES)[: rng.randint(1, 4)], rng.choice(KNOWN_NAMES) + b"s"])
    if name.lower() in KNOWN_NAMES:
        name += b"-"
    return name + b":" + ows(rng) + plain_value(rng) + ows(rng) + b"\r\n"


def known_lines(rng: random.Random) -> list[bytes]:
    lines = []
    if rng.random() < 0.5:
        lines.append(some_case(rng, b"connection") + b": " + some_case(rng, rng.choice([b"keep-alive", b"close"])))
    framing = rng.random()
    if framing < 0.3:
        digits = rng.choice([b"0", b"3", b"12", b"007", b"9" * 15])
        lines.append(some_case(rng, b"content-length") + b":" + ows(rng) + digits + ows(rng))
    elif framing < 0.5:
        lines.append(some_case(rng, b"transfer-encoding") + b":" + ows(rng) + b"chunked" + ows(rng))
    return [line + b"\r\n" for line in lines]


def field_lines(rng: random.Random, *more: bytes) -> bytes:
    lines = [*known_lines(rng), *more, *(other_line(rng) for _ in range(rng.randint(0, 6)))]
    rng.shuffle(lines)
    return b"".join(lines)


def plain_request(rng: random.Random) -> bytes:
    method = rng.choice([b"GET", b"POST", b"X", b"CONNECTED", b"OPTIONS"])
    target = b"/" + bytes(rng.choices(b'abc/?&=%[]|"{}!~$-', k=rng.randint(0, 20)))
    host = rng.choice([b"a", b"127.0.0.1", b"[::1]", b"[2001:db8::1.2.3.4]", b"a_b.c~", b"a,b"])
    port = rng.choice([b"", b":", b":80", b":8080", b":65535", b":00080"])
    host_line = some_case(rng, b"host") + b":" + ows(rng) + host + port + ows(rng) + b"\r\n"
    return method + b" " + target + b" HTTP/1.1\r\n" + field_lines(rng, host_line) + b"\r\n"


def plain_response(rng: random.Random) -> bytes:
    status = rng.choice([200, 205, 304, 404, 500, 999])
    return (
        b"HTTP/1.1 %d %b\r\n" % (status, rng.choice([b"", b"OK", b" Not  so ", b"\xe4"])) + field_lines(rng) + b"\r\n"
    )


def spiced(rng: random.Random, head: bytes) -> bytes:
    """Lines that mean something special, more often than chance would bring them."""
    start, _, rest = head.partition(b"\r\n")
    line = rng.choice(
        [
            some_case(rng, rng.choice(KNOWN_NAMES)) + b":" + ows(rng) + rng.choice([b"1", b"chunked", b"", b"a"]),
            some_case(rng, b"content-length")
            + b": "
            + rng.choice([b"3", b"3, 3", b"+3", b"3 3", b"9" * 16, b"9" * 21]),
            some_case(rng, b"transfer-encoding") + b": " + rng.choice([b"Chunked", b"gzip, chunked", b"x"]),
            some_case(rng, b"connection") + b": " + rng.choice([b"upgrade", b"keep-alive, close", b"close,", b""]),
            b"Expect: 100-continue",
            b"Host: " + rng.choice([b"b", b"", b"a b", b"a:65536", b"[::g]", b"%41", b"a:1:2"]),
            b" folded",
        ]
    )
    if rng.random() < 0.3:
        start = rng.choice(
            [
                start.replace(b"1.1", rng.choice([b"1.0", b"1.2", b"2.0"])),
                start.replace(b"/", b"*", 1),
                start.lower(),
                b"CONNECT a:1 HTTP/1.1",
                b"GET http://a/ HTTP/1.1",
                b"HTTP/1.1 %d X" % rng.choice([100, 101, 103, 204, 99, 200]),
            ]
        )
    return start + b"\r\n" + rng.choice([line + b"\r\n" + rest, rest[:-2] + line + b"\r\n\r\n"])


def mutated(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.randint(1, 4))
    match rng.randrange(7):
        case 0:
            return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        case 1:
            return data[:at] + rng.choice(SPICES) + data[at:]
        case 2:
            return data[:at] + data[end:]
        case 3:
            return data[:at] + data[at:end] * 2 + data[end:]
        case 4:
            lines = data.split(b"\r\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            return b"\r\n".join(lines)
        case 5:
            other = data.swapcase()
            return data[:at] + other[at:end] + data[end:]
        case _:
            return data.replace(b": ", rng.choice([b":", b" :", b":\t ", b": \x0c"]), 1)


def outcome(reader: ContentReader | None, tail: bytes, pieces: list[bytes]) -> object:
    if reader is None:
        return None
    content = b"".join(reader.push(piece) for piece in pieces)
    reader.eof()
    error = reader.error and (type(reader.error), str(reader.error), reader.error.status_hint)
    return content, reader.ended, reader.trailers, reader.unused, error


def cut(rng: random.Random, data: bytes) -> list[bytes]:
    ends = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(0, 4)))
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


Read = Callable[[bytes, Limits], RequestHead | ResponseHead | None]


def assert_agree(rng: random.Random, fast: Read, law: Read, data: bytes) -> bool:
    """Whether the fast lane took it."""
    read = fast(data, LIMITS)
    if read is None:
        return False
    lawful = law(data, LIMITS)
    assert lawful is not None, data
    assert (read.event, read.consumed) == (lawful.event, lawful.consumed), data
    assert type(read.reader) is type(lawful.reader), data
    tail = data[read.consumed :] + rng.choice(TAILS)
    assert outcome(read.reader, tail, cut(rng, tail)) == outcome(lawful.reader, tail, cut(rng, tail)), data
    return True


def as_response(module: Any, method: bytes) -> Read:
    return lambda data, limits: module.read_response(data, limits, request_method=method)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64))
def test_every_plain_request_is_taken_and_read_as_h11_does(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(HEADS_PER_EXAMPLE):
        data = plain_request(rng) + rng.choice(TAILS)
        assert assert_agree(rng, fast_lane.read_request, h11_reader.read_request, data), data


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64))
def test_every_plain_response_is_taken_and_read_as_h11_does(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(HEADS_PER_EXAMPLE):
        data = plain_response(rng) + rng.choice(TAILS)
        method = rng.choice([b"GET", b"HEAD", b"POST"])
        assert assert_agree(rng, as_response(fast_lane, method), as_response(h11_reader, method), data), data


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64))
def test_spiced_and_mutated_requests_are_left_to_h11_or_read_as_it_does(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(HEADS_PER_EXAMPLE):
        data = plain_request(rng)
        if rng.random() < 0.5:
            data = spiced(rng, data)
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            data = mutated(rng, data)
        assert_agree(rng, fast_lane.read_request, h11_reader.read_request, data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64))
def test_spiced_and_mutated_responses_are_left_to_h11_or_read_as_it_does(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(HEADS_PER_EXAMPLE):
        data = plain_response(rng)
        if rng.random() < 0.5:
            data = spiced(rng, data)
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            data = mutated(rng, data)
        method = rng.choice(METHODS)
        assert_agree(rng, as_response(fast_lane, method), as_response(h11_reader, method), data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_open_refused_or_read_and_nothing_else(data: bytes) -> None:
    for fast, law in (
        (fast_lane.read_request, h11_reader.read_request),
        (as_response(fast_lane, b"GET"), as_response(h11_reader, b"GET")),
    ):
        assert fast(data, LIMITS) is None
        try:
            law(data, LIMITS)
        except RemoteProtocolError as error:
            assert error.status_hint in (400, 414, 417, 431, 501, 505)  # noqa: PT017


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64))
def test_every_prefix_of_a_head_is_open_or_refused_as_the_whole_is(seed: int) -> None:
    rng = random.Random(seed)
    data = plain_request(rng)
    for _ in range(rng.randint(1, 3)):
        data = mutated(rng, spiced(rng, data))
    results = [result_of(data[:end]) for end in range(len(data) + 1)]
    decided = [result for result in results if result is not None]
    assert all(result == decided[0] for result in decided)
    assert results == [None] * (len(results) - len(decided)) + decided


def result_of(data: bytes) -> object:
    try:
        read = h11_reader.read_request(data, LIMITS)
    except RemoteProtocolError as error:
        return str(error), error.status_hint
    return read and (read.event, read.consumed)
