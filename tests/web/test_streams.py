"""`sansio_web.streams`: content read by number, line, separator, piece."""

import pickle
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
from fake_exchange import FakeExchange, run, run_waiting

from sansio_web.errors import PeerDisconnected, RemoteProtocolError
from sansio_web.http.framing import CHUNKED, Length
from sansio_web.streams import EMPTY_PAYLOAD, IncompleteReadError, StreamReader

T = TypeVar("T")


def stream(*pieces: bytes | Exception | None, length: int | None = None, chunked: bool = False) -> StreamReader:
    framing = CHUNKED if length is None else Length(length)
    exchange = FakeExchange("POST", content=pieces, framing=framing, trailers=[(b"Sum", b"7")])
    return StreamReader(exchange.receive, length=length, chunked=chunked)


async def collect(iterator: AsyncIterator[T]) -> list[T]:
    return [item async for item in iterator]


def test_read_without_number_gives_all() -> None:
    content = stream(b"ab", b"c", b"def")
    assert run(content.read()) == b"abcdef"
    assert run(content.read()) == b""
    assert content.at_eof()


def test_read_gives_at_most_n_and_waits_for_one_piece_only() -> None:
    content = stream(b"abcdef", b"gh")
    assert run(content.read(4)) == b"abcd"
    assert run(content.read(4)) == b"ef"
    assert run(content.read(0)) == b""
    assert run(content.read(4)) == b"gh"
    assert run(content.read(4)) == b""


def test_nothing_is_received_before_somebody_reads() -> None:
    exchange = FakeExchange("POST", content=[b"a", b"b"])
    content = StreamReader(exchange.receive)
    assert exchange.receive_calls == 0
    run(content.readany())
    assert exchange.receive_calls == 1
    assert content.read_nowait() == b""


def test_end_of_known_length_is_seen_without_another_event() -> None:
    exchange = FakeExchange("POST", content=[b"abcd"], framing=Length(4))
    content = StreamReader(exchange.receive, length=4)
    assert run(content.read(3)) == b"abc"
    assert content.is_eof()
    assert not content.at_eof()
    assert run(content.read()) == b"d"
    assert content.at_eof()
    assert exchange.receive_calls == 1


def test_readexactly_joins_pieces_and_keeps_the_rest() -> None:
    content = stream(b"ab", b"cdef")
    assert run(content.readexactly(3)) == b"abc"
    assert run(content.readexactly(0)) == b""
    assert run(content.readexactly(3)) == b"def"


def test_readexactly_past_the_end_tells_what_there_was() -> None:
    content = stream(b"ab", b"c")
    with pytest.raises(IncompleteReadError, match="content ended after 3 of 5 bytes") as caught:
        run(content.readexactly(5))
    assert (caught.value.partial, caught.value.expected) == (b"abc", 5)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"ab\r\ncd\n\nef"],
        [b"ab\r", b"\ncd\n", b"\ne", b"f"],
        [bytes([octet]) for octet in b"ab\r\ncd\n\nef"],
    ],
)
def test_lines_are_the_same_however_they_arrive(pieces: list[bytes]) -> None:
    assert run(collect(stream(*pieces).__aiter__())) == [b"ab\r\n", b"cd\n", b"\n", b"ef"]


def test_separator_may_lie_across_pieces_and_overlap_itself() -> None:
    content = stream(b"xa", b"a", b"ab", b"y")
    assert run(content.readuntil(b"aab")) == b"xaaab"
    assert run(content.readuntil(b"aab")) == b"y"
    assert run(content.readuntil(b"aab")) == b""


def test_separator_must_not_be_empty() -> None:
    with pytest.raises(ValueError, match="separator is empty"):
        run(stream(b"a").readuntil(b""))


def test_line_beyond_its_limit_is_refused_and_stays_readable() -> None:
    content = stream(b"abc", b"def\n")
    with pytest.raises(ValueError, match=r"no separator b'\\n' within 4 bytes"):
        run(content.readline(max_line_length=4))
    assert run(content.read()) == b"abcdef\n"


def test_line_of_exactly_its_limit_passes_and_one_more_byte_does_not() -> None:
    assert run(stream(b"abc\nd").readline(max_line_length=4)) == b"abc\n"
    with pytest.raises(ValueError, match="within 4 bytes"):
        run(stream(b"abcd\n").readline(max_line_length=4))


def test_lines_have_a_limit_by_default() -> None:
    content = stream(*[b"x" * 65_536] * 9)
    with pytest.raises(ValueError, match="524288"):
        run(content.readline())


