"""The content of the message that comes in: held until it is wanted, counted, bounded, timed.

In: bytes after the head, end of stream, what the application wants. Out: one content event at a time.
Not here: the coding on the wire (`content`), what follows for the connection (`connection`).
"""

from ..errors import LocalProtocolError, RemoteProtocolError
from ..limits import Limits
from .content import ContentReader
from .events import ContentBroken, ContentEnded, ContentEvent, ContentReceived


class Incoming:
    """Content of one message. Made when a head announces content; only its own methods change its attributes."""

    __slots__ = (
        *("_discarding_from", "_error", "_held", "_judged", "_limit", "_over_limit", "_reader", "_told_end"),
        *("held", "progress", "received", "wanted"),
    )

    def __init__(self, reader: ContentReader, limits: Limits) -> None:
        self._reader = reader
        self._limit = limits.max_content_bytes
        self._held: list[bytes] = []
        self._error: RemoteProtocolError | None = None
        self._told_end = False
        self._judged = False
        self._over_limit = False
        self._discarding_from: int | None = None
        self.held = 0
        self.received = 0
        self.wanted = False
        self.progress = Progress(limits)

    def push(self, data: bytes) -> None:
        """Bytes that came after the head."""
        if self._error is not None:
            return
        decoded = self._reader.push(data)
        if decoded:
            self.received += len(decoded)
            if self._discarding_from is None:
                self.held += len(decoded)
                self._held.append(decoded)
        self._error = self._reader.error
        if self._judged:
            self.judge()

    def eof(self) -> None:
        """The peer ended its stream."""
        if self._error is None:
            self._reader.eof()
            self._error = self._reader.error

    def fail(self, error: RemoteProtocolError) -> None:
        """It came too slowly, or the transport broke; the first error is kept."""
        self._error = self._error or error

    def limit(self, max_bytes: int | None) -> None:
        """A bound of its own for this message, which also applies to what is held already."""
        self._limit = max_bytes
        self.judge()

    def judge(self) -> None:
        """Hold it against the limit, from now on and what has come before.

        Not earlier than it is wanted, so that a route may set its own limit first, however much came with the head.
        Content of a declared length is refused as a whole; of any other as much is told as was allowed.
        """
        self._judged = True
        limit = self._limit
        remaining = self._reader.remaining()
        if limit is None or self._over_limit or self.received + (remaining or 0) <= limit:
            return
        self._over_limit = True
        room = max(0, limit - (self.received - self.held)) if remaining is None else 0
        data = b"".join(self._held)[:room]
        self._held = [data] if data else []
        self.held = len(data)
        message = f"content exceeds {limit} bytes (Limits.max_content_bytes, or the route's own limit)"
        self._error = RemoteProtocolError(message, status_hint=413, close_code_hint=1009)

    def take(self) -> ContentEvent | None:
        """What can be told now: content first, then how it went on; None if the peer has to send more.

        raises: LocalProtocolError once the end was told
        """
        if self._told_end:
            raise LocalProtocolError("the content has ended; legal now: nothing more to read (RFC 9112 6.3)")
        if self._held:
            data = self._held[0] if len(self._held) == 1 else b"".join(self._held)
            self._held.clear()
            self.held = 0
            return ContentReceived(data)
        if self._error is not None:
            return ContentBroken(self._error)
        if self._discarding_from is not None:
            return ContentBroken(
                RemoteProtocolError("the content was discarded: the response ended before it was read")
            )
        if self._reader.ended:
            self._told_end = True
            return ContentEnded(self._reader.trailers)
        return None

    def discard(self) -> ContentBroken | None:
        """Nobody shall read what is held or comes; tells whoever is waiting for it."""
        self._held.clear()
        self.held = 0
        if self._discarding_from is None:
            self._discarding_from = self.received
        if not self.wanted:
            return None
        self.wanted = False
        event = self.take()
        return event if isinstance(event, ContentBroken) else None

    @property
    def discarded(self) -> int:
        """Bytes that came since `discard`."""
        return 0 if self._discarding_from is None else self.received - self._discarding_from

    @property
    def error(self) -> RemoteProtocolError | None:
        """Why it will never be complete."""
        return self._error

    @property
    def ended(self) -> bool:
        """Whether everything came."""
        return self._reader.ended and self._error is None

    @property
    def unused(self) -> bytes:
        """After the end: bytes of what follows."""
        return self._reader.unused

    def remaining(self) -> int | None:
        """Bytes to come, where the framing tells."""
        return self._reader.remaining()

    def buffered(self) -> int:
        """Bytes held here and in the decoder."""
        return self.held + self._reader.buffered()


class Progress:
    """The span in which a peer must send its least share of content; it runs only while somebody waits for it."""

    __slots__ = ("_bytes", "_least", "_left", "_timeout")

    def __init__(self, limits: Limits) -> None:
        self._timeout = limits.content_timeout
        self._least = max(1, limits.min_content_bytes)
        self._left = self._timeout
        self._bytes = 0

    @property
    def left(self) -> float | None:
        """Seconds left of this span; None without a bound."""
        return self._left

    def arrived(self, count: int) -> bool:
        """So many bytes came; true if they complete the share, and a new span begins."""
        self._bytes += count
        if self._bytes < self._least:
            return False
        self._bytes = 0
        self._left = self._timeout
        return True

    def paused(self, left: float) -> None:
        """Nobody waits any more, with so much of the span left."""
        self._left = max(0.0, left)
