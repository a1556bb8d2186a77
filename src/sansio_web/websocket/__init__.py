r"""WebSocket connections (RFC 6455, RFC 7692), both ends, without I/O: bytes and `now` in, events and effects out.

    >>> from sansio_web.websocket import RECEIVE_MESSAGE, Role, SendText, StartClose, WebSocket
    >>> socket = WebSocket(Role.SERVER, now=0.0)
    >>> socket.send(RECEIVE_MESSAGE, now=0.0)
    >>> socket.receive_data(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", now=0.1)
    >>> socket.next_event()
    MessageReceived(data='Hello')
    >>> socket.send(SendText("Hi"), now=0.2)
    >>> socket.send(StartClose(1000, "bye"), now=0.3)
    >>> [socket.next_effect().data for _ in range(2)]
    [b'\x81\x02Hi', b'\x88\x05\x03\xe8bye']

`answer` and `ClientOpening` are the opening handshake. After each call *in*, drain effects, then events, then read
`next_deadline()` and `wants_data()`.
"""

from typing import TYPE_CHECKING, Any

from .closing import Ended, State
from .codes import CloseCode
from .commands import (
    ABORT,
    RECEIVE_MESSAGE,
    Abort,
    ReceiveMessage,
    SendBytes,
    SendFrame,
    SendPing,
    SendPong,
    SendText,
    StartClose,
    WebSocketCommand,
)
from .deflate import DeflateParameters
from .ending import Role
from .events import (
    CloseReceived,
    ConnectionFailed,
    MessageReceived,
    PingReceived,
    PongReceived,
    SocketClosed,
    WebSocketEvent,
)
from .fast_lane import use_masking
from .limits import DEFAULT_WEBSOCKET_LIMITS, WebSocketLimits
from .opcodes import Opcode
from .opening import Accept, ClientOpening, Opened, Refuse, answer

if TYPE_CHECKING:
    from .connection import WebSocket

__all__ = [
    "ABORT",
    "DEFAULT_WEBSOCKET_LIMITS",
    "RECEIVE_MESSAGE",
    "Abort",
    "Accept",
    "ClientOpening",
    "CloseCode",
    "CloseReceived",
    "ConnectionFailed",
    "DeflateParameters",
    "Ended",
    "MessageReceived",
    "Opcode",
    "Opened",
    "PingReceived",
    "PongReceived",
    "ReceiveMessage",
    "Refuse",
    "Role",
    "SendBytes",
    "SendFrame",
    "SendPing",
    "SendPong",
    "SendText",
    "SocketClosed",
    "StartClose",
    "State",
    "WebSocket",
    "WebSocketCommand",
    "WebSocketEvent",
    "WebSocketLimits",
    "answer",
    "use_masking",
]


def __getattr__(name: str) -> Any:
    """Import the machine when it is asked for: nouns cost little, the reader behind the machine does not."""
    if name == "WebSocket":
        from .connection import WebSocket

        return WebSocket
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
