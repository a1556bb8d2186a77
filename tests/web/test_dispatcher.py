"""`web.dispatcher` and `web.resources`: routes are added, found, named, reported."""

import functools
import inspect
import re
import warnings
from typing import Any

import pytest
from aiohttp import web as aiohttp_web
from fake_exchange import FakeExchange, run

from sansio_web import web
from sansio_web.web.dispatcher import MatchInfoError, UnreachableRouteWarning


async def handler(request: web.Request) -> web.Response:
    return web.Response(text="handler")


async def other(request: web.Request) -> web.Response:
    return web.Response(text="other")


def plain(request: web.Request) -> web.Response:
    return web.Response(text="plain")


class Callable:
    async def __call__(self, request: web.Request) -> web.Response:
        return web.Response(text="object")

    async def method(self, request: web.Request) -> web.Response:
        return web.Response(text="method")


class View(web.View):
    async def get(self) -> web.Response:
        return web.Response(text="view")


def request(method: str, target: str) -> web.Request:
    return web.Request(FakeExchange(method, target))


def found(router: web.UrlDispatcher, method: str, target: str) -> Any:
    match = router.match(request(method, target))
    return match.http_exception.status if match.http_exception else match.handler


# ---- looking up


def test_route_is_found_by_method_and_path() -> None:
    router = web.UrlDispatcher()
    router.add_get("/a", handler)
    router.add_post("/a", other)
    assert found(router, "GET", "/a?q") is handler
    assert found(router, "HEAD", "/a") is handler
    assert found(router, "POST", "/a") is other
    assert found(router, "PUT", "/a") == 405
    assert found(router, "get", "/a") == 405
    assert found(router, "GET", "/b") == 404
    assert found(router, "GET", "http://any.host/a") is handler


@pytest.mark.parametrize("method", ["head", "post", "put", "patch", "delete", "options"])
def test_each_method_has_its_add(method: str) -> None:
    router = web.UrlDispatcher()
    route = getattr(router, f"add_{method}")("/a", handler, name="n")
    assert (route.method, route.name, route.handler) == (method.upper(), "n", handler)
    assert found(router, method.upper(), "/a") is handler


def test_head_beside_get_can_be_refused() -> None:
    router = web.UrlDispatcher()
    router.add_get("/a", handler, allow_head=False)
    assert found(router, "HEAD", "/a") == 405


def test_star_serves_every_method() -> None:
    router = web.UrlDispatcher()
    router.add_route("*", "/path/to/{tail:.+}", handler)
    match = router.match(request("BREW", "/path/to/x%2Fy/z%2520"))
    assert match.handler is handler
    assert match["tail"] == "x/y/z%20"


def test_match_is_a_mapping_of_decoded_parts() -> None:
    router = web.UrlDispatcher()
    route = router.add_get(r"/{name}/{number:\d+}", handler)
    match = run(router.resolve(request("GET", "/a%2Fb/12")))
    assert match == {"name": "a/b", "number": "12"}
    assert match.route is route
    assert match.http_exception is None
    assert match.get_info() == route.get_info()
    assert repr(match).startswith("<MatchInfo {'name': 'a/b', 'number': '12'}: <ResourceRoute [GET]")


def test_not_found_and_not_allowed_are_exceptions_to_be_raised() -> None:
    router = web.UrlDispatcher()
    router.add_get("/a", handler)
    router.add_post("/{x}", handler)
    match = router.match(request("PUT", "/a"))
    assert isinstance(match.http_exception, web.HTTPMethodNotAllowed)
    assert match.http_exception.allowed_methods == {"GET", "HEAD", "POST"}
    assert match.http_exception.headers["Allow"] == "GET,HEAD,POST"
    with pytest.raises(web.HTTPMethodNotAllowed):
        run(match.handler(request("PUT", "/a")))
    missing = router.match(request("PUT", "/a/b"))
    assert isinstance(missing, MatchInfoError)
    assert repr(missing) == "<MatchInfoError 404: Not Found>"
    assert repr(missing.route) == "<SystemRoute 404: Not Found>"
    assert missing.get_info() == {"http_exception": missing.http_exception}
    assert missing.route.name is None
    with pytest.raises(RuntimeError, match=r"nothing was found \(404\)"):
        missing.route.url_for()


