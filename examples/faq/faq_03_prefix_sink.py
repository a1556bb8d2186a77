"""How does one handler take every URL that begins with a prefix?

By a pattern for the rest of the path: `{tail:.+}` matches any text, slashes included. The method `*` takes
all methods. `match_info["tail"]` is percent-decoded once, so `%20` is a space in it and `%2520` is `%20`.

Resources are tried by the length of their fixed prefix, longest first: `/path/to/health` below wins over the sink
although it is added later. The search does not grow slower with the number of routes.

Run it: python -m examples.faq.faq_03_prefix_sink [RUNTIME PORT]
"""

import sys

from sansio_web import web


async def sink(request: web.Request) -> web.Response:
    """Whatever was asked for below `/path/to/`."""
    return web.json_response({"method": request.method, "tail": request.match_info["tail"]})


async def health(request: web.Request) -> web.Response:
    """One URL below the prefix that does not go down the sink."""
    return web.Response(text="healthy")


def make_app() -> web.Application:
    """An application with one sink."""
    app = web.Application()
    app.router.add_route("*", "/path/to/{tail:.+}", sink)
    app.router.add_get("/path/to/health", health)
    return app


if __name__ == "__main__":
    runtime, port = sys.argv[1:] or ("asyncio", "8080")
    web.run_app(make_app(), host="127.0.0.1", port=int(port), runtime=runtime)
