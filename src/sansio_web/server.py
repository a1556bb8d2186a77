"""The switchboard of one server connection: HTTP, and what a peer's error becomes.

The shape is the HTTP machine's own (`http.server_role`); a request that cannot be read is answered here, so that
whoever drives this sees only requests that can be served. A later protocol takes its place behind the same names
after `ProtocolSwitched`.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from .effects import Effect
from .errors import RemoteProtocolError
from .http.commands import ABORT, STOP_PERSISTING, SendHead, SendResponse
from .http.events import ProtocolSwitched, RequestRefused, ServerEvent
from .http.lifecycle import Phase, Send
from .http.server_role import ServerRole, no_date
from .http.status import REASONS
from .limits import DEFAULT_LIMITS, Limits
from .websocket.closing import State
from .websocket.codes import CloseCode
from .websocket.commands import ABORT as WEBSOCKET_ABORT
from .websocket.commands import StartClose
from .websocket.connection import WebSocket
from .websocket.deflate import DeflateParameters
from .websocket.ending import Role
from .websocket.events import WebSocketEvent
from .websocket.limits import WebSocketLimits


class ServerConnection:
    """One connection, from the first byte to the last.

    The calls of the hot path are the machine's own methods, plugged in when it takes over. `effects` and `events` are
    its queues: a driver may take from them directly, if it passes every event but `RequestReceived` through
    `noticed`, and takes them anew after `open_websocket`.

    machine: the one in charge: `http`, later `websocket`
    """

    __slots__ = (
        *("effects", "events", "http", "machine", "next_deadline", "next_effect", "receive_data", "send"),
        *("wants_data", "websocket"),
    )

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        *,
        now: float,
        date: Callable[[], bytes] = no_date,
        server: bytes = b"",
        can_half_close: bool = True,
    ) -> None:
        """As `ServerRole`."""
        self.http = ServerRole(limits, now=now, date=date, server=server, can_half_close=can_half_close)
        self.websocket: WebSocket | None = None
        self._plug(self.http)

    def _plug(self, machine: ServerRole | WebSocket) -> None:
        self.machine = machine
        self.receive_data: Callable[[bytes, float], None] = machine.receive_data
        self.send: Callable[[Any, float], None] = machine.send
        self.next_effect: Callable[[], Effect | None] = machine.next_effect
        self.next_deadline: Callable[[], float | None] = machine.next_deadline
        self.wants_data: Callable[[], bool] = machine.wants_data
        self.effects: deque[Effect] = machine.effects
        self.events: deque[Any] = machine.events

    def open_websocket(
        self,
        head: SendHead,
        now: float,
        *,
        limits: WebSocketLimits,
        deflate: DeflateParameters | None,
        autoping: bool,
        autoclose: bool,
    ) -> None:
        """Send this 101, and speak WebSocket from now on with what had already come behind the request.

        limits, deflate, autoping, autoclose: of `WebSocket`
        raises: LocalProtocolError where 101 is not legal; then nothing was sent
        """
        http = self.http
        http.send(head, now)
        socket = WebSocket(
            Role.SERVER,
            limits,
            now=now,
            deflate=deflate,
            autoping=autoping,
            autoclose=autoclose,
            can_half_close=http.can_half_close,
        )
        socket.effects.extend(http.effects)
        http.effects.clear()
        switched = http.events.pop()
        assert isinstance(switched, ProtocolSwitched)
        http.request = None  # its exchange has no more to say to HTTP
        self.websocket = socket
        self._plug(socket)
        if switched.data:
            socket.receive_data(switched.data, now)
        if http.peer_ended:
            socket.receive_eof(now)

    def stop(self, now: float) -> None:
        """Finish what is open, begin nothing new: HTTP's last response, a WebSocket's 1001 (RFC 6455 7.4.1)."""
        if self.websocket is None:
            self.http.send(STOP_PERSISTING, now)
        elif self.websocket.state is State.OPEN:
            self.websocket.send(StartClose(CloseCode.GOING_AWAY, "the server is stopping"), now)

    def abort(self, now: float) -> None:
        """Break the connection off."""
        if self.websocket is None:
            self.http.send(ABORT, now)
        else:
            self.websocket.send(WEBSOCKET_ABORT, now)

    def next_event(self) -> ServerEvent | WebSocketEvent | None:
        """The next thing that happened. `RequestRefused` has been answered already; it comes for the log."""
        event = self.machine.next_event()
        return None if event is None else self.noticed(event)

    def noticed(self, event: ServerEvent | WebSocketEvent) -> ServerEvent | WebSocketEvent:
        """What this switchboard does about an event that was taken from `events`."""
        if type(event) is RequestRefused:
            self._answer(event.error)
        elif type(event) is ProtocolSwitched:
            self.http.phase = Phase.SWITCHED
        return event

    def receive_eof(self, now: float) -> None:
        """The peer ended its half."""
        self.machine.receive_eof(now)

    def transport_lost(self, now: float) -> None:
        """The transport broke."""
        self.machine.transport_lost(now)

    def transmitted(self, unsent: int, now: float) -> None:
        """What the transport still holds."""
        self.machine.transmitted(unsent, now)

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        self.machine.handle_timeout(now)

    def buffered(self) -> int:
        """Bytes that came in and are held."""
        return self.machine.buffered()

    @property
    def answerable(self) -> bool:
        """Whether a response is owed or under way on an open connection."""
        http = self.http
        return http.sending in (Send.OWED, Send.CONTENT) and http.phase in (Phase.PERSISTENT, Phase.LAST)

    def _answer(self, error: RemoteProtocolError) -> None:
        """Refuse what came with the status that the error hints at (RFC 9110 15.5)."""
        status = error.status_hint
        reason = REASONS.get(status, b"Bad Request")
        text = b"%d: %b\n%b\n" % (status, reason, str(error).encode("utf-8", "backslashreplace"))
        fields = [(b"Content-Type", b"text/plain; charset=utf-8")]
        if self.answerable:
            self.http.send(SendResponse(status, reason, fields, text), self.http.refused_at)
        else:
            self.http.send(ABORT, self.http.refused_at)
