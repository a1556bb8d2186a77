"""Middlewares: coroutine functions of a request and the handler behind them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from .request import Request
    from .stream_response import StreamResponse

Middleware: TypeAlias = Callable[
    ["Request", Callable[["Request"], Awaitable["StreamResponse"]]], Awaitable["StreamResponse"]
]
M = TypeVar("M")


def middleware(function: M) -> M:
    """Mark a coroutine function `async def (request, handler)` as a middleware."""
    function.__middleware_version__ = 1  # type: ignore[attr-defined]  # aiohttp's mark of the new style
    return function
