"""May a middleware answer with a response of its own?

Yes, anywhere in the chain, before or after the handler: with a *new* `web.Response` each time. A response is one
message to one client. What may be kept is what it is made from, as `cached` below keeps content and type.

An object that was sent already cannot be sent again. `mistaken` tries; the error is raised right there and names the
request that the response was sent for. The client gets a 500, its connection lives, and nothing hangs.

Run it: python -m examples.faq.faq_14_own_response [RUNTIME PORT]
"""

import sys

from sansio_web import web

CACHE = web.AppKey("CACHE", dict[str, tuple[bytes, str]])
KEPT = web.AppKey("KEPT", web.Response)


@web.middleware
async def closed(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Instead of the handler: a new response each time, and the handler is never called."""
    if request.path.startswith("/closed"):
        return web.Response(status=503, text="closed for today", headers={"Retry-After": "3600"})
    return await handler(request)


@web.middleware
async def cached(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Content is kept, not the response: each client gets one of its own."""
    if request.method != "GET":
        return await handler(request)
    cache = request.app[CACHE]
    if request.path in cache:
        body, content_type = cache[request.path]
        return web.Response(body=body, content_type=content_type, headers={"X-Cache": "hit"})
    response = await handler(request)
    if isinstance(response, web.Response) and isinstance(response.body, bytes):
        cache[request.path] = response.body, response.content_type
    return response


@web.middleware
async def mistaken(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """What not to do: the same object for every request. It works once."""
    if request.path == "/mistake":
        return request.app[KEPT]
    return await handler(request)


async def index(request: web.Request) -> web.Response:
    """A page that is worth caching."""
    return web.Response(text="made by the handler")


def make_app() -> web.Application:
    """The first middleware is the outermost one."""
    app = web.Application(middlewares=[closed, mistaken, cached])
    app[CACHE] = {}
    app[KEPT] = web.Response(text="once, and never again")
    app.add_routes([web.get("/", index), web.get("/closed/room", index)])
    return app


if __name__ == "__main__":
    runtime, port = sys.argv[1:] or ("asyncio", "8080")
    web.run_app(make_app(), host="127.0.0.1", port=int(port), runtime=runtime)
