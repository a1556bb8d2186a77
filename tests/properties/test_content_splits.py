"""Invariant: the pieces in which content comes change nothing; chunked content is what h11 makes of it."""

import random
import re

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_web.http.content import ChunkedReader, ContentReader, LengthReader, UntilCloseReader
from sansio_web.limits import Limits

LIMITS = Limits(max_chunk_line_bytes=24, max_trailer_bytes=64, max_field_lines=4)
BODIES_PER_EXAMPLE = 50
EXTENSIONS = [b"", b"", b"", b";a", b";a=b", b' ; a = "b;\\"\xe4"', b";a;b=c\t;\td", b";" + b"a" * 20]
SPICES = [b"\r\n", b"\r", b"\n", b" ", b"\t", b";", b"0", b"\x00", b"x", b'"', b"0\r\n\r\n"]
TRAILERS = [
    b"",
    b"",
    b"X: y\r\n",
    b"A:\r\nB: \t c \r\n",
    b"Host: a\r\n",
    b"A: b\r\n c\r\n",
    b"D: " + b"e" * 50 + b"\r\n",
]


def coded(rng: random.Random, extensions: list[bytes] = EXTENSIONS) -> bytes:
    """A chunked body, legal but for limits and forbidden trailers."""
    body = b""
    for _ in range(rng.randint(0, 5)):
        data = rng.randbytes(rng.choice([1, 1, 2, 15, 16, 40]))
        size = rng.choice([b"%x", b"%X", b"0%x", b"00000000%x"]) % len(data)
        body += size + rng.choice(extensions) + b"\r\n" + data + b"\r\n"
    return body + rng.choice([b"0", b"000"]) + rng.choice(extensions) + b"\r\n" + rng.choice(TRAILERS) + b"\r\n"


def mutated(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return (
        rng.choice(
            [
                data[:at] + rng.choice(SPICES) + data[at:],
                data[:at] + data[at + 1 :],
                data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
                data[:at],
            ]
        )
        or b"0"
    )


def pieces(rng: random.Random, data: bytes) -> list[bytes]:
    if rng.random() < 0.2:
        return [data[at : at + 1] for at in range(len(data))]
    ends = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(1, 6)))
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def result(reader: ContentReader, given_pieces: list[bytes]) -> object:
    content = b""
    for piece in given_pieces:
        content += reader.push(piece)
        assert reader.buffered() <= LIMITS.max_trailer_bytes
    before_end = reader.ended, reader.error and (str(reader.error), reader.error.status_hint)
    reader.eof()
    return content, before_end, reader.trailers, reader.unused, reader.ended, str(reader.error)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**64), st.booleans())
def test_any_split_of_chunked_content_gives_the_same(seed: int, folds: bool) -> None:
    rng = random.Random(seed)
    for _ in range(BODIES_PER_EXAMPLE):
        body = coded(rng)
        for _ in range(rng.choice([0, 0, 1, 2])):
            body = mutated(rng, body)
        body += rng.choice([b"", b"GET / HTTP/1.1\r\n"])
        whole = result(ChunkedReader(LIMITS, folds=folds), [body])
        assert result(ChunkedReader(LIMITS, folds=folds), pieces(rng, body)) == whole, body


@given(st.integers(0, 20), st.binary(max_size=40), st.integers(0, 2**64))
def test_any_split_of_other_content_gives_the_same(length: int, body: bytes, seed: int) -> None:
    rng = random.Random(seed)
    split = pieces(rng, body)
    assert result(LengthReader(length), split) == result(LengthReader(length), [body])
    assert result(UntilCloseReader(), split) == result(UntilCloseReader(), [body])


def by_h11(body: bytes) -> tuple[bytes, list[tuple[bytes, bytes]] | None, bytes]:
    """Content, trailers if it ended, and what is unused; h11's own errors are raised."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.next_event()
    connection.receive_data(body)
    content = b""
    while isinstance(event := connection.next_event(), h11.Data):
        content += bytes(event.data)
    if isinstance(event, h11.EndOfMessage):
        return content, event.headers.raw_items(), connection.trailing_data[0]
    return content, None, b""


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64))
def test_what_the_reader_accepts_is_what_h11_makes_of_it(seed: int) -> None:
    rng = random.Random(seed)
    extensions = [each for each in EXTENSIONS if not each.startswith(b" ")]
    for _ in range(BODIES_PER_EXAMPLE):
        body = coded(rng, extensions)
        for _ in range(rng.choice([0, 0, 1, 2])):
            body = mutated(rng, body)
        reader = ChunkedReader(LIMITS, folds=True)
        content = reader.push(body)
        if reader.error is not None:
            continue
        if re.search(rb"[ \t];", body):
            continue  # whitespace before a semicolon: legal, but h11 refuses it
        theirs, trailers, unused = by_h11(body)
        assert content == theirs, body
        assert trailers == (list(reader.trailers) if reader.ended else None), body
        assert reader.unused == unused, body


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from(EXTENSIONS)), max_size=6))
def test_extensions_of_any_legal_form_change_nothing(chunks: list[tuple[bytes, bytes]]) -> None:
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(data), extension, data) for data, extension in chunks)
    plain = b"".join(b"%x\r\n%b\r\n" % (len(data), data) for data, _ in chunks)
    reader = ChunkedReader(LIMITS)
    content = reader.push(body + b"0\r\n\r\n")
    assert (content, [], b"") == by_h11(plain + b"0\r\n\r\n")
    assert reader.ended


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**64))
def test_what_h11_refuses_the_reader_refuses_too(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(BODIES_PER_EXAMPLE):
        body = coded(rng, [b"", b";a"])
        for _ in range(rng.randint(1, 3)):
            body = mutated(rng, body)
        try:
            by_h11(body)
        except h11.RemoteProtocolError:
            reader = ChunkedReader(LIMITS, folds=True)
            reader.push(body)
            if not re.search(rb"[ \t];", body):
                assert reader.error is not None, body
