"""A WebSocket as the response to a request: the names that users of aiohttp know, over an `exchange.Socket`.

One task receives, any number of tasks send, any task closes. What closing means, heartbeats and every bound are the
machine's (`websocket`); here are messages for users, and errors by the names that they expect.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, cast

from ..errors import LocalProtocolError
from ..exchange import Exchange, Socket
from ..http.commands import SendHead
from ..websocket.closing import State
from ..websocket.codes import CloseCode
from ..websocket.commands import (
    SendBytes,
    SendFrame,
    SendPing,
    SendPong,
    SendText,
    StartClose,
    WebSocketCommand,
)
from ..websocket.deflate import DeflateParameters
from ..websocket.events import (
    CloseReceived,
    ConnectionFailed,
    MessageReceived,
    PingReceived,
    PongReceived,
    SocketClosed,
)
from ..websocket.limits import DEFAULT_WEBSOCKET_LIMITS, WebSocketLimits
from ..websocket.opcodes import Opcode
from ..websocket.opening import Accept, Refuse, answer
from ..ws_types import (
    LAST_TYPES,
    WS_CLOSED,
    WS_CLOSING,
    WSMessage,
    WSMessageTypeError,
    WSMsgType,
    broken,
    error_of,
)
from ._response_head import field_lines
from .exceptions import HTTPBadRequest, HTTPUpgradeRequired
from .stream_response import ENDED, LOST, STARTED, StreamResponse

if TYPE_CHECKING:
    from .request import BaseRequest

DEFAULT_MAX_MSG_SIZE: Final = 4 * 1024**2
DEFAULT_WRITER_LIMIT: Final = 256 * 1024
_MOST_READS_AFTER_END: Final = 5
_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CLOSES: Final = (State.OPEN, State.REMOTE_CLOSING)


class WebSocketReady(NamedTuple):
    """Whether a request opens a WebSocket here; true or false by `ok`.

    protocol: the subprotocol that would be spoken
    """

    ok: bool
    protocol: str | None

    def __bool__(self) -> bool:
        return self.ok


class WebSocketResponse(StreamResponse):
    """`prepare` it, then `async for` its messages, send, `close`; return it from the handler."""

    def __init__(
        self,
        *,
        timeout: float | None = 10.0,
        receive_timeout: float | None = None,
        autoclose: bool = True,
        autoping: bool = True,
        heartbeat: float | None = None,
        protocols: Iterable[str] = (),
        compress: bool = True,
        max_msg_size: int = DEFAULT_MAX_MSG_SIZE,
        writer_limit: int = DEFAULT_WRITER_LIMIT,
        decode_text: bool = True,
        limits: WebSocketLimits = DEFAULT_WEBSOCKET_LIMITS,
    ) -> None:
        """timeout: seconds from our Close to the end, whatever the peer does; `close` takes no longer

        receive_timeout: seconds for each `receive`
        autoclose, autoping: whether the peer's Close, and its Pings, are answered without the handler
        heartbeat: seconds of silence after which the peer is sent a Ping; it has half of that to give a sign of life
        protocols: subprotocols spoken here; of those the client's first is chosen
        compress: whether to agree on permessage-deflate
        max_msg_size: of one message, inflated; 0 for any
        writer_limit: has no effect: senders wait beyond `Limits.max_unsent_bytes`
        decode_text: whether text messages come as str or as bytes
        limits: every other size and time
        """
        super().__init__(status=101)
        if isinstance(protocols, str):
            raise TypeError(f"protocols is the str {protocols!r}; give a list of names")
        self.protocols: tuple[str, ...] = tuple(protocols)
        self._limits = replace(
            limits, max_message_bytes=max_msg_size or None, heartbeat=heartbeat or None, close_timeout=timeout
        )
        self._receive_timeout = receive_timeout
        self._autoclose = autoclose
        self._autoping = autoping
        self._compress = compress
        self._decode_text = decode_text
        self._accepted: Accept | None = None  # prepare
        self._socket: Socket | None = None  # prepare
        self._received: CloseReceived | None = None  # the peer's Close, once told
        self._error: Exception | None = None  # what was told as ERROR
        self._closing_told = False
        self._reads_after_end = 0

    # -- opening -------------------------------------------------------------------------------------------------------

    def can_prepare(self, request: "BaseRequest") -> WebSocketReady:
        """Whether `prepare` would open a WebSocket for this request; sends nothing.

        raises: RuntimeError after `prepare`
        """
        if self._head is not None:
            raise RuntimeError("can_prepare() after prepare()")
        decision = self._decide(request)
        return WebSocketReady(ok=isinstance(decision, Accept), protocol=getattr(decision, "protocol", None))

    def _decide(self, request: "BaseRequest") -> Accept | Refuse:
        wish = DeflateParameters() if self._compress else None
        return answer(request._head, protocols=self.protocols, deflate=wish)

    async def prepare(self, request: "BaseRequest") -> None:
        """Complete the opening handshake: send 101 (RFC 6455 4.2.2).

        raises: HTTPBadRequest, or HTTPUpgradeRequired for another version than 13; as `StreamResponse.prepare`
        """
        if self._head is None:
            decision = self._decide(request)
            if isinstance(decision, Refuse):
                raise _refusal(decision)
            self._accepted = decision
        await super().prepare(request)

    def _complete_headers(self, exchange: Exchange) -> None:
        assert self._accepted is not None  # prepare
        self._keep_alive = False
        headers = self.headers
        for name, value in self._accepted.fields:
            headers[name.decode()] = value.decode()
        self._complete_general_headers(exchange)

    async def _send_head(self) -> None:
        exchange, accepted = self._exchange, self._accepted
        assert exchange is not None
        assert accepted is not None
        head = SendHead(101, self._reason_bytes(), field_lines(self.headers.items()), complete=True)
        try:
            self._socket = exchange.open_websocket(
                head,
                limits=self._limits,
                deflate=accepted.deflate,
                autoping=self._autoping,
                autoclose=self._autoclose,
            )
        except ConnectionResetError:
            self._stage = LOST
            raise
        self._stage = STARTED

    # -- what it is ----------------------------------------------------------------------------------------------------

    @property
    def ws_protocol(self) -> str | None:
        """The subprotocol that was agreed on; None for none."""
        return None if self._accepted is None else self._accepted.protocol

    @property
    def compress(self) -> int | bool:
        """Before `prepare` whether permessage-deflate is wanted; then the bits of our window, 0 without it."""
        if self._accepted is None:
            return self._compress
        agreed = self._accepted.deflate
        return 0 if agreed is None else agreed.server_max_window_bits

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more: our Close has gone out, or the connection has ended."""
        return self._socket is not None and self._socket.state not in _CLOSES

    @property
    def close_code(self) -> int | None:
        """Of the connection: the peer's, 1005 for a Close without a code, 1006 without a Close; None while open."""
        ended = self.ended
        if ended is not None:
            return ended.code
        return None if self._received is None else self._received.code

    @property
    def ended(self) -> SocketClosed | None:
        """How it ended: code, reason, whether cleanly, by whom, and what broke; None while it has not."""
        return None if self._socket is None else self._socket.closed

    def exception(self) -> BaseException | None:
        """What went wrong.

        WebSocketError: the peer broke the protocol or a limit; TimeoutError: it was silent or took nothing for too
        long; ConnectionResetError: it vanished
        """
        ended = self.ended
        if self._error is None and ended is not None:
            self._error = error_of(ended)
        return self._error

    def unsent(self) -> int:
        """Bytes that wait for the peer to take them; senders wait beyond `Limits.max_unsent_bytes`."""
        return 0 if self._socket is None else self._socket.unsent()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Of the transport; see `ConnectionInfo.get_extra_info`."""
        return default if self._exchange is None else self._exchange.connection.get_extra_info(name, default)

    # -- receiving -----------------------------------------------------------------------------------------------------

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """The next message.

        After the last one: CLOSE with the peer's code and reason, ERROR with what went wrong, or CLOSING because our
        side closes; then CLOSED.

        timeout: seconds, instead of `receive_timeout`; after a TimeoutError nothing is lost, and it may be called again
        raises: TimeoutError; RuntimeError before `prepare`, while another task is in here, and at the fifth CLOSED,
            because that would go on for ever
        """
        while (message := await self._receive(timeout)) is None:
            pass
        return message

    async def _receive(self, timeout: float | None = None, *, wait: bool = True) -> WSMessage | None:
        """As `receive`; None if it was woken for something else, or would have to wait and shall not."""
        socket = self._socket
        if socket is None:
            raise self._unprepared("receive")
        if socket.closing:
            return await self._receive_closing(socket, timeout)
        try:
            event = socket.receive_now()
            if event is None and wait:
                event = await socket.receive(self._receive_timeout if timeout is None else timeout)
        except LocalProtocolError as error:
            raise RuntimeError(str(error)) from None
        if isinstance(event, MessageReceived):
            data = event.data
            if type(data) is bytes:
                return WSMessage(_BINARY, data, "")
            if not self._decode_text:
                data = cast(str, data).encode()
            return WSMessage(_TEXT, data, "")
        if event is None:
            return await self._receive_closing(socket, timeout) if socket.closing else None
        return self._message_of(event)

    async def _receive_closing(self, socket: Socket, timeout: float | None) -> WSMessage:
        """Our side has closed: CLOSING once, CLOSED from the end on; what the peer still said is dropped."""
        if not self._closing_told and socket.closed is None:
            self._closing_told = True
            return WS_CLOSING
        while socket.closed is None:
            await socket.receive(timeout)
        return self._closed_message(socket.closed)

    def _wake(self) -> None:
        """End a waiting `_receive` with None."""
        assert self._socket is not None  # _open_exchange
        self._socket.wake()

    def _message_of(
        self, event: CloseReceived | ConnectionFailed | PingReceived | PongReceived | SocketClosed
    ) -> WSMessage:
        """What is no message of the peer's, as one."""
        match event:
            case CloseReceived():
                self._received = event
                return WSMessage(WSMsgType.CLOSE, event.code, event.reason)
            case ConnectionFailed():
                self._error = broken(event.error)
                return WSMessage(WSMsgType.ERROR, self._error, None)
            case PingReceived():
                return WSMessage(WSMsgType.PING, event.payload, "")
            case PongReceived():
                return WSMessage(WSMsgType.PONG, event.payload, "")
            case _:
                return self._closed_message(event)

    def _closed_message(self, ended: SocketClosed) -> WSMessage:
        """CLOSED; before it, once, that the peer was silent for too long."""
        if self._error is None and isinstance(self.exception(), TimeoutError):
            return WSMessage(WSMsgType.ERROR, self._error, None)
        self._reads_after_end += 1
        if self._reads_after_end >= _MOST_READS_AFTER_END:
            raise RuntimeError(
                f"receive() for the {self._reads_after_end}th time after the WebSocket has ended "
                f"({ended.code}: {ended.by.value}); leave the loop at CLOSED"
            )
        return WS_CLOSED

    async def receive_str(self, *, timeout: float | None = None) -> str:
        """The data of the next message, a text; bytes with `decode_text=False`.

        raises: WSMessageTypeError for any other, the end included
        """
        message = await self.receive(timeout)
        if message.type is not _TEXT:
            raise _other_type(message, _TEXT)
        return cast(str, message.data)

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """The data of the next message, a binary one.

        raises: WSMessageTypeError for any other, the end included
        """
        message = await self.receive(timeout)
        if message.type is not _BINARY:
            raise _other_type(message, _BINARY)
        return cast(bytes, message.data)

    async def receive_json(self, *, loads: Callable[..., Any] = json.loads, timeout: float | None = None) -> Any:
        """The next message, a text, decoded by `loads`."""
        return loads(await self.receive_str(timeout=timeout))

    def __aiter__(self) -> "WebSocketResponse":
        return self

    async def __anext__(self) -> WSMessage:
        while (message := await self._receive()) is None:
            pass
        if message.type in LAST_TYPES:
            raise StopAsyncIteration
        return message

    # -- sending -------------------------------------------------------------------------------------------------------

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Send a text message.

        compress: 0 not to deflate this one
        raises: TypeError for what is no str; ConnectionResetError once it is closing; RuntimeError before `prepare`
        """
        if not isinstance(data, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
            raise TypeError(f"data is a {type(data).__name__}; it must be a str")
        await self._hand(SendText(data, None if compress is None else self._deflated(compress)))

    async def send_bytes(self, data: bytes | bytearray | memoryview, compress: int | None = None) -> None:
        """Send a binary message; as `send_str`."""
        await self._hand(SendBytes(_bytes(data), None if compress is None else self._deflated(compress)))

    async def send_json(
        self, data: Any, compress: int | None = None, *, dumps: Callable[[Any], str] = json.dumps
    ) -> None:
        """Send a text message with `data` encoded by `dumps`."""
        await self.send_str(dumps(data), compress)

    async def send_json_bytes(self, data: Any, compress: int | None = None, *, dumps: Callable[[Any], bytes]) -> None:
        """Send a binary message with `data` encoded by `dumps`."""
        await self.send_bytes(dumps(data), compress)

    async def send_frame(
        self, message: bytes, opcode: WSMsgType, compress: int | None = None, *, fin: bool = True
    ) -> None:
        """Send one frame. A fragment has `fin=False`; CONTINUATION goes on with its message (RFC 6455 5.4).

        message: of a text in UTF-8, which is the caller's to get right
        raises: ValueError for CLOSE, which is `close`, and for what is no frame
        """
        payload = _bytes(message)
        match opcode:
            case WSMsgType.TEXT | WSMsgType.BINARY | WSMsgType.CONTINUATION:
                deflated = None if compress is None else self._deflated(compress)
                await self._hand(SendFrame(Opcode(opcode), payload, fin, deflated))
            case WSMsgType.PING:
                await self._hand(SendPing(payload))
            case WSMsgType.PONG:
                await self._hand(SendPong(payload))
            case _:
                what = "use close()" if opcode == WSMsgType.CLOSE else "it is no frame"
                raise ValueError(f"cannot send a frame with {opcode!r}: {what}")

    async def ping(self, message: bytes | str = b"") -> None:
        """Send a Ping with up to 125 bytes; str in UTF-8."""
        await self._hand(SendPing(message.encode() if isinstance(message, str) else _bytes(message)))

    async def pong(self, message: bytes | str = b"") -> None:
        """Send a Pong that nobody asked for; as `ping`."""
        await self._hand(SendPong(message.encode() if isinstance(message, str) else _bytes(message)))

    def _deflated(self, compress: int) -> bool | None:
        return bool(compress) if self.compress else None

    async def _hand(self, command: WebSocketCommand) -> None:
        socket = self._socket
        if socket is None:
            raise self._unprepared("send")
        try:
            await socket.send(command)
        except ConnectionResetError:
            self._stage = LOST
            raise

    # -- closing -------------------------------------------------------------------------------------------------------

    async def close(self, *, code: int = CloseCode.OK, message: bytes | str = b"", drain: bool = True) -> bool:
        """Close it, and wait for the end; any task may. A task in `receive` gets CLOSING at once.

        Returns within `timeout` whatever the peer does; cancelling it leaves the closing to go on alone.

        message: the reason, in UTF-8 up to 123 bytes
        drain: has no effect, as nothing waits here to be sent
        returns: whether it was this call that closed
        raises: LocalProtocolError for a code or a reason that cannot be sent; RuntimeError before `prepare`
        """
        socket = self._socket
        if socket is None:
            raise self._unprepared("close")
        reason = message if isinstance(message, str) else message.decode()
        first = socket.state in _CLOSES
        try:
            await socket.send(StartClose(int(code), reason, self._limits.close_timeout))
        except ConnectionResetError:
            return False
        await socket.wait_closed()
        return first

    async def write(self, data: bytes | bytearray | memoryview) -> NoReturn:
        """Not for a WebSocket."""
        raise RuntimeError("cannot call write() of a WebSocket: send_str() and send_bytes() send messages")

    async def drain(self) -> None:
        """Does nothing: senders themselves wait for the peer."""
        if self._socket is None:
            raise self._unprepared("drain")

    async def write_eof(self, data: bytes = b"", *, trailers: Any = None) -> None:
        """Close with 1000 unless it is closed; called for a handler that has returned."""
        await self.close()
        self._stage = ENDED

    async def _break_off(self) -> None:
        """Its handler has failed; the peer learns that, no more."""
        assert self._socket is not None  # STARTED
        try:
            await self._socket.send(StartClose(CloseCode.INTERNAL_ERROR, "", self._limits.close_timeout))
        except ConnectionResetError:
            pass  # it has ended already

    def _open_exchange(self, what: str) -> Exchange:
        if self._socket is None or self._exchange is None:
            raise self._unprepared(what)
        return self._exchange

    def _unprepared(self, what: str) -> Exception:
        if self._stage is LOST:
            return ConnectionResetError("the peer has gone")
        return RuntimeError(f"cannot call {what}() before prepare()")


def _refusal(refused: Refuse) -> Exception:
    text = f"{refused.status}: {refused.reason}"
    headers = [(name.decode(), value.decode()) for name, value in refused.fields]
    if refused.status == HTTPUpgradeRequired.status_code:
        return HTTPUpgradeRequired(text=text, headers=headers)
    return HTTPBadRequest(text=text, headers=headers)


def _bytes(data: object) -> bytes:
    if type(data) is bytes:
        return data
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(cast(bytearray, data))
    raise TypeError(f"data is a {type(data).__name__}; allowed: bytes, bytearray, memoryview")


def _other_type(message: WSMessage, wanted: WSMsgType) -> WSMessageTypeError:
    return WSMessageTypeError(
        f"received {message.type.name} {str(message.data)[:80]!r}, but {wanted.name} was asked for"
    )
