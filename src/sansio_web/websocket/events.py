"""What happened: the outputs of the WebSocket machine, in both roles.

In the order of the peer's bytes, and `SocketClosed` once, last. Not frozen, because they are made on the hot path;
treat them as if they were.
"""

from dataclasses import dataclass
from typing import TypeAlias

from ..errors import RemoteProtocolError
from .closing import Ended


@dataclass(slots=True)
class MessageReceived:
    """A whole message: text as `str`, binary as `bytes` (RFC 6455 5.6)."""

    data: str | bytes


@dataclass(slots=True)
class PingReceived:
    """A Ping that the application answers; told only without `autoping` (RFC 6455 5.5.2)."""

    payload: bytes


@dataclass(slots=True)
class PongReceived:
    """A Pong, asked for or not; told only without `autoping` (RFC 6455 5.5.3)."""

    payload: bytes


@dataclass(slots=True)
class CloseReceived:
    """The peer's Close; code 1005 if it had none. No message follows."""

    code: int
    reason: str


@dataclass(slots=True)
class ConnectionFailed:
    """The peer broke a rule or a limit; it is sent `error.close_code_hint`. No message follows (RFC 6455 7.1.7)."""

    error: RemoteProtocolError


@dataclass(slots=True)
class SocketClosed:
    """Comes once, last.

    code, reason: of the connection, by `closing`, rule 6; 1005 and 1006 were never on the wire
    clean: both Close frames were exchanged
    by: who ended it
    error: what broke, if something did
    """

    code: int
    reason: str
    clean: bool
    by: Ended
    error: RemoteProtocolError | None = None


WebSocketEvent: TypeAlias = (
    MessageReceived | PingReceived | PongReceived | CloseReceived | ConnectionFailed | SocketClosed
)
