"""`web.routedef`: route tables and single definitions."""

from typing import Any

import pytest
from aiohttp import web as aiohttp_web
from fake_exchange import FakeExchange

from sansio_web import web


async def handler(request: web.Request) -> web.Response:
    return web.Response()


class View(web.View):
    pass


@pytest.mark.parametrize("name", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_function_and_decorator_say_the_same(name: str) -> None:
    definition = getattr(web, name)("/a", handler, name="n")
    assert (definition.method, definition.path, definition.handler) == (name.upper(), "/a", handler)
    assert repr(definition) == repr(getattr(aiohttp_web, name)("/a", handler, name="n"))
    routes = web.RouteTableDef()
    assert getattr(routes, name)("/a", name="n")(handler) is handler
    assert repr(routes[0]) == repr(getattr(aiohttp_web.RouteTableDef, name) and _theirs(name)[0])


def _theirs(name: str) -> aiohttp_web.RouteTableDef:
    routes = aiohttp_web.RouteTableDef()
    getattr(routes, name)("/a", name="n")(handler)
    return routes


def test_view_and_route() -> None:
    routes = web.RouteTableDef()
    assert routes.view("/v")(View) is View
    routes.route("BREW", "/pot")(handler)
    assert list(routes) == [web.view("/v", View), web.route("BREW", "/pot", handler)]


def test_table_is_a_sequence() -> None:
    routes = web.RouteTableDef()
    routes.get("/a")(handler)
    routes.post("/b")(handler)
    assert (len(routes), repr(routes)) == (2, "<RouteTableDef count=2>")
    assert routes[1] in routes
    assert web.post("/c", handler) not in routes
    assert routes[0:1] == [routes[0]]
    assert routes.index(routes[1]) == 1


def test_table_needs_no_application_and_serves_several() -> None:
    routes = web.RouteTableDef()
    routes.get("/a", name="a")(handler)
    routes.view("/v")(View)
    for _ in range(2):
        router = web.UrlDispatcher()
        added = router.add_routes(routes)
        assert [(route.method, route.name) for route in added] == [("GET", "a"), ("*", None)]
        assert [route.method for route in router.routes()] == ["HEAD", "GET", "*"]
        assert router.match(web.Request(FakeExchange("HEAD", "/a"))).handler is handler


def test_options_go_to_the_route() -> None:
    router = web.UrlDispatcher()
    router.add_routes([web.get("/a", handler, allow_head=False), web.post("/a", handler, name="p")])
    assert [route.method for route in router.routes()] == ["GET", "POST"]
    assert list(router) == ["p"]


def test_what_is_no_definition_is_refused() -> None:
    bad: Any = [1]
    with pytest.raises(AttributeError, match="register"):
        web.UrlDispatcher().add_routes(bad)
