"""The switchboard of one server connection: HTTP, and what a peer's error becomes.

The shape is the HTTP machine's own (`http.server_role`); a request that cannot be read is answered here, so that
whoever drives this sees only requests that can be served. A later protocol takes its place behind the same names after
`ProtocolSwitched`.
"""

from collections import deque
from collections.abc import Callable

from .effects import Effect
from .errors import RemoteProtocolError
from .http.commands import ABORT, SendResponse, ServerCommand
from .http.events import ProtocolSwitched, RequestRefused, ServerEvent
from .http.lifecycle import Phase, Send
from .http.server_role import ServerRole, no_date
from .http.status import REASONS
from .limits import DEFAULT_LIMITS, Limits


class ServerConnection:
    """One connection, from the first byte to the last.

    The calls of the hot path are the machine's own methods, plugged in when it takes over. `effects` and `events` are
    its queues: a driver may take from them directly, if it passes every event but `RequestReceived` through `noticed`.
    """

    __slots__ = ("effects", "events", "http", "next_deadline", "next_effect", "receive_data", "send", "wants_data")

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
        self.receive_data: Callable[[bytes, float], None] = self.http.receive_data
        self.send: Callable[[ServerCommand, float], None] = self.http.send
        self.next_effect: Callable[[], Effect | None] = self.http.next_effect
        self.next_deadline: Callable[[], float | None] = self.http.deadlines.next
        self.wants_data: Callable[[], bool] = self.http.wants_data
        self.effects: deque[Effect] = self.http.effects
        self.events: deque[ServerEvent] = self.http.events

    def next_event(self) -> ServerEvent | None:
        """The next thing that happened. `RequestRefused` has been answered already; it comes for the log."""
        event = self.http.next_event()
        return None if event is None else self.noticed(event)

    def noticed(self, event: ServerEvent) -> ServerEvent:
        """What this switchboard does about an event that was taken from `events`."""
        if type(event) is RequestRefused:
            self._answer(event.error)
        elif type(event) is ProtocolSwitched:
            self.http.phase = Phase.SWITCHED
        return event

    def receive_eof(self, now: float) -> None:
        """The peer ended its half."""
        self.http.receive_eof(now)

    def transport_lost(self, now: float) -> None:
        """The transport broke."""
        self.http.transport_lost(now)

    def transmitted(self, unsent: int, now: float) -> None:
        """What the transport still holds."""
        self.http.transmitted(unsent, now)

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        self.http.handle_timeout(now)

    def buffered(self) -> int:
        """Bytes that came in and are held."""
        return self.http.buffered()

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
