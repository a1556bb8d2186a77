"""Content coming in, decoded from its transfer coding: one reader for each message (RFC 9112 6, 7.1).

In: the bytes after the head, in any pieces. Out: content, its end, trailers, and what belongs to the next
message. A reader never raises; what the peer did wrong stands in `error`, and the content before it was
returned. Not here: how a message is framed (`h11_reader`, `fast_lane`), how much content is allowed
(`connection`).
"""

import re
from enum import Enum, auto
from typing import Final, Protocol

from ..errors import PeerDisconnected, RemoteProtocolError, shown
from ..limits import Limits
from .fields import EMPTY_FIELDS, Fields
from .framing import NO_CONTENT, Chunked, Framing, Length, UntilClose
from .strictness import read_trailers


class ContentReader(Protocol):
    """What the three readers have in common.

    ended: the content is complete
    error: it never will be; nothing more is taken
    trailers: the trailer section, after the end
    unused: bytes that belong to what follows, after the end
    """

    ended: bool
    error: RemoteProtocolError | None
    trailers: Fields
    unused: bytes

    def push(self, data: bytes, /) -> bytes:
        """Take all of `data`; returns the content in it as one piece, perhaps empty."""
        ...

    def eof(self) -> None:
        """The peer ended its stream: sets `ended`, or `error` if something is missing."""
        ...

    def remaining(self) -> int | None:
        """Bytes of content to come, if the framing says so."""
        ...

    def buffered(self) -> int:
        """Bytes held that are not content yet."""
        ...


class LengthReader:
    """Content of a known length (RFC 9112 6.2)."""

    __slots__ = ("_length", "_missing", "ended", "error", "trailers", "unused")

    def __init__(self, length: int) -> None:
        self._length = length
        self._missing = length
        self.ended = length == 0
        self.error: RemoteProtocolError | None = None
        self.trailers = EMPTY_FIELDS
        self.unused = b""

    def push(self, data: bytes, /) -> bytes:
        missing = self._missing
        if self.error is not None:
            return b""
        if len(data) < missing:
            self._missing = missing - len(data)
            return data
        self._missing = 0
        self.ended = True
        self.unused += data[missing:]
        return data[:missing]

    def eof(self) -> None:
        if not self.ended:
            got = self._length - self._missing
            self.error = self.error or PeerDisconnected(
                f"content ended after {got} of {self._length} bytes (RFC 9112 8)"
            )

    def remaining(self) -> int | None:
        return self._missing

    def buffered(self) -> int:
        return 0


class UntilCloseReader:
    """Everything until the peer ends its stream (RFC 9112 6.3, item 8)."""

    __slots__ = ("ended", "error", "trailers", "unused")

    def __init__(self) -> None:
        self.ended = False
        self.error: RemoteProtocolError | None = None
        self.trailers = EMPTY_FIELDS
        self.unused = b""

    def push(self, data: bytes, /) -> bytes:
        return data

    def eof(self) -> None:
        self.ended = True

    def remaining(self) -> int | None:
        return None

    def buffered(self) -> int:
        return 0


# chunk      = chunk-size [ chunk-ext ] CRLF chunk-data CRLF      (RFC 9112 7.1)
# chunk-size = 1*HEXDIG                                           here at most 16
# chunk-ext  = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
_TOKEN: Final = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]++"
_QUOTED: Final = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_match_chunk_line = re.compile(
    rb"([0-9A-Fa-f]{1,16})(?:[ \t]*+;[ \t]*+%b(?:[ \t]*+=[ \t]*+(?:%b|%b))?)*\r\n" % (_TOKEN, _TOKEN, _QUOTED)
).match
_HEXDIG: Final = b"0123456789abcdefABCDEF"


class _Next(Enum):
    """What a chunked body continues with."""

    LINE = auto()  # chunk size and extensions
    DATA = auto()
    CRLF = auto()  # after the data of a chunk
    TRAILERS = auto()


