"""What the contract suite examines, and what its checks have in common."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from .. import web
from ..limits import Limits
from ._peer import until
from .threaded import ThreadedServer


class Serving(Protocol):
    """A server at work, in a thread or a process of its own."""

    @property
    def addresses(self) -> list[Any]:
        """What each listener is bound to, as `getsockname` tells it."""
        ...

    def stop(self) -> None:
        """Stop gracefully and return when it has ended; raises what the end raised. Idempotent."""
        ...


@dataclass(frozen=True)
class Subject:
    """An adapter under examination.

    serve: called with a `web.Application` and the options of `sansio_web.serving.ServeOptions`; its block
        serves, leaving the block stops, and entering it raises what starting raised
    sleep: the runtime's own, for handlers
    """

    serve: Callable[..., AbstractContextManager[Serving]]
    sleep: Callable[[float], Awaitable[object]]

    @classmethod
    def named(cls, runtime: str) -> "Subject":
        """An adapter that `web.run_app(runtime=...)` finds, on asyncio, uvloop or trio."""

        def serve(app: web.Application, **options: Any) -> AbstractContextManager[Serving]:
            return ThreadedServer(app, runtime=runtime, **options)

        if runtime == "trio":
            import trio

            return cls(serve, trio.sleep)
        import asyncio

        return cls(serve, asyncio.sleep)


Check: TypeAlias = Callable[[Subject], None]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

QUICK = Limits(linger_timeout=0.3, drain_timeout=0.3)
"""Nothing that a check does not examine keeps it waiting."""


def serving(subject: Subject, app: web.Application, **options: Any) -> AbstractContextManager[Serving]:
    """Serve without an access log and with short ends."""
    return subject.serve(app, **{"access_log": None, "limits": QUICK, "shutdown_timeout": 5.0, **options})


def app_of(*routes: tuple[str, Handler]) -> web.Application:
    """An application; `/` answers "hello" unless a route does."""
    app = web.Application(client_max_size=0)
    for path, handler in routes:
        app.router.add_route("*", path, handler)
    if "/" not in dict(routes):
        app.router.add_route("*", "/", hello)
    return app


async def hello(request: web.Request) -> web.StreamResponse:
    """Answer at once."""
    return web.Response(text="hello")


async def echo(request: web.Request) -> web.StreamResponse:
    """Send back each piece of content as it comes."""
    response = web.StreamResponse()
    await response.prepare(request)
    async for piece in request.content.iter_any():
        await response.write(piece)
    return response


async def read(request: web.Request) -> web.StreamResponse:
    """Read all content, then tell its length."""
    return web.Response(text=str(len(await request.read())))


class Witness:
    """What a handler tells the check, across threads."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, what: str) -> None:
        """From the handler."""
        self.told.append(what)

    def heard(self, what: str, within: float = 10.0) -> bool:
        """Wait for it."""
        return until(lambda: what in self.told, within)


def watched(witness: Witness, work: Handler) -> Handler:
    """A handler that tells of its "begin" and how it came to its "end": "end", or the error's class name."""

    async def handler(request: web.Request) -> web.StreamResponse:
        witness.tell("begin")
        try:
            response = await work(request)
        except BaseException as error:
            witness.tell(type(error).__name__)
            raise
        witness.tell("end")
        return response

    return handler


CANCELLED = ("CancelledError", "Cancelled")


def was_cancelled(witness: Witness, within: float = 10.0) -> bool:
    """Whether the handler ended by the runtime's cancellation."""
    return until(lambda: any(what in witness.told for what in CANCELLED), within)
