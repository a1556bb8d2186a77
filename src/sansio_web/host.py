"""What a driver needs: of a runtime (`Host`), of an application, and of the server that it belongs to (`Settings`).

`Host` is the size of an adapter.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from .exchange import AccessLogSink, ConnectionInfo, Event, Exchange, Running
from .limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from .driver import Driver


class OnDisconnect(Enum):
    """What a client's departure does to the handler of its request; the same in tests as in production."""

    IGNORE = "ignore"  # the handler runs to its end; what it sends raises ConnectionResetError
    CANCEL = "cancel"  # the handler is cancelled the runtime's way; the end of the client's stream counts as departure


class Host(ConnectionInfo, Protocol):
    """All that a runtime lends to one connection."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of it in time; tells `Driver.write_blocked` when it begins to hold back."""
        ...

    def unsent(self) -> int:
        """Bytes that it still holds."""
        ...

    def shutdown_write(self) -> None:
        """End our half after what was written."""
        ...

    def close(self) -> None:
        """Close after what was written."""
        ...

    def abort(self) -> None:
        """Close now, with a reset where the transport has one."""
        ...

    def read(self, wanted: bool) -> None:
        """Go on reading from the transport, or pause."""
        ...

    def start(self, handler: Coroutine[Any, Any, None]) -> Running | None:
        """Run a handler beside this connection, at once as far as it goes; None if that was to its end."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> Running:
        """Run this in a task of its own that can be cancelled alone, within what holds the connection's tasks."""
        ...

    def event(self) -> Event:
        """A new event."""
        ...

    def arm(self, deadline: float) -> None:
        """Call `Driver.tick` then or a little later; an earlier moment replaces a later one."""
        ...


class Application(Protocol):
    """What the driver needs of `web.Application`, or of anything else that answers exchanges."""

    async def handle(self, exchange: Exchange, /) -> Any:
        """Answer one request."""
        ...


@dataclass(slots=True)
class Settings:
    """What all connections of one server share.

    date: IMF-fixdate of now; may return the same object for a whole second
    report: message and error for the server's log
    drivers: connections that live or whose handlers still work; `on_departure` is called when one has gone
    max_handlers: handlers of one connection that may still be at work after their response, before the next one waits
    stopping: the server begins nothing new; a connection that comes all the same ends at once
    on_exit: told of SystemExit and KeyboardInterrupt from a handler, where they cannot pass through its task
    """

    application: Application
    date: Callable[[], bytes]
    report: Callable[[str, BaseException | None], None]
    limits: Limits = DEFAULT_LIMITS
    server_software: bytes = b"sansio_web"
    access_logger: AccessLogSink | None = None
    on_disconnect: OnDisconnect = OnDisconnect.IGNORE
    max_handlers: int = 16
    drivers: set["Driver"] = field(default_factory=lambda: set["Driver"]())
    requests_count: int = 0
    on_departure: Callable[[], object] | None = None
    stopping: bool = False
    on_exit: Callable[[BaseException], object] | None = None
