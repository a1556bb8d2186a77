"""One request on its way through a handler: `exchange.Exchange` over a driver.

Not here: the machine and what its events mean for a connection (`driver`).
"""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from .errors import LocalProtocolError, RemoteProtocolError
from .exchange import ConnectionInfo, Event, Running, Socket
from .http.commands import (
    ABORT,
    READ_CONTENT,
    LimitContent,
    ResponseCommand,
    SendContent,
    SendHead,
    SendResponse,
    ServerCommand,
)
from .http.events import ContentBroken, ContentEnded, ContentEvent, ContentReceived, RequestReceived
from .websocket.deflate import DeflateParameters
from .websocket.limits import WebSocketLimits

if TYPE_CHECKING:
    from .driver import Driver


class ServerExchange:
    """One request on its way through a handler: `exchange.Exchange` over the driver.

    `_told` holds a content event until `receive` takes it, so that a cancelled reader loses nothing.

    begun: whether the handler has run at all; a task that is cancelled before its first step never does
    """

    running: "Running | None" = None  # set when its handler has to wait
    begun = False  # set by the handler's first step
    gone: RemoteProtocolError | str | None = None  # why nothing can be sent any more
    _told: ContentEvent | None = None
    _asked = False  # for a content event
    _waiter: "Event | None" = None

    def __init__(self, driver: "Driver", head: RequestReceived) -> None:
        self.head = head
        self.connection: ConnectionInfo = driver.host
        self.access_logger = driver.settings.access_logger
        self._driver = driver

    @property
    def server_software(self) -> bytes:
        """The value of the Server field."""
        return self._driver.settings.server_software

    def now(self) -> float:
        """Monotonic seconds."""
        return self._driver.host.now()

    def date(self) -> bytes:
        """The current time as IMF-fixdate."""
        return self._driver.settings.date()

    def report(self, message: str, error: BaseException | None = None) -> None:
        """Tell the server's log."""
        self._driver.settings.report(message, error)

    async def receive(self) -> ContentReceived | ContentEnded:
        """The next content event; see `exchange.Exchange`."""
        if self._waiter is not None:
            raise LocalProtocolError("another task is waiting in receive() of this request; only one may")
        while self._told is None:
            if not self._asked:
                self._driver.command(READ_CONTENT, self)
                self._asked = True
            if self._told is None:
                self._waiter = self._driver.host.event()
                try:
                    await self._waiter.wait()
                finally:
                    self._waiter = None
        told, self._told, self._asked = self._told, None, False
        if isinstance(told, ContentBroken):
            raise told.error.with_traceback(None)
        return told

    def tell(self, event: ContentEvent) -> None:
        """The driver has a content event for this exchange."""
        self._told = event
        if self._waiter is not None:
            self._waiter.set()

    def respond(self, command: SendResponse) -> None:
        """Send a whole response; see `exchange.Exchange`."""
        self._driver.command(command, self)

    async def send(self, command: ResponseCommand) -> None:
        """Hand a command to the machine; see `exchange.Exchange`."""
        driver = self._driver
        driver.command(command, self)
        if isinstance(command, SendContent):
            while driver.blocked is not None and self.gone is None:
                await driver.blocked.wait()
            if self.gone is not None:
                raise reset(command, self)

    def open_websocket(
        self,
        head: SendHead,
        *,
        limits: WebSocketLimits,
        deflate: DeflateParameters | None,
        autoping: bool = True,
        autoclose: bool = True,
    ) -> Socket:
        """Send this 101 and speak WebSocket; see `exchange.Exchange`."""
        if self.gone is not None:
            raise reset(head, self)
        return self._driver.open_websocket(
            self, head, limits=limits, deflate=deflate, autoping=autoping, autoclose=autoclose
        )

    def event(self) -> Event:
        """A new event of the runtime."""
        return self._driver.host.event()

    def spawn(self, work: Coroutine[Any, Any, None]) -> Running:
        """Run this beside the handler; see `exchange.Exchange`."""
        return self._driver.host.spawn(work)

    def limit_content(self, max_bytes: int | None) -> None:
        """Bound this request's content."""
        self._driver.command(LimitContent(max_bytes), self)

    def abort(self) -> None:
        """Break the connection off."""
        self._driver.command(ABORT, self)


def reset(command: ServerCommand, exchange: ServerExchange) -> ConnectionResetError:
    return ConnectionResetError(f"cannot {type(command).__name__}: the connection has ended ({exchange.gone})")
