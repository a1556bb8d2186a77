"""An open WebSocket on its way through a handler: `exchange.Socket` over a driver.

Not here: the machine (`websocket`), aiohttp's names (`web.websocket`).
"""

from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from .errors import LocalProtocolError
from .websocket.closing import State
from .websocket.commands import SendBytes, SendFrame, SendText, StartClose, WebSocketCommand
from .websocket.connection import WebSocket
from .websocket.events import MessageReceived, PingReceived, PongReceived, SocketClosed, WebSocketEvent

if TYPE_CHECKING:
    from .driver import Driver
    from .exchange import Event

_ASKED_FOR: Final[frozenset[type]] = frozenset((MessageReceived, PingReceived, PongReceived))
_DATA: Final[frozenset[type]] = frozenset((SendText, SendBytes, SendFrame))
_SENDS: Final = frozenset((State.OPEN, State.REMOTE_CLOSING))

_here: ContextVar["ServerSocket | None"] = ContextVar("the WebSocket of the handler that runs here", default=None)


class ServerSocket:
    """What a handler does with the WebSocket that its exchange became.

    closed: how it ended, once it has
    closing: whether our side began to close it
    alarm: when `alarmed` must be called; None for never
    `_told` holds events until they are taken, so that a cancelled reader loses nothing.
    """

    __slots__ = (
        *("_asked", "_driver", "_ended", "_inside", "_late", "_told", "_waiter", "_websocket", "alarm", "closed"),
        "closing",
    )

    def __init__(self, driver: "Driver", websocket: WebSocket) -> None:
        """Made within the handler, whose context remembers it."""
        self.closed: SocketClosed | None = None
        self.closing = False
        self.alarm: float | None = None
        self._driver = driver
        self._websocket = websocket
        self._told: deque[WebSocketEvent] = deque()
        self._asked = False  # for a message
        self._late = False  # the alarm went off
        self._waiter: Event | None = None  # of the task in `receive`
        self._ended: Event = driver.host.event()
        self._inside = 0  # tasks of the handler in `send` and `wait_closed`
        _here.set(self)

    @property
    def state(self) -> State:
        """Of the closing table."""
        return self._websocket.state

    @property
    def waiting(self) -> bool:
        """Whether the handler will hear of the end from us: a task reads, or one of its own sends or closes."""
        return self._waiter is not None or self._inside > 0

    def unsent(self) -> int:
        """Bytes that the transport still holds."""
        return self._driver.host.unsent()

    # -- receiving -----------------------------------------------------------------------------------------------------

    def receive_now(self) -> WebSocketEvent | None:
        """The next event, if it is here; see `exchange.Socket`."""
        if self._waiter is not None:
            raise LocalProtocolError("another task is waiting in receive() of this WebSocket; only one may")
        told = self._told
        if not told or told[0].__class__ not in _ASKED_FOR:
            state = self._websocket.state
            if not self._asked and state is not State.DRAINING and state is not State.CLOSED:
                self._asked = True
                self._driver.ask()  # for the peer's last word too: it is answered when what came before is dealt with
            if not told:
                return self.closed
        event = told.popleft()
        if event.__class__ in _ASKED_FOR:
            self._asked = False
        return event

    async def receive(self, timeout: float | None = None) -> WebSocketEvent | None:
        """The next event; see `exchange.Socket`."""
        event = self.receive_now()
        if event is not None:
            return event
        driver = self._driver
        if timeout is not None:
            self._late = False
            self.alarm = driver.host.now() + timeout
            driver.arm(self.alarm)
        self._waiter = driver.host.event()
        try:
            await self._waiter.wait()
        finally:
            self._waiter = None
            self.alarm = None
        event = self.receive_now()
        if event is None and timeout is not None and self._late:
            raise TimeoutError(f"nothing came within {timeout} s")
        return event

    def wake(self) -> None:
        """End a waiting `receive` with None."""
        if self._waiter is not None:
            self._waiter.set()

    def alarmed(self, now: float) -> None:
        """Time has passed."""
        if self.alarm is not None and self.alarm <= now:
            self._late = True
            self.alarm = None
            self.wake()

    def tell(self, event: WebSocketEvent) -> None:
        """The driver has an event for this socket."""
        self._told.append(event)
        if event.__class__ is SocketClosed:
            assert isinstance(event, SocketClosed)
            self.closed = event
            self._ended.set()
        if self._waiter is not None:
            self._waiter.set()

    def stopped(self) -> None:
        """Our side has begun to close; whoever waits for a message learns of it."""
        if self.state is State.LOCAL_CLOSING:
            self.closing = True
            self.wake()

    # -- sending -------------------------------------------------------------------------------------------------------

    async def send(self, command: WebSocketCommand) -> None:
        """Hand a command to the machine; see `exchange.Socket`."""
        driver = self._driver
        if command.__class__ in _DATA:
            if self._websocket.state not in _SENDS:
                raise self._reset(command)
            driver.transmit(command)
            if driver.blocked is not None:
                await self._unblocked(command)
        elif self.closed is not None:
            raise self._reset(command)
        else:
            driver.apply(command)
            if command.__class__ is StartClose:
                self.stopped()

    async def _unblocked(self, command: WebSocketCommand) -> None:
        own = _here.get() is self
        self._inside += own
        try:
            await self._driver.unblocked()
        finally:
            self._inside -= own
        if self.closed is not None:
            raise self._reset(command)

    def _reset(self, command: WebSocketCommand) -> ConnectionResetError:
        ended = self.closed
        why = f"has ended ({ended.code} {ended.reason!r}: {ended.by.value})" if ended is not None else "is closing"
        return ConnectionResetError(f"cannot {type(command).__name__}: the WebSocket {why}")

    async def wait_closed(self) -> SocketClosed:
        """Until it has ended; see `exchange.Socket`."""
        own = _here.get() is self
        self._inside += own
        try:
            while self.closed is None:
                await self._ended.wait()
        finally:
            self._inside -= own
        return self.closed
