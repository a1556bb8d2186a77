"""Two connection machines, a link between them and a virtual clock: a whole conversation without I/O.

In: commands given to the machines themselves, and what the link and the clock shall do. Out: events and
effects of both ends, as lists. Equal calls give equal traces; there is no randomness and no real time.

    pair = Pair.http()
    pair.client.send(SendRequest(b"GET", b"/", [(b"Host", b"h")]), now=pair.now)
    pair.deliver_to_server()
    assert isinstance(pair.server_events[-1], RequestReceived)

To extend: `Pair` takes any two machines of the one shape (`Machine`), so that another protocol needs one
more constructor beside `Pair.http`. A simulator chooses what to call, `deliver_to_*`, `cut_to_*`, `lose`,
`advance`, and speaks for the applications through `on_client_event` and `on_server_event`.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar, cast

from ..effects import AbortTransport, CloseTransport, Effect, ShutdownWrite, Transmit
from ..http.client_role import ClientRole
from ..limits import DEFAULT_LIMITS, Limits
from ..server import ServerConnection

_MAX_CALLS = 1_000
"""Timeouts handled at one moment, before they count as no progress."""


class Machine(Protocol):
    """The shape of every connection machine."""

    def next_effect(self) -> Effect | None: ...
    def next_event(self) -> Any: ...
    def next_deadline(self) -> float | None: ...
    def wants_data(self) -> bool: ...
    def receive_data(self, data: bytes, now: float, /) -> None: ...
    def receive_eof(self, now: float, /) -> None: ...
    def transport_lost(self, now: float, /) -> None: ...
    def transmitted(self, unsent: int, now: float, /) -> None: ...
    def handle_timeout(self, now: float, /) -> None: ...


C = TypeVar("C")
S = TypeVar("S")


class Direction:
    """Half of the link: bytes on their way, and how they end.

    data: in flight; ended: an end of stream follows them; reset: the sender broke the connection off;
    deaf: the receiver has closed its transport; window: bytes that the transport takes before it holds back
    """

    def __init__(self, window: int | None) -> None:
        self.data = bytearray()
        self.ended = False
        self.reset = False
        self.deaf = False
        self.window = window

    @property
    def unsent(self) -> int:
        """Bytes that the transport holds for the sender beyond its window."""
        return 0 if self.window is None else max(0, len(self.data) - self.window)


class End:
    """One machine and what came out of it; `out` leads away from it, `into` towards it."""

    def __init__(self, name: str, machine: Machine, into: Direction, out: Direction) -> None:
        self.name = name
        self.machine = machine
        self.into = into
        self.out = out
        self.events: list[Any] = []
        self.effects: list[Effect] = []
        self.on_event: Callable[[Any], None] | None = None
        self.reported = 0
        self.gone = False


class Pair(Generic[C, S]):
    """`client` and `server`, joined.

    now: the virtual clock's time; `advance` moves it
    client_events, server_events, client_effects, server_effects: everything so far
    trace: the same in the order it happened, as (time, who, what)
    """

    def __init__(self, client: C, server: S, *, now: float = 0.0, window: int | None = None) -> None:
        """window: bytes in flight before the transport holds back (`transmitted`); None: it never does."""
        to_server, to_client = Direction(window), Direction(window)
        self.client = client
        self.server = server
        self.now = now
        self.trace: list[tuple[float, str, object]] = []
        # cast, not a bound: a type checker misreads methods that a machine plugs in as attributes
        self._client = End("client", cast("Machine", client), to_client, to_server)
        self._server = End("server", cast("Machine", server), to_server, to_client)

    @staticmethod
    def http(
        limits: Limits = DEFAULT_LIMITS,
        *,
        server_limits: Limits | None = None,
        now: float = 0.0,
        window: int | None = None,
        can_half_close: bool = True,
    ) -> "Pair[ClientRole, ServerConnection]":
        """Both ends of an HTTP/1.1 connection; `server_limits`: other limits for the server."""
        client = ClientRole(limits, now=now, can_half_close=can_half_close)
        server = ServerConnection(
            limits if server_limits is None else server_limits, now=now, can_half_close=can_half_close
        )
        return Pair(client, server, now=now, window=window)

    # -- what came out -----------------------------------------------------------------------------------

    @property
    def client_events(self) -> list[Any]:
        """Events of the client's machine."""
        self.settle()
        return self._client.events

    @property
    def server_events(self) -> list[Any]:
        """Events of the server's machine."""
        self.settle()
        return self._server.events

    @property
    def client_effects(self) -> list[Effect]:
        """Effects of the client's machine."""
        self.settle()
        return self._client.effects

    @property
    def server_effects(self) -> list[Effect]:
        """Effects of the server's machine."""
        self.settle()
        return self._server.effects

    @property
    def to_server(self) -> Direction:
        """What is on its way to the server."""
        self.settle()
        return self._server.into

    @property
    def to_client(self) -> Direction:
        """What is on its way to the client."""
        self.settle()
        return self._client.into

    def on_client_event(self, call: Callable[[Any], None] | None) -> None:
        """From now on, call this with each event of the client."""
        self._client.on_event = call

    def on_server_event(self, call: Callable[[Any], None] | None) -> None:
        """From now on, call this with each event of the server."""
        self._server.on_event = call

    # -- the link ----------------------------------------------------------------------------------------

    def deliver_to_server(self, *sizes: int) -> int:
        """Deliver what is in flight: in one piece, or one piece of each size; returns how many bytes.

        Nothing is delivered that the machine does not want to read; the end of the stream comes after the
        last byte. Bytes for an end that has closed come back as a reset.
        """
        return self._deliver(self._server, sizes)

    def deliver_to_client(self, *sizes: int) -> int:
        """See `deliver_to_server`."""
        return self._deliver(self._client, sizes)

    def deliver_bytewise_to_server(self) -> int:
        """Everything in flight, byte by byte."""
        return self._deliver(self._server, [1] * len(self.to_server.data))

    def deliver_bytewise_to_client(self) -> int:
        """Everything in flight, byte by byte."""
        return self._deliver(self._client, [1] * len(self.to_client.data))

    def run(self) -> None:
        """Deliver in both directions until nothing moves any more."""
        while True:
            before = len(self.trace)
            moved = self.deliver_to_server() + self.deliver_to_client()
            if not moved and len(self.trace) == before:
                return

    def cut_to_server(self, after: int | None = None) -> None:
        """End the stream to the server behind what is in flight, or behind its first `after` bytes."""
        self._cut(self.to_server, after)

    def cut_to_client(self, after: int | None = None) -> None:
        """End the stream to the client behind what is in flight, or behind its first `after` bytes."""
        self._cut(self.to_client, after)

    def lose(self) -> None:
        """Break the transport for both ends; what is in flight is lost."""
        self.settle()
        for end in (self._client, self._server):
            end.into.data.clear()
            self._lost(end)
        self.settle()

    # -- the clock ---------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """The earlier deadline of the two machines."""
        self.settle()
        moments = [at for end in (self._client, self._server) if (at := end.machine.next_deadline()) is not None]
        return min(moments) if moments else None

    def advance(self, seconds: float) -> None:
        """Let time pass; each deadline on the way is handled at its moment, the client's before the server's.

        raises: AssertionError if a due `handle_timeout` makes no progress
        """
        target = self.now + seconds
        calls = 0
        while (deadline := self.next_deadline()) is not None and deadline <= target:
            calls = calls + 1 if deadline <= self.now else 0
            assert calls < _MAX_CALLS, f"handle_timeout({self.now}) makes no progress: {deadline} is still due"
            self.now = max(self.now, deadline)
            for end in (self._client, self._server):
                self._tick(end)
        self.now = target

    def _tick(self, end: End) -> None:
        at = end.machine.next_deadline()
        if at is not None and at <= self.now:
            end.machine.transmitted(end.out.unsent, self.now)
            self.trace.append((self.now, end.name, "timeout"))
            end.machine.handle_timeout(self.now)
            self.settle()

    # -- helpers -----------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Apply all effects to the link and collect all events."""
        while self._drain(self._client) | self._drain(self._server):
            pass

    def _drain(self, end: End) -> bool:
        moved = False
        while (effect := end.machine.next_effect()) is not None:
            moved = True
            end.effects.append(effect)
            self.trace.append((self.now, end.name, effect))
            self._apply(end, effect)
        self._report(end)
        event = end.machine.next_event()
        if event is None:
            return moved
        end.events.append(event)
        self.trace.append((self.now, end.name, event))
        if end.on_event is not None:
            end.on_event(event)
        return True

    def _apply(self, end: End, effect: Effect) -> None:
        out = end.out
        if isinstance(effect, Transmit):
            if not (out.ended or out.reset):
                out.data += effect.data
        elif isinstance(effect, ShutdownWrite):
            out.ended = True
        elif isinstance(effect, CloseTransport):
            out.ended = end.into.deaf = True
        else:
            assert isinstance(effect, AbortTransport)
            out.data.clear()
            out.reset = end.into.deaf = True

    def _report(self, end: End) -> None:
        """Tell the machine when its transport begins to hold back, and when it has caught up."""
        unsent = end.out.unsent
        if bool(unsent) is not bool(end.reported):
            end.machine.transmitted(unsent, self.now)
        end.reported = unsent

    def _deliver(self, end: End, sizes: Iterable[int]) -> int:
        self.settle()
        into = end.into
        delivered = 0
        for size in tuple(sizes) or (len(into.data),):
            if into.deaf:
                self._bounce(end)
            elif into.data and size and end.machine.wants_data():
                piece = bytes(into.data[:size])
                del into.data[:size]
                delivered += len(piece)
                end.machine.receive_data(piece, self.now)
                self.settle()
        if into.reset and not end.gone:
            self._lost(end)
        elif into.ended and not into.data and not into.deaf and end.machine.wants_data():
            self.trace.append((self.now, end.name, "end of stream"))
            end.machine.receive_eof(self.now)
        self.settle()
        return delivered

    def _bounce(self, end: End) -> None:
        """Bytes reach an end that has closed: its host answers with a reset."""
        if end.into.data:
            end.into.data.clear()
            end.out.data.clear()
            end.out.reset = True

    def _lost(self, end: End) -> None:
        end.gone = True
        end.into.deaf = end.out.ended = True
        self.trace.append((self.now, end.name, "transport lost"))
        end.machine.transport_lost(self.now)

    def _cut(self, direction: Direction, after: int | None) -> None:
        if after is not None:
            del direction.data[after:]
        direction.ended = True
