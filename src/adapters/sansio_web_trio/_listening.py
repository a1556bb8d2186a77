"""Sockets that accept, under trio."""

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Callable
from typing import Any, Final

import trio

from sansio_web.hosting import Listen, ListenSocket, ListenTCP, ListenUnix

_LATER: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_PAUSE: Final = 0.1
_AT_ONCE: Final = 64  # connections accepted before others have their turn
_BLOCKING: Final = False

Report = Callable[[str, BaseException | None], None]


class Listening:
    """Sockets that accept. unlink: a Unix socket's path, removed with it as long as it is the same file."""

    def __init__(self, sockets: list[socket.socket], unlink: str | None, backlog: int) -> None:
        self.sockets = sockets
        self._unlink = unlink
        self._file = os.stat(unlink).st_ino if unlink is not None else 0
        self._closed = False
        for sock in sockets:
            sock.setblocking(_BLOCKING)
            sock.listen(backlog)
        self.addresses: list[Any] = [sock.getsockname() for sock in sockets]

    async def close(self) -> None:
        """Accept no more. Idempotent."""
        self._closed = True
        for sock in self.sockets:
            if sock.fileno() >= 0:
                trio.lowlevel.notify_closing(sock)
                sock.close()
        if self._unlink is not None:
            with contextlib.suppress(FileNotFoundError):
                if os.stat(self._unlink).st_ino == self._file:
                    os.unlink(self._unlink)

    async def accept(self, listener: socket.socket, connected: Callable[[socket.socket], None], report: Report) -> None:
        """Accept until it is closed; a lack of means is waited out."""
        while not self._closed:
            try:
                await trio.lowlevel.wait_readable(listener)
                for _ in range(_AT_ONCE):
                    sock, _ = listener.accept()
                    sock.setblocking(_BLOCKING)
                    connected(sock)
            except trio.ClosedResourceError:
                return
            except OSError as error:  # mostly that nobody waits any more
                if error.errno in _LATER:
                    report("cannot accept a connection now", error)
                    await trio.sleep(_PAUSE)


async def bound(where: Listen) -> Listening:
    """Listen there."""
    unlink: str | None = None
    match where:
        case ListenTCP():
            sockets = await _bind_tcp(where)
        case ListenUnix(path=path):
            sockets, unlink = [_bind_unix(path)], path
        case ListenSocket(sock=sock):
            sockets = [sock]
    try:
        return Listening(sockets, unlink, where.backlog)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise


async def _bind_tcp(where: ListenTCP) -> list[socket.socket]:
    """A bound socket for each address that the host resolves to; with port 0 all get the first one's port."""
    sockets: list[socket.socket] = []
    port = where.port
    try:
        flags = socket.AI_PASSIVE
        found = await trio.socket.getaddrinfo(where.host, port, type=socket.SOCK_STREAM, flags=flags)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            sock = socket.socket(family, kind, protocol)
            sockets.append(sock)
            if where.reuse_address is not False:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if where.reuse_port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((address[0], port, *address[2:]))
            port = port or sock.getsockname()[1]
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bind_unix(path: str) -> socket.socket:
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(path)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale(path: str) -> None:
    """Remove a Unix socket that nobody listens on; anything else there stays, and binding will say so."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
