import time

import pytest

from sansio_web.errors import PeerDisconnected
from sansio_web.http.content import (
    ChunkedReader,
    ContentReader,
    LengthReader,
    UntilCloseReader,
    content_reader,
)
from sansio_web.http.fields import Fields
from sansio_web.http.framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Length
from sansio_web.limits import Limits

LIMITS = Limits(max_chunk_line_bytes=32, max_trailer_bytes=64, max_field_lines=3)


def message(reader: ContentReader) -> str:
    assert reader.error is not None
    assert not reader.ended
    assert (reader.unused, reader.push(b"0\r\n\r\n"), reader.ended) == (b"", b"", False)
    return str(reader.error)


def test_framing_decides_the_reader() -> None:
    assert content_reader(NO_CONTENT, LIMITS) is None
    assert isinstance(content_reader(Length(1), LIMITS), LengthReader)
    assert isinstance(content_reader(CHUNKED, LIMITS), ChunkedReader)
    assert isinstance(content_reader(UNTIL_CLOSE, LIMITS), UntilCloseReader)


def test_content_of_known_length_ends_there_and_leaves_the_rest() -> None:
    reader = LengthReader(5)
    assert (reader.push(b"abc"), reader.ended, reader.remaining()) == (b"abc", False, 2)
    assert (reader.push(b"defg"), reader.ended, reader.remaining()) == (b"de", True, 0)
    assert (reader.push(b"h"), reader.unused, reader.buffered()) == (b"", b"fgh", 0)
    reader.eof()
    assert reader.error is None


def test_content_of_known_length_says_how_much_is_missing() -> None:
    reader = LengthReader(100)
    reader.push(b"x" * 60)
    reader.eof()
    reader.eof()
    assert isinstance(reader.error, PeerDisconnected)
    assert message(reader) == "content ended after 60 of 100 bytes (RFC 9112 8)"


def test_content_until_close_ends_with_the_stream() -> None:
    reader = UntilCloseReader()
    assert (reader.push(b"abc"), reader.ended, reader.remaining(), reader.buffered()) == (
        b"abc",
        False,
        None,
        0,
    )
    reader.eof()
    assert (reader.ended, reader.error, reader.unused) == (True, None, b"")


@pytest.mark.parametrize(
    "coded",
    [
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"0000000000000003\r\nabc\r\n02\r\nde\r\n000\r\n\r\n",
        b'3;a\r\nabc\r\n2;b=c;d="e \\" f"\r\nde\r\n0;g\r\n\r\n',
        b"3 ;\ta\r\nabc\r\n2 ; b = c ; d\r\nde\r\n0\r\n\r\n",
    ],
)
def test_chunks_are_joined_whatever_their_sizes_and_extensions_look_like(coded: bytes) -> None:
    reader = ChunkedReader(LIMITS)
    assert reader.push(coded + b"GET") == b"abcde"
    assert (reader.ended, reader.unused, reader.error, reader.buffered()) == (True, b"GET", None, 0)
    assert reader.push(b" /") == b""
    assert (reader.unused, reader.remaining()) == (b"GET /", None)


def test_trailers_stay_as_sent() -> None:
    reader = ChunkedReader(LIMITS)
    assert reader.push(b"1\r\na\r\n0\r\nCheck-Sum:  b \r\nX:\r\n\r\nrest") == b"a"
    assert (reader.trailers, reader.unused) == (Fields([(b"Check-Sum", b"b"), (b"X", b"")]), b"rest")


def test_a_response_may_fold_its_trailers_and_a_request_may_not() -> None:
    coded = b"0\r\nX: a\r\n b\r\n\r\n"
    response = ChunkedReader(LIMITS, folds=True)
    response.push(coded)
    assert response.trailers == Fields([(b"X", b"a b")])
    request = ChunkedReader(LIMITS)
    request.push(coded)
    assert message(request) == "line b' b' is a folded field value, obs-fold (RFC 9112 5.2)"


