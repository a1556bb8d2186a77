"""The router against two other judges, on generated tables: aiohttp's UrlDispatcher, and a linear scan."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp.web import Response
from aiohttp.web_urldispatcher import UrlDispatcher
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from sansio_web.routing import Matched, MethodNotAllowed, NotFound, Router

FIXED = ["a", "b", "ab", "a-b", "", "a.b"]
# variables as (regex or None, ...); strings are fixed
SEGMENTS: list[list[str | tuple[str] | None]] = [
    [None],
    [None, "-", None],
    ["a", None],
    [None, ".b"],
    [None, None],
    ["a", None, "-", None, ".b"],
    [(r"\d+",)],
    [("[ab]+",)],
    [("[^/]+",)],
    [("[^/]*",)],
    [("[^{}/]+",)],
    ["a", ("[ab]*",), "b"],
    [("(?:a|b)b",)],
    [(".*",)],
    [(".+",)],
    ["a", (".*",)],
    [(".*",), "b"],
    [("a|b/a",)],
    [("(?:[^/]+/)*[^/]+",)],
]
METHODS = ["GET", "POST", "*"]
PIECES = [
    "a",
    "b",
    "ab",
    "1",
    "-",
    ".",
    "%61",
    "%2d",
    "%2F",
    "%2f",
    "%25",
    "%252F",
    "%C3%A9",
    "%FF",
    "%7B",
    "",
    "~",
]


@dataclass(frozen=True)
class Route:
    """A route as the strategy made it: pieces, so that the oracle needs no parser of templates."""

    method: str
    pieces: tuple[str | tuple[str] | None, ...]
    is_prefix: bool = False

    @property
    def text(self) -> str:
        out = ""
        for n, piece in enumerate(self.pieces):
            if isinstance(piece, str):
                out += piece
            else:
                out += f"{{v{n}}}" if piece is None else f"{{v{n}:{piece[0]}}}"
        return out

    @property
    def regex(self) -> re.Pattern[str]:
        out = ""
        for n, piece in enumerate(self.pieces):
            if isinstance(piece, str):
                out += re.escape(piece)
            else:
                out += f"(?P<v{n}>{'[^{}/]+' if piece is None else piece[0]})"
        return re.compile(out + ("(?P<rest>(?:/.*)?)" if self.is_prefix else ""), re.DOTALL)

    @property
    def fixed(self) -> str:
        text = self.text
        if "{" in text:
            text = text[: text.index("{")].rpartition("/")[0]
        return text.rstrip("/")


@st.composite
def routes(draw: st.DrawFn, prefixes: bool) -> Route:
    method = draw(st.sampled_from(METHODS))
    if prefixes and draw(st.integers(0, 4)) == 0:
        return Route(
            method,
            ("/" + "/".join(draw(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2))),),
            True,
        )
    segments: list[list[str | tuple[str] | None]] = draw(
        st.lists(
            st.sampled_from(SEGMENTS) | st.sampled_from(FIXED).map(lambda text: [text] if text else []),
            min_size=1,
            max_size=4,
        )
    )
    pieces: list[str | tuple[str] | None] = []
    for segment in segments:
        for piece in ["/", *segment]:
            if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += piece
            else:
                pieces.append(piece)
    return Route(method, tuple(pieces))


PATHS = st.lists(st.lists(st.sampled_from(PIECES), max_size=3).map("".join), min_size=1, max_size=5).map(
    lambda segments: "/" + "/".join(segments)
)


def tables(prefixes: bool = False) -> st.SearchStrategy[list[Route]]:
    return st.lists(routes(prefixes), min_size=1, max_size=8)


def build(table: list[Route]) -> tuple[Router[int], list[Route]]:
    """The router, and the routes it took: a method twice on one resource is refused."""
    router: Router[int] = Router()
    taken: list[Route] = []
    for number, route in enumerate(table):
        add = router.add_prefix if route.is_prefix else router.add_resource
        try:
            add(route.text).add(route.method, number, where=str(number))
        except RuntimeError:
            continue
        taken.append(route)
    return router, taken


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """A coroutine that never waits needs no loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


@dataclass
class Target:
    """The two things that UrlDispatcher.resolve asks a request for."""

    method: str
    rel_url: URL


async def never(_request: object) -> Response:
    raise AssertionError("routing calls no handler")


