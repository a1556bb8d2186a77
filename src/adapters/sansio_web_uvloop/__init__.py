"""sansio_web on uvloop: asyncio's adapter on another loop."""

import asyncio
from collections.abc import Awaitable, Callable

import uvloop

from sansio_web_asyncio import Connection, Listening, Scope, Server, serve, start_server
from sansio_web_asyncio import run as _run

__all__ = ["Connection", "Listening", "Scope", "Server", "is_running", "run", "serve", "start_server"]


def is_running() -> bool:
    """Whether a uvloop loop runs in this thread."""
    try:
        return isinstance(asyncio.get_running_loop(), uvloop.Loop)
    except RuntimeError:
        return False


def run(main: Callable[[Scope], Awaitable[None]], *, handle_signals: bool, debug: bool | None = None) -> None:
    """As asyncio's, in a new uvloop loop."""
    _run(main, handle_signals=handle_signals, debug=debug, loop_factory=uvloop.new_event_loop)
