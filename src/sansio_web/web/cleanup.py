"""Cleanup contexts: what an application opens at its start and closes, in reverse order, at its end.

A context is an async generator function with one `yield`, or a function decorated with
`@asynccontextmanager`. After the `yield` it is resumed normally, whatever ended the application, so that
aiohttp's contexts, which have no `try`, clean up.

All contexts are entered and left by the task that awaits `Application.startup()` and `cleanup()`. Where that
is one task, a trio nursery may live across the `yield`.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .signals import FrozenList

if TYPE_CHECKING:
    from .application import Application

Context: TypeAlias = AsyncIterator[None] | AbstractAsyncContextManager[Any]
ContextFunction: TypeAlias = "Callable[[Application], Context]"


class CleanupError(RuntimeError):
    """Several things failed while an application cleaned up."""

    @property
    def exceptions(self) -> list[BaseException]:
        """What failed, in the order it did."""
        found: list[BaseException] = self.args[1]
        return found


class CleanupContext(FrozenList[ContextFunction]):
    """The list `app.cleanup_ctx`."""

    __slots__ = ("_entered",)

    def __init__(self) -> None:
        super().__init__()
        self._entered: list[tuple[ContextFunction, Context]] = []

    async def enter(self, app: "Application") -> None:
        """Enter each in order; if one fails, those before it are still to be left.

        raises: TypeError for a function that gives no context, naming it; whatever a context raises
        """
        for function in self._items:
            context = cast(object, function(app))
            if isinstance(context, AbstractAsyncContextManager):
                await cast(AbstractAsyncContextManager[Any], context).__aenter__()
            elif isinstance(context, AsyncIterator):
                try:
                    await anext(cast(AsyncIterator[None], context))
                except StopAsyncIteration:
                    raise RuntimeError(f"cleanup context {shown_function(function)} ended without a 'yield'") from None
            else:
                kind = type(context).__name__
                if isinstance(context, Coroutine):
                    context.close()  # it will never run
                raise TypeError(
                    f"cleanup context {shown_function(function)} returned a {kind}; "
                    "allowed: an async generator, an asynchronous context manager"
                )
            self._entered.append((function, cast(Context, context)))

    async def leave(self) -> list[BaseException]:
        """Leave those that were entered, in reverse order, each of them whatever the others do.

        returns: what they raised
        """
        errors: list[BaseException] = []
        while self._entered:
            function, context = self._entered.pop()
            try:
                await _leave(function, context)
            except BaseException as error:
                # a cancellation must not keep the others open; it is raised afterwards
                errors.append(error)
        return errors


async def _leave(function: ContextFunction, context: Context) -> None:
    if isinstance(context, AbstractAsyncContextManager):
        await context.__aexit__(None, None, None)
        return
    try:
        await anext(context)
    except StopAsyncIteration:
        return
    close = getattr(context, "aclose", None)
    if close is not None:
        await close()
    raise RuntimeError(f"cleanup context {shown_function(function)} has more than one 'yield'")


def raise_errors(errors: list[BaseException]) -> None:
    """Raise what failed: nothing, the one error, or a CleanupError of several; a cancellation before all."""
    for error in errors:
        if not isinstance(error, Exception):
            raise error
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise CleanupError("several errors while cleaning up", errors)


def shown_function(function: object) -> str:
    """A function in a message: `'name' (file.py:12)`."""
    inner = getattr(function, "__wrapped__", function)
    inner = getattr(inner, "__func__", inner)
    name = getattr(function, "__qualname__", None) or repr(function)
    code = getattr(inner, "__code__", None)
    if code is None:
        return f"{name!r}"
    return f"{name!r} ({code.co_filename.replace(chr(92), '/').rpartition('/')[2]}:{code.co_firstlineno})"
