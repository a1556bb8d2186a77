"""Incoming content as a stream, pulled from whoever receives it.

In: an async callable that gives the next content event. Out: bytes by number, line, separator or piece.
Nothing is asked for before somebody reads, so that back-pressure needs no watermarks; what is held is at most
one piece and the line being read.
Not here: requests, responses; nothing is specific to server or client.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeAlias, TypeVar

from .errors import LocalProtocolError, RemoteProtocolError
from .http.events import ContentEnded, ContentReceived
from .http.fields import EMPTY_FIELDS, Fields

T = TypeVar("T")
Receive: TypeAlias = Callable[[], Awaitable[ContentReceived | ContentEnded]]
Translate: TypeAlias = Callable[[LocalProtocolError | RemoteProtocolError], Exception]

DEFAULT_MAX_LINE_BYTES: Final = 524_288


class IncompleteReadError(EOFError):
    """The content ended before `expected` bytes; `partial` is what there was. Shaped as asyncio's."""

    def __init__(self, partial: bytes, expected: int) -> None:
        super().__init__(f"content ended after {len(partial)} of {expected} bytes that were to be read exactly")
        self.partial = partial
        self.expected = expected

    def __reduce__(self) -> tuple[type["IncompleteReadError"], tuple[bytes, int]]:
        return type(self), (self.partial, self.expected)