def test_applications_of_a_match() -> None:
    match = web.UrlDispatcher().match(request("GET", "/"))
    inner, outer, stranger = web.Application(), web.Application(), web.Application()
    with pytest.raises(RuntimeError, match="no application yet"):
        _ = match.current_app
    match.add_app(inner)
    match.add_app(outer)
    assert match.apps == (outer, inner)
    assert match.current_app is inner
    match.current_app = outer
    assert match.current_app is outer
    with pytest.raises(RuntimeError, match="none of the applications"):
        match.current_app = stranger
    match.freeze()
    with pytest.raises(RuntimeError, match="frozen"):
        match.add_app(stranger)


def test_request_knows_its_application_and_those_around_it() -> None:
    key = web.AppKey("key", str)
    shared = web.AppKey("shared", str)
    inner, outer = web.Application(), web.Application()
    inner[key] = "inner"
    outer[key] = "outer"
    outer[shared] = "outer"
    ours = request("GET", "/")
    ours._match_info = match = web.UrlDispatcher().match(ours)
    match.add_app(inner)
    match.add_app(outer)
    assert ours.app is inner
    assert (ours.config_dict[key], ours.config_dict[shared]) == ("inner", "outer")
    match.current_app = outer
    assert ours.config_dict[key] == "outer"
    assert ours.clone().match_info is match


# ---- handlers


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (handler, "handler"),
        (Callable(), "object"),
        (Callable().method, "method"),
        (functools.partial(handler), "handler"),
        (functools.partial(Callable()), "object"),
        (View, "view"),
    ],
)
def test_what_a_handler_may_be(given: Any, text: str) -> None:
    router = web.UrlDispatcher()
    route = router.add_get("/a", given)
    assert route.handler is given

    async def call() -> web.StreamResponse:
        return await route.handler(request("GET", "/a"))

    response = run(call())
    assert isinstance(response, web.Response)
    assert response.text == text


@pytest.mark.parametrize("given", [plain, lambda request: handler(request), functools.partial(plain)])
def test_plain_function_is_taken_with_a_warning_as_in_aiohttp(given: Any) -> None:
    router = web.UrlDispatcher()
    with pytest.warns(DeprecationWarning, match="is no coroutine function; make it one") as caught:
        route = router.add_get("/a", given, allow_head=False)
    assert caught[0].filename == __file__
    assert isinstance(run(route.handler(request("GET", "/a"))), web.Response)
    with pytest.warns(DeprecationWarning, match="Bare functions are deprecated"):
        aiohttp_web.UrlDispatcher().add_get("/a", given)


@pytest.mark.parametrize("given", [None, "handler", 5])
def test_what_cannot_be_called_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="cannot be called"):
        web.UrlDispatcher().add_get("/a", given)


# ---- resources


def test_resources_and_routes_are_sized_views() -> None:
    router = web.UrlDispatcher()
    get = router.add_get("/a", handler)
    post = router.add_post("/a", handler)
    view = router.add_view("/b/{c}", View)
    assert len(router.resources()) == 2
    assert [type(resource) for resource in router.resources()] == [web.PlainResource, web.DynamicResource]
    assert get.resource in router.resources()
    assert [route.method for route in router.routes()] == ["HEAD", "GET", "POST", "*"]
    assert (len(router.routes()), get in router.routes(), None in router.routes()) == (4, True, False)
    assert post.resource is get.resource
    assert view.resource is not None
    assert (len(view.resource), list(view.resource)) == (1, [view])


def test_names_are_a_mapping() -> None:
    router = web.UrlDispatcher()
    router.add_get("/a", handler, name="a")
    router.add_get("/b/{c}", handler, name="b.c")
    assert (list(router), len(router), "a" in router, bool(web.UrlDispatcher())) == (
        ["a", "b.c"],
        2,
        True,
        True,
    )
    assert router["a"].name == "a"
    assert router["b.c"].canonical == "/b/{c}"
    assert dict(router.named_resources()) == dict(router)
    with pytest.raises(KeyError):
        router["nope"]