def test_iterators_over_pieces() -> None:
    assert run(collect(stream(b"abc", b"de").iter_any())) == [b"abc", b"de"]
    assert run(collect(stream(b"abc", b"de").iter_chunked(2))) == [b"ab", b"c", b"de"]
    assert run(collect(stream(b"abc", b"de").iter_chunks())) == [(b"abc", False), (b"de", False)]


def test_chunked_content_is_one_chunk_whose_end_is_told_once() -> None:
    content = stream(b"abcd", b"de", chunked=True)
    run(content.read(1))
    assert run(collect(content.iter_chunks())) == [(b"bcd", False), (b"de", False), (b"", True)]
    assert run(content.readchunk()) == (b"", False)


def test_read_nowait_takes_only_what_is_there() -> None:
    content = stream(b"abcdef", b"gh")
    run(content.read(1))
    assert content.read_nowait(2) == b"bc"
    assert content.read_nowait() == b"def"
    assert content.read_nowait() == b""


def test_unread_data_is_read_next() -> None:
    content = stream(b"abc")
    run(content.read(2))
    content.unread_data(b"Q")
    assert run(content.read()) == b"Qc"


def test_wait_eof_keeps_everything() -> None:
    content = stream(b"ab", b"cd")
    run(content.wait_eof())
    assert content.is_eof()
    assert content.read_nowait() == b"abcd"


def test_trailers_are_there_after_the_end() -> None:
    content = stream(b"ab")
    assert len(content.trailers) == 0
    run(content.read())
    assert content.trailers.items() == ((b"Sum", b"7"),)


def test_raw_bytes_are_counted_as_they_come() -> None:
    content = stream(b"abc", b"de")
    run(content.read(1))
    assert content.total_raw_bytes == 3
    run(content.read())
    assert content.total_raw_bytes == 5


@pytest.mark.parametrize("second", ["read", "readany", "readline", "readchunk", "read_nowait"])
def test_second_reader_is_refused_at_once(second: str) -> None:
    content = stream(None, b"ab")
    first = content.read()
    first.send(None)

    async def read() -> None:
        result = getattr(content, second)()
        await result

    with pytest.raises(RuntimeError, match="another task is reading"):
        run(read())
    with pytest.raises(StopIteration) as done:
        first.send(None)
    assert done.value.value == b"ab"


def test_cancelled_read_loses_nothing() -> None:
    content = stream(b"ab", None, b"cd")
    reading = content.read()
    reading.send(None)
    reading.close()
    assert run_waiting(content.read()) == b"abcd"


def test_error_comes_after_what_was_before_it_and_stays() -> None:
    content = stream(b"ab", PeerDisconnected("the peer left after 2 of 9 bytes"))
    assert run(content.read(9)) == b"ab"
    for _ in range(2):
        with pytest.raises(PeerDisconnected, match="2 of 9"):
            run(content.read(9))
    assert isinstance(content.exception(), PeerDisconnected)


def test_failed_read_keeps_the_pieces_that_came() -> None:
    content = stream(b"ab", RemoteProtocolError("chunk size is b'zz'"))
    with pytest.raises(RemoteProtocolError):
        run(content.read())
    assert run(content.readany()) == b"ab"


def test_a_translated_error_is_new_each_time_and_holds_nobody() -> None:
    exchange = FakeExchange("POST", content=[RemoteProtocolError("broken")], framing=CHUNKED)
    content = StreamReader(exchange.receive, translate=lambda error: ValueError(f"told: {error}"))
    with pytest.raises(ValueError, match="told: broken") as first:
        run(content.read())
    with pytest.raises(ValueError, match="told: broken") as second:
        run(content.read())
    assert first.value is not second.value  # one that is kept would keep the frames it was raised through
    told = content.exception()
    assert isinstance(told, ValueError)
    assert told.__traceback__ is None
    assert exchange.receive_calls == 1


def test_empty_payload_is_at_its_end() -> None:
    assert EMPTY_PAYLOAD.at_eof()
    assert run(EMPTY_PAYLOAD.read()) == b""
    assert run(collect(EMPTY_PAYLOAD.iter_chunks())) == []
    EMPTY_PAYLOAD.unread_data(b"")
    with pytest.raises(RuntimeError, match="nothing that could be put back"):
        EMPTY_PAYLOAD.unread_data(b"x")


def test_incomplete_read_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(IncompleteReadError(b"a", 3)))
    assert (error.partial, error.expected) == (b"a", 3)


def test_repr_tells_state() -> None:
    content = stream(b"abc")
    run(content.read(1))
    assert repr(content) == "<StreamReader open 3 bytes received, 2 unread>"
