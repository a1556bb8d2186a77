"""What an adapter offers and what it needs: listeners by value, a server's life, finding adapters by name.

An adapter is a module that satisfies `Adapter`, registered under the entry-point group `sansio_web.adapters`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

from .host import Settings

if TYPE_CHECKING:
    from socket import socket
    from ssl import SSLContext

ALPN_PROTOCOLS: Final = ("http/1.1",)
"""What a listener with TLS offers (RFC 7301)."""

ENTRY_POINTS: Final = "sansio_web.adapters"
BUILT_IN: Final = {"asyncio": "sansio_web_asyncio", "uvloop": "sansio_web_uvloop", "trio": "sansio_web_trio"}


@dataclass(frozen=True, slots=True)
class ListenTCP:
    """host: a name, an address, or None for every interface; port: 0 lets the system choose."""

    host: str | None
    port: int
    ssl_context: "SSLContext | None" = None
    backlog: int = 128
    reuse_address: bool | None = None
    reuse_port: bool | None = None


@dataclass(frozen=True, slots=True)
class ListenUnix:
    """path: of a Unix socket; one that nobody listens on any more is replaced."""

    path: str
    ssl_context: "SSLContext | None" = None
    backlog: int = 128


@dataclass(frozen=True, slots=True)
class ListenSocket:
    """sock: bound already, TCP or Unix; from now on the server's to close."""

    sock: "socket"
    ssl_context: "SSLContext | None" = None
    backlog: int = 128


Listen: TypeAlias = ListenTCP | ListenUnix | ListenSocket


class Listening(Protocol):
    """A listener at work."""

    @property
    def addresses(self) -> list[Any]:
        """What each socket is bound to, as `getsockname` tells it."""
        ...

    async def close(self) -> None:
        """Accept no more; connections live on."""
        ...


class RunningServer(Protocol):
    """A server whose application has started."""

    async def listen(self, where: Listen) -> Listening:
        """Accept connections there; the addresses are bound when this returns."""
        ...

    async def close(self) -> None:
        """Stop gracefully, within the bound, and leave the cleanup contexts. Idempotent."""
        ...


class Scope(Protocol):
    """What `Adapter.run` lends to its main coroutine."""

    def stop(self) -> None:
        """End `stopped()`; may be called from any thread, any number of times."""
        ...

    async def stopped(self) -> None:
        """Until `stop`, or SIGINT or SIGTERM where signals are handled."""
        ...


class Adapter(Protocol):
    """The module of a runtime."""

    def is_running(self) -> bool:
        """Whether the calling code runs under this runtime now."""
        ...

    def run(self, main: Callable[[Scope], Awaitable[None]], *, handle_signals: bool, debug: bool | None = None) -> None:
        """Start the runtime, run `main` to its end, and end the runtime."""
        ...

    async def start_server(self, application: "Hosted", options: "ServerOptions", scope: Scope | None) -> RunningServer:
        """Start the application, in a task of its own."""
        ...


class Hosted(Protocol):
    """An application with a life: `web.Application`."""

    async def startup(self) -> None:
        """Enter the cleanup contexts; if one fails, `cleanup` leaves those that were entered."""
        ...

    def freeze(self) -> None:
        """It has started and shall not change any more."""
        ...

    async def shutdown(self) -> None:
        """Accepting has stopped; handlers still run."""
        ...

    async def cleanup(self) -> None:
        """No handler runs any more."""
        ...

    async def handle(self, exchange: Any, /) -> Any:
        """Answer one request."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an adapter knows of the world and the core must not look up.

    wall_clock: seconds since 1970; access_log: the logger for it, unless the user gave another
    """

    wall_clock: Callable[[], float]
    report: Callable[[str, BaseException | None], None]
    access_log: Any
    process_id: int


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a server is told besides its application.

    settings: from what the adapter knows to what the driver needs
    shutdown_timeout: seconds for handlers to end by themselves when the server stops; then they are cancelled
    cancel_timeout: seconds for cancelled handlers to end; then they are left behind and reported
    """

    settings: Callable[[Surroundings], Settings]
    shutdown_timeout: float = 60.0
    cancel_timeout: float = 5.0


async def live(
    application: Hosted,
    *,
    started: Callable[[], None],
    stopping: Callable[[], Awaitable[object]],
    drain: Callable[[], Awaitable[object]],
    shield: Callable[[], object],
) -> None:
    """The life of an application in one task: a task group may live across a cleanup context's `yield`.

    stopping: returns when the server shall stop, with its listeners closed
    drain: returns when no handler runs any more; see `drained`
    shield: called when what follows must be done even if this task is cancelled; it may not open a scope,
        because those of the cleanup contexts are open
    """
    try:
        await application.startup()
        application.freeze()
        try:
            started()
            await stopping()
        finally:
            shield()
            try:
                await application.shutdown()
            finally:
                await drain()
    finally:
        shield()
        await application.cleanup()


async def drained(settings: Settings, options: ServerOptions, gone: Callable[[float], Awaitable[object]]) -> None:
    """Let handlers end by themselves, then cancel them, then drop their transports: each within its bound.

    gone: waits until `settings.drivers` is empty, at most so many seconds; cancelling it ends the first bound
    """
    settings.stopping = True
    for driver in tuple(settings.drivers):
        driver.stop()
    try:
        await gone(options.shutdown_timeout)
    finally:
        for driver in tuple(settings.drivers):
            driver.cancel()
        await gone(options.cancel_timeout)
        left = tuple(settings.drivers)
        for driver in left:
            driver.abandon()
        busy = sum(driver.busy for driver in left)
        if busy:
            settings.report(f"{busy} connections have handlers that did not end when cancelled", None)


def adapter_names() -> list[str]:
    """Names that `adapter` knows, ours first."""
    found = {point.name for point in metadata.entry_points(group=ENTRY_POINTS)}
    return [*BUILT_IN, *sorted(found - set(BUILT_IN))]


def adapter(name: str) -> Adapter:
    """The adapter registered under this name.

    raises: ValueError for an unknown name, with those that are known; ImportError if a runtime is missing
    """
    import importlib

    for point in metadata.entry_points(group=ENTRY_POINTS, name=name):
        return cast(Adapter, point.load())
    if name in BUILT_IN:
        return cast(Adapter, importlib.import_module(BUILT_IN[name]))
    raise ValueError(
        f"runtime {name!r} is not known; known are {', '.join(adapter_names())} (entry points {ENTRY_POINTS})"
    )


def running_adapter() -> Adapter:
    """The adapter whose runtime the calling code runs under.

    raises: RuntimeError if none runs
    """
    for name in adapter_names():
        try:
            found = adapter(name)
        except ImportError:
            continue
        if found.is_running():
            return found
    raise RuntimeError(f"no runtime is running here; known are {', '.join(adapter_names())}")
