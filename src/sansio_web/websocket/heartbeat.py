"""Is the peer alive: when to send a Ping and when its silence counts as death (RFC 6455 5.5.2).

Every byte of the peer is a sign of life, not only the Pong. Deadlines re-arm lazily: a byte costs one assignment.
Not here: the timer itself, which the connection holds; bytes of frames.
"""

from enum import auto

from .._transitions import Member


class Beat(Member):
    """What a due heartbeat asks for."""

    WAIT = auto()  # until `next_at`
    PING = auto()
    DEAD = auto()


class Heartbeat:
    """heard: when the peer's last bytes came; set by the connection.

    next_at: when `due` must be called; pings: how many were asked for.
    """

    __slots__ = ("_heard_before_ping", "_interval", "_pong_timeout", "heard", "next_at", "pings")

    def __init__(self, interval: float, pong_timeout: float | None, now: float) -> None:
        self._interval = interval
        self._pong_timeout = interval / 2 if pong_timeout is None else pong_timeout
        self._heard_before_ping: float | None = None
        self.heard = now
        self.next_at = now + interval
        self.pings = 0

    def due(self, now: float, *, excused: bool) -> Beat:
        """Decide at `next_at`, and set the next.

        excused: the peer's answer may be waiting unread, or our Ping unsent, which is not its fault
        """
        before = self._heard_before_ping
        if before is not None:
            if self.heard <= before:
                if excused:
                    self.next_at = now + self._pong_timeout
                    return Beat.WAIT
                return Beat.DEAD
            self._heard_before_ping = None
        if self.heard + self._interval > now:
            self.next_at = self.heard + self._interval
            return Beat.WAIT
        self._heard_before_ping = self.heard
        self.next_at = now + self._pong_timeout
        self.pings += 1
        return Beat.PING

    @property
    def overdue(self) -> str:
        """What to say of a dead peer."""
        return f"no sign of life within {self._pong_timeout} s of a Ping (WebSocketLimits.pong_timeout)"
