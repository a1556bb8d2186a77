r"""The HTTP/1.1 machine (RFC 9112), both ends, without I/O: bytes and `now` in, events and effects out.

    >>> from sansio_web.effects import Transmit
    >>> from sansio_web.http import ContentReceived, ReadContent, RequestReceived, SendResponse, ServerRole
    >>> connection = ServerRole(now=0.0)
    >>> connection.receive_data(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", now=0.1)
    >>> request = connection.next_event()
    >>> assert isinstance(request, RequestReceived) and request.target == b"/a"
    >>> connection.send(ReadContent(), now=0.2)
    >>> assert connection.next_event() == ContentReceived(b"hi")
    >>> connection.send(SendResponse(200, b"OK", [], b"hello", complete=True), now=0.3)
    >>> connection.next_effect()
    Transmit(data=b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')

After each call *in*, drain effects, then events, then read `next_deadline()` and `wants_data()`.
`ClientRole` has the same shape.
"""

from typing import TYPE_CHECKING, Any

from .commands import (
    Abort,
    ClientCommand,
    FieldLines,
    LimitContent,
    ReadContent,
    ResponseCommand,
    SendContent,
    SendEnd,
    SendHead,
    SendInterim,
    SendRequest,
    SendResponse,
    ServerCommand,
    StopPersisting,
)
from .events import (
    ClientEvent,
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentEvent,
    ContentReceived,
    ExchangeEnded,
    InterimReceived,
    PeerEnded,
    ProtocolSwitched,
    RequestReceived,
    RequestRefused,
    ResponseBroken,
    ResponseReceived,
    ServerEvent,
)
from .fields import Fields
from .framing import Chunked, Framing, Length, NoContent, UntilClose
from .lifecycle import CloseReason, Phase, Receive, Send

if TYPE_CHECKING:
    from .client_role import ClientRole
    from .server_role import ServerRole

__all__ = [
    "Abort",
    "Chunked",
    "ClientCommand",
    "ClientEvent",
    "ClientRole",
    "CloseReason",
    "ConnectionClosed",
    "ContentBroken",
    "ContentEnded",
    "ContentEvent",
    "ContentReceived",
    "ExchangeEnded",
    "FieldLines",
    "Fields",
    "Framing",
    "InterimReceived",
    "Length",
    "LimitContent",
    "NoContent",
    "PeerEnded",
    "Phase",
    "ProtocolSwitched",
    "ReadContent",
    "Receive",
    "RequestReceived",
    "RequestRefused",
    "ResponseBroken",
    "ResponseCommand",
    "ResponseReceived",
    "Send",
    "SendContent",
    "SendEnd",
    "SendHead",
    "SendInterim",
    "SendRequest",
    "SendResponse",
    "ServerCommand",
    "ServerEvent",
    "ServerRole",
    "StopPersisting",
    "UntilClose",
]


def __getattr__(name: str) -> Any:
    """Import a machine when it is asked for: nouns cost little, the readers behind the machines do not."""
    if name == "ClientRole":
        from .client_role import ClientRole

        return ClientRole
    if name == "ServerRole":
        from .server_role import ServerRole

        return ServerRole
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