def ask_aiohttp(table: list[Route], method: str, path: str) -> object:
    dispatcher = UrlDispatcher()
    numbers: dict[object, int] = {}
    for number, route in enumerate(table):
        try:
            numbers[dispatcher.add_route(route.method, route.text, never)] = number
        except RuntimeError:
            continue
    info = run(dispatcher.resolve(Target(method, URL.build(path=path, encoded=True))))  # type: ignore[arg-type]
    if info.http_exception is None:
        return numbers[info.route], dict(info)
    if info.http_exception.status == 404:
        return NotFound()
    return MethodNotAllowed(tuple(sorted(info.http_exception.allowed_methods)))


def ask_router(table: list[Route], method: str, path: str) -> object:
    answer = build(table)[0].match(method, path)
    return (answer.endpoint, answer.variables) if isinstance(answer, Matched) else answer


@given(tables(), st.sampled_from(["GET", "POST", "PUT"]), PATHS)
@settings(max_examples=400, deadline=None)
def test_answers_are_those_of_aiohttp(table: list[Route], method: str, path: str) -> None:
    assert ask_router(table, method, path) == ask_aiohttp(table, method, path)


@pytest.mark.parametrize(
    ("texts", "path", "winner"),
    [
        (["/{a}/x", "/b/{c}"], "/b/x", 1),  # the longer fixed prefix
        (["/a/{y}", "/a/b{x}"], "/a/bc", 0),  # half a segment is no prefix
        (["/{t:.*}", "/a"], "/a", 1),
        (["/{t:.*}", "/"], "/", 0),  # slashes at the end are no prefix
        (["/a/{t:.*}", "/a/"], "/a/", 0),
        (["/a/", "/a/{t:.*}"], "/a/", 0),
        (["/{x}.html", "/{x}.{y}"], "/b.html", 0),
    ],
)
def test_precedence_is_that_of_aiohttp(texts: list[str], path: str, winner: int) -> None:
    dispatcher, router = UrlDispatcher(), Router[int]()
    numbers: dict[object, int] = {}
    for number, text in enumerate(texts):
        router.add_resource(text).add("GET", number)
        numbers[dispatcher.add_route("GET", text, never)] = number
    info = run(dispatcher.resolve(Target("GET", URL.build(path=path, encoded=True))))  # type: ignore[arg-type]
    answer = router.match("GET", path)
    assert isinstance(answer, Matched)
    assert answer.endpoint == numbers[info.route] == winner


def scan(table: list[Route], method: str, path: str) -> object:
    """The oracle: every route in the order of precedence, one after the other."""
    plain = URL.build(path=path, encoded=True).path_safe
    allowed: set[str] = set()
    for number, route in sorted(enumerate(table), key=lambda pair: (-len(pair[1].fixed), pair[0])):
        found = route.regex.fullmatch(plain)
        if found is None:
            continue
        if route.method not in (method, "*"):
            allowed.add(route.method)
            continue
        values = {name: unquote(re.sub("%(?!25|2F)", "%25", text)) for name, text in found.groupdict().items()}
        values.pop("rest", None)
        return number, values
    return MethodNotAllowed(tuple(sorted(allowed))) if allowed else NotFound()


@given(tables(prefixes=True), st.sampled_from(["GET", "POST", "PUT"]), PATHS)
@settings(max_examples=600, deadline=None)
def test_answers_are_those_of_a_linear_scan(table: list[Route], method: str, path: str) -> None:
    router: Router[int] = Router()
    seen: set[tuple[bool, str]] = set()
    distinct: list[Route] = []
    for route in table:  # one method per path: the oracle knows routes, not resources
        if (route.is_prefix, route.text) not in seen:
            seen.add((route.is_prefix, route.text))
            add = router.add_prefix if route.is_prefix else router.add_resource
            add(route.text).add(route.method, len(distinct))
            distinct.append(route)
    answer = router.match(method, path)
    expected = scan(distinct, method, path)
    if not isinstance(answer, Matched):
        assert answer == expected
        return
    assert (answer.endpoint, answer.variables) == expected
    if answer.resource.is_prefix:
        assert path == path[: len(path) - len(answer.rest)] + answer.rest
        assert answer.rest == "" or answer.rest.startswith("/")
        assert distinct[answer.endpoint].regex.fullmatch(
            URL.build(path=path[: len(path) - len(answer.rest)], encoded=True).path_safe
        )


@given(tables(prefixes=True), st.lists(PATHS, min_size=1, max_size=12), st.sampled_from(["GET", "POST", "PUT"]))
@settings(max_examples=400, deadline=None)
def test_a_route_reported_unreachable_never_answers(table: list[Route], paths: list[str], method: str) -> None:
    router, _ = build(table)
    reported = {int(report.route.where) for report in router.unreachable}
    for path in paths:
        answer = router.match(method, path)
        assert not isinstance(answer, Matched) or answer.endpoint not in reported