class StreamReader:
    """Content of one message. One task reads at a time; a second one gets a RuntimeError at once.

    receive: gives the next event, and nothing after `ContentEnded`; None: there is no content
    length: how many bytes will come, if that is known; the end is then seen without waiting for it
    chunked: whether chunked transfer coding carries it, for `readchunk`
    translate: what to raise for an error of `receive`; it is raised again by each later read
    A read that is cancelled, or fails otherwise than by `IncompleteReadError`, has consumed nothing.
    """

    __slots__ = (
        *("_buffer", "_chunked", "_ended", "_error", "_length", "_reading", "_receive", "_translate"),
        *("total_raw_bytes", "trailers"),
    )

    _buffer: bytearray  # received, not read
    _ended: bool  # set by `_pull` at `ContentEnded`
    _error: LocalProtocolError | RemoteProtocolError | None  # set by `_pull`, for good
    _reading: bool  # while a task waits in `_pull`

    def __init__(
        self,
        receive: Receive | None,
        *,
        length: int | None = None,
        chunked: bool = False,
        translate: Translate | None = None,
    ) -> None:
        self._receive = receive
        self._length = length
        self._chunked = chunked
        self._translate = translate
        self._buffer = bytearray()
        self._ended = receive is None
        self._error = None
        self._reading = False
        self.total_raw_bytes = 0
        """Bytes of content received so far."""
        self.trailers: Fields = EMPTY_FIELDS
        """The trailer section, once the end was received."""

    def __repr__(self) -> str:
        state = "eof" if self.is_eof() else "open"
        counts = f"{self.total_raw_bytes} bytes received, {len(self._buffer)} unread"
        return f"<{type(self).__name__} {state} {counts}>"

    # ---- asking

    def is_eof(self) -> bool:
        """Whether everything was received; some of it may be unread."""
        return self._ended or self.total_raw_bytes == self._length

    def at_eof(self) -> bool:
        """Whether everything was received and read."""
        return not self._buffer and self.is_eof()

    def exception(self) -> Exception | None:
        """What broke the content, if something did."""
        return None if self._error is None else self._raised(self._error)

    def _raised(self, error: LocalProtocolError | RemoteProtocolError) -> Exception:
        """What a read raises for an error of `receive`: a new one each time, so that none holds its reader."""
        return error if self._translate is None else self._translate(error)

    # ---- reading

    async def read(self, n: int = -1) -> bytes:
        """Up to n bytes, at least one unless the content ended; all the rest for a negative n."""
        if n < 0:
            return await self._read_all()
        if n == 0:
            return b""
        if self._buffer:
            return self._take(n)
        piece = await self._pull()
        if len(piece) <= n:
            return piece
        self._buffer += piece[n:]
        return piece[:n]

    async def readany(self) -> bytes:
        """What is there, or the next piece that comes; b"" at the end."""
        if self._buffer:
            return self._take(len(self._buffer))
        return await self._pull()

    async def readexactly(self, n: int) -> bytes:
        """n bytes.

        raises: IncompleteReadError, with what there was in `partial`, if the content ends before
        """
        while len(self._buffer) < n:
            piece = await self._pull()
            if not piece:
                raise IncompleteReadError(self._take(n), n)
            self._buffer += piece
        return self._take(n)

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        r"""Up to and with the next b"\n", or the rest; b"" at the end. See `readuntil`."""
        return await self.readuntil(b"\n", max_size=max_line_length)

    async def readuntil(self, separator: bytes = b"\n", *, max_size: int | None = None) -> bytes:
        """Up to and with the next separator, or the rest where there is none; b"" at the end.

        max_size: in bytes, separator included; without it `DEFAULT_MAX_LINE_BYTES`
        raises: ValueError if the separator is empty or is not within max_size; nothing is consumed then
        """
        if not separator:
            raise ValueError("the separator is empty, but must have at least one byte")
        limit = DEFAULT_MAX_LINE_BYTES if max_size is None else max_size
        searched = 0
        while True:
            found = self._buffer.find(separator, searched)
            end = len(self._buffer) if found < 0 else found + len(separator)
            if end > limit:
                raise ValueError(f"no separator {separator!r} within {limit} bytes (max_size)")
            if found >= 0:
                return self._take(end)
            searched = max(0, end - len(separator) + 1)
            piece = await self._pull()
            if not piece:
                return self._take(end)
            self._buffer += piece

    async def readchunk(self) -> tuple[bytes, bool]:
        """The next piece, and whether it ends a chunk; (b"", False) after the end.

        Where HTTP chunks began and ended is not told, because proxies may join and split them (RFC 9112 7.1):
        under chunked coding the whole content counts as one chunk, and its end comes as (b"", True).
        """
        if self._buffer:
            return self._take(len(self._buffer)), False
        was_eof = self.is_eof()
        piece = await self._pull()
        return piece, self._chunked and not piece and not was_eof

    def read_nowait(self, n: int = -1) -> bytes:
        """Up to n bytes of what was received and not read, all of it for a negative n; b"" if there is none.

        raises: RuntimeError while a task waits for content
        """
        return self._take(len(self._buffer) if n < 0 else n)

    async def wait_eof(self) -> None:
        """Receive everything and keep it for later reads; unbounded but for the limits of the connection."""
        while piece := await self._pull():
            self._buffer += piece

    def unread_data(self, data: bytes) -> None:
        """Put data back, to be read next."""
        self._buffer[:0] = data

    # ---- iterating

    def __aiter__(self) -> "StreamIterator[bytes]":
        """Over lines."""
        return StreamIterator(self.readline, b"")

    def iter_chunked(self, n: int) -> "StreamIterator[bytes]":
        """Over pieces of at most n bytes."""
        return StreamIterator(lambda: self.read(n), b"")

    def iter_any(self) -> "StreamIterator[bytes]":
        """Over pieces as they come."""
        return StreamIterator(self.readany, b"")

    def iter_chunks(self) -> "StreamIterator[tuple[bytes, bool]]":
        """Over `readchunk`."""
        return StreamIterator(self.readchunk, (b"", False))

    # ---- helpers

    async def _read_all(self) -> bytes:
        pieces = [self._take(len(self._buffer))]
        try:
            while piece := await self._pull():
                pieces.append(piece)
        except BaseException:
            self.unread_data(b"".join(pieces))
            raise
        return b"".join(pieces)

    def _take(self, n: int) -> bytes:
        """The first n bytes of the buffer, or as many as there are."""
        if self._reading:
            raise self._second_reader()
        buffer = self._buffer
        data = bytes(buffer[:n])
        del buffer[:n]
        return data

    async def _pull(self) -> bytes:
        """The next piece past the buffer; b"" at the end."""
        if self._reading:
            raise self._second_reader()
        if self._error is not None:
            raise self._raised(self._error)
        receive = self._receive
        if receive is None or self.is_eof():
            return b""
        self._reading = True
        try:
            event = await receive()
        except (RemoteProtocolError, LocalProtocolError) as error:
            self._error = error
            error.__traceback__ = None  # it would hold the frames of the reader, which hold this
            raise self._raised(error) from None
        finally:
            self._reading = False
        if isinstance(event, ContentReceived):
            data = event.data
            self.total_raw_bytes += len(data)
            return data
        self._ended = True
        self.trailers = event.trailers
        return b""

    def _second_reader(self) -> RuntimeError:
        return RuntimeError("another task is reading this content; one stream has one reader at a time")


class StreamIterator(Generic[T]):
    """Calls `read` until it gives `last`."""

    __slots__ = ("_last", "_read")

    def __init__(self, read: Callable[[], Awaitable[T]], last: T) -> None:
        self._read = read
        self._last = last

    def __aiter__(self) -> "StreamIterator[T]":
        return self

    async def __anext__(self) -> T:
        item = await self._read()
        if item == self._last:
            raise StopAsyncIteration
        return item


class EmptyStreamReader(StreamReader):
    """Of a message without content."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None)

    def unread_data(self, data: bytes) -> None:
        """Refused: many messages share this one stream."""
        if data:
            raise RuntimeError("a message without content has nothing that could be put back")


EMPTY_PAYLOAD: Final[StreamReader] = EmptyStreamReader()
