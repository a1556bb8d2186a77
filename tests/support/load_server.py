"""A server in a process of its own, so that its memory can be measured: see `main`."""

import sys

from sansio_web import web
from sansio_web.limits import Limits

PIECE = b"x" * 65_536
LIMITS = Limits(write_timeout=1.0, linger_timeout=0.2, max_content_bytes=None)

handlers_at_work = 0


@web.middleware
async def count(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """How many handlers are at work."""
    global handlers_at_work
    handlers_at_work += 1
    try:
        return await handler(request)
    finally:
        handlers_at_work -= 1


async def hello(request: web.Request) -> web.Response:
    """A small answer."""
    return web.Response(text="hello")


async def kilobyte(request: web.Request) -> web.Response:
    """A larger one."""
    return web.Response(body=PIECE[:1_024])


async def consume(request: web.Request) -> web.Response:
    """Take the content piece by piece."""
    total = 0
    async for piece in request.content.iter_any():
        total += len(piece)
    return web.Response(text=str(total))


async def gigabyte(request: web.Request) -> web.StreamResponse:
    """A long stream."""
    response = web.StreamResponse()
    response.content_length = 2**30
    await response.prepare(request)
    for _ in range(2**30 // len(PIECE)):
        await response.write(PIECE)
    return response


async def at_work(request: web.Request) -> web.Response:
    """Handlers besides this one."""
    return web.Response(text=str(handlers_at_work - 1))


def main() -> None:
    """Serve until a signal."""
    app = web.Application(middlewares=[count], client_max_size=0)
    app.add_routes(
        [
            web.get("/", hello),
            web.get("/kilobyte", kilobyte),
            web.post("/consume", consume),
            web.get("/gigabyte", gigabyte),
            web.get("/at-work", at_work),
        ]
    )
    web.run_app(
        app,
        runtime=sys.argv[1],
        host="127.0.0.1",
        port=0,
        limits=LIMITS,
        access_log=None,
        shutdown_timeout=1.0,
        print=None,
        on_start=lambda started: print(started.addresses[0][1], flush=True),
    )


if __name__ == "__main__":
    main()
