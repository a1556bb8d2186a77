"""A response whose content is written piece by piece, and the life of every response.

NEW waits for `prepare`. HELD is prepared, but nothing was sent: only a `Response`, whose head goes out together with
its content. STARTED has sent its head and owes the rest. ENDED is complete. LOST had a peer that left. DROPPED was
prepared, then another response went out in its place. A response lives once, for one request.

Whether chunks or the end of the connection delimit the content, and which lengths are legal, the
HTTP machine decides.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, cast

from multidict import CIMultiDict, istr

from ..exchange import Exchange
from ..http.commands import ResponseCommand, SendContent, SendEnd, SendHead, SendInterim
from ..http.events import RequestReceived
from ._content_type import DEFAULT_TYPE, without_controls
from ._reasons import REASON_BYTES, REASONS
from ._response_head import CONTENT_TYPE, LooseHeaders, ResponseHead, field_lines

if TYPE_CHECKING:
    from .request import BaseRequest, Request

_DATE: Final = istr("Date")
_SERVER: Final = istr("Server")
_SET_COOKIE: Final = istr("Set-Cookie")
_CONNECTION: Final = istr("Connection")
_TRANSFER_ENCODING: Final = istr("Transfer-Encoding")

EMPTY_STATUSES: Final = frozenset((204, 304))
"""Their responses have no content, whatever the fields say (RFC 9110 6.4.1)."""
UNTYPED_STATUSES: Final = frozenset((204, 205, 304))


class Stage(Enum):
    """Where a response is in its life; the module says more."""

    NEW = "not prepared"
    HELD = "prepared"
    STARTED = "started"
    ENDED = "eof"
    LOST = "peer gone"
    DROPPED = "dropped"


NEW: Final = Stage.NEW
HELD: Final = Stage.HELD
STARTED: Final = Stage.STARTED
ENDED: Final = Stage.ENDED
LOST: Final = Stage.LOST
DROPPED: Final = Stage.DROPPED


class StreamResponse(ResponseHead):
    """Send a head with `prepare`, content with `write`, its end with `write_eof`."""

    body_length: int = 0
    """Bytes of content sent so far."""

    _stage: Stage = NEW  # prepare, write, write_eof, and the application that drops it
    _exchange: Exchange | None = None  # while it is being sent
    _head: RequestReceived | None = None  # of the request it was prepared for
    _keep_alive: bool | None = None  # prepare, force_close
    _chunked: bool = False  # enable_chunked_encoding

    def __init__(self, *, status: int = 200, reason: str | None = None, headers: LooseHeaders | None = None) -> None:
        if status != 200:
            self._status = int(status)
        if reason is not None:
            self._reason = without_controls("reason", reason)
        if headers is not None:
            self._headers = CIMultiDict(headers)

    # -- before the head is sent -----------------------------------------------------------------------------

    @property
    def prepared(self) -> bool:
        """Whether `prepare` has been called."""
        return self._head is not None

    @property
    def _head_is_out(self) -> bool:  # type: ignore[override]
        return self._stage is not NEW and self._stage is not HELD

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection may persist after this response; None while nobody has decided."""
        return self._keep_alive

    def force_close(self) -> None:
        """Close the connection after this response: sends `Connection: close` in its head."""
        self._plain = False
        self._keep_alive = False

    @property
    def chunked(self) -> bool:
        """Whether `enable_chunked_encoding` was called; without Content-Length chunks are used anyway."""
        return self._chunked

    def enable_chunked_encoding(self, chunk_size: int | None = None) -> None:
        """Insist on chunked transfer coding (RFC 9112 7.1).

        raises: RuntimeError if a Content-Length is set
        """
        if self._headers is not None and "Content-Length" in self._headers:
            raise RuntimeError("a response with Content-Length cannot be chunked (RFC 9112 6.2)")
        self._plain = False
        self._chunked = True

    # -- sending ---------------------------------------------------------------------------------------------

    async def prepare(self, request: "BaseRequest") -> None:
        """Send the head; once for one request, again for the same request does nothing.

        raises: RuntimeError if this response was prepared for another request, or another response for this
            request; LocalProtocolError for a malformed head
        """
        if self._head is not None:
            if self._head is not request._exchange.head:
                raise RuntimeError(self._sent_twice(request))
            return
        await self._prepare(request)
        await self._send_head()

    def _sent_twice(self, request: "BaseRequest") -> str:
        assert self._head is not None
        return (
            f"{type(self).__name__} {self._status} was already sent for {shown_head(self._head)} and cannot "
            f"be sent for {shown_head(request._exchange.head)}: make a new response for each request"
        )

    async def _prepare(self, request: "BaseRequest") -> None:
        """Complete the header section and let the signal's receivers see it; nothing is sent yet."""
        other = request._response
        exchange = request._exchange
        head = exchange.head
        if other is not None:
            raise RuntimeError(
                f"{shown_head(head)} already has a response, {other!r}; one request, one response: cannot send {self!r}"
            )
        if self._chunked and head.version == b"1.0":
            raise RuntimeError(f"chunked transfer coding cannot be sent to HTTP/1.0: {shown_head(head)} (RFC 9112 6.1)")
        self._plain = False
        self._exchange = exchange
        self._head = head
        self._stage = HELD
        request._response = self
        if self._keep_alive is None:
            self._keep_alive = head.persistent
        self._complete_headers(exchange)
        match = request._match_info
        if match is not None:
            for app in match.apps:
                if app._on_response_prepare:
                    await app._on_response_prepare.send(cast("Request", request), self)

    def _complete_headers(self, exchange: Exchange) -> None:
        headers = self.headers
        if self._status not in UNTYPED_STATUSES:
            headers.setdefault(CONTENT_TYPE, DEFAULT_TYPE)
        if self._chunked:
            headers[_TRANSFER_ENCODING] = "chunked"
        self._complete_general_headers(exchange)
        if self._keep_alive is False and self._head is not None and self._head.persistent:
            headers.setdefault(_CONNECTION, "close")

    def _complete_general_headers(self, exchange: Exchange) -> None:
        """What a head of any status has."""
        headers = self.headers
        if self._cookies is not None:
            for value in self._cookies.values():
                headers.add(_SET_COOKIE, value)
        headers.setdefault(_DATE, exchange.date().decode())
        headers.setdefault(_SERVER, exchange.server_software.decode())

    def _reason_bytes(self) -> bytes:
        reason = self._reason
        return REASON_BYTES.get(self._status, b"") if reason is None else reason.encode("utf-8", "surrogateescape")

    async def _send_head(self) -> None:
        lines = field_lines(self.headers.items())
        await self._send(SendHead(self._status, self._reason_bytes(), lines, complete=True), STARTED)

    async def _send(self, command: ResponseCommand, after: Stage) -> None:
        exchange = self._exchange
        assert exchange is not None
        before, self._stage = self._stage, after
        try:
            await exchange.send(command)
        except ConnectionResetError:
            self._stage = LOST
            raise
        except Exception:
            self._stage = before
            raise

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send some content; waits while the peer takes less than we send.

        raises: RuntimeError before `prepare` and after `write_eof`; TypeError for what is not bytes;
            LocalProtocolError beyond Content-Length, and for a status without content; ConnectionResetError
            if the peer has gone
        """
        content = _content(data)
        stage = self._stage
        if stage is HELD:
            await self._send_head()
        elif stage is not STARTED:
            raise self._illegal("write")
        if content:
            await self._send(SendContent(content), STARTED)
            self.body_length += len(content)

    async def drain(self) -> None:
        """Does nothing: `write` itself waits for the peer."""
        if self._stage is not STARTED and self._stage is not HELD:
            raise self._illegal("drain")

    async def write_eof(self, data: bytes = b"", *, trailers: LooseHeaders | None = None) -> None:
        """Send the last content and its end; again without data it does nothing.

        trailers: fields after the content, sent only where it is chunked (RFC 9110 6.5)
        raises: as `write`; LocalProtocolError if Content-Length promised more
        """
        if self._stage is ENDED and not data and not trailers:
            return
        if self._stage is not STARTED and self._stage is not HELD:
            raise self._illegal("write_eof")
        if self._stage is HELD or data:
            await self.write(data)
        lines = () if trailers is None else field_lines(_pairs(trailers))
        await self._send(SendEnd(lines), ENDED)
        self._exchange = None

    async def _break_off(self) -> None:
        """Its handler has failed; the content must not look finished."""
        assert self._exchange is not None  # STARTED
        self._exchange.abort()

    def _illegal(self, what: str) -> Exception:
        match self._stage:
            case Stage.LOST:
                return ConnectionResetError("the peer has gone")
            case Stage.ENDED:
                return RuntimeError(f"cannot call {what}() after write_eof()")
            case Stage.DROPPED:
                return RuntimeError(f"cannot call {what}(): another response was sent in place of this one")
            case _:
                return RuntimeError(f"cannot call {what}() before prepare()")

    def __repr__(self) -> str:
        name = f"{type(self).__name__} {self.reason}"
        if self._stage is STARTED or self._stage is HELD:
            assert self._head is not None
            return f"<{name} {shown_head(self._head)}>"
        return f"<{name} {self._stage.value}>"


def _content(data: object) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, bytearray | memoryview):
        return bytes(cast(bytearray, data))
    raise TypeError(f"data is a {type(data).__name__}; allowed: bytes, bytearray, memoryview")


def _pairs(headers: LooseHeaders) -> list[tuple[str, str]]:
    if isinstance(headers, Mapping):
        return list(cast("Mapping[str, str]", headers).items())
    return list(headers)


def shown_head(head: RequestReceived) -> str:
    """A request in a message: method and target, cut to 80 characters."""
    target = head.target.decode("utf-8", "backslashreplace")
    return f"{head.method.decode('latin-1')} {target if len(target) <= 80 else target[:79] + '…'}"


async def send_interim(request: "BaseRequest", status: int = 103, headers: LooseHeaders | Iterable[Any] = ()) -> None:
    """Send an interim response before the final one, as 103 (Early Hints) with Link fields (RFC 8297).

    raises: LocalProtocolError after the head of the final response, for 101 and for what is no interim status
    """
    command = SendInterim(status, REASONS.get(status, "").encode(), field_lines(_pairs(headers)))
    await request._exchange.send(command)
