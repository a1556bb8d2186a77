"""How a WebSocket connection and its transport end: DRAINING, CLOSED, and a peer that takes nothing (RFC 6455 7.1).

In: the end of the stream, what the transport holds, time. Out: effects, `SocketClosed`.
Not here: whose Close comes when (`connection`), the table (`closing`).
"""

from abc import ABC, abstractmethod
from collections import deque
from enum import auto

from .._deadlines import Deadlines
from .._transitions import Member, step
from ..effects import AbortTransport, CloseTransport, Effect, ShutdownWrite, Transmit
from ..errors import PeerDisconnected, RemoteProtocolError
from .closing import TRANSITIONS, Ended, Input, State
from .codes import CloseCode, cut_reason
from .commands import Abort
from .events import CloseReceived, SocketClosed, WebSocketEvent
from .limits import WebSocketLimits
from .outgoing import Progress


class Role(Member):
    """Which end of the connection (RFC 6455 5.1)."""

    CLIENT = auto()
    SERVER = auto()


class Deadline(Member):
    """What waits for the peer or for the application; each has its timeout in `WebSocketLimits`."""

    HEARTBEAT = auto()
    FRAME = auto()
    WRITE = auto()
    ANSWER = auto()
    CLOSE = auto()
    DRAIN = auto()


class Ending(ABC):
    """The part of `WebSocket` that leads to CLOSED.

    state: of `closing`, moved by its table only
    peer_ended: no more bytes will come
    effects, events: the queues, for a driver that wants to see that one is empty without a call
    """

    __slots__ = (
        *("_by", "_can_half_close", "_deadlines", "_error", "_received", "_role", "_sent_close", "_written"),
        *("effects", "events", "limits", "peer_ended", "state"),
    )  # fmt: skip

    def __init__(self, role: Role, limits: WebSocketLimits, *, can_half_close: bool) -> None:
        self._role = role
        self._can_half_close = can_half_close
        self.limits = limits
        self.state = State.OPEN
        self.peer_ended = False
        self.effects: deque[Effect] = deque()
        self.events: deque[WebSocketEvent] = deque()
        self._deadlines: Deadlines[Deadline] = Deadlines()
        self._written = Progress()
        self._sent_close = False
        self._received: CloseReceived | None = None  # the peer's Close
        self._error: RemoteProtocolError | None = None  # what broke
        self._by: Ended | None = None  # set by whatever makes the connection leave OPEN

    # -- out ---------------------------------------------------------------------------------------------

    def next_effect(self) -> Effect | None:
        """The next thing the adapter must do, or None."""
        return self.effects.popleft() if self.effects else None

    def next_event(self) -> WebSocketEvent | None:
        """The next thing that happened, or None."""
        return self.events.popleft() if self.events else None

    def next_deadline(self) -> float | None:
        """When `handle_timeout` must be called at the latest, on the clock of `now`; None for never."""
        return self._deadlines.next()

    # -- in ----------------------------------------------------------------------------------------------

    def transport_lost(self, now: float) -> None:
        """The transport broke in both directions; nothing can be sent or received any more. Idempotent."""
        self.peer_ended = True
        self._written.report(0)
        self._deadlines.clear(Deadline.WRITE)
        if self.state is not State.CLOSED:
            self._leave_open(Ended.TRANSPORT)
            self._finish(Input.LOSE)

    def transmitted(self, unsent: int, now: float) -> None:
        """The transport still holds `unsent` of the bytes it was given.

        To be called when it begins to hold back, when it has caught up, and right before `handle_timeout`.
        """
        before = self._written.unsent
        self._written.report(unsent)
        if not unsent:
            self._deadlines.clear(Deadline.WRITE)
        elif not before:
            self._deadlines.set(Deadline.WRITE, now, self.limits.write_timeout)

    # -- towards the end ---------------------------------------------------------------------------------

    def _leave_open(self, by: Ended) -> None:
        if self.state is State.OPEN:
            self._by = by

    @abstractmethod
    def _settle(self) -> None:
        """No frame is read any more: tell what waits to be told, forget what is unfinished."""

    def _drain(self, now: float) -> None:
        """DRAINING has begun: rule 4."""
        self._settle()
        self._deadlines.clear(Deadline.ANSWER)
        if self.peer_ended:
            self._end_of_stream()
            return
        if self._role is Role.SERVER or self._error is not None:
            if self._can_half_close:
                self.effects.append(ShutdownWrite())
            elif self._received is not None:
                self._finish(Input.END, CloseTransport())
                return
        self._deadlines.set(Deadline.DRAIN, now, self.limits.drain_timeout)

    def _drain_due(self, now: float) -> None:
        if self._written.unsent and self.limits.write_timeout is not None:
            self._deadlines.set(Deadline.DRAIN, now, self.limits.drain_timeout)  # WRITE guards this wait
        else:
            self._expire()

    def _end_of_stream(self) -> None:
        self._leave_open(Ended.TRANSPORT)
        if TRANSITIONS[self.state, Input.RECV_EOF] is State.CLOSED:
            self._finish(Input.RECV_EOF, CloseTransport())

    def _expire(self) -> None:
        """Wait no longer: what the peer does not take is dropped."""
        self._leave_open(Ended.TIMEOUT)
        self._finish(Input.EXPIRE, AbortTransport() if self._written.unsent else CloseTransport())

    def _abort(self, _command: Abort, now: float) -> None:
        if self.state is not State.CLOSED:
            self._leave_open(Ended.LOCAL)
            self._finish(Input.ABORT, AbortTransport())
        elif self._written.unsent:
            self._drop()

    def _finish(self, moved_by: Input, effect: Effect | None = None) -> None:
        """The one way into CLOSED."""
        self.state = step(TRANSITIONS, self.state, moved_by)
        self._settle()
        if effect is not None:
            self.effects.append(effect)
        if type(effect) is AbortTransport:
            self._written.report(0)
        self._deadlines.clear(*(name for name in Deadline if name is not Deadline.WRITE or not self._written.unsent))
        self.events.append(self._summary())

    def _summary(self) -> SocketClosed:
        """Rule 6."""
        assert self._by is not None
        code, reason = int(CloseCode.ABNORMAL), ""
        if self._received is not None:
            code, reason = self._received.code, self._received.reason
        elif self._by is Ended.FAILED and self._error is not None:
            code, reason = self._error.close_code_hint, cut_reason(str(self._error))
        clean = self._sent_close and self._received is not None
        return SocketClosed(code, reason, clean, self._by, self._error)

    # -- going out ---------------------------------------------------------------------------------------

    def _transmit(self, data: bytes) -> None:
        self._written.transmitted += len(data)
        self.effects.append(Transmit(data))

    def _write_due(self, now: float) -> None:
        if self._written.progressed(self.limits.min_write_bytes):
            self._deadlines.set(Deadline.WRITE, now, self.limits.write_timeout)
        elif self.state is State.CLOSED:
            self._drop()
        else:
            if self.state is State.OPEN:
                what = f"the peer took too little within {self.limits.write_timeout} s (WebSocketLimits.write_timeout)"
                self._error = PeerDisconnected(what)
            self._expire()

    def _drop(self) -> None:
        """The machine is done, the transport is not: the peer does not take what it still holds."""
        self._written.report(0)
        self._deadlines.clear(Deadline.WRITE)
        self.effects.append(AbortTransport())
