"""TLS under trio, over memory: so that our half can end alone, as a plain socket's."""

import ssl
from collections.abc import Callable
from typing import Any, TypeVar

import trio

from ._transport import READ_BYTES, SocketTransport

T = TypeVar("T")


class TLSTransport:
    """`Transport` for TLS records. One task reads, one writes; records leave in the order they were made."""

    def __init__(self, raw: SocketTransport, context: ssl.SSLContext) -> None:
        self._raw = raw
        self._context = context
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._sending = trio.Lock()
        self._ended = False  # send_eof, goodbye

    async def shake_hands(self) -> None:
        """Before anything else. raises: ssl.SSLError, OSError"""
        try:
            await self._retry(self._tls.do_handshake)
        except ssl.SSLError:
            self._raw.send_now(self._outgoing.read())  # the alert
            raise

    async def receive(self) -> bytes:
        if self._ended:  # counted and dropped
            return await self._raw.receive()
        try:
            return await self._retry(lambda: self._tls.read(READ_BYTES))
        except ssl.SSLZeroReturnError:
            return b""

    async def _retry(self, work: Callable[[], T]) -> T:
        """Do it once enough records have come. A stream that ends where none may end reads as its end."""
        while True:
            try:
                result = work()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._raw.receive()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._outgoing.pending:
            async with self._sending:
                await self._raw.send(self._outgoing.read())

    def send_now(self, data: bytes) -> int:
        return 0

    async def send(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]
        await self._flush()

    async def send_eof(self) -> None:
        await self.goodbye()
        await self._raw.send_eof()

    async def goodbye(self) -> None:
        """close_notify (RFC 8446 6.1); the peer's is not waited for."""
        if self._ended:
            return
        self._ended = True
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # it wants the peer's answer
        await self._flush()

    def close(self, *, reset: bool) -> None:
        self._raw.close(reset=reset)

    def get_extra_info(self, name: str) -> Any:
        match name:
            case "ssl_object":
                return self._tls
            case "sslcontext":
                return self._context
            case "peercert":
                return self._tls.getpeercert()
            case "cipher":
                return self._tls.cipher()
            case _:
                return self._raw.get_extra_info(name)
