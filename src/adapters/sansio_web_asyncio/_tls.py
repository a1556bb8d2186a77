"""TLS under asyncio, over memory: so the handshake is ours to end, and our half can end alone."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from sansio_web.host import Settings

from ._connection import Connection

_RECORDS_BYTES = 65_536


class SecureConnection(Connection):
    """A connection whose transport carries TLS records.

    handshakes: those of the server that are not over; the driver comes to be when this one is
    """

    __slots__ = ("_context", "_handshakes", "_incoming", "_outgoing", "_tls", "_tls_ended")

    secure = True

    def __init__(
        self,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        tasks: set[asyncio.Task[None]],
        handshakes: "set[SecureConnection]",
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(settings, loop, tasks)
        self._handshakes = handshakes
        self._context = context
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._tls_ended = False  # shutdown_write, close

    # -- from the transport --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._handshakes.add(self)
        timeout = self._settings.limits.head_timeout
        if timeout is not None:
            self._timer = self._loop.call_later(timeout, self.abort)

    def data_received(self, data: bytes) -> None:
        if self._tls_ended:
            self._driver.receive_data(data)  # counted and dropped
            return
        self._incoming.write(data)
        try:
            if self not in self._handshakes or self._shake_hands():
                self._read_records()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError:
            self._flush()  # the alert
            self._transport.close()

    def _shake_hands(self) -> bool:
        self._tls.do_handshake()
        self._handshakes.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._flush()
        super().connection_made(self._transport)
        return True

    def _read_records(self) -> None:
        """Until the memory is read out, which raises SSLWantReadError, or TLS has ended."""
        while not self._tls_ended:
            try:
                data = self._tls.read(_RECORDS_BYTES)
            except ssl.SSLZeroReturnError:
                data = b""
            if not data:
                self._driver.receive_eof()
                return
            self._driver.receive_data(data)

    def eof_received(self) -> bool:
        return self not in self._handshakes and super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self not in self._handshakes:
            super().connection_lost(exc)
        elif self._timer is not None:
            self._timer.cancel()
        self._handshakes.discard(self)

    # -- from the driver -----------------------------------------------------------------------------------

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    def _writer(self) -> Callable[[bytes], None]:
        return self._encrypt

    def _encrypt(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._tls.write(view) :]
        except ssl.SSLError:
            self.abort()
            return
        self._flush()

    def _say_goodbye(self) -> None:
        """close_notify (RFC 8446 6.1); the peer's is not waited for."""
        if self._tls_ended:
            return
        self._tls_ended = True
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # it wants the peer's answer
        self._flush()

    def shutdown_write(self) -> None:
        self._say_goodbye()
        super().shutdown_write()

    def close(self) -> None:
        self._say_goodbye()
        super().close()

    # -- for the application -------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
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
                return super().get_extra_info(name, default)
