"""One end of a WebSocket under a virtual clock, with everything that came out of it; wsproto as its peer."""

from collections.abc import Iterable
from itertools import count
from typing import Any

from wsproto.connection import CLIENT, SERVER
from wsproto.connection import Connection as Law

from sansio_web.effects import AbortTransport, CloseTransport, Effect, ShutdownWrite, Transmit
from sansio_web.websocket import (
    RECEIVE_MESSAGE,
    DeflateParameters,
    Role,
    SocketClosed,
    State,
    WebSocket,
    WebSocketCommand,
    WebSocketEvent,
    WebSocketLimits,
)

KEY = b"\x37\xfa\x21\x3d"
"""The masking key of the examples in RFC 6455 5.7."""
ENDS = (ShutdownWrite(), CloseTransport(), AbortTransport())


def fixed_mask() -> bytes:
    """For tests that look at bytes."""
    return KEY


def counting_mask() -> Any:
    """Four other bytes each time."""
    numbers = count(0x01020304, 0x01010101)
    return lambda: (next(numbers) & 0xFFFFFFFF).to_bytes(4, "big")


def masked(data: bytes, key: bytes = KEY) -> bytes:
    """A payload as a client sends it, byte by byte as RFC 6455 5.3 has it."""
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(data))


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = KEY) -> bytes:
    """A frame by RFC 6455 5.2, in the shortest form; by default a client's."""
    bit = 0 if mask is None else 0x80
    size = len(payload)
    if size < 126:
        head = bytes((fin << 7 | rsv << 4 | opcode, bit | size))
    elif size < 65_536:
        head = bytes((fin << 7 | rsv << 4 | opcode, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((fin << 7 | rsv << 4 | opcode, bit | 127)) + size.to_bytes(8, "big")
    return head + payload if mask is None else head + mask + masked(payload, mask)


def text(data: str, **how: Any) -> bytes:
    """A client's text message."""
    return frame(1, data.encode(), **how)


def close(code: int | None = None, reason: str = "", **how: Any) -> bytes:
    """A client's Close."""
    return frame(8, b"" if code is None else code.to_bytes(2, "big") + reason.encode(), **how)


class Endpoint:
    """Drives one machine as an adapter must: effects, then events, after every call.

    out: bytes transmitted and not taken yet; effects: the others, in order; events: those not taken yet
    """

    def __init__(
        self,
        role: Role = Role.SERVER,
        limits: WebSocketLimits | None = None,
        *,
        mask: Any = fixed_mask,
        deflate: DeflateParameters | None = None,
        **how: bool,
    ) -> None:
        self.now = 1000.0
        self.machine = WebSocket(
            role,
            WebSocketLimits() if limits is None else limits,
            now=self.now,
            mask=mask if role is Role.CLIENT else None,
            deflate=deflate,
            **how,
        )
        self.out = bytearray()
        self.effects: list[Effect] = []
        self.events: list[WebSocketEvent] = []

    @property
    def state(self) -> State:
        return self.machine.state

    def drain(self) -> "Endpoint":
        while True:
            while (effect := self.machine.next_effect()) is not None:
                if isinstance(effect, Transmit):
                    assert effect.data
                    assert not any(e in ENDS for e in self.effects), "nothing is sent after our half has ended"
                    self.out += effect.data
                else:
                    self.effects.append(effect)
            event = self.machine.next_event()
            if event is None:
                return self
            assert not any(isinstance(e, SocketClosed) for e in self.events), "SocketClosed is the last"
            self.events.append(event)

    def feed(self, *pieces: bytes) -> "Endpoint":
        for data in pieces:
            self.machine.receive_data(data, self.now)
            self.drain()
        return self

    def send(self, *commands: WebSocketCommand) -> "Endpoint":
        for command in commands:
            try:
                self.machine.send(command, self.now)
            finally:
                self.drain()
        return self

    def ask(self, times: int = 1) -> "Endpoint":
        """Ask for messages, one after the other."""
        for _ in range(times):
            self.send(RECEIVE_MESSAGE)
        return self

    def read_all(self, *pieces: bytes) -> "Endpoint":
        """Feed, and ask for a message whenever the one before was told."""
        self._keep_asking()
        for data in pieces:
            self.feed(data)
            self._keep_asking()
        return self

    def _keep_asking(self) -> None:
        while not self.machine._wanted and self.state in (State.OPEN, State.LOCAL_CLOSING, State.REMOTE_CLOSING):
            before = len(self.events)
            self.ask()
            if len(self.events) == before:
                return

    def eof(self) -> "Endpoint":
        self.machine.receive_eof(self.now)
        return self.drain()

    def lose(self) -> "Endpoint":
        self.machine.transport_lost(self.now)
        return self.drain()

    def unsent(self, count: int) -> "Endpoint":
        self.machine.transmitted(count, self.now)
        return self.drain()

    def wait(self, seconds: float) -> "Endpoint":
        """Let time pass; every deadline is handled at its moment."""
        end = self.now + seconds
        while (deadline := self.machine.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.machine.handle_timeout(self.now)
            self.drain()
            after = self.machine.next_deadline()
            assert after is None or after > self.now, "a due deadline was handled without progress"
        self.now = end
        return self

    def took(self) -> bytes:
        """Bytes since the last time."""
        data = bytes(self.out)
        self.out.clear()
        return data

    def took_events(self) -> list[WebSocketEvent]:
        events, self.events = self.events, []
        return events

    @property
    def closed(self) -> SocketClosed:
        """The last event, which it is."""
        last = self.events[-1]
        assert isinstance(last, SocketClosed)
        assert self.state is State.CLOSED
        return last


def law(*, client: bool, extensions: Iterable[Any] = ()) -> Law:
    """wsproto's connection: the reader of what we write, and the writer of what we read."""
    return Law(CLIENT if client else SERVER, list(extensions))


def law_events(connection: Law, data: bytes) -> list[Any]:
    connection.receive_data(data)
    return list(connection.events())
