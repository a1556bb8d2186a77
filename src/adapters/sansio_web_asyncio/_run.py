"""Starting asyncio for a server that owns the process: one coroutine, ended by a signal or any thread."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Scope:
    """Ends the main coroutine."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """From any thread, any number of times."""
        try:
            self._loop.call_soon_threadsafe(self._stopped.set)
        except RuntimeError:
            pass  # the loop has ended already

    async def stopped(self) -> None:
        """Until `stop` or a signal."""
        await self._stopped.wait()


def is_running() -> bool:
    """Whether an asyncio loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run(
    main: Callable[[Scope], Awaitable[None]],
    *,
    handle_signals: bool,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run `main` in a new loop. Signals are taken in the main thread only, where they arrive.

    The first one stops gracefully; then they do again what they did before: a second one ends it at once.
    """

    async def body() -> None:
        loop = asyncio.get_running_loop()
        scope = Scope(loop)
        main_thread = threading.current_thread() is threading.main_thread()
        taken = list(_SIGNALS) if handle_signals and main_thread else []

        def give_back() -> None:
            while taken:
                loop.remove_signal_handler(taken.pop())

        def stop() -> None:
            give_back()
            scope.stop()

        for number in taken:
            loop.add_signal_handler(number, stop)
        try:
            await main(scope)
        finally:
            give_back()

    with asyncio.Runner(debug=debug, loop_factory=loop_factory) as runner:
        runner.run(body())
