"""What an application asks of the world: one request and the way to answer it.

`web` awaits nothing but `Exchange.receive()` and `Exchange.send()`. A driver implements it over the HTTP machine for
every runtime; a test implements it in twenty lines with lists.
"""

from collections.abc import Coroutine
from typing import Any, Protocol

from .http.commands import ResponseCommand, SendHead, SendResponse
from .http.events import ContentEnded, ContentReceived, RequestReceived
from .websocket.closing import State
from .websocket.commands import WebSocketCommand
from .websocket.deflate import DeflateParameters
from .websocket.events import SocketClosed, WebSocketEvent
from .websocket.limits import WebSocketLimits


class ConnectionInfo(Protocol):
    """What is known of the transport under an exchange."""

    @property
    def remote(self) -> str | None:
        """The peer's address without its port; None or "" for a Unix socket."""
        ...

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """By asyncio's names on every runtime: peername, sockname, socket, ssl_object, peercert, cipher."""
        ...


class AccessLogSink(Protocol):
    """The part of `AbstractAccessLogger` that an exchange needs."""

    def log(self, request: Any, response: Any, time: float) -> None:
        """One finished exchange; `time` in seconds since its head came."""
        ...


class Event(Protocol):
    """A runtime's one-shot event: any number of tasks may wait."""

    def set(self) -> object:
        """Wake whoever waits, now and later."""
        ...

    async def wait(self) -> object:
        """Until it is set."""
        ...


class Running(Protocol):
    """A task."""

    def cancel(self) -> object:
        """Cancel it the runtime's way."""
        ...


class Socket(Protocol):
    """The WebSocket that an exchange became. Any number of tasks may send, one may receive."""

    closed: SocketClosed | None
    """How it ended, once it has."""
    closing: bool
    """Whether our side has begun to close it: a task here, or the server that stops."""

    @property
    def state(self) -> State:
        """Of the closing table (`websocket.closing`)."""
        ...

    def unsent(self) -> int:
        """Bytes that the transport still holds."""
        ...

    def receive_now(self) -> WebSocketEvent | None:
        """As `receive`, without waiting; None where that would wait."""
        ...

    async def receive(self, timeout: float | None = None) -> WebSocketEvent | None:
        """The next event: a message, what happens at the end, and `SocketClosed` from then on, as often as asked.

        returns: None if `wake` was called, or our side began to close, while it waited; nothing is lost then
        raises: TimeoutError after `timeout` seconds; LocalProtocolError if another task is waiting here
        """
        ...

    def wake(self) -> None:
        """End a waiting `receive` with None; without one, nothing."""
        ...

    async def send(self, command: WebSocketCommand) -> None:
        """Hand a command to the machine; for data, waits while the peer takes less than we send.

        raises: LocalProtocolError where the command is illegal now or malformed; ConnectionResetError once closed
        """
        ...

    async def wait_closed(self) -> SocketClosed:
        """Until it has ended, which `StartClose` bounds by `WebSocketLimits.close_timeout`; any task may wait."""
        ...


class Exchange(Protocol):
    """One request, and exactly one final response to it."""

    @property
    def head(self) -> RequestReceived:
        """The request's head."""
        ...

    @property
    def connection(self) -> ConnectionInfo:
        """The transport it came on."""
        ...

    @property
    def server_software(self) -> bytes:
        """The value of the Server field (RFC 9110 10.2.4)."""
        ...

    @property
    def access_logger(self) -> "AccessLogSink | None":
        """Who is told of each finished exchange; None: nobody, and no time is spent on it."""
        ...

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def date(self) -> bytes:
        """The current time as IMF-fixdate (RFC 9110 5.6.7)."""
        ...

    async def receive(self) -> ContentReceived | ContentEnded:
        """The next content event.

        raises: RemoteProtocolError if the content can never be complete (`status_hint` 413: over the limit, 408: too
            slow, 400: malformed; `PeerDisconnected`: the peer left), again at each further call; LocalProtocolError
            after ContentEnded, or if another task is waiting in `receive`
        """
        ...

    async def send(self, command: ResponseCommand) -> None:
        """Hand a command to the machine; waits while the peer takes less than we send.

        raises: LocalProtocolError where the command is illegal now or malformed, saying what would have been legal,
            with nothing sent of it; ConnectionResetError if the peer has gone
        """
        ...

    def respond(self, command: SendResponse) -> None:
        """As `send`, for a whole response: that never has to wait, because nothing more will be written."""
        ...

    def open_websocket(
        self,
        head: SendHead,
        *,
        limits: WebSocketLimits,
        deflate: DeflateParameters | None,
        autoping: bool = True,
        autoclose: bool = True,
    ) -> Socket:
        """Send this 101 (see `websocket.opening.answer`) and speak WebSocket from now on.

        raises: LocalProtocolError where 101 is not legal; ConnectionResetError if the peer has gone
        """
        ...

    def event(self) -> Event:
        """A new event of the runtime."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> Running:
        """Run this in a task of its own beside the handler, at most as long as the connection's own tasks live.

        It must end when cancelled, let no exception out, and be cancelled at the latest when the handler ends.
        """
        ...

    def limit_content(self, max_bytes: int | None) -> None:
        """Bound this request's content; None for no bound."""
        ...

    def abort(self) -> None:
        """Break the connection off: the response going out cannot be completed."""
        ...

    def report(self, message: str, error: BaseException | None = None) -> None:
        """Tell the server's log, with the traceback of `error`."""
        ...
