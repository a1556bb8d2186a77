"""What may serve a route, and where it was written.

Out: a callable that gives an awaitable response, places as "file.py:31", stack levels for warnings.
"""

import functools
import inspect
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from .view import AbstractView

if TYPE_CHECKING:
    from .request import Request
    from .stream_response import StreamResponse

Handler: TypeAlias = Callable[["Request"], Awaitable["StreamResponse"]]
RouteHandler: TypeAlias = Handler | type[AbstractView]

_PACKAGE: Final = __name__.partition(".")[0]


def checked(handler: Any) -> Any:
    """The handler: a coroutine function, a View, or an object whose `__call__` is a coroutine function.

    A plain function is taken with a DeprecationWarning, as aiohttp does: it may return a coroutine.
    raises: TypeError if it cannot be called
    """
    if _is_view(handler):
        return handler
    if not callable(handler):
        raise TypeError(f"handler {handler!r} cannot be called; give a coroutine function or a View")
    inner = _unpartial(handler)
    if inspect.iscoroutinefunction(inner):
        return handler
    if not isinstance(inner, type) and inspect.iscoroutinefunction(type(inner).__call__):
        return handler
    place = where_defined(handler) or where_called()
    warnings.warn(
        f"handler {handler!r} ({place}) is no coroutine function; make it one with async def",
        DeprecationWarning,
        stacklevel=caller_level(),
    )
    return _awaiting(handler)


def _is_view(handler: object) -> bool:
    return isinstance(handler, type) and issubclass(handler, AbstractView)


def _unpartial(handler: Any) -> Any:
    while isinstance(handler, functools.partial):
        handler = cast(Any, handler).func
    return handler


def _awaiting(handler: Callable[..., Any]) -> Handler:
    async def awaiting(request: "Request") -> "StreamResponse":
        answer = handler(request)
        if inspect.isawaitable(answer):
            answer = await answer
        return answer  # type: ignore[no-any-return]  # whoever sends it checks

    return functools.update_wrapper(awaiting, handler) if hasattr(handler, "__name__") else awaiting


def where_defined(handler: Any) -> str:
    """The handler's own place; "" if it has none."""
    handler = _unpartial(handler)
    if isinstance(handler, type):
        return _where_class(cast("type[Any]", handler))
    function = inspect.unwrap(getattr(handler, "__func__", handler))
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(inspect.getattr_static(cast(Any, type(handler)), "__call__", None), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


def _where_class(handler: type) -> str:
    codes = [code for value in vars(handler).values() if (code := getattr(value, "__code__", None)) is not None]
    if not codes:
        return ""
    line = getattr(handler, "__firstlineno__", codes[0].co_firstlineno)  # the class's own from Python 3.13 on
    return f"{codes[0].co_filename}:{line}"


def where_called() -> str:
    """The innermost place outside this library."""
    frame = sys._getframe(caller_level() - 1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def caller_level() -> int:
    """The stack level of the innermost frame outside this library, for the caller's `warnings.warn`."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame = frame.f_back
        level += 1
    return level
