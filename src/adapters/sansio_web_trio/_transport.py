"""What carries the bytes under trio: a plain socket, or a TLS stream over one."""

import socket
import struct
from typing import Any, Final, Protocol

import trio

_RESET: Final = struct.pack("ii", 1, 0)
_READ_BYTES: Final = 65_536
_GOODBYE_TIMEOUT: Final = 2.0


class Transport(Protocol):
    """What differs between a plain socket and a TLS stream."""

    can_half_close: bool

    async def receive(self) -> bytes:
        """Some bytes, b"" at the end; raises OSError or trio's resource errors when broken."""
        ...

    def send_now(self, data: bytes) -> int:
        """How many bytes could be sent without waiting."""
        ...

    async def send(self, data: bytes) -> None:
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

    can_half_close = True

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._names: dict[str, Any] = {}

    async def receive(self) -> bytes:
        """Some bytes; always a checkpoint, so that a fast peer cannot keep the others waiting."""
        while True:
            await trio.lowlevel.wait_readable(self._sock)
            try:
                return self._sock.recv(_READ_BYTES)
            except BlockingIOError:
                continue

    def send_now(self, data: bytes) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    async def send(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            await trio.lowlevel.wait_writable(self._sock)
            view = view[self.send_now(view) :]  # type: ignore[arg-type]  # a socket takes any buffer

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
                self._names[name] = (
                    self._sock.getpeername() if name == "peername" else self._sock.getsockname()
                )
            except OSError:
                self._names[name] = None
        return self._names.get(name)


class TLSTransport:
    """A trio `SSLStream` over a socket."""

    can_half_close = False

    def __init__(self, stream: "trio.SSLStream[trio.SocketStream]", raw: SocketTransport) -> None:
        self._stream = stream
        self._raw = raw

    async def receive(self) -> bytes:
        return bytes(await self._stream.receive_some(_READ_BYTES))

    def send_now(self, data: bytes) -> int:
        return 0

    async def send(self, data: bytes | memoryview) -> None:
        await self._stream.send_all(data)

    async def send_eof(self) -> None:
        """TLS has no half of its own to end."""

    async def goodbye(self) -> None:
        """The alert that shows the end was meant (RFC 8446 6.1)."""
        with trio.move_on_after(_GOODBYE_TIMEOUT):
            await self._stream.aclose()

    def close(self, *, reset: bool) -> None:
        self._raw.close(reset=reset)

    def get_extra_info(self, name: str) -> Any:
        match name:
            case "ssl_object":
                return self._stream
            case "peercert":
                return self._stream.getpeercert()
            case "cipher":
                return self._stream.cipher()
            case _:
                return self._raw.get_extra_info(name)
