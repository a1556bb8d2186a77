"""A `driver.Host` made of lists, with handlers stepped by hand: no loop, no clock, no socket."""

import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any

from sansio_web.driver import Driver
from sansio_web.exchange import Exchange
from sansio_web.host import OnDisconnect, Settings
from sansio_web.limits import DEFAULT_LIMITS, Limits

DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
Handle = Callable[[Exchange], Coroutine[Any, Any, Any]]


class Cancelled(BaseException):
    """What this runtime cancels with."""


class FakeEvent:
    """One-shot; a handler that waits for it yields it."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        self.is_set = True

    async def wait(self) -> None:
        while not self.is_set:
            await _suspended(self)


@types.coroutine
def _suspended(event: FakeEvent) -> Generator[FakeEvent, None, None]:
    yield event


class FakeTask:
    """A handler, in a context of its own; `wait_for` is what it waits for, None before its first step."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.coroutine = coroutine
        self.context = copy_context()
        self.wait_for: FakeEvent | None = None
        self.cancelling = False
        self.ended = False

    def cancel(self) -> None:
        self.cancelling = True

    def step(self) -> None:
        try:
            if self.cancelling:
                self.cancelling = False
                self.wait_for = self.context.run(self.coroutine.throw, Cancelled())
            elif self.wait_for is None or self.wait_for.is_set:
                self.wait_for = self.context.run(self.coroutine.send, None)
        except (StopIteration, Cancelled):
            self.ended = True


class FakeHost:
    """What the driver did is in `log`: bytes that were written, and names of calls.

    eager: whether a handler runs at once as far as it goes
    takes: bytes the peer takes before the transport holds back; None: any number
    """

    def __init__(self, *, eager: bool = True, takes: int | None = None) -> None:
        self.log: list[bytes | str] = []
        self.tasks: list[FakeTask] = []
        self.clock = 1000.0
        self.armed: list[float] = []
        self.eager = eager
        self.takes = takes
        self.held = 0
        self.remote = "192.0.2.7"
        self.secure = False
        self.driver: Driver

    def now(self) -> float:
        return self.clock

    def write(self, data: bytes) -> None:
        self.log.append(data)
        if self.takes is not None:
            fits = min(len(data), self.takes)
            self.takes -= fits
            self.held += len(data) - fits
            if self.held:
                self.driver.write_blocked()

    def unsent(self) -> int:
        return self.held

    def shutdown_write(self) -> None:
        self.log.append("shutdown_write")

    def close(self) -> None:
        self.log.append("close")

    def abort(self) -> None:
        self.log.append("abort")

    def read(self, wanted: bool) -> None:
        self.log.append("read" if wanted else "pause")

    def start(self, handler: Coroutine[Any, Any, None]) -> FakeTask | None:
        task = FakeTask(handler)
        if self.eager:
            task.step()
            if task.ended:
                return None
        self.tasks.append(task)
        return task

    def spawn(self, work: Coroutine[Any, Any, None]) -> FakeTask:
        task = FakeTask(work)
        self.tasks.append(task)
        return task

    def event(self) -> FakeEvent:
        return FakeEvent()

    def arm(self, deadline: float) -> None:
        self.armed.append(deadline)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def run(self) -> None:
        """Step every handler that can go on, until none can."""
        while ready := [t for t in self.tasks if t.cancelling or t.wait_for is None or t.wait_for.is_set]:
            for task in ready:
                task.step()
            self.tasks = [task for task in self.tasks if not task.ended]

    def taken(self, count: int) -> None:
        """The peer took so many of the bytes held."""
        self.held -= count
        self.driver.write_resumed()
        self.run()

    def took(self) -> list[bytes | str]:
        log, self.log = self.log, []
        return log


class FakeApp:
    """`driver.Application` from one function."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def handle(self, exchange: Exchange) -> None:
        await self._handle(exchange)


class Served:
    """A driver, its host and its settings."""

    def __init__(
        self,
        handle: Handle,
        *,
        eager: bool = True,
        takes: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
        on_disconnect: OnDisconnect = OnDisconnect.IGNORE,
        max_handlers: int = 16,
        can_half_close: bool = True,
    ) -> None:
        self.reports: list[tuple[str, BaseException | None]] = []
        self.departures = 0
        self.settings = Settings(
            FakeApp(handle),
            lambda: DATE,
            lambda message, error: self.reports.append((message, error)),
            limits=limits,
            on_disconnect=on_disconnect,
            max_handlers=max_handlers,
            on_departure=self._departed,
        )
        self.host = FakeHost(eager=eager, takes=takes)
        self.driver = self.host.driver = Driver(self.settings, self.host, can_half_close=can_half_close)
        self.driver.connected()

    def _departed(self) -> None:
        self.departures += 1

    def feed(self, *pieces: bytes) -> list[bytes | str]:
        for data in pieces:
            self.driver.receive_data(data)
        self.host.run()
        return self.host.took()

    def eof(self) -> list[bytes | str]:
        self.driver.receive_eof()
        self.host.run()
        return self.host.took()

    def lose(self) -> list[bytes | str]:
        self.driver.transport_lost()
        self.host.run()
        return self.host.took()

    def wait(self, seconds: float) -> list[bytes | str]:
        self.host.clock += seconds
        self.driver.tick()
        self.host.run()
        return self.host.took()
