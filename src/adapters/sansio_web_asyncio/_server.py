"""A server under asyncio: listeners, the application's life in a task of its own, a stop within bounds."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncGenerator
from typing import Any, Final

from sansio_web.driver import Driver
from sansio_web.hosting import (
    ALPN_PROTOCOLS,
    Hosted,
    Listen,
    ListenSocket,
    ListenTCP,
    ListenUnix,
    Scope,
    ServerOptions,
    Surroundings,
    drained,
    live,
)
from sansio_web.websocket import use_masking

from ._connection import Connection
from ._tls import SecureConnection

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


class Listening:
    """Sockets that accept. unlink: a Unix socket's path, removed with it as long as it is the same file."""

    def __init__(self, server: asyncio.Server, unlink: str | None = None) -> None:
        self._server = server
        self._unlink = unlink
        self._file = os.stat(unlink).st_ino if unlink is not None else 0
        self.addresses: list[Any] = [sock.getsockname() for sock in server.sockets]

    async def close(self) -> None:
        """Accept no more. Idempotent."""
        self._server.close()
        if self._unlink is not None:
            with contextlib.suppress(FileNotFoundError):
                if os.stat(self._unlink).st_ino == self._file:
                    os.unlink(self._unlink)


class Server:
    """An application that has been started, and its connections."""

    def __init__(self, application: Hosted, options: ServerOptions) -> None:
        self.settings = options.settings(Surroundings(time.time, report, _access_log, os.getpid()))
        self.listeners: list[Listening] = []
        self._application = application
        self._options = options
        self._tasks: set[asyncio.Task[None]] = set()  # handlers
        self._handshakes: set[SecureConnection] = set()
        self._stop = asyncio.Event()
        self._departure = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self.settings.on_departure = self._departure.set
        self.settings.on_exit = self._exit

    @property
    def addresses(self) -> list[Any]:
        """Of all listeners."""
        return [address for listener in self.listeners for address in listener.addresses]

    @property
    def connections(self) -> set[Driver]:
        """Those that live."""
        return self.settings.drivers

    async def start(self) -> None:
        """Start the application; what it raises, this raises."""
        started = asyncio.get_running_loop().create_future()
        life = live(
            self._application,
            started=lambda: started.set_result(None),
            stopping=self._stopping,
            drain=lambda: drained(self.settings, self._options, self._gone),
            shield=lambda: None,
        )
        self._life = asyncio.create_task(life)
        try:
            await asyncio.wait((self._life, started), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._life.cancel()
            await asyncio.wait((self._life,))
            raise
        if self._life.done():
            await self._life

    async def listen(self, where: Listen) -> Listening:
        """Accept connections there."""
        loop = asyncio.get_running_loop()
        context = where.ssl_context
        if context is not None:
            context.set_alpn_protocols(ALPN_PROTOCOLS)

        def factory() -> Connection:
            if context is None:
                return Connection(self.settings, loop, self._tasks)
            return SecureConnection(self.settings, loop, self._tasks, self._handshakes, context)

        unlink = None
        match where:
            case ListenTCP(host=host, port=port, reuse_address=reuse_address, reuse_port=reuse_port):
                server = await loop.create_server(
                    factory,
                    host,
                    port,
                    backlog=where.backlog,
                    reuse_address=reuse_address,
                    reuse_port=reuse_port,
                )
            case ListenUnix(path=path):
                _refuse_living(path)
                server = await loop.create_unix_server(factory, path, backlog=where.backlog)
                unlink = path
            case ListenSocket(sock=sock):
                if sock.family == socket.AF_UNIX:
                    server = await loop.create_unix_server(factory, sock=sock, backlog=where.backlog)
                else:
                    server = await loop.create_server(factory, sock=sock, backlog=where.backlog)
        listening = Listening(server, unlink)
        self.listeners.append(listening)
        return listening

    async def close(self) -> None:
        """Stop gracefully. A cancellation makes it hurry: handlers are cancelled at once."""
        self._stop.set()
        if self._life is None:
            return
        try:
            await asyncio.shield(self._life)
        except asyncio.CancelledError:
            if not self._life.done():
                self._life.cancel()
                await asyncio.wait((self._life,))
            raise

    def _exit(self, error: BaseException) -> None:
        """Let it out of the loop; from a task that runs within a callback it might not come through."""

        def leave() -> None:
            raise error

        asyncio.get_running_loop().call_soon(leave)

    async def _stopping(self) -> None:
        try:
            await self._stop.wait()
        finally:
            for listener in self.listeners:
                await listener.close()
            for connection in tuple(self._handshakes):
                connection.abort()

    async def _gone(self, timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.settings.drivers:
                    self._departure.clear()
                    await self._departure.wait()


async def start_server(application: Hosted, options: ServerOptions, scope: Scope | None = None) -> Server:
    """Start the application; `listen` comes next, `close` last."""
    server = Server(application, options)
    await server.start()
    return server


@contextlib.asynccontextmanager
async def serving(application: Hosted, options: ServerOptions, where: list[Listen]) -> AsyncGenerator[Server, None]:
    """A server that listens for as long as the block lasts."""
    server = await start_server(application, options)
    try:
        for each in where:
            await server.listen(each)
        yield server
    finally:
        await server.close()


def _refuse_living(path: str) -> None:
    """asyncio replaces any Unix socket; one that somebody listens on stays."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return
    raise OSError(f"cannot listen at {path!r}: somebody does already")