@pytest.mark.parametrize(
    ("tail", "fault"),
    [
        (b"x", "chunk size begins with b'x', not a hexadecimal digit (RFC 9112 7.1)"),
        (b"\r\n", "chunk size begins with b'\\r', not a hexadecimal digit (RFC 9112 7.1)"),
        (b"-1\r\n", "chunk size begins with b'-', not a hexadecimal digit (RFC 9112 7.1)"),
        (
            b"0x1\r\n",
            "chunk line b'0x1\\r\\n' has something else than extensions after the size (RFC 9112 7.1.1)",
        ),
        (b"5 \r\n", "chunk size b'5' is followed by whitespace (RFC 9112 7.1)"),
        (b"5\t\r\n", "chunk size b'5' is followed by whitespace (RFC 9112 7.1)"),
        (b"5\n", "chunk line b'5\\n' ends in LF without CR (RFC 9112 2.2)"),
        (
            b"5;a\rb\r\n",
            "chunk line b'5;a\\rb\\r\\n' has something else than extensions after the size (RFC 9112 7.1.1)",
        ),
        (
            b"5;\r\n",
            "chunk line b'5;\\r\\n' has something else than extensions after the size (RFC 9112 7.1.1)",
        ),
        (
            b"5;a=\r\n",
            "chunk line b'5;a=\\r\\n' has something else than extensions after the size (RFC 9112 7.1.1)",
        ),
        (
            b"5;a \r\n",
            "chunk line b'5;a \\r\\n' has something else than extensions after the size (RFC 9112 7.1.1)",
        ),
        (
            b"00000000000000005\r\n",
            "chunk size b'00000000000000005' has 17 digits, at most 16 are taken (RFC 9112 7.1)",
        ),
        (b"1;" + b"a" * 32, "chunk size and extensions exceed 32 bytes (Limits.max_chunk_line_bytes)"),
        (b"1\r\nabc", "chunk data is followed by b'b' instead of CRLF (RFC 9112 7.1)"),
        (b"1\r\na\rb", "chunk data is followed by b'\\rb' instead of CRLF (RFC 9112 7.1)"),
        (b"0\r\nX: y\n", "trailer line b'X: y\\n' ends in LF without CR (RFC 9112 2.2)"),
        (b"0\r\nX y\r\n\r\n", "field line b'X y' has no colon (RFC 9112 5)"),
        (b"0\r\nX: \x00\r\n\r\n", "field line 1 has the control character b'\\x00' (RFC 9110 5.5)"),
        (b"0\r\n" + b"a" * 64, "trailer section exceeds 64 bytes (Limits.max_trailer_bytes)"),
        (b"0\r\n" + b"a:\r\n" * 4, "trailer section has more than 3 field lines (Limits.max_field_lines)"),
        (
            b"0\r\nContent-Length: 1\r\n\r\n",
            "field b'content-length' is not allowed in a trailer section (RFC 9110 6.5.1)",
        ),
    ],
)
def test_content_before_a_fault_is_given_out_and_the_fault_stays(tail: bytes, fault: str) -> None:
    whole = ChunkedReader(LIMITS)
    assert whole.push(b"2\r\nxy\r\n" + tail)[:2] == b"xy"
    assert message(whole) == fault
    assert whole.buffered() == 0
    dribbled = ChunkedReader(LIMITS)
    for byte in b"2\r\nxy\r\n" + tail:
        dribbled.push(bytes([byte]))
    assert message(dribbled) == fault


def test_lines_just_within_the_limits_are_taken() -> None:
    reader = ChunkedReader(LIMITS)
    assert reader.push(b"1;" + b"a" * 30 + b"\r\nx\r\n0\r\n" + b"X:" + b"b" * 60 + b"\r\n\r\n") == b"x"
    assert reader.trailers == Fields([(b"X", b"b" * 60)])


@pytest.mark.parametrize(
    ("coded", "where"),
    [
        (b"", "before its last chunk"),
        (b"5", "before its last chunk"),
        (b"5\r\nab", "inside a chunk, 3 bytes of it missing"),
        (b"1\r\na\r", "before its last chunk"),
        (b"0\r\nX: y\r\n", "inside its trailer section"),
    ],
)
def test_an_end_of_stream_in_chunked_content_says_where(coded: bytes, where: str) -> None:
    reader = ChunkedReader(LIMITS)
    reader.push(coded)
    reader.eof()
    reader.eof()
    assert isinstance(reader.error, PeerDisconnected)
    assert message(reader) == f"chunked content ended {where} (RFC 9112 8)"


def test_an_end_of_stream_after_the_end_or_a_fault_changes_nothing() -> None:
    ended = ChunkedReader(LIMITS)
    ended.push(b"0\r\n\r\n")
    ended.eof()
    assert (ended.ended, ended.error) == (True, None)
    broken = ChunkedReader(LIMITS)
    broken.push(b"x")
    broken.eof()
    assert "begins with" in message(broken)


def test_a_line_that_is_not_complete_is_held_within_its_limit() -> None:
    reader = ChunkedReader(LIMITS)
    reader.push(b"1;" + b"a" * 30)
    assert reader.buffered() == 32
    trailers = ChunkedReader(LIMITS)
    trailers.push(b"0\r\nX: y\r\nZ: " + b"a" * 20)
    assert trailers.buffered() == 29


@pytest.mark.parametrize("chunk", [b"1\r\nx\r\n", b'1;a="b"\r\nx\r\n'])
def test_two_hundred_thousand_chunks_of_one_byte_cost_less_than_a_second(chunk: bytes) -> None:
    reader = ChunkedReader(Limits())
    coded = chunk * 200_000 + b"0\r\n\r\n"
    started = time.process_time()
    total = sum(len(reader.push(coded[at : at + 65_536])) for at in range(0, len(coded), 65_536))
    assert time.process_time() - started < 1.0
    assert (total, reader.ended) == (200_000, True)


def test_a_piece_of_a_large_chunk_is_not_copied() -> None:
    reader = ChunkedReader(LIMITS)
    reader.push(b"100000\r\n")
    piece = b"x" * 65_536
    assert reader.push(piece) is piece
