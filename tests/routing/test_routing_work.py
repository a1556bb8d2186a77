"""The cost of a match, in lines of the router executed: neither table nor path can make it explode."""

from __future__ import annotations

import sys
from itertools import product
from types import FrameType
from typing import Any

import pytest

from sansio_web.routing import Matched, Router


def lines(router: Router[int], path: str) -> int:
    """How many lines of sansio_web.routing one match executes."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        if "routing" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        router.match("GET", path)
    finally:
        sys.settrace(before)
    return count


def table(size: int) -> Router[int]:
    router: Router[int] = Router()
    for n in range(size):
        for path in (
            f"/static/{n}", f"/d{n}/{{x}}", f"/{{a}}/x{n}", f"/{{a}}/{{b}}/y{n}/{{c}}", f"/f{n}-{{a}}.html",
            f"/t{n}/{{tail:.*}}", f"/{{tail:.*}}/z{n}", rf"/{{n:\d+}}/r{n}", f"/q{{a:[a-z]+}}.e{n}",
        ):  # fmt: skip
            router.add_resource(path).add("GET", n)
        router.add_prefix(f"/p{n}").add("GET", n)
    return router


@pytest.fixture(scope="module")
def small() -> Router[int]:
    return table(10)


@pytest.fixture(scope="module")
def large() -> Router[int]:
    return table(1000)  # ten thousand routes


@pytest.mark.parametrize(
    "path",
    [
        "/static/7",
        "/d7/v",
        "/v/x7",
        "/v/w/y7/u",
        "/f7-v.html",
        "/t7/a/b/c",
        "/a/b/z7",
        "/12/r7",
        "/qv.e7",
        "/p7/a/b",
        "/none",
        "/v/none",
        "/v/w/none/u",
        "/" + "a/" * 500,
    ],
)
def test_a_match_costs_no_more_in_ten_thousand_routes_than_in_a_hundred(
    small: Router[int], large: Router[int], path: str
) -> None:
    # different lengths of affixes are tried one by one: "f7-" and "f77-", ".e7" and ".e777" and so on
    assert lines(large, path) <= lines(small, path) + 40
    assert lines(small, path) < 150
    assert isinstance(large.match("GET", path), Matched) == ("none" not in path and "a/a/a" not in path)


def test_a_fixed_path_costs_the_same_few_lines_in_any_table(small: Router[int], large: Router[int]) -> None:
    assert lines(small, "/static/7") == lines(large, "/static/7") < 15


def test_a_path_cannot_make_the_lookup_visit_more_than_the_table_has() -> None:
    """The worst table: all 2^8 mixtures of fixed and variable segments. Each costs a visit, once."""
    router: Router[int] = Router()
    depth = 8
    for n, kinds in enumerate(product((True, False), repeat=depth)):
        segments = ["a" if fixed else f"{{v{i}}}" for i, fixed in enumerate(kinds)]
        router.add_resource("/" + "/".join(segments) + "/end").add("GET", n)
    nodes = 2 ** (depth + 1)
    assert lines(router, "/a" * depth + "/none") < 20 * nodes
    assert lines(router, "/a" * 5000) < 20 * nodes  # what is deeper than the table costs nothing
    assert lines(router, "/b" * depth + "/none") < 20 * depth


def test_one_table_of_variables_only_visits_one_node_per_segment() -> None:
    router: Router[int] = Router()
    for depth in range(1, 40):
        router.add_resource("".join(f"/{{v{i}}}" for i in range(depth))).add("GET", depth)
    assert lines(router, "/a" * 39) < 39 * 20
