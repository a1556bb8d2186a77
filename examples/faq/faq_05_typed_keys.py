"""How does a middleware hand data to handlers, and a handler to middlewares?

Requests and responses are mappings, as applications are. What a middleware learns about a request it stores
in it, for everything further in; what a handler knows about its response it stores in that, for everything
further out. Typed keys, `web.RequestKey` and `web.ResponseKey`, tell mypy and pyright what is found there;
a plain string is a key as well, untyped, and gets a warning.

Run it: python -m examples.faq.faq_05_typed_keys [RUNTIME PORT]
"""

import sys
from dataclasses import dataclass

from sansio_web import web


@dataclass(frozen=True)
class User:
    """Who is asking."""

    name: str
    language: str


USER = web.RequestKey("USER", User)
MAX_AGE = web.ResponseKey("MAX_AGE", int)


@web.middleware
async def who_is_asking(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Data on its way in, from middleware to handler."""
    name = request.headers.get("X-User")
    if name is None:
        raise web.HTTPUnauthorized(text="say who you are in X-User", headers={"WWW-Authenticate": "X-User"})
    request[USER] = User(name, request.headers.get("Accept-Language", "en"))
    return await handler(request)


@web.middleware
async def caching(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Data on its way out, from handler to middleware."""
    response = await handler(request)
    if (seconds := response.get(MAX_AGE)) is not None:
        response.headers["Cache-Control"] = f"private, max-age={seconds}"
    return response


async def greet(request: web.Request) -> web.Response:
    """Reads what the one middleware stored, stores what the other will read."""
    user = request[USER]  # a User, as the type checker knows
    response = web.Response(text=f"{'Hallo' if user.language == 'de' else 'Hello'}, {user.name}")
    response[MAX_AGE] = 60
    return response


async def whoami(request: web.Request) -> web.Response:
    """A mapping may be walked; it holds just what this request's middlewares put there."""
    return web.json_response({"name": request[USER].name, "keys": len(list(request))})


def make_app() -> web.Application:
    """The first middleware is the outermost one."""
    app = web.Application(middlewares=[caching, who_is_asking])
    app.add_routes([web.get("/", greet), web.get("/whoami", whoami)])
    return app


if __name__ == "__main__":
    runtime, port = sys.argv[1:] or ("asyncio", "8080")
    web.run_app(make_app(), host="127.0.0.1", port=int(port), runtime=runtime)
