"""Joins a `ServerConnection` and an application for any runtime, through the few functions of `Host`.

The adapter hands in bytes, ends and ticks; the driver applies them to the machine, does what the machine asks through
`Host`, and runs `application.handle(exchange)` for each request. There is no event loop here and no protocol either.
"""

from typing import Any, Final

from .effects import CloseTransport, Effect, ShutdownWrite, Transmit
from .errors import LocalProtocolError, RemoteProtocolError
from .exchange import Event
from .host import Host, OnDisconnect, Settings
from .http.commands import (
    ABORT,
    Abort,
    LimitContent,
    ReadContent,
    SendHead,
    SendResponse,
    ServerCommand,
)
from .http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentReceived,
    PeerEnded,
    ProtocolSwitched,
    RequestReceived,
    ServerEvent,
)
from .http.lifecycle import Send
from .server import ServerConnection
from .server_exchange import ServerExchange, reset
from .server_socket import ServerSocket
from .websocket.closing import State
from .websocket.codes import CloseCode
from .websocket.commands import ABORT as WEBSOCKET_ABORT
from .websocket.commands import RECEIVE_MESSAGE, StartClose, WebSocketCommand
from .websocket.deflate import DeflateParameters
from .websocket.events import MessageReceived, SocketClosed, WebSocketEvent
from .websocket.limits import WebSocketLimits

_FLUSH_BYTES: Final = 65_536


