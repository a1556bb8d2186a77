"""TLS under asyncio, by `start_tls`: so the handshake is ours to end, and what the raw transport holds is known."""

import asyncio
from ssl import SSLContext
from typing import Final, cast

from sansio_web.driver import Settings

from ._connection import Connection

_GOODBYE_TIMEOUT: Final = 2.0
"""How long the peer may take to answer our close_notify (RFC 8446 6.1) once it has everything."""


class SecureConnection(Connection):
    """A connection whose first transport is raw; what comes within the handshake's last flight waits in `_early`."""

    __slots__ = ("_context", "_early", "_farewell", "_handshakes", "_raw")

    secure = True

    def __init__(
        self,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        tasks: set[asyncio.Task[None]],
        handshakes: set[asyncio.Task[None]],
        context: SSLContext,
    ) -> None:
        super().__init__(settings, loop, tasks)
        self._handshakes = handshakes
        self._context = context
        self._early: list[bytes] | None = []
        self._farewell: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast(asyncio.Transport, transport)
        self._raw.pause_reading()
        task = self._loop.create_task(self._shake_hands())
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self) -> None:
        limits = self._settings.limits
        transport: asyncio.Transport | None = None
        try:
            transport = await self._loop.start_tls(
                *(self._raw, self, self._context),
                server_side=True,
                ssl_handshake_timeout=limits.head_timeout or 60.0,
                ssl_shutdown_timeout=limits.write_timeout or 60.0,
            )
        except OSError:
            pass  # the peer speaks no TLS, or too slowly, or has left
        finally:
            if transport is None:
                self._raw.abort()
        if transport is not None:
            early, self._early = self._early or [], None
            super().connection_made(transport)
            for data in early:
                self.data_received(data)

    def data_received(self, data: bytes) -> None:
        if self._early is None:
            self._driver.receive_data(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool:
        return super().eof_received() if self._early is None else False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._farewell is not None:
            self._farewell.cancel()
        if self._early is None:
            super().connection_lost(exc)

    def unsent(self) -> int:
        return self._raw.get_write_buffer_size() + self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Say goodbye; the driver times a peer that takes nothing, we one that does not answer."""
        self._transport.close()
        self._farewell = self._loop.call_later(_GOODBYE_TIMEOUT, self._part)

    def _part(self) -> None:
        if self.unsent():
            self._farewell = self._loop.call_later(_GOODBYE_TIMEOUT, self._part)
        else:
            self._raw.abort()
