"""What both ends of a WebSocket show their user, by the names that users of aiohttp know.

Not here: the machine's own nouns (`websocket`).
"""

import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, NamedTuple

from .errors import RemoteProtocolError
from .websocket.closing import Ended
from .websocket.codes import CloseCode
from .websocket.events import SocketClosed


class WSMsgType(IntEnum):
    """What `receive` gives: opcodes (RFC 6455 5.2), and three types that no frame has."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA

    CLOSING = 0x100  # our side has begun to close
    CLOSED = 0x101  # it has ended
    ERROR = 0x102

    text = TEXT
    binary = BINARY
    ping = PING
    pong = PONG
    close = CLOSE
    closing = CLOSING
    closed = CLOSED
    error = ERROR


class WSCloseCode(IntEnum):
    """Close codes by their registered names (RFC 6455 7.4.1); applications have 4000 to 4999."""

    OK = CloseCode.OK
    GOING_AWAY = CloseCode.GOING_AWAY
    PROTOCOL_ERROR = CloseCode.PROTOCOL_ERROR
    UNSUPPORTED_DATA = CloseCode.UNSUPPORTED_DATA
    NO_STATUS = CloseCode.NO_STATUS
    ABNORMAL_CLOSURE = CloseCode.ABNORMAL
    INVALID_TEXT = CloseCode.INVALID_TEXT
    POLICY_VIOLATION = CloseCode.POLICY_VIOLATION
    MESSAGE_TOO_BIG = CloseCode.MESSAGE_TOO_BIG
    MANDATORY_EXTENSION = CloseCode.MANDATORY_EXTENSION
    INTERNAL_ERROR = CloseCode.INTERNAL_ERROR
    SERVICE_RESTART = CloseCode.SERVICE_RESTART
    TRY_AGAIN_LATER = CloseCode.TRY_AGAIN_LATER
    BAD_GATEWAY = CloseCode.BAD_GATEWAY


class WSMessage(NamedTuple):
    """What came.

    data: text as str, binary as bytes, the payload of a Ping or Pong, the code of a Close, the exception of an ERROR
    extra: the reason of a Close
    """

    type: WSMsgType
    data: Any
    extra: str | None

    def json(self, *, loads: Callable[..., Any] = json.loads) -> Any:
        """The data decoded by `loads`."""
        return loads(self.data)


class WSMessageTypeError(TypeError):
    """A message of another type than was asked for."""


class WebSocketError(Exception):
    """The peer broke the protocol or a limit.

    code: the Close code that says which
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


WS_CLOSING: Final = WSMessage(WSMsgType.CLOSING, None, None)
WS_CLOSED: Final = WSMessage(WSMsgType.CLOSED, None, None)
LAST_TYPES: Final = frozenset((WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED))
"""Where `async for` ends."""


def error_of(ended: SocketClosed) -> Exception | None:
    """What `exception()` says of an end; None where nothing went wrong."""
    text = f"the WebSocket has ended without a closing handshake: {ended.by.value}"
    match ended.by:
        case Ended.FAILED:
            assert ended.error is not None  # what the peer broke
            return broken(ended.error)
        case Ended.TIMEOUT:
            return TimeoutError(str(ended.error) if ended.error is not None else text)
        case Ended.TRANSPORT:
            return ConnectionResetError(text)
        case _:
            return None if ended.clean else WebSocketError(CloseCode.ABNORMAL, text)


def broken(error: RemoteProtocolError) -> WebSocketError:
    """What the machine says of the peer, as `WebSocketError`."""
    return WebSocketError(error.close_code_hint, str(error))