@pytest.mark.parametrize("name", ["a b", "class", "a.class", "1", "", "a.", "a/b", ":a"])
def test_name_is_identifiers_joined(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        web.UrlDispatcher().add_get("/a", handler, name=name)
    with pytest.raises(ValueError, match="name"):
        aiohttp_web.UrlDispatcher().add_get("/a", handler, name=name)


def test_name_belongs_to_one_resource() -> None:
    router = web.UrlDispatcher()
    first = router.add_get("/a", handler, name="a")
    assert router.add_post("/a", handler, name="a").resource is first.resource
    with pytest.raises(ValueError, match="name 'a' is taken by '/a'"):
        router.add_get("/b", handler, name="a")
    assert len(router.resources()) == 1


def test_urls_are_built_from_parts() -> None:
    router = web.UrlDispatcher()
    route = router.add_get(r"/x/{a}/{b:\d+}", handler, name="x")
    assert str(router["x"].url_for(a="я /?", b="7").with_query(q="1")) == "/x/%D1%8F%20%2F%3F/7?q=1"
    assert route.url_for(a="1", b="2") == router.url_for("x", a="1", b="2")
    match = router.match(request("GET", str(route.url_for(a="я /?%2F", b="7"))))
    assert match == {"a": "я /?%2F", "b": "7"}
    with pytest.raises(KeyError, match="b"):
        route.url_for(a="1")
    with pytest.raises(TypeError):
        route.url_for(a=1, b=2)  # type: ignore[arg-type]
    plain_route = router.add_get("/plain", handler)
    assert str(plain_route.url_for()) == "/plain"
    with pytest.raises(TypeError):
        plain_route.url_for(a="1")


@pytest.mark.parametrize("path", ["", "/", "/a", "/{a}/{b}", r"/{a:\d{2,3}}", "/{tail:.*}", "/a.b/{c}"])
def test_info_is_aiohttps(path: str) -> None:
    ours = web.UrlDispatcher().add_resource(path)
    theirs = aiohttp_web.UrlDispatcher().add_resource(path)
    assert ours.get_info() == theirs.get_info()
    assert ours.canonical == theirs.canonical
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("path", ["a", "*", "/a/{}", "/{a-b}", "/{a:}", "/{a:[}", "/a/{n", "/a}", "/{a}/{a}"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        web.UrlDispatcher().add_get(path, handler)
    with pytest.raises(ValueError, match=r"."):
        aiohttp_web.UrlDispatcher().add_get(path, handler)


def test_method_is_upper_cased_and_a_token() -> None:
    router = web.UrlDispatcher()
    assert router.add_route("x-y", "/a", handler).method == "X-Y"
    for method in ("", "A B", "é", "GET\r\n"):
        with pytest.raises(ValueError, match="is no token"):
            router.add_route(method, "/a", handler)


def test_method_is_served_once() -> None:
    router = web.UrlDispatcher()
    resource = router.add_resource("/a")
    resource.add_route("GET", handler)
    with pytest.raises(RuntimeError, match="can never match"):
        resource.add_route("get", other)
    resource.add_route("*", other)
    with pytest.raises(RuntimeError, match="can never match"):
        resource.add_route("POST", handler)
    assert [route.method for route in resource] == ["GET", "*"]
    with pytest.raises(RuntimeError, match="can never match"):
        router.add_get("/a", handler)


def test_frozen_router_takes_nothing() -> None:
    router = web.UrlDispatcher()
    resource = router.add_resource("/a")
    router.freeze()
    assert router.frozen
    with pytest.raises(RuntimeError, match="frozen"):
        router.add_get("/b", handler)
    with pytest.raises(RuntimeError, match="frozen"):
        resource.add_route("GET", handler)
    assert len(resource) == 0


def test_resource_made_elsewhere_brings_its_routes() -> None:
    resource = web.DynamicResource("/a/{b}", name="n")
    resource.add_route("GET", handler)
    router = web.UrlDispatcher()
    router.register_resource(resource)
    resource.add_route("POST", other)
    assert found(router, "GET", "/a/1") is handler
    assert found(router, "POST", "/a/1") is other
    assert router["n"] is resource
    with pytest.raises(RuntimeError, match="belongs to a router already"):
        web.UrlDispatcher().register_resource(resource)


def test_resource_resolves_alone() -> None:
    router = web.UrlDispatcher()
    router.add_get("/a/b", handler)
    resource = router.add_resource("/a/{b}")
    resource.add_route("POST", other)
    match, methods = run(resource.resolve(request("POST", "/a/b")))
    assert match == {"b": "b"}
    assert match is not None
    assert match.handler is other
    assert methods == {"POST"}
    assert run(resource.resolve(request("GET", "/a/b"))) == (None, {"POST"})
    assert run(resource.resolve(request("POST", "/b"))) == (None, set())


# ---- Expect


def test_expectation_is_met_by_reading_unless_a_route_decides() -> None:
    async def refuse(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=403)

    router = web.UrlDispatcher()
    router.add_post("/a", handler)
    router.add_post("/b", handler, expect_handler=refuse)

    def expect(target: str, value: str) -> web.StreamResponse | None:
        ours = web.Request(FakeExchange("POST", target, [("Expect", value)]))
        return run(router.match(ours).expect_handler(ours))  # type: ignore[arg-type]

    assert expect("/a", "100-Continue") is None
    with pytest.raises(web.HTTPExpectationFailed):
        expect("/a", "200-ok")
    answer = expect("/b", "100-continue")
    assert answer is not None
    assert answer.status == 403


# ---- routes that can never match


def line_of(function: Any) -> int:
    return inspect.getsourcelines(function)[1]


def test_unreachable_route_is_reported_once_where_it_is_added_and_names_both() -> None:
    router = web.UrlDispatcher()
    router.add_get("/users/{id}", handler)

    def add() -> None:
        router.add_get("/users/{name}", other)

    with pytest.warns(UnreachableRouteWarning) as caught:
        add()
    assert [str(warning.message) for warning in caught] == [
        f"route '/users/{{name}}' ({__file__}:{line_of(other)}) can never match: "
        f"'/users/{{id}}' ({__file__}:{line_of(handler)}) takes every URL of it"
    ]
    assert (caught[0].filename, caught[0].lineno) == (__file__, line_of(add) + 1)


def test_unreachable_route_of_a_table_is_reported_where_the_table_is_added() -> None:
    routes = web.RouteTableDef()
    routes.get("/{tail:.*}")(handler)
    routes.get("/{tail}")(View)
    app = web.Application()
    with pytest.warns(UnreachableRouteWarning) as caught:
        app.add_routes(routes)
    assert caught[0].filename == __file__
    assert re.search(rf"'/{{tail}}' \({re.escape(__file__)}:\d+\) can never match", str(caught[0].message))


def test_partial_overlap_is_no_fault() -> None:
    router = web.UrlDispatcher(strict=True)
    router.add_get("/users/{id}", handler)
    router.add_get("/users/me", other)
    router.add_post("/users/{name}", other)
    router.add_get(r"/users/{name:\d+}/x", other)
    assert found(router, "GET", "/users/me") is other


def test_strict_router_refuses_unreachable_routes() -> None:
    router = web.UrlDispatcher(strict=True)
    router.add_get("/{a}", handler)
    with pytest.raises(RuntimeError, match=r"'/\{b\}' .* can never match: '/\{a\}' .* takes every URL"):
        router.add_get("/{b}", other)


def test_resource_that_adds_its_route_later_is_reported_too() -> None:
    router = web.UrlDispatcher()
    router.add_get("/{a}", handler)
    resource = router.add_resource("/{b}")
    with pytest.warns(UnreachableRouteWarning):
        resource.add_route("GET", other)


def test_nothing_is_reported_twice() -> None:
    router = web.UrlDispatcher()
    router.add_get("/{a}", handler)
    with pytest.warns(UnreachableRouteWarning):
        router.add_get("/{b}", other)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        router.add_get("/c/{d}", other)
