"""A server's machine under a virtual clock, with all that came out of it; and h11 as its client."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import h11

from sansio_web.effects import Effect, Transmit
from sansio_web.http.commands import ReadContent, SendResponse, ServerCommand
from sansio_web.http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentReceived,
    RequestReceived,
    ServerEvent,
)
from sansio_web.http.lifecycle import CloseReason, Phase
from sansio_web.http.server_role import ServerRole
from sansio_web.limits import DEFAULT_LIMITS, Limits
from sansio_web.server import ServerConnection

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
READ = ReadContent()
OK = SendResponse(200, b"OK", [], b"hi", complete=True)
OK_BYTES = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def post(content: bytes, *lines: bytes, length: int | None = None) -> bytes:
    """A request with this content, or with so much of it as was announced."""
    head = [
        b"POST / HTTP/1.1",
        b"Host: a",
        b"Content-Length: %d" % (len(content) if length is None else length),
    ]
    return b"\r\n".join([*head, *lines, b"", content])


CHUNKED_POST = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Server:
    """Drives one machine as an adapter must: effects, then events, after every call.

    out: bytes transmitted and not taken yet; effects: the others, in order; events: those not taken yet
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, role: bool = False, can_half_close: bool = True) -> None:
        kind = ServerRole if role else ServerConnection
        self.now = 1000.0
        self.machine = kind(
            limits, now=self.now, date=lambda: b"Sun, 06 Nov 1994 08:49:37 GMT", can_half_close=can_half_close
        )
        self.out = bytearray()
        self.effects: list[Effect] = []
        self.events: list[ServerEvent] = []

    @property
    def http(self) -> ServerRole:
        return self.machine.http if isinstance(self.machine, ServerConnection) else self.machine

    @property
    def phase(self) -> Phase:
        return self.http.phase

    @property
    def reason(self) -> CloseReason | None:
        return self.http.close_reason

    def drain(self) -> "Server":
        while True:
            while (effect := self.machine.next_effect()) is not None:
                if isinstance(effect, Transmit):
                    assert effect.data
                    self.out += effect.data
                else:
                    self.effects.append(effect)
            event = self.machine.next_event()
            if event is None:
                return self
            self.events.append(event)

    def feed(self, *pieces: bytes) -> "Server":
        for data in pieces:
            self.machine.receive_data(data, self.now)
            self.drain()
        return self

    def eof(self) -> "Server":
        self.machine.receive_eof(self.now)
        return self.drain()

    def lose(self) -> "Server":
        self.machine.transport_lost(self.now)
        return self.drain()

    def send(self, *commands: ServerCommand) -> "Server":
        for command in commands:
            try:
                self.machine.send(command, self.now)
            finally:
                self.drain()
        return self

    def unsent(self, count: int) -> "Server":
        self.machine.transmitted(count, self.now)
        return self.drain()

    def wait(self, seconds: float) -> "Server":
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
        data = bytes(self.out)
        self.out.clear()
        return data

    def took_events(self) -> list[ServerEvent]:
        events, self.events = self.events, []
        return events

    def request(self) -> RequestReceived:
        """The one event there is."""
        (event,) = self.took_events()
        assert isinstance(event, RequestReceived)
        return event

    def read(self) -> bytes | ContentEnded | ContentBroken | None:
        """One content event; content as its bytes."""
        self.took_events()
        self.send(READ)
        told = [e for e in self.took_events() if isinstance(e, ContentReceived | ContentEnded | ContentBroken)]
        if not told:
            return None
        return told[0].data if isinstance(told[0], ContentReceived) else told[0]

    def closed(self) -> CloseReason:
        """The last event is the only `ConnectionClosed`; why."""
        ends = [event for event in self.events if isinstance(event, ConnectionClosed)]
        assert ends == self.events[-1:]
        return ends[0].reason


@dataclass
class Message:
    """A response as h11 read it."""

    status: int
    headers: dict[bytes, bytes]
    content: bytes = b""
    complete: bool = False
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    interim: list[int] = field(default_factory=list)
    keeps_alive: bool = False


def h11_reads(data: bytes, methods: Sequence[bytes], *, ended: bool) -> list[Message]:
    """The responses to these requests as h11 sees them, a fresh client for each; nothing may be left.

    ended: whether the connection has ended cleanly after the data
    """
    messages: list[Message] = []
    for method in methods:
        if not data and not ended:
            break
        message, data = _h11_reads_one(data, method, ended=ended)
        if message is None:
            break
        messages.append(message)
    assert not data, data
    return messages


def _h11_reads_one(data: bytes, method: bytes, *, ended: bool) -> tuple[Message | None, bytes]:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    if ended:
        client.receive_data(b"")
    message: Message | None = None
    interim: list[int] = []
    while True:
        try:
            event = client.next_event()
        except h11.RemoteProtocolError as error:
            if not ended or "closed" not in str(error).lower():
                raise
            return message, b""
        match event:
            case h11.InformationalResponse():
                interim.append(event.status_code)
            case h11.Response():
                message = Message(event.status_code, dict(event.headers), interim=interim)
            case h11.Data():
                assert message is not None
                message.content += event.data
            case h11.EndOfMessage():
                assert message is not None
                message.complete = True
                message.trailers = list(event.headers)
                message.keeps_alive = client.our_state is h11.DONE
                return message, client.trailing_data[0]
            case _:
                return message, b""


def joined(events: Iterable[ServerEvent]) -> list[object]:
    """Events with neighbouring `ContentReceived` joined and errors by their text, for comparison."""
    result: list[object] = []
    for event in events:
        if isinstance(event, ContentReceived) and result and isinstance(result[-1], bytes):
            result[-1] += event.data
        elif isinstance(event, ContentReceived):
            result.append(event.data)
        else:
            error = getattr(event, "error", None)
            result.append((type(event), str(error), getattr(error, "status_hint", 0)) if error is not None else event)
    return result
