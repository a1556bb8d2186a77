"""What is asked for: the inputs of the WebSocket machine from its user, the same in both roles.

`compress`: None deflates where permessage-deflate was agreed, False does not, True asks for an error
where it was not agreed.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from .opcodes import Opcode


@dataclass(slots=True)
class SendText:
    """A whole text message."""

    data: str
    compress: bool | None = None


@dataclass(slots=True)
class SendBytes:
    """A whole binary message."""

    data: bytes
    compress: bool | None = None


@dataclass(slots=True)
class SendFrame:
    """One data frame: TEXT or BINARY begins a message, CONTINUATION goes on with it, `fin` ends it (RFC 6455 5.4).

    payload: of a text message in UTF-8, which is the caller's to get right; a character may span fragments
    compress: read from the first frame of a message
    """

    opcode: Opcode
    payload: bytes
    fin: bool = True
    compress: bool | None = None


@dataclass(slots=True)
class SendPing:
    """A Ping with up to 125 bytes."""

    payload: bytes = b""


@dataclass(slots=True)
class SendPong:
    """A Pong with up to 125 bytes: the answer to a Ping without `autoping`, or a heartbeat of one direction."""

    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class ReceiveMessage:
    """One more message is wanted; the one before has been dealt with (`closing`, rule 1)."""


@dataclass(slots=True)
class StartClose:
    """Send our Close. Where it went out before, nothing (`closing`, rule 5).

    code: None for a Close without one
    timeout: instead of `WebSocketLimits.close_timeout`; the end comes within it whatever the peer does
    """

    code: int | None = 1000
    reason: str = ""
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Abort:
    """Break the connection off now."""


RECEIVE_MESSAGE: Final = ReceiveMessage()
ABORT: Final = Abort()

WebSocketCommand: TypeAlias = (
    SendText | SendBytes | SendFrame | SendPing | SendPong | ReceiveMessage | StartClose | Abort
)
