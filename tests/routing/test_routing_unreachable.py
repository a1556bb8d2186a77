"""Routes that can never match are found when added; test_routing_precedence shows that no report is false."""

from __future__ import annotations

import pytest

from sansio_web.routing import Router, Template
from sansio_web.routing.coverage import covers


def reports(*routes: str) -> list[tuple[int, int]]:
    """Routes as "METHOD path", prefixes as "METHOD path/*"; answers pairs (unreachable, by)."""
    router: Router[int] = Router()
    for number, route in enumerate(routes):
        method, _, path = route.partition(" ")
        add = router.add_prefix if path.endswith("/*") else router.add_resource
        add(path.removesuffix("/*")).add(method, number, where=str(number))
    return [(int(report.route.where), int(report.by.where)) for report in router.unreachable]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/users/{id}", "/users/{name}"),
        ("/{a}-{b}/c", "/{x}-{y}/c"),
        (r"/{a:\d+}/b", r"/{x:\d+}/b"),
        ("/{a}", "/{a:[^{}/]+}"),
        ("/{a:[^/]+}", "/{b}"),
        ("/{a:[^/]*}", "/{b}-{c}"),
        (r"/{a:[^/]*}", r"/{b:\d*}"),
        ("/{a}", "/{b}-x"),
        ("/{a:[^/]+}/x", "/{b}.html/x"),
        ("/{a}/{b}", "/{b}/x"),
        (r"/{a:\d+}/{b:.*}", r"/{x:\d+}/{y:.*}"),
        (r"/{z}/{a:\d+}/{b}", "/{z}/7/{b}"),
        ("/{t:.*}", "/{a}"),
        ("/{t:.*}", "/{a}/b/{c}"),
        ("/{t:.*}", "/{u:.*}/x"),
        ("/{t:.+}", "/{a}"),
        ("/{t:.+}", "/{a:[^/]*}/"),
        ("/{t:.+}", r"/x{a:\d*}"),
        ("/a/{t:.*}", "/a/{b}/c"),
        ("/{a}/{t:.*}", "/{a}/{x}"),
        ("/{t:.*}", "/"),
        ("/a/{t:.*}", "/a/"),
        ("/{a}/{t:.*}x", "/{b}/{t:.*}x"),
        ("/r-{n}.pdf/{x}", "/r-{m}.pdf/{x}"),
        ("/x{t:.*}", "/x{u:.*}"),
        ("/{a:[^/]+}/x{t:.*}", "/{b}/x{u:.*}"),
        ("/s/*", "/s"),
        ("/s/*", "/s/"),
        ("/s/*", "/s/{x}"),
        ("/s/*", "/s/{t:.*}"),
        ("/s/*", "/s/*"),
    ],
)
def test_a_later_route_whose_every_path_an_earlier_takes_is_reported(first: str, second: str) -> None:
    assert reports(f"GET {first}", f"GET {second}") == [(1, 0)]
    assert reports(f"* {first}", f"GET {second}") == [(1, 0)]
    assert reports(f"* {first}", f"* {second}") == [(1, 0)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/{t:.*}", "/a"),  # a fixed path has the longer prefix
        ("/{t:.*}", "/a/{x}"),  # so has this
        ("/{x}", "/a"),
        ("/{a}", "/{b:[^/]+}"),  # takes braces
        ("/{a}", "/{b:[^/]*}"),
        ("/{a}", "/x%7B{b}"),
        ("/{t:.+}", "/{a:[^/]*}"),  # takes the empty segment
        ("/{t:.+}", "/{u:.*}"),
        ("/{a}/{t:.+}", "/{a}/{u:[^/]*}"),
        ("/{a}/b", "/{a}"),
        ("/{a}", "/{a}/b"),
        ("/{a}-{b}", "/{a}"),
        ("/{a}/{b}", "/{a}/{t:.*}"),
        ("/{a}/x{t:.*}", "/{a}/{t:.*}"),
        ("/{a}/{t:.*}", "/{a}"),
        (r"/{a:\d+}", r"/{a:\d\d+}"),  # it does, but inclusion of expressions is left open
        ("/{a:(?!x).*}", "/{b}"),
        ("/{t:^.*}", "/{b}"),
        ("/{z}/{a:x(?!/y)}/{b}", "/{z}/x/{c}"),  # "/1/x/y" is left
        ("/{a}", "/s/*"),
        ("/{t:.*}", "/s/*"),
        ("/s/*", "/s/a/{x}"),  # the longer prefix
        ("/s/*", "/{a}"),
        ("/s/*", "/sa"),
        ("/s{t:.*}", "/s/*"),
        ("/{a}/{b}/{c}", "/{a}/{t:.*}"),
        ("/{t:.*}b", "/{a}/b"),
        ("/{t:.*}{u:.*}", "/{a}/b"),
    ],
)
def test_a_route_that_some_path_reaches_is_not_reported(first: str, second: str) -> None:
    assert reports(f"* {first}", f"* {second}") == []


def test_a_method_that_the_earlier_resource_does_not_serve_is_reachable() -> None:
    assert reports("GET /{a}", "POST /{b}", "* /{c}") == []
    assert reports("GET /{a}", "POST /{b}", "POST /{c}", "GET /{d}") == [(2, 1), (3, 0)]


def test_a_fixed_path_registered_twice_is_reported() -> None:
    assert reports("GET /a", "GET /b", "GET /a") == [(2, 0)]


def test_an_endpoint_added_later_to_the_earlier_resource_makes_the_other_unreachable() -> None:
    router: Router[int] = Router()
    first = router.add_resource("/users/{id}", where="app.py:12")
    second = router.add_resource("/users/{name}", where="app.py:30")
    second.add("GET", 1, where="app.py:31")
    second.add("POST", 2)
    assert router.unreachable == []
    first.add("GET", 3)
    assert list(map(str, router.unreachable)) == [
        "route '/users/{name}' (app.py:31) can never match: '/users/{id}' (app.py:12) takes every URL of it"
    ]
    first.add("*", 4)
    assert [(report.route.method, report.by.method) for report in router.unreachable] == [
        ("GET", "GET"),
        ("POST", "*"),
    ]


def test_a_longer_template_takes_no_path_of_a_shorter_one() -> None:
    assert not covers(Template("/{a}/{b}"), Template("/{a}"))


def test_a_place_that_is_not_known_is_left_out() -> None:
    router: Router[int] = Router()
    router.add_resource("/{a}").add("GET", 1)
    router.add_resource("/{b}").add("GET", 2)
    assert str(router.unreachable[0]) == "route '/{b}' can never match: '/{a}' takes every URL of it"
