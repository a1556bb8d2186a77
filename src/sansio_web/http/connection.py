"""What both roles of an HTTP/1.1 connection share (RFC 9112): content coming in, the connection's end, time, flow.

In: bytes, end of stream, what the transport holds, commands, time. Out: effects, events, the next deadline.
Not here: heads and what each role may send (`server_role`, `client_role`), the tables (`lifecycle`).
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from enum import auto
from typing import Any, Final, Generic, TypeVar

from .._deadlines import Deadlines
from .._transitions import Member, step
from ..effects import AbortTransport, CloseTransport, Effect, ShutdownWrite, Transmit
from ..errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError
from ..limits import DEFAULT_LIMITS, Limits
from .commands import LimitContent
from .events import ConnectionClosed, ContentBroken
from .incoming import Incoming
from .lifecycle import (
    PHASE,
    RECEIVE,
    SEND,
    CloseReason,
    Phase,
    PhaseInput,
    Receive,
    ReceiveInput,
    Send,
    SendInput,
)
from .outgoing import Outgoing, WriteProgress, least

E = TypeVar("E")
_OPEN: Final = (Phase.PERSISTENT, Phase.LAST)


class Deadline(Member):
    """Phases that wait for the peer; each has its timeout in `Limits`."""

    IDLE = auto()
    HEAD = auto()
    CONTENT = auto()
    WRITE = auto()
    DRAIN = auto()
    LINGER = auto()
    CONTINUE = auto()


class Connection(ABC, Generic[E]):
    """One end of an HTTP/1.1 connection.

    After each call *in*, drain `next_effect`, then `next_event`, then read `next_deadline` and `wants_data`.

    next_deadline: when `handle_timeout` must be called at the latest, on the clock of `now`; None for never
    receive, sending, phase: states of `lifecycle`, moved by its tables only
    close_reason: why the connection does not persist; set once
    peer_ended: no more bytes will come
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, can_half_close: bool = True) -> None:
        """can_half_close: whether the transport can end our half alone (TLS in many runtimes cannot)."""
        self.limits = limits
        self.can_half_close = can_half_close
        self.receive = Receive.IDLE
        self.sending = Send.IDLE
        self.phase = Phase.PERSISTENT
        self.close_reason: CloseReason | None = None
        self.peer_ended = False
        self.effects: deque[Effect] = deque()
        self.events: deque[Any] = deque()
        self.deadlines: Deadlines[Deadline] = Deadlines()
        self.next_deadline: Callable[[], float | None] = self.deadlines.next
        self._input: bytes | bytearray = b""
        self._incoming: Incoming | None = None
        self._outgoing = Outgoing()
        self._written = WriteProgress()
        self._lingered = 0

    # -- out -----------------------------------------------------------------------------------------------------

    def next_effect(self) -> Effect | None:
        """The next thing the adapter must do, or None."""
        return self.effects.popleft() if self.effects else None

    def next_event(self) -> E | None:
        """The next thing that happened, or None."""
        return self.events.popleft() if self.events else None

    def wants_data(self) -> bool:
        """Whether the adapter should read from the transport now."""
        if self.receive is Receive.IDLE and self.phase is Phase.PERSISTENT and not self._written.unsent:
            return not self.peer_ended
        if self.phase is Phase.CLOSED or self.phase is Phase.SWITCHED or self.peer_ended:
            return False
        if self.phase is Phase.LINGERING or self.receive is Receive.BROKEN:
            return True
        if self.receive is Receive.CONTENT and self._incoming is not None:
            return self._incoming.held < self.limits.max_buffered_content_bytes or self.sending is Send.COMPLETE
        if self.receive is Receive.COMPLETE or (self.receive is Receive.IDLE and self._congested()):
            return len(self._input) < self.limits.max_pipelined_bytes
        return True

    def buffered(self) -> int:
        """Bytes that came in and are held here; bounded by `Limits`."""
        return len(self._input) + (self._incoming.buffered() if self._incoming else 0)

    # -- in ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes came. An empty string is nothing, not the end (`receive_eof`)."""

    def receive_eof(self, now: float) -> None:
        """The peer ended its half of the stream. Idempotent."""
        if self.peer_ended:
            return
        self.peer_ended = True
        if self.phase is Phase.LINGERING:
            self._close()
        elif self.phase in (Phase.PERSISTENT, Phase.LAST):
            self._peer_ended(now)

    @abstractmethod
    def _peer_ended(self, now: float) -> None:
        """The role's part of `receive_eof`, before our half has ended."""

    def transport_lost(self, now: float) -> None:
        """The transport broke in both directions; nothing can be sent or received any more. Idempotent."""
        self.peer_ended = True
        self._written.report(0)
        self.deadlines.clear_all()
        if self.phase is Phase.CLOSED or self.phase is Phase.SWITCHED:
            return
        within = self.receive in (Receive.HEAD, Receive.CONTENT) or self.sending in (Send.OWED, Send.CONTENT)
        error = PeerDisconnected("the transport broke before the exchange was complete (RFC 9112 8)")
        self._must_close(CloseReason.PEER_LOST)
        self._break_content(error)
        self._closed(error if within else None)

    def transmitted(self, unsent: int, now: float) -> None:
        """The transport still holds `unsent` of the bytes it was given.

        To be called when it begins to hold back, when it has caught up, and right before `handle_timeout`.
        """
        before = self._written.unsent
        self._written.report(unsent)
        if not unsent:
            self.deadlines.clear(Deadline.WRITE)
        elif not before:
            self.deadlines.set(Deadline.WRITE, now, self.limits.write_timeout)
        if before > self.limits.max_unsent_bytes >= unsent:
            self._resume(now)

    @abstractmethod
    def _resume(self, now: float) -> None:
        """The peer takes bytes again: go on with what waited for it."""

    def handle_timeout(self, now: float) -> None:
        """Time has passed. Handles every deadline that is due, and is harmless when none is."""
        for name in self.deadlines.due(now):
            if name is Deadline.WRITE:
                self._write_due(now)
            elif name is Deadline.LINGER:
                self._linger_due(now)
            elif self.phase is not Phase.CLOSED:  # by what was due before it
                self._due(name, now)

    @abstractmethod
    def _due(self, name: Deadline, now: float) -> None:
        """A deadline of this role."""

    def _write_due(self, now: float) -> None:
        if self._written.progressed(least(self.limits.min_write_bytes)):
            self.deadlines.set(Deadline.WRITE, now, self.limits.write_timeout)
        elif self.phase in (Phase.CLOSED, Phase.SWITCHED):
            self._drop()
        else:
            self._abort(CloseReason.WRITE_TIMEOUT)

    def _drop(self) -> None:
        """The machine is done, the transport is not: the peer does not take what it still holds."""
        self._written.report(0)
        self.deadlines.clear(Deadline.WRITE)
        self.effects.append(AbortTransport())

    def _linger_due(self, now: float) -> None:
        if self._written.unsent and self.limits.write_timeout is not None:
            self.deadlines.set(Deadline.LINGER, now, self.limits.linger_timeout)  # WRITE guards this wait
        elif self.phase is Phase.LINGERING:
            self._close()

    # -- content coming in -----------------------------------------------------------------------------------------

    def _read_content(self, now: float) -> None:
        """Command ReadContent: one more event is wanted."""
        if self._incoming is None:
            raise LocalProtocolError("cannot read content: the message has none (RFC 9112 6.3)")
        self._incoming.wanted = True
        self._incoming.judge()
        self._settle_content(now)
        self._offer_content(now)

    def _limit_content(self, command: LimitContent, now: float) -> None:
        if self._incoming is not None:
            self._incoming.limit(command.max_bytes)
            self._settle_content(now)

    def _offer_content(self, now: float) -> None:
        """Tell what can be told, if somebody wants it, and time the peer only while somebody does."""
        incoming = self._incoming
        if incoming is None:
            return
        event = incoming.take() if incoming.wanted else None
        at = self.deadlines.at(Deadline.CONTENT)
        if event is not None:
            incoming.wanted = False
            self.events.append(event)
        if incoming.wanted and self.receive is Receive.CONTENT:
            if at is None:
                self.deadlines.set(Deadline.CONTENT, now, incoming.progress.left)
        elif at is not None:
            incoming.progress.paused(at - now)
            self.deadlines.clear(Deadline.CONTENT)

    def _receive_content(self, data: bytes, now: float) -> None:
        """Bytes after a head that announced content."""
        incoming = self._incoming
        assert incoming is not None
        before = incoming.received
        incoming.push(data)
        if incoming.progress.arrived(incoming.received - before):
            self.deadlines.clear(Deadline.CONTENT)
        self._settle_content(now)
        self._offer_content(now)

    def _settle_content(self, now: float) -> None:
        """Move RECEIVE if the content has ended or broken; what is over a limit may have been complete."""
        incoming = self._incoming
        if incoming is None or self.receive not in (Receive.CONTENT, Receive.COMPLETE) or self.phase not in _OPEN:
            return
        if incoming.error is not None:
            self.receive = step(RECEIVE, self.receive, ReceiveInput.FAIL)
            self._must_close(CloseReason.CONTENT_BROKEN)
            self._content_settled(now)
        elif incoming.ended and self.receive is Receive.CONTENT:
            self.receive = step(RECEIVE, self.receive, ReceiveInput.END)
            self._input = incoming.unused
            self._content_settled(now)

    @abstractmethod
    def _content_settled(self, now: float) -> None:
        """RECEIVE has just left CONTENT."""

    def _break_content(self, error: RemoteProtocolError) -> None:
        """The content that was coming will never be complete."""
        incoming = self._incoming
        if self.receive is Receive.CONTENT and incoming is not None:
            incoming.fail(error)
            self.receive = step(RECEIVE, self.receive, ReceiveInput.FAIL)
            if incoming.wanted:
                incoming.wanted = False
                self.events.append(ContentBroken(error))

    def _check_open(self, command: object) -> None:
        """A command that transmits needs a connection."""
        if self.phase in (Phase.CLOSED, Phase.LINGERING) and self.sending is not Send.COMPLETE:
            why = self.close_reason.value if self.close_reason else ""
            raise LocalProtocolError(f"cannot {type(command).__name__}: the connection has ended ({why})")

    # -- going out ---------------------------------------------------------------------------------------------------

    def _transmit(self, data: bytes) -> None:
        if data:
            self._written.transmitted += len(data)
            self.effects.append(Transmit(data))

    def _congested(self) -> bool:
        return self._written.unsent > self.limits.max_unsent_bytes

    # -- the end of the connection -----------------------------------------------------------------------------------

    def _must_close(self, reason: CloseReason) -> None:
        """No further exchange. The first reason is kept."""
        if self.phase in (Phase.PERSISTENT, Phase.LAST):
            self.phase = step(PHASE, self.phase, PhaseInput.MUST_CLOSE)
            self.close_reason = self.close_reason or reason

    def _end_write(self, now: float) -> None:
        """Nothing more will be sent: end our half and let the peer finish, if the transport can (RFC 9112 9.6)."""
        if self.peer_ended or not self.can_half_close or self.limits.linger_timeout == 0:
            self._close()
            return
        self.phase = step(PHASE, self.phase, PhaseInput.END_WRITE)
        self.effects.append(ShutdownWrite())
        self._forget_input()
        self.deadlines.clear(Deadline.IDLE, Deadline.HEAD, Deadline.CONTENT, Deadline.DRAIN)
        self.deadlines.set(Deadline.LINGER, now, self.limits.linger_timeout)

    def _discard(self, count: int) -> None:
        """Bytes that came while LINGERING."""
        self._lingered += count
        if self._lingered > self.limits.max_linger_bytes:
            self._close()

    def _close(self, error: RemoteProtocolError | None = None) -> None:
        self.effects.append(CloseTransport())
        self._closed(error)

    def _abort(self, reason: CloseReason, error: RemoteProtocolError | None = None) -> None:
        self._must_close(reason)
        self._break_content(error or PeerDisconnected(f"the connection was aborted: {reason.value}"))
        self.effects.append(AbortTransport())
        self._written.report(0)
        self._closed(error)

    def _closed(self, error: RemoteProtocolError | None) -> None:
        self.phase = step(PHASE, self.phase, PhaseInput.CLOSE)
        self._forget_input()
        self.deadlines.clear(*(name for name in Deadline if name is not Deadline.WRITE or not self._written.unsent))
        self.events.append(ConnectionClosed(self.close_reason or CloseReason.PEER_ENDED, error))

    def forget(self) -> None:
        """Nobody will ask any more: let go of what is held, and of an error that would hold who it was raised in."""
        self._input = b""
        self._incoming = None

    def _forget_input(self) -> None:
        """Our part is over: what came is dropped, what comes is not read."""
        self._input = b""
        if self.receive is Receive.CONTENT:
            self._discard_content()
            self.receive = step(RECEIVE, self.receive, ReceiveInput.FAIL)

    def _discard_content(self) -> None:
        told = self._incoming.discard() if self._incoming is not None and self.receive is Receive.CONTENT else None
        if told is not None:
            self.events.append(told)

    def _abandon(self, now: float) -> None:
        """SEND is CUT: make sure that the peer does not take what it has for the whole (lifecycle, rule 4)."""
        self.sending = step(SEND, self.sending, SendInput.CUT)
        if self._outgoing.ends_with_connection:
            self._abort(CloseReason.CUT)
        else:
            self._must_close(CloseReason.CUT)
            self._end_write(now)


def join(held: bytes | bytearray, data: bytes) -> bytes | bytearray:
    """Input that waits and input that came; grows in place, so that a peer that dribbles does not cost a square."""
    if not held:
        return data
    if not isinstance(held, bytearray):
        held = bytearray(held)
    held += data
    return held
