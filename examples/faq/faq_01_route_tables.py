"""Is there a route decorator, as in Flask?

Yes: `web.RouteTableDef` is a list of routes with decorators. It needs no application, so each module of a
program can have its own table of routes beside the handlers they lead to; the application takes them all in
one place, `make_app()` below.

A route that no URL can ever reach is reported when it is added. Put `@routes.get("/books/{title}")` behind
the routes below, and `app.add_routes(routes)` warns, naming both routes and where each of them was written:

    route '/books/{title}' (…:40) can never match: '/books/{id}' (…:29) takes every URL of it

Run it: python -m examples.faq.faq_01_route_tables [RUNTIME PORT]
"""

import sys

from sansio_web import web

routes = web.RouteTableDef()
BOOKS = web.AppKey("BOOKS", dict[str, str])


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    """One method on one path; GET answers HEAD as well."""
    return web.Response(text=f"{len(request.app[BOOKS])} books")


@routes.get("/books/{id}", name="book")
async def read(request: web.Request) -> web.Response:
    """A part of the path in braces is found in `match_info`, decoded."""
    try:
        return web.Response(text=request.app[BOOKS][request.match_info["id"]])
    except KeyError:
        raise web.HTTPNotFound(text="no such book") from None


@routes.put("/books/{id}")
@routes.post("/books/{id}")
async def store(request: web.Request) -> web.Response:
    """Decorators may be stacked: several methods, or several paths, lead to one handler."""
    request.app[BOOKS][request.match_info["id"]] = await request.text()
    return web.Response(status=201, headers={"Location": str(request.rel_url)})


@routes.view("/shelf")
class Shelf(web.View):
    """A class for all methods of one path; a method that it lacks is answered with 405 and `Allow`."""

    async def get(self) -> web.Response:
        """The books, with a URL built from the name of a route."""
        book = self.request.app.router["book"]
        books = self.request.app[BOOKS]
        return web.json_response({title: str(book.url_for(id=key)) for key, title in books.items()})

    async def delete(self) -> web.Response:
        """Empty it."""
        self.request.app[BOOKS].clear()
        return web.Response(status=204)


def make_app() -> web.Application:
    """All tables come together here."""
    app = web.Application()
    app[BOOKS] = {"1": "Middlemarch"}
    app.add_routes(routes)
    return app


if __name__ == "__main__":
    runtime, port = sys.argv[1:] or ("asyncio", "8080")
    web.run_app(make_app(), host="127.0.0.1", port=int(port), runtime=runtime)
