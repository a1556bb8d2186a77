"""What carries the bytes under trio: a plain socket, or a TLS stream over one."""

import socket
import struct
from typing import Any, Final, Protocol

import trio

_RESET: Final = struct.pack("ii", 1, 0)
READ_BYTES: Final = 65_536


class Transport(Protocol):
    """What differs between a plain socket and a TLS stream."""

    async def receive(self) -> bytes:
        """Some bytes, b"" at the end; raises OSError or trio's resource errors when broken."""
        ...

    def send_now(self, data: bytes) -> int:
        """How many bytes could be sent without waiting."""
        ...

    async def send(self, data: bytes | memoryview) -> None:
        """Send all of it."""
        ...

    async def send_eof(self) -> None:
        """End our half."""
        ...

    async def goodbye(self) -> None:
        """What is said before both halves close."""
        ...

    def close(self, *, reset: bool) -> None:
        """Close both halves now."""
        ...

    def get_extra_info(self, name: str) -> Any:
        """By asyncio's names."""
        ...


class SocketTransport:
    """A plain socket, non-blocking, without trio's wrapper: one system call a read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._names: dict[str, Any] = {}
        if sock.family in (socket.AF_INET, socket.AF_INET6):  # small answers and frames go out at once
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def receive(self) -> bytes:
        """Some bytes; always a checkpoint, so that a fast peer cannot keep the others waiting."""
        while True:
            await trio.lowlevel.wait_readable(self._living())
            try:
                return self._sock.recv(READ_BYTES)
            except BlockingIOError:
                continue

    def _living(self) -> socket.socket:
        if self._sock.fileno() < 0:
            raise trio.ClosedResourceError
        return self._sock

    def send_now(self, data: bytes | memoryview) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    async def send(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            await trio.lowlevel.wait_writable(self._living())
            view = view[self.send_now(view) :]

    async def send_eof(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    async def goodbye(self) -> None:
        """TCP says it by closing."""

    def close(self, *, reset: bool) -> None:
        if reset and self._sock.family in (socket.AF_INET, socket.AF_INET6):
            try:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            except OSError:
                pass  # it is closed already
        trio.lowlevel.notify_closing(self._sock)
        self._sock.close()

    def get_extra_info(self, name: str) -> Any:
        if name == "socket":
            return self._sock
        if name in ("peername", "sockname") and name not in self._names:
            try:
                self._names[name] = self._sock.getpeername() if name == "peername" else self._sock.getsockname()
            except OSError:
                self._names[name] = None
        return self._names.get(name)
