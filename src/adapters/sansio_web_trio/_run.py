"""Starting trio for a server that owns the process, and servers beside other trio code."""

import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, cast

import trio

from sansio_web.hosting import Hosted, ServerOptions
from sansio_web.hosting import Scope as AnyScope

from ._server import Server

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Scope:
    """Ends the main coroutine; servers that it starts live in `nursery`."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self._token = trio.lowlevel.current_trio_token()
        self._stopped = trio.Event()

    def stop(self) -> None:
        """From any thread, any number of times."""
        try:
            self._token.run_sync_soon(self._stopped.set)
        except trio.RunFinishedError:
            pass

    async def stopped(self) -> None:
        """Until `stop` or a signal."""
        await self._stopped.wait()


def is_running() -> bool:
    """Whether trio runs in this thread."""
    try:
        trio.lowlevel.current_trio_token()
    except RuntimeError:
        return False
    return True


def run(main: Callable[[Scope], Awaitable[None]], *, handle_signals: bool, debug: bool | None = None) -> None:
    """Run `main` under trio. Signals are taken in the main thread only, where they arrive.

    The first one stops gracefully; then they do again what they did before: a second one ends it at once.
    """

    async def take_signal(scope: Scope, *, task_status: trio.TaskStatus[None]) -> None:
        with trio.open_signal_receiver(*_SIGNALS) as arrivals:
            task_status.started()
            async for _ in arrivals:
                break
        scope.stop()

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            scope = Scope(nursery)
            if handle_signals and threading.current_thread() is threading.main_thread():
                await nursery.start(take_signal, scope)
            await main(scope)
            nursery.cancel_scope.cancel()

    try:
        trio.run(body)
    except BaseExceptionGroup as group:
        raise _gravest(group) from None


def _gravest(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong, without the nurseries around it: an exit before an error, the group if several."""
    leaves = list(_leaves(group))
    exits = [error for error in leaves if not isinstance(error, Exception)]
    if exits:
        return exits[0]
    return leaves[0] if len(leaves) == 1 else group


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in cast(BaseExceptionGroup[BaseException], error).exceptions:
            yield from _leaves(each)
    else:
        yield error


async def start_server(application: Hosted, options: ServerOptions, scope: AnyScope | None = None) -> Server:
    """Start the application, in the scope's nursery or, without one, in a system task; `close` ends it.

    Where you have a nursery, `await nursery.start(serve, application)` is trio's own way.
    """
    server = Server(application, options)
    if isinstance(scope, Scope):
        scope.nursery.start_soon(server.run)
    else:
        trio.lowlevel.spawn_system_task(server.run)
    await server.started()
    return server
