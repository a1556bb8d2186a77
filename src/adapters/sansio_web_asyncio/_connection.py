"""One connection under asyncio: the transport's callbacks to the driver, its wishes to the transport."""

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from sansio_web.driver import Driver
from sansio_web.exchange import Event, Running
from sansio_web.host import Settings

EAGER: Final = sys.version_info >= (3, 12)
"""Whether a task can run at once, without a turn of the loop."""

_eager_task: Any = asyncio.Task  # its argument eager_start is not known to the types of 3.11
_RESET: Final = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """`sansio_web.driver.Host` over an asyncio transport.

    tasks: those of the server; a handler's task is in it while it works
    """

    __slots__ = ("_driver", "_loop", "_settings", "_tasks", "_timer", "_transport", "now", "write")

    secure = False
    write: Callable[[bytes], None]

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[None]]) -> None:
        self._settings = settings
        self._loop = loop
        self._tasks = tasks
        self._timer: asyncio.TimerHandle | None = None
        # asyncio's own clock without the method around it
        self.now = time.monotonic if type(loop).time is asyncio.BaseEventLoop.time else loop.time

    # -- from the transport --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._writer()
        self._transport.set_write_buffer_limits(high=self._settings.limits.max_unsent_bytes)
        self._driver = Driver(self._settings, self)  # pyright: ignore[reportArgumentType]  # it binds the slot
        self._driver.connected()

    def data_received(self, data: bytes) -> None:
        self._driver.receive_data(data)

    def eof_received(self) -> bool:
        self._driver.receive_eof()
        return True  # our half lives on

    def connection_lost(self, exc: Exception | None) -> None:
        self._driver.transport_lost()
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        self._driver.write_blocked()

    def resume_writing(self) -> None:
        self._driver.write_resumed()

    # -- from the driver -----------------------------------------------------------------------------------

    def _writer(self) -> Callable[[bytes], None]:
        """What `write` shall be: a call less on the hot path than a method of our own."""
        return self._transport.write

    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    def shutdown_write(self) -> None:
        self._transport.write_eof()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        raw = self._transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            try:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            except OSError:
                pass  # it is closed already
        self._transport.abort()

    def read(self, wanted: bool) -> None:
        if self._transport.is_closing():
            return
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def start(self, handler: Coroutine[Any, Any, None]) -> Running | None:
        task: asyncio.Task[None]
        if EAGER:
            task = _eager_task(handler, loop=self._loop, eager_start=True)
            if task.done():
                return None
        else:
            task = self._loop.create_task(handler)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def spawn(self, work: Coroutine[Any, Any, None]) -> Running:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def event(self) -> Event:
        return asyncio.Event()

    def arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._driver.tick)

    # -- for the application -------------------------------------------------------------------------------

    @property
    def remote(self) -> str | None:
        peer = self._transport.get_extra_info("peername")
        return str(cast(tuple[object, ...], peer)[0]) if isinstance(peer, tuple) else peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)
