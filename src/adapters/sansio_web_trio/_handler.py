"""A handler under trio: its first step where the request came in, the rest in the task that stays with it."""

import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any

import trio


class Handler:
    """A handler's coroutine, stepped in its own context; `Running` for the driver.

    scope: what `cancel` cancels, its own under the policy `CANCEL`, else its connection's
    trap: what it yielded to the runtime when it first had to wait
    """

    __slots__ = ("_context", "_coroutine", "_scope", "trap")

    def __init__(self, coroutine: Coroutine[Any, Any, None], scope: trio.CancelScope) -> None:
        self._coroutine = coroutine
        self._scope = scope
        self._context: Context = copy_context()
        self.trap: Any = None

    def step(self) -> bool:
        """Run until it waits or ends; whether it waits."""
        try:
            self.trap = self._context.run(self._coroutine.send, None)
        except StopIteration:
            return False
        return True

    @types.coroutine
    def go_on(self) -> Generator[Any, Any, None]:
        """The rest, within the task that made the first step."""
        run = self._context.run
        resume: Callable[[Any], Any]
        argument: Any
        while True:
            try:
                value = yield self.trap
            except BaseException as error:
                resume, argument = self._coroutine.throw, error
            else:
                resume, argument = self._coroutine.send, value
            try:
                self.trap = run(resume, argument)
            except StopIteration:
                return

    async def run(self) -> None:
        """All of it, in a task of its own."""
        if self.step():
            await self.go_on()

    def cancel(self) -> None:
        """Cancel it."""
        self._scope.cancel()


async def within(scope: trio.CancelScope, handler: Coroutine[Any, Any, None]) -> None:
    """The handler, or what else is run for it, in a scope of its own."""
    with scope:
        await handler
