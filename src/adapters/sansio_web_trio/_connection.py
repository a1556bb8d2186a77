"""One connection under trio: leaders and followers in the connection's nursery.

The task that reads is the leader. It runs a handler itself as far as it goes; if the handler has to wait,
the task stays with it and another becomes leader. So a request that needs nothing but its own bytes costs no
switch of tasks, and every handler lives in the nursery of its connection.
"""

import math
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final, cast

import trio

from sansio_web.driver import Driver
from sansio_web.exchange import Event, Running
from sansio_web.host import OnDisconnect, Settings

from ._handler import Handler, within
from ._transport import Transport

_PIECE_BYTES: Final = 65_536
_BROKEN: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


class Connection:
    """`sansio_web.driver.Host` over a trio transport."""

    __slots__ = (
        *("_armed", "_closing", "_driver", "_leading", "_nursery", "_outbox", "_scope", "_secure", "_settings"),
        *("_timer", "_unsent", "_waiting", "_wants_data", "_writing", "now", "transport"),
    )

    def __init__(self, settings: Settings, transport: Transport, *, secure: bool) -> None:
        self.transport = transport
        self.now = trio.current_time
        self._settings = settings
        self._secure = secure
        self._outbox: deque[bytes | None] = deque()
        self._scope = trio.CancelScope()
        self._unsent = 0
        self._writing = False
        self._closing = False
        self._leading = False
        self._waiting: Handler | None = None
        self._wants_data: trio.Event | None = None
        self._armed = math.inf
        self._timer: trio.CancelScope | None = None

    async def serve(self) -> None:
        """From the first byte to the last handler's end."""
        self._driver = Driver(self._settings, self)
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    self._nursery = nursery
                    self._driver.connected()
                    await self._lead()
        finally:
            self._lost()

    # -- reading -------------------------------------------------------------------------------------------

    async def _lead(self) -> None:
        """Read and begin handlers, until one has to wait; then stay with it while another task leads."""
        while not self._closing:
            if self._wants_data is not None:
                await self._wants_data.wait()
                continue
            try:
                data = await self.transport.receive()
            except _BROKEN:
                self._lost()
                break
            self._leading = True
            try:
                if data:
                    self._driver.receive_data(data)
                else:
                    self._driver.receive_eof()
            finally:
                self._leading = False
            handler, self._waiting = self._waiting, None
            if handler is not None:
                self._nursery.start_soon(self._lead)
                await handler.go_on()
                return
        # the last leader leaves; handlers that still work keep the nursery open

    def read(self, wanted: bool) -> None:
        if wanted and self._wants_data is not None:
            self._wants_data.set()
            self._wants_data = None
        elif not wanted and self._wants_data is None:
            self._wants_data = trio.Event()

    def start(self, handler: Coroutine[Any, Any, None]) -> Running | None:
        scope = self._scope
        if self._settings.on_disconnect is OnDisconnect.CANCEL:
            scope = trio.CancelScope()
            handler = within(scope, handler)
        task = Handler(handler, scope)
        if self._leading and self._waiting is None:
            if not task.step():
                return None
            self._waiting = task
        else:
            self._nursery.start_soon(task.run)
        return task

    def spawn(self, work: Coroutine[Any, Any, None]) -> Running:
        scope = trio.CancelScope()
        self._nursery.start_soon(within, scope, work)
        return scope

    def event(self) -> Event:
        return trio.Event()

    # -- writing -------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._closing:
            return
        if not self._outbox and not self._writing:
            try:
                sent = self.transport.send_now(data)
            except OSError:
                self._lost()
                return
            if sent == len(data):
                return
            data = data[sent:]
        self._outbox.append(data)
        self._unsent += len(data)
        self._keep_writing()
        if self._unsent > self._settings.limits.max_unsent_bytes:
            self._driver.write_blocked()

    def unsent(self) -> int:
        return self._unsent

    def shutdown_write(self) -> None:
        if not self._closing:
            self._outbox.append(None)
            self._keep_writing()

    def close(self) -> None:
        if self._closing:
            return
        if self._outbox or self._writing or self._secure:
            self._outbox.append(b"")
            self._keep_writing()
        else:
            self._lost()

    def abort(self) -> None:
        self._lost(reset=True)

    def _keep_writing(self) -> None:
        if not self._writing:
            self._writing = True
            self._nursery.start_soon(self._write)

    async def _write(self) -> None:
        """Send what waits; None ends our half, an empty string closes."""
        try:
            while self._outbox and not self._closing:
                data = self._outbox[0]
                if data:
                    await self._send(data)
                else:
                    with trio.move_on_after(self._settings.limits.linger_timeout or math.inf):
                        await (self.transport.send_eof() if data is None else self.transport.goodbye())
                    if data is not None:
                        self._lost()
                if self._outbox:
                    self._outbox.popleft()
        except _BROKEN:
            self._lost()
        finally:
            self._writing = False

    async def _send(self, data: bytes) -> None:
        view = memoryview(data)
        low = self._settings.limits.max_unsent_bytes // 4
        while view:
            part = view[:_PIECE_BYTES]
            await self.transport.send(part)
            if self._closing:
                return
            view = view[len(part) :]
            self._unsent -= len(part)
            if self._driver.blocked is not None and self._unsent <= low:
                self._driver.write_resumed()

    def _lost(self, *, reset: bool = False) -> None:
        """Close now and tell everybody. Idempotent."""
        if self._closing:
            return
        self._closing = True
        self._outbox.clear()
        self._unsent = 0
        self.transport.close(reset=reset)
        if self._wants_data is not None:
            self._wants_data.set()
        if self._timer is not None:
            self._timer.cancel()
        self._driver.transport_lost()

    # -- time ----------------------------------------------------------------------------------------------

    def arm(self, deadline: float) -> None:
        if self._closing:
            return
        if self._timer is None:
            self._timer = trio.CancelScope()
            self._armed = deadline
            self._nursery.start_soon(self._tick)
        elif deadline < self._armed:
            self._armed = deadline
            self._timer.deadline = deadline

    async def _tick(self) -> None:
        """Sleep to the armed moment; the driver arms again while there is another one."""
        while True:
            assert self._timer is not None
            self._timer.deadline = self._armed
            with self._timer:
                await trio.sleep_forever()
            if self._closing:
                return
            self._armed = math.inf
            self._timer = trio.CancelScope()
            self._driver.tick()

    # -- for the application -------------------------------------------------------------------------------

    @property
    def remote(self) -> str | None:
        peer = self.get_extra_info("peername")
        return str(cast(tuple[object, ...], peer)[0]) if isinstance(peer, tuple) else peer

    @property
    def secure(self) -> bool:
        return self._secure

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        found = self.transport.get_extra_info(name)
        return default if found is None else found