class Driver:
    """One connection's machine, exchanges and host.

    blocked: set while the transport holds back; writers wait for it
    exchange: of the request that came last
    socket: the WebSocket that it became
    """

    __slots__ = (
        *("_armed", "_connection", "_effects", "_events", "_lost", "_next", "_out", "_out_bytes", "_pumping"),
        *("_reading", "_unfinished", "blocked", "exchange", "host", "settings", "socket"),
    )

    def __init__(self, settings: Settings, host: Host, *, can_half_close: bool = True) -> None:
        self.settings = settings
        self.host = host
        self.blocked: Event | None = None
        self.exchange: ServerExchange | None = None
        self.socket: ServerSocket | None = None
        self._connection = ServerConnection(
            settings.limits,
            now=host.now(),
            date=settings.date,
            server=settings.server_software,
            can_half_close=can_half_close,
        )
        self._effects = self._connection.effects
        self._events = self._connection.events
        self._unfinished: set[ServerExchange] = set()
        self._next: RequestReceived | None = None
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._pumping = False
        self._reading = True
        self._armed: float | None = None
        self._lost = False
        settings.drivers.add(self)

    # -- from the adapter --------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """The transport is ready."""
        if self.settings.stopping:
            self._stop()
        self._pump()

    def receive_data(self, data: bytes) -> None:
        """Bytes came."""
        self._connection.receive_data(data, self.host.now())
        self._pump()

    def receive_eof(self) -> None:
        """The peer ended its half."""
        self._connection.receive_eof(self.host.now())
        self._pump()

    def transport_lost(self) -> None:
        """The transport is gone, with or without our doing. Comes last."""
        self._connection.transport_lost(self.host.now())
        self._pump()
        self._unblock()
        self._lost = True
        self._depart()

    def _depart(self) -> None:
        """Leave the server's books once the transport is gone and no handler works."""
        if self._lost and not self._unfinished:
            self._connection.http.forget()
            self.exchange = None
            self.settings.drivers.discard(self)
            if self.settings.on_departure is not None:
                self.settings.on_departure()

    def write_blocked(self) -> None:
        """The transport holds back."""
        if self.blocked is None:
            self.blocked = self.host.event()
        self._connection.transmitted(self.host.unsent(), self.host.now())

    def write_resumed(self) -> None:
        """The transport takes more again."""
        self._connection.transmitted(self.host.unsent(), self.host.now())
        self._unblock()
        self._pump()

    def tick(self) -> None:
        """The moment given to `Host.arm` has come, or may have."""
        self._armed = None
        now = self.host.now()
        deadline = self._connection.next_deadline()
        if deadline is not None and deadline <= now:
            self._connection.transmitted(self.host.unsent(), now)
            self._connection.handle_timeout(now)
        self._pump()
        if self.socket is not None:
            self.socket.alarmed(now)
            if self.socket.alarm is not None:
                self.arm(self.socket.alarm)

    def arm(self, deadline: float) -> None:
        """Have `tick` called then at the latest."""
        if self._armed is None or deadline < self._armed:
            self._armed = deadline
            self.host.arm(deadline)

    def stop(self) -> None:
        """Finish what runs, begin nothing new (graceful stop)."""
        self._connection.transmitted(self.host.unsent(), self.host.now())
        self._stop()
        self._pump()

    def _stop(self) -> None:
        self._connection.stop(self.host.now())
        if self.socket is not None:
            self.socket.stopped()

    def cancel(self) -> None:
        """Cancel every handler and break the connection off; without a handler, drop the transport."""
        if not self._unfinished:
            self.host.abort()
        self._next = None
        for exchange in tuple(self._unfinished):
            self._cancel(exchange)
        self._connection.abort(self.host.now())
        self._pump()

    def abandon(self) -> None:
        """Drop the transport, whatever its handlers do."""
        self.host.abort()

    @property
    def busy(self) -> bool:
        """Whether a handler is at work."""
        return bool(self._unfinished)

    # -- from an exchange --------------------------------------------------------------------------------------------

    def command(self, command: ServerCommand, asking: ServerExchange) -> None:
        """Apply a command of one exchange, if the machine is still about it."""
        if self._connection.http.request is not asking.head:
            self._late(command, asking)
        elif asking.gone is not None and not isinstance(command, (ReadContent, LimitContent, Abort)):
            raise reset(command, asking)
        else:
            self.apply(command)

    def apply(self, command: ServerCommand | WebSocketCommand) -> None:
        """Hand a command to the machine in charge, and do what it asks."""
        self._connection.send(command, self.host.now())
        if not self._pumping:
            self._pump()
        elif self._events or type(command) is not SendResponse:
            self._drain()

    def transmit(self, command: WebSocketCommand) -> None:
        """As `apply`, for data: nothing but bytes to write can follow."""
        self._connection.send(command, self.host.now())
        effects = self._effects
        if self._pumping or len(effects) > 1:
            self._pump()
            return
        effect = effects.popleft()
        assert type(effect) is Transmit
        self.host.write(effect.data)
        if self.blocked is not None:
            self._pump()  # the peer's time runs

    def ask(self) -> None:
        """One more message of the WebSocket is wanted. Where nothing follows, nothing is to be done."""
        self._connection.send(RECEIVE_MESSAGE, self.host.now())
        if self._events or self._effects:
            self._pump()

    def open_websocket(
        self,
        asking: ServerExchange,
        head: SendHead,
        *,
        limits: WebSocketLimits,
        deflate: DeflateParameters | None,
        autoping: bool,
        autoclose: bool,
    ) -> ServerSocket:
        """Turn the connection of one exchange into a WebSocket."""
        connection = self._connection
        if connection.http.request is not asking.head:
            self._late(head, asking)
        connection.open_websocket(
            head, self.host.now(), limits=limits, deflate=deflate, autoping=autoping, autoclose=autoclose
        )
        assert connection.websocket is not None
        self._effects, self._events = connection.effects, connection.events
        self.socket = ServerSocket(self, connection.websocket)
        if self.blocked is not None:
            connection.transmitted(self.host.unsent(), self.host.now())
        if self.settings.stopping:
            self._stop()
        self._pump()
        return self.socket

    def _late(self, command: ServerCommand, asking: ServerExchange) -> None:
        """The machine has gone on to the next request."""
        match command:
            case Abort() if asking is self.exchange and self.socket is not None:
                self.apply(WEBSOCKET_ABORT)
            case LimitContent() | Abort():
                return
            case ReadContent():
                error = RemoteProtocolError("the content was discarded: the response ended before it was read")
                asking.tell(ContentBroken(error))
            case _:
                what = "the response to this request is complete; one request, one response"
                raise LocalProtocolError(f"cannot {type(command).__name__}: {what}")

    # -- the drain rule ----------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Effects, then events, until there are none; then what the adapter has to know.

        Called within itself (a handler that runs at once sends a command), it leaves the beginning of a next request
        to the outer call, and so does a handler's command outside of it for the outermost.
        """
        if self._pumping:
            self._drain()
            return
        self._pumping = True
        try:
            self._drain()
            while self._next is not None and len(self._unfinished) < self.settings.max_handlers:
                head, self._next = self._next, None
                self._begin(head)
                if self._effects or self._events:
                    self._drain()
        finally:
            self._pumping = False
        if len(self._out) == 1:
            self._out_bytes = 0
            self.host.write(self._out.pop())
        else:
            self._flush()
        reading = self._connection.wants_data() and self._next is None
        if reading is not self._reading:
            self._reading = reading
            self.host.read(reading)
        deadline = self._connection.next_deadline()
        if deadline is not None and (self._armed is None or deadline < self._armed):
            self.arm(deadline)

    def _drain(self) -> None:
        effects, events = self._effects, self._events
        while True:
            while effects:
                effect = effects.popleft()
                if type(effect) is Transmit:
                    self._out.append(effect.data)
                    self._out_bytes += len(effect.data)
                    if self._out_bytes > _FLUSH_BYTES:
                        self._flush()
                else:
                    self._flush()
                    self._do(effect)
            if not events:
                return
            event = events.popleft()
            if type(event) is RequestReceived:
                self._next = event
            elif type(event) is MessageReceived:
                assert self.socket is not None  # whose message else
                self.socket.tell(event)
            else:
                self._happened(self._connection.noticed(event))

    def _flush(self) -> None:
        out = self._out
        if out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            self._out_bytes = 0
            self.host.write(data)

    def _do(self, effect: Effect) -> None:
        if type(effect) is ShutdownWrite:
            self.host.shutdown_write()
        elif type(effect) is CloseTransport:
            self.host.close()
            self._connection.transmitted(self.host.unsent(), self.host.now())  # a peer that takes nothing is timed
        else:
            self.host.abort()

    def _happened(self, event: ServerEvent | WebSocketEvent) -> None:
        exchange = self.exchange
        if self.socket is not None:
            self._socket_happened(self.socket, event)
            return
        match event:
            case ContentReceived() | ContentEnded() | ContentBroken():
                assert exchange is not None  # who else would have asked for it
                exchange.tell(event)
            case PeerEnded():
                self._departed(exchange)
            case ConnectionClosed():
                self._next = None  # nobody is there to be answered
                for each in self._unfinished:
                    each.gone = event.error or event.reason.value
                self._unblock()
                self._departed(exchange)
            case ProtocolSwitched():
                self.settings.report(f"nobody here speaks {event.protocol!r}; the connection is closed", None)
                self._flush()
                self.host.abort()
            case _:  # RequestRefused was answered by the connection
                pass

    def _socket_happened(self, socket: ServerSocket, event: Any) -> None:
        """An event of the WebSocket. Its end cancels, by the policy, a handler that waits for something else."""
        idle = not socket.waiting
        socket.tell(event)
        if type(event) is not SocketClosed:
            return
        self._unblock()
        exchange = self.exchange
        assert exchange is not None  # it became the WebSocket
        exchange.gone = f"{event.code} {event.reason}"
        if idle and self.settings.on_disconnect is OnDisconnect.CANCEL and exchange in self._unfinished:
            self._cancel(exchange)

    def _departed(self, exchange: ServerExchange | None) -> None:
        """The client left. Work after a complete response belongs to the application: no departure cancels it."""
        if self.settings.on_disconnect is not OnDisconnect.CANCEL or exchange is None or exchange.running is None:
            return
        if exchange in self._unfinished and self._response_open(exchange):
            self._cancel(exchange)

    def _cancel(self, exchange: ServerExchange) -> None:
        if exchange.running is not None:
            exchange.running.cancel()
            if not exchange.begun:
                self._finished(exchange)

    def _response_open(self, exchange: ServerExchange) -> bool:
        http = self._connection.http
        return http.request is exchange.head and http.sending in (Send.OWED, Send.CONTENT)

    async def unblocked(self) -> None:
        """Until the transport holds back no more, or has ended."""
        while self.blocked is not None:
            await self.blocked.wait()

    def _unblock(self) -> None:
        if self.blocked is not None:
            self.blocked.set()
            self.blocked = None

    # -- handlers ----------------------------------------------------------------------------------------------------

    def _begin(self, head: RequestReceived) -> None:
        exchange = ServerExchange(self, head)
        self.exchange = exchange
        self._unfinished.add(exchange)
        self.settings.requests_count += 1
        exchange.running = self.host.start(self._run(exchange))
        if exchange.gone is not None or self._connection.http.peer_ended:
            self._departed(exchange)

    async def _run(self, exchange: ServerExchange) -> None:
        if exchange not in self._unfinished:
            return  # cancelled before it began
        exchange.begun = True
        try:
            await self.settings.application.handle(exchange)
        except Exception as error:
            self.settings.report("the application let an exception escape", error)
        except (SystemExit, KeyboardInterrupt) as error:
            if self.settings.on_exit is None:
                raise
            self.settings.on_exit(error)
        finally:
            self._finished(exchange)

    def _finished(self, exchange: ServerExchange) -> None:
        """A handler has ended, however. If its response has not, nobody will finish it."""
        self._unfinished.discard(exchange)
        if self._connection.http.request is exchange.head and exchange.gone is None and self._response_open(exchange):
            self._connection.send(ABORT, self.host.now())
        elif self.socket is not None and exchange is self.exchange and self.socket.state is State.OPEN:
            self._connection.send(StartClose(CloseCode.INTERNAL_ERROR, "its handler has ended"), self.host.now())
        if not self._pumping:
            self._pump()
        if self._lost:
            self._depart()
