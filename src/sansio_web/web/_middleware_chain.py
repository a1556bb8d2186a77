"""Middlewares around a handler: built once for each route, outermost first."""

import functools
import inspect
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from .cleanup import shown_function

Handler: TypeAlias = Callable[[Any], Awaitable[Any]]


def chain(middlewares: Sequence[Callable[..., Any]], handler: Handler) -> Handler:
    """One callable that runs them all. Each step has the attributes of `handler`, for middlewares to see."""
    wrapped = handler
    for middleware in reversed(middlewares):
        step = _old_step(middleware, wrapped) if is_old_style(middleware) else _step(middleware, wrapped)
        updated = () if isinstance(handler, type) else functools.WRAPPER_UPDATES
        wrapped = functools.update_wrapper(step, handler, updated=updated)
    return wrapped


def _step(middleware: Callable[..., Any], inner: Handler) -> Handler:
    def call(request: Any) -> Awaitable[Any]:
        return middleware(request, inner)  # type: ignore[no-any-return]  # its sender checks it

    return call


def _old_step(factory: Callable[..., Any], inner: Handler) -> Handler:
    async def call(request: Any) -> Any:
        made = factory(request.app, inner)
        if inspect.isawaitable(made):
            made = await made
        return await made(request)

    return call


def is_old_style(middleware: Callable[..., Any]) -> bool:
    """Whether it is a factory `(app, handler) -> handler`: unmarked, and its first parameter is `app`."""
    if getattr(middleware, "__middleware_version__", 0) == 1:
        return False
    try:
        parameters = list(inspect.signature(middleware).parameters)
    except (TypeError, ValueError):
        return False
    return parameters[:1] == ["app"]


def check(middleware: object) -> None:
    """Warn of old style.

    raises: TypeError for what cannot be called
    """
    if not callable(middleware):
        raise TypeError(f"middleware {middleware!r} cannot be called; give async def (request, handler)")
    if is_old_style(middleware):
        warnings.warn(
            f"middleware {shown_function(middleware)} is an old-style factory (app, handler); "
            "write async def (request, handler) with @web.middleware",
            DeprecationWarning,
            stacklevel=3,
        )
