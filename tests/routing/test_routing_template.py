"""Templates: what is one, what it captures, what it builds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_web.routing import Router, Template
from sansio_web.routing.quoting import readable


@pytest.mark.parametrize(
    ("source", "canonical", "names"),
    [
        ("", "", ()),
        ("/", "/", ()),
        ("/a/{x}", "/a/{x}", ("x",)),
        (r"/{y:\d{4}}-{m:\d{2}}/{t:.*}", "/{y}-{m}/{t}", ("y", "m", "t")),
        ("/{x:[^{}]+}", "/{x}", ("x",)),
        ("/{x:[^}]+}", "/{x}", ("x",)),
        ("/{x:[]}]}", "/{x}", ("x",)),
        (r"/{x:a\}b}", "/{x}", ("x",)),
        ("/{x:(?P<y>a)b}", "/{x}", ("x", "y")),
        ("/{class}/{_a}", "/{class}/{_a}", ("class", "_a")),
        ("/é b/%7Bz", "/é b/%7Bz", ()),
    ],
)
def test_a_template_has_a_canonical_text_and_names(source: str, canonical: str, names: tuple[str, ...]) -> None:
    template = Template(source)
    assert (template.source, template.canonical, template.names) == (source, canonical, names)
    assert template.is_plain == (not names)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("a", "begins with 'a'"),
        ("{a}", "begins with '{'"),
        ("/a/{x", "does not close|after a name comes"),
        ("/a/{x:a", "does not close the brace at offset 3"),
        ("/a/{x:a{2}", "does not close the brace at offset 3"),
        ("/a/{x:[}", "no regular expression"),
        ("/a/x}", "closes a brace at offset 4"),
        ("/a/{x}}", "closes a brace at offset 6"),
        ("/{{x}}", "no name"),
        ("/{}", "no name"),
        ("/{1a}", "no name"),
        ("/{é}", "no name"),
        ("/{x y}", "after a name comes"),
        ("/{x:}", "empty regular expression"),
        ("/{x:(}", "no regular expression"),
        ("/{x:(?i)a}", "regular expression"),
        ("/{x}/{x}", "two variables named 'x'"),
        ("/{x}/{y:(?P<x>a)}", "regular expression"),
        ("/{x:(a+)+}", "exponential time.*two ways"),
        (r"/{x:(a)\1}", "exponential time.*reference"),
    ],
)
def test_what_is_no_template_is_refused_with_the_reason(source: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Template(source)


def captured(source: str, path: str) -> dict[str, str] | None:
    plain = readable(path)
    return Template(source).capture(plain, plain.split("/"))


@pytest.mark.parametrize(
    ("source", "path", "values"),
    [
        ("/a/{x}", "/a/b%2Fc", {"x": "b/c"}),
        ("/a/{x}", "/a/%252F", {"x": "%2F"}),
        ("/a/{x}", "/a/%C3%A9", {"x": "é"}),
        ("/a/{x}", "/a/%FF", {"x": "%FF"}),
        ("/a/{x}", "/a/100%", {"x": "100%"}),
        ("/a/{x}", "/a/", None),
        ("/a/{x}", "/a/%7B", None),
        ("/a/{x}", "/a/%7D", None),
        ("/{a}-{b}", "/x-y-z", {"a": "x-y", "b": "z"}),
        ("/{a}-{b}", "/x-", None),
        ("/{a}-{b}", "/-y", None),
        ("/{a}-{b}", "/xy", None),
        ("/{a}-{b}", "/", None),
        ("/{a}-{b}", "/{-}", None),
        ("/{a}{b}", "/xyz", {"a": "xy", "b": "z"}),
        ("/{a}{b}{c}{d}", "/xy", None),
        ("/{a}-{b}{c}", "/x-yz", {"a": "x", "b": "y", "c": "z"}),
        ("/{a}-{b}{c}", "/-yz", None),
        ("/v{a}.{b}.tgz", "/v1.2.3.tgz", {"a": "1.2", "b": "3"}),
        ("/{a}%7B{b}", "/x%7By", {"a": "x", "b": "y"}),
        (r"/{x:\d+}", "/%31%32", {"x": "12"}),
        ("/{t:.*}", "/a/%0A/b", {"t": "a/\n/b"}),
        ("/{x:(?P<y>a)?b}", "/b", {"x": "b", "y": ""}),
        ("/{a:.*}/c/{b}", "/1/2/c/3", {"a": "1/2", "b": "3"}),
    ],
)
def test_variables_are_decoded_once_and_slashes_in_them_stay(
    source: str, path: str, values: dict[str, str] | None
) -> None:
    assert captured(source, path) == values


TEXTS = st.text("ab-", min_size=1, max_size=2)


@given(
    st.lists(st.sampled_from([None, "a", "b", "-", "ab", "a-"]), min_size=1, max_size=7),
    st.text("ab-{", max_size=12),
)
@settings(max_examples=1000, deadline=None)
def test_plain_variables_capture_what_the_greedy_expression_does(pieces: list[str | None], text: str) -> None:
    source = "/" + "".join(f"{{v{n}}}" if piece is None else piece for n, piece in enumerate(pieces))
    regex = "".join(f"(?P<v{n}>[^{{}}/]+)" if piece is None else re.escape(piece) for n, piece in enumerate(pieces))
    template = Template(source)
    literals = re.split(r"\{\w+\}", source[1:])
    if template.is_plain or not (text.startswith(literals[0]) and text.endswith(literals[-1])):
        return  # the tree has seen to that
    found = re.fullmatch(regex, text)
    assert template.capture("/" + text, ["", text]) == (None if found is None else found.groupdict())


def test_plain_variables_are_found_in_linear_time() -> None:
    """With a backtracking matcher this path takes n^7 steps: ages, not the blink that it is."""
    path = "/" + "x" * 20_000 + "{"
    assert captured("/" + "x".join(f"{{v{n}}}" for n in range(7)) + "y{z}", path) is None
    assert captured("/" + "x".join(f"{{v{n}}}" for n in range(7)) + "y{z}", path[:-1]) is None


@pytest.mark.parametrize(
    ("source", "parts", "path"),
    [
        ("", {}, ""),
        ("/a b/é?#%20%2f%25", {}, "/a%20b/%C3%A9%3F%23%20%2F%25"),
        ("/a/{x}", {"x": "b c", "unused": "1"}, "/a/b%20c"),
        ("/a/{x}", {"x": "b/c"}, "/a/b%2Fc"),
        ("/a/{x}", {"x": "%2F"}, "/a/%252F"),
        ("/a/{x}", {"x": "é?#%&+;=@:,!$'()*~\""}, "/a/%C3%A9%3F%23%25&+;=@:,!$'()*~%22"),
        ("/a/{t:.*}", {"t": "b/c d"}, "/a/b/c%20d"),
        (r"/{y:\d+}-{m}", {"y": "2024", "m": "05"}, "/2024-05"),
    ],
)
def test_a_path_is_built_with_the_quoting_that_keeps_its_meaning(source: str, parts: dict[str, str], path: str) -> None:
    assert Template(source).build(parts) == path


def test_a_missing_part_is_named() -> None:
    with pytest.raises(KeyError, match="x"):
        Template("/{x}").build({"y": "1"})


def test_a_part_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match=r"part 'x' of '/\{x\}' is 5, not a str"):
        Template("/{x}").build({"x": 5})  # type: ignore[dict-item]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="{}"), min_size=1),
    st.text(st.characters(codec="utf-8")),
)
def test_what_is_built_matches_and_gives_the_parts_back(value: str, tail: str) -> None:
    router: Router[str] = Router()
    resource = router.add_resource("/é/{x}/{t:.*}")
    resource.add("GET", "endpoint")
    answer = router.match("GET", resource.build({"x": value, "t": tail}))
    assert getattr(answer, "variables", None) == {"x": value, "t": tail}
