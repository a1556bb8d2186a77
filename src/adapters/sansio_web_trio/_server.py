"""A server under trio: listeners and connections in its nursery, the application's life in its own task."""

import logging
import math
import os
import socket
import ssl
import time
from typing import Any, Final

import trio

from sansio_web.driver import Driver
from sansio_web.hosting import ALPN_PROTOCOLS, Hosted, Listen, ServerOptions, Surroundings, drained, live
from sansio_web.websocket import use_masking

from ._connection import Connection
from ._listening import Listening, bound
from ._tls import TLSTransport
from ._transport import SocketTransport

_log: Final = logging.getLogger("sansio_web.server")
_access_log: Final = logging.getLogger("sansio_web.access")

try:  # the extra `speedups`: long WebSocket messages are masked by compiled code
    from websockets.speedups import apply_mask
except ImportError:
    pass
else:
    use_masking(apply_mask)


def report(message: str, error: BaseException | None) -> None:
    """To the log `sansio_web.server`, with the error's traceback."""
    _log.error(message, exc_info=error)


class Server:
    """An application that has been started, and its connections."""

    def __init__(self, application: Hosted, options: ServerOptions) -> None:
        self.settings = options.settings(Surroundings(time.time, report, _access_log, os.getpid()))
        self.settings.on_departure = self._departed
        self.listeners: list[Listening] = []
        self._application = application
        self._options = options
        self._ready = trio.Event()
        self._stop = trio.Event()
        self._ended = trio.Event()
        self._departure = trio.Event()
        self._failure: Exception | None = None

    @property
    def addresses(self) -> list[Any]:
        """Of all listeners."""
        return [address for listener in self.listeners for address in listener.addresses]

    @property
    def connections(self) -> set[Driver]:
        """Those that live."""
        return self.settings.drivers

    async def run(self) -> None:
        """The whole life, in the calling task. `started` tells when it may listen; `close` ends it.

        What the application raises in its start-up or its cleanup is kept for `started` and `close`.
        """
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                try:
                    with trio.CancelScope() as scope:
                        await live(
                            self._application,
                            started=self._ready.set,
                            stopping=self._stopping,
                            drain=lambda: drained(self.settings, self._options, self._gone),
                            shield=lambda: setattr(scope, "shield", True),
                        )
                except Exception as error:
                    self._failure = error
                nursery.cancel_scope.cancel()
        finally:
            self._ready.set()
            self._ended.set()

    async def started(self) -> None:
        """Until the application has started; raises what it raised."""
        await self._ready.wait()
        self._raise_failure()

    async def listen(self, where: Listen) -> Listening:
        """Accept connections there."""
        if where.ssl_context is not None:
            where.ssl_context.set_alpn_protocols(ALPN_PROTOCOLS)
        listening = await bound(where)
        self.listeners.append(listening)

        def connected(sock: socket.socket) -> None:
            self._nursery.start_soon(self._connected, sock, where.ssl_context)

        for sock in listening.sockets:
            self._nursery.start_soon(listening.accept, sock, connected, report)
        return listening

    async def ended(self) -> None:
        """Until its whole life is over."""
        await self._ended.wait()

    async def close(self) -> None:
        """Stop gracefully; raises what the application's cleanup raised."""
        self._stop.set()
        await self._ended.wait()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _connected(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        """One connection, from its handshake to its last handler's end."""
        plain = SocketTransport(sock)
        try:
            if context is None:
                await Connection(self.settings, plain, secure=False).serve()
                return
            tls = TLSTransport(plain, context)
            with trio.fail_after(self.settings.limits.head_timeout or math.inf):
                await tls.shake_hands()
            await Connection(self.settings, tls, secure=True).serve()
        except* (trio.TooSlowError, OSError):
            pass  # the peer speaks no TLS, or too slowly, or has left
        except* Exception as group:
            report("a connection ended with an error", group)
        finally:
            sock.close()

    async def _stopping(self) -> None:
        try:
            await self._stop.wait()
        finally:
            for listener in self.listeners:
                await listener.close()

    async def _gone(self, timeout: float) -> None:
        with trio.move_on_after(timeout):
            while self.settings.drivers:
                self._departure = trio.Event()
                await self._departure.wait()

    def _departed(self) -> None:
        self._departure.set()