class ChunkedReader:
    """Chunked content (RFC 9112 7.1), many chunks of one piece of input as one piece of content.

    Decides as h11 does, except: whitespace after the chunk size, extensions that are none, bare CR, more
    than 16 digits, lines above `Limits.max_chunk_line_bytes` and trailers that frame or route are
    refused, whitespace before ";" is not.

    folds: whether obs-fold in the trailer section is replaced (a response's, RFC 9112 5.2) or refused
    """

    __slots__ = (
        *("_folds", "_held", "_limits", "_missing", "_next", "_trailer_lines", "ended", "error", "trailers"),
        "unused",
    )

    def __init__(self, limits: Limits, *, folds: bool = False) -> None:
        self._limits = limits
        self._folds = folds
        self._next = _Next.LINE
        self._missing = 0  # of the data of the open chunk
        self._held = b""  # the begin of a line or of CRLF
        self._trailer_lines: list[bytes] = []
        self.ended = False
        self.error: RemoteProtocolError | None = None
        self.trailers = EMPTY_FIELDS
        self.unused = b""

    def push(self, data: bytes, /) -> bytes:
        if self.error is not None:
            return b""
        if self.ended:
            self.unused += data
            return b""
        if self._held:
            data = self._held + data
            self._held = b""
        content: list[bytes] = []
        at: int | None = 0
        while at is not None and at < len(data):
            at = self._take(data, at, content)
        return content[0] if len(content) == 1 else b"".join(content)

    def eof(self) -> None:
        if self.ended or self.error is not None:
            return
        if self._next is _Next.DATA:
            where = f"inside a chunk, {self._missing} bytes of it missing"
        elif self._next is _Next.TRAILERS:
            where = "inside its trailer section"
        else:
            where = "before its last chunk"
        self.error = PeerDisconnected(f"chunked content ended {where} (RFC 9112 8)")

    def remaining(self) -> int | None:
        return None

    def buffered(self) -> int:
        return len(self._held) + sum(map(len, self._trailer_lines))

    def _take(self, data: bytes, at: int, content: list[bytes]) -> int | None:
        """Take what `_next` says; returns the offset behind it, or None if nothing more can be taken."""
        if self._next is _Next.LINE:
            return self._take_chunks(data, at, content)
        if self._next is _Next.DATA:
            piece = data[at : at + self._missing]
            content.append(piece)
            self._missing -= len(piece)
            if not self._missing:
                self._next = _Next.CRLF
            return at + len(piece)
        if self._next is _Next.CRLF:
            end = data[at : at + 2] if data.startswith(b"\r", at) else data[at : at + 1]
            if end == b"\r":
                return self._hold(data, at)
            if end != b"\r\n":
                return self._fail(f"chunk data is followed by {end!r} instead of CRLF (RFC 9112 7.1)")
            self._next = _Next.LINE
            return at + 2
        return self._take_trailer_line(data, at)

    def _take_chunks(self, data: bytes, at: int, content: list[bytes]) -> int | None:
        """Take whole chunks, until one is not whole or the last."""
        max_line_bytes = self._limits.max_chunk_line_bytes + 2
        while (match := _match_chunk_line(data, at)) is not None:
            start = match.end()
            if start - at > max_line_bytes:
                return self._fail_line_too_long()
            size = int(match[1], 16)
            stop = start + size
            if size and data[stop : stop + 2] == b"\r\n":
                content.append(data[start:stop])
                at = stop + 2
                continue
            self._missing = size
            self._next = _Next.DATA if size else _Next.TRAILERS
            return start
        return self._hold_line(data, at, max_line_bytes) if at < len(data) else at

    def _hold_line(self, data: bytes, at: int, max_line_bytes: int) -> int | None:
        """Hold the begin of a chunk line, if it can become one."""
        if data[at] not in _HEXDIG:
            return self._fail(f"chunk size begins with {data[at : at + 1]!r}, not a hexadecimal digit (RFC 9112 7.1)")
        end = data.find(b"\n", at, at + max_line_bytes)
        if end >= 0:
            return self._fail(_chunk_line_fault(data[at : end + 1]))
        if len(data) - at >= max_line_bytes:
            return self._fail_line_too_long()
        return self._hold(data, at)

    def _take_trailer_line(self, data: bytes, at: int) -> int | None:
        if data.startswith(b"\r\n", at):
            return self._end(data, at + 2)
        room = self._limits.max_trailer_bytes - sum(map(len, self._trailer_lines))
        end = data.find(b"\n", at, at + room)
        if end < 0 and (len(data) - at < room or data[at:] == b"\r"):
            return self._hold(data, at)
        if end < 0:
            return self._fail(
                f"trailer section exceeds {self._limits.max_trailer_bytes} bytes (Limits.max_trailer_bytes)",
                431,
            )
        line = data[at : end + 1]
        if not line.endswith(b"\r\n"):
            return self._fail(f"trailer line {shown(line)} ends in LF without CR (RFC 9112 2.2)")
        if len(self._trailer_lines) == self._limits.max_field_lines:
            most = self._limits.max_field_lines
            return self._fail(f"trailer section has more than {most} field lines (Limits.max_field_lines)", 431)
        self._trailer_lines.append(line)
        return end + 1

    def _end(self, data: bytes, at: int) -> int | None:
        try:
            if self._trailer_lines:
                self.trailers = read_trailers(b"".join(self._trailer_lines), folds=self._folds)
            self.ended = True
            self.unused = data[at:]
        except RemoteProtocolError as error:
            self.error = error
        self._trailer_lines.clear()
        return None

    def _hold(self, data: bytes, at: int) -> int | None:
        self._held = data[at:]
        return None

    def _fail(self, message: str, status: int = 400) -> int | None:
        self.error = RemoteProtocolError(message, status_hint=status)
        self._trailer_lines.clear()
        return None

    def _fail_line_too_long(self) -> int | None:
        most = self._limits.max_chunk_line_bytes
        return self._fail(f"chunk size and extensions exceed {most} bytes (Limits.max_chunk_line_bytes)")


def _chunk_line_fault(line: bytes) -> str:
    size = line.lstrip(_HEXDIG)
    digits = len(line) - len(size)
    if not line.endswith(b"\r\n"):
        return f"chunk line {shown(line)} ends in LF without CR (RFC 9112 2.2)"
    if digits > 16:
        return f"chunk size {shown(line[:digits])} has {digits} digits, at most 16 are taken (RFC 9112 7.1)"
    if size.strip(b" \t") == b"\r\n":
        return f"chunk size {shown(line[:digits])} is followed by whitespace (RFC 9112 7.1)"
    return f"chunk line {shown(line)} has something else than extensions after the size (RFC 9112 7.1.1)"


def content_reader(framing: Framing, limits: Limits, *, folds: bool = False) -> ContentReader | None:
    """The reader for content framed so; None where there is none.

    folds: the message is a response
    """
    if framing is NO_CONTENT:
        return None
    if isinstance(framing, Length):
        return LengthReader(framing.bytes)
    if isinstance(framing, Chunked):
        return ChunkedReader(limits, folds=folds)
    assert isinstance(framing, UntilClose)
    return UntilCloseReader()
