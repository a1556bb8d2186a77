"""Which regular expressions are refused; judged by a count of the ways in which they read a text."""

from __future__ import annotations

import importlib
import re
from typing import Any, TypeAlias

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sansio_web.routing.ambiguity import AmbiguousError, examine


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+",
        "(a|a)*",
        "(a|aa)+",
        "(ab|ab)*",
        r"(\w+\s?)*",
        "(a*)*",
        "(a?)*",
        "(a+?)+?",
        "(a|b|ab)*",
        "(x(a?)?)*",
        "(?:a+b?)+",
        "(a{2,3})+",
        r"(?:\d\d?)*",
        "(a{1,9}){1,9}",
        "(a?){50}",
        r"(?:\w|[^a-z]){2,}",
        "(?i:ab|AB)*",
        "([é-ü]x|üx)*",
        "(?:éx|[^b]x)*",
        "(?:[à-ý]+ä?)*",
        "(?:.b|ab)*",
        r"(?:\S\d|\D\d)*",
        "(?:[^/]a|ba)*",
        "(?>(a+)+)",
        "(a+)++",
        "(?=(a+)+)b",
        "(?<!(?:ab|ab))b(c+)+",
        "(?:(?>ab?)|a|b)*",
        "(?:(?:|)(?>a))*",
        "(?:a{200})*(b+)+",
        "(?-i:(a+)+)",
        "((a{3})+)+",
        "(?:(a)|b|ab)*",
    ],
)
def test_expressions_that_read_a_loop_in_two_ways_are_refused(regex: str) -> None:
    with pytest.raises(AmbiguousError):
        examine(regex)


@pytest.mark.parametrize(
    "regex",
    [
        ".*",
        ".+",
        "[^/]+",
        r"\d+",
        r"\d{4}-\d{2}",
        "(?:[^/]+/)*[^/]+",
        "[a-z]+(-[a-z]+)*",
        r"\d{1,3}(\.\d{1,3}){3}",
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "(a++)+",
        "(?>a+)+",
        "(?:x++|y)*",
        "(?:(?>a|ab)c)*",
        "(?:(?>a|aa))*",
        "(?>[ab]x|ax)*",
        "(?:a+b)+",
        "(a{3})+",
        "(a{2}){3}",
        "((a|b)c?)*",
        r"(\w|\d)*",
        "(é|è)*",
        "(?:éx|èx)*",
        "(?i:a|A)*",
        "(?:ax|[^a]x)*",
        "(?P<y>a)b",
        "(.*)-(.*)",
        "a{0}b",
        "([a-z]{64},)*",
        "(?:(?:ab){300},)*",
        "(?:[^a][^b])*",
        "(?i:a)b",
    ],
)
def test_expressions_with_one_way_through_each_loop_are_accepted(regex: str) -> None:
    assert not examine(regex).contextual


@pytest.mark.parametrize("regex", ["^a", "a$", r"\ba", "(?=a)a", "(?!b)a", "(?<=/)a", "(?!)"])
def test_expressions_that_look_around_are_known(regex: str) -> None:
    assert examine(regex).contextual


@pytest.mark.parametrize("regex", [r"(a)\1", r"(?P<n>a)(?P=n)", "(a)?(?(1)b|c)", r"(?i:(a)\1)"])
def test_references_are_refused(regex: str) -> None:
    with pytest.raises(AmbiguousError, match="reference"):
        examine(regex)


@pytest.mark.parametrize(
    ("regex", "spans"),
    [
        (".*", True),
        ("[^/]*", False),
        ("[^{}/]+", False),
        ("[^a]", True),
        ("a/b", True),
        ("[+-9]", True),
        (r"\w+", False),
        (r"\W", True),
        (r"\D", True),
        (r"\S", True),
        (r"\d", False),
        (r"\s", False),
        ("(?=/)a", False),
        ("a|(b|/)", True),
        ("(?i:[^/])", False),
        (r"[\w.-]+", False),
        ("(?s:.)", True),
        ("[^a/]", False),
    ],
)
def test_an_expression_spans_if_it_can_take_a_slash(regex: str, spans: bool) -> None:
    assert examine(regex).spans is spans


def test_what_is_no_expression_is_an_error_of_re() -> None:
    with pytest.raises(re.error):
        examine("(")


# An expression as a tree: a character set, or (operator, parts).
Tree: TypeAlias = "str | tuple[str, list[Tree]]"

TREES: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(["a", "b", "[ab]"]),
    lambda below: (
        st.tuples(st.sampled_from(["", "|"]), st.lists(below, min_size=2, max_size=3))
        | st.tuples(st.sampled_from(["*", "+", "?"]), st.lists(below, min_size=1, max_size=1))
    ),
    max_leaves=6,
)


def written(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    operator, parts = tree
    if operator in ("", "|"):
        return "(?:" + operator.join(map(written, parts)) + ")"
    return f"(?:{written(parts[0])}){operator}"


def ways(parsed: Any, text: str, before: list[int]) -> list[int]:
    """How many ways lead to each place of the text, given how many lead to each place before.

    Works on what `re` parsed, as that is what `re` runs: `(a|[ab])` has become one set there.
    """
    for op, argument in parsed:
        if str(op) == "LITERAL":
            before = [0, *(n if ord(text[i]) == argument else 0 for i, n in enumerate(before[:-1]))]
        elif str(op) == "IN":
            chars = {value for _, value in argument}
            before = [0, *(n if ord(text[i]) in chars else 0 for i, n in enumerate(before[:-1]))]
        elif str(op) == "SUBPATTERN":
            before = ways(argument[3], text, before)
        elif str(op) == "BRANCH":
            before = [sum(column) for column in zip(*(ways(p, text, before) for p in argument[1]), strict=True)]
        else:
            assert str(op) == "MAX_REPEAT"
            least, most, body = argument
            total, turn, turns = [0] * len(before), before, 0
            while any(turn) and turns <= most:
                if turns >= least:
                    total = [x + y for x, y in zip(total, turn, strict=True)]
                turn, turns = ways(body, text, turn), turns + 1
            before = total
    return before


def loops(tree: Tree) -> int:
    if isinstance(tree, str):
        return 0
    return (tree[0] in "*+" and tree[0] != "") + sum(map(loops, tree[1]))


@given(TREES, st.text("ab", min_size=1, max_size=3))
@settings(max_examples=500, deadline=None)
def test_in_an_accepted_expression_the_ways_grow_no_faster_than_a_power(tree: Tree, word: str) -> None:
    assume(loops(tree) > 0)
    try:
        examine(written(tree))
    except AmbiguousError:
        return
    parsed = importlib.import_module("re._parser").parse(written(tree))
    short, long = (word * n for n in (16, 32))
    growth = [sum(ways(parsed, text, [1] + [0] * len(text))) for text in (short, long)]
    assert growth[1] <= growth[0] * 2 ** (loops(tree) + 2)  # twice the text: at most 2^degree the ways
    assert growth[1] <= 64 * len(long) ** (loops(tree) + 1)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_an_expression_without_loops_in_loops_and_choices_in_loops_is_accepted(tree: Tree) -> None:
    """The refusal is not wholesale: where no loop holds a choice or a loop, nothing is refused."""

    def simple(part: Tree, inside: bool) -> bool:
        if isinstance(part, str):
            return True
        operator, parts = part
        return not (inside and operator) and all(simple(below, inside or operator in ("*", "+")) for below in parts)

    assume(simple(tree, False))
    examine(written(tree))
