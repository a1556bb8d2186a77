"""Clients over raw sockets that each send a flight, read all its answers, and start again: one selector, no threads."""

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from benchmarks.server import HOST, ContenderError

SOCKET_TIMEOUT: Final = 10.0
_READ_SIZE: Final = 2**18


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What the clients saw: answered requests or echoed messages, seconds, and what went wrong."""

    requests: int
    seconds: float
    errors: int


class Reader(Protocol):
    """Counts what comes back on one connection."""

    answers: int
    errors: int

    def feed(self, data: bytes) -> int:
        """Take what arrived; returns how many answers it completed."""
        ...


@dataclass(slots=True)
class Client:
    """One connection and what is still to be sent and read of its flight."""

    socket: socket.socket
    reader: Reader
    pending: memoryview = field(default_factory=lambda: memoryview(b""))
    waiting_for: int = 0
    events: int = selectors.EVENT_READ


def connect(port: int) -> socket.socket:
    """A connection that sends at once, still blocking."""
    connection = socket.create_connection((HOST, port), timeout=SOCKET_TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Fleet:
    """Clients with the same flight; use it as a context manager, `run` as often as wanted inside."""

    def __init__(self, open_client: Callable[[], Client], count: int, flight: bytes, depth: int) -> None:
        """open_client: connects one client; depth: how many answers a flight has"""
        self._flight = memoryview(flight)
        self._depth = depth
        self._clients: list[Client] = []
        self._selector = selectors.DefaultSelector()
        try:
            for _ in range(count):
                client = open_client()
                self._clients.append(client)
                client.socket.settimeout(0.0)
                self._selector.register(client.socket, client.events, client)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for client in self._clients:
            client.socket.close()
        self._selector.close()

    def run(self, seconds: float) -> LoadResult:
        """Go on where the last run stopped; what is under way at the end is read by the next.

        raises: ContenderError if the server ends a connection
        """
        answers, errors = self._totals()
        began = time.monotonic()
        try:
            self._drive(began + seconds)
        except OSError as error:
            raise ContenderError(f"load: {error}") from error
        elapsed = time.monotonic() - began
        answers_now, errors_now = self._totals()
        return LoadResult(answers_now - answers, elapsed, errors_now - errors)

    def _totals(self) -> Sequence[int]:
        readers = [client.reader for client in self._clients]
        return sum(reader.answers for reader in readers), sum(reader.errors for reader in readers)

    def _drive(self, end: float) -> None:
        for client in self._clients:
            if not client.waiting_for:
                self._send_flight(client)
        select = self._selector.select
        while (now := time.monotonic()) < end:
            for key, events in select(end - now):
                client = key.data
                if events & selectors.EVENT_WRITE:
                    self._continue_sending(client)
                if events & selectors.EVENT_READ:
                    data = client.socket.recv(_READ_SIZE)
                    if not data:
                        raise ContenderError("load: the server closed a connection")
                    client.waiting_for -= client.reader.feed(data)
                    if client.waiting_for <= 0 and not client.pending:
                        self._send_flight(client)

    def _send_flight(self, client: Client) -> None:
        client.pending = self._flight
        client.waiting_for = self._depth
        self._continue_sending(client)

    def _continue_sending(self, client: Client) -> None:
        """Send what the socket takes now; ask the selector about the rest."""
        try:
            client.pending = client.pending[client.socket.send(client.pending) :]
        except BlockingIOError:
            pass
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.pending else 0)
        if client.events != events:
            client.events = events
            self._selector.modify(client.socket, events, client)
