"""What happened: the outputs of the HTTP/1.1 machine, in both roles.

Bytes are the peer's, unchanged in case and order. An event is a value; two machines that were fed the same bytes give
equal events once neighbouring `ContentReceived` are joined.

Not frozen, because they are made on the hot path, where a frozen dataclass costs about a microsecond more; treat them
as if they were.
"""

from dataclasses import dataclass
from typing import TypeAlias

from ..errors import RemoteProtocolError
from .fields import EMPTY_FIELDS, Fields
from .framing import Framing
from .lifecycle import CloseReason


@dataclass(slots=True)
class RequestReceived:
    """The head of a request; content follows as `framing` says (RFC 9112 3, 6.3).

    method: token as sent; methods are case-sensitive
    target: as sent, in the form its method allows
    version: b"1.1" or b"1.0" (a higher minor version counts as 1.1)
    framing: `NoContent`, `Length` or `Chunked`; for `NoContent` no further event comes
    persistent: whether the client lets the connection persist (RFC 9112 9.3)
    expects_continue: it waits for 100 (Continue) before it sends content (RFC 9110 10.1.1)
    upgrade: the value of the Upgrade field if Connection names it, else b"" (RFC 9110 7.8)
    """

    method: bytes
    target: bytes
    version: bytes
    fields: Fields
    framing: Framing
    persistent: bool = True
    expects_continue: bool = False
    upgrade: bytes = b""


@dataclass(slots=True)
class ResponseReceived:
    """The head of a final response; content follows as `framing` says (RFC 9112 4, 6.3)."""

    status: int
    reason: bytes
    version: bytes
    fields: Fields
    framing: Framing
    persistent: bool = True


@dataclass(slots=True)
class InterimReceived:
    """An interim response: 1xx but not 101 (RFC 9110 15.2)."""

    status: int
    reason: bytes
    fields: Fields


@dataclass(slots=True)
class ContentReceived:
    """Some content, never empty, decoded from its transfer coding."""

    data: bytes


@dataclass(slots=True)
class ContentEnded:
    """The content is complete; `trailers` is the trailer section (RFC 9110 6.5), apart from the header section."""

    trailers: Fields = EMPTY_FIELDS


@dataclass(slots=True)
class ContentBroken:
    """The content will never be complete: malformed, too large, too slow, or the peer left. Nothing follows for it."""

    error: RemoteProtocolError


@dataclass(slots=True)
class RequestRefused:
    """Server: bytes that are no request, or one over a limit. A response may be sent; then the connection closes."""

    error: RemoteProtocolError


@dataclass(slots=True)
class ResponseBroken:
    """Client: there will be no (further) final response; the connection is closing."""

    error: RemoteProtocolError


@dataclass(slots=True)
class ExchangeEnded:
    """Client: request sent and response received, both whole; `persistent` says if another may follow."""

    persistent: bool


@dataclass(slots=True)
class PeerEnded:
    """The peer ended its half while an exchange was open; what it asked for may still be answered (RFC 9112 9.6)."""


@dataclass(slots=True)
class ProtocolSwitched:
    """101 was sent or received: the connection speaks another protocol; `data` is what had already come of it."""

    protocol: bytes
    data: bytes


@dataclass(slots=True)
class ConnectionClosed:
    """Comes once, last: nothing more can be sent or received. `error` says what broke, if something did."""

    reason: CloseReason
    error: RemoteProtocolError | None = None


ContentEvent: TypeAlias = ContentReceived | ContentEnded | ContentBroken
ServerEvent: TypeAlias = (
    RequestReceived | RequestRefused | ContentEvent | PeerEnded | ProtocolSwitched | ConnectionClosed
)
ClientEvent: TypeAlias = (
    ResponseReceived
    | InterimReceived
    | ContentEvent
    | ResponseBroken
    | ExchangeEnded
    | ProtocolSwitched
    | ConnectionClosed
)
