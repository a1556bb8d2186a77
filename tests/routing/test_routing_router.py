"""Tables: what can be added, what is answered, what is known about them."""

from __future__ import annotations

import pytest

from sansio_web.routing import Matched, MethodNotAllowed, NotFound, Router


def table(*routes: tuple[str, str]) -> Router[int]:
    router: Router[int] = Router()
    for number, (method, path) in enumerate(routes):
        router.add_resource(path).add(method, number)
    return router


def endpoint(router: Router[int], method: str, path: str) -> int | None:
    answer = router.match(method, path)
    return answer.endpoint if isinstance(answer, Matched) else None


@pytest.mark.parametrize("path", ["/a", "/%61", "/%61%"[:4]])
def test_equivalent_encodings_match_the_same_route(path: str) -> None:
    assert endpoint(table(("GET", "/a")), "GET", path) == 0


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/a%20b", "/a%20b"),
        ("/a b", "/a%20b"),
        ("/%C3%A9", "/%c3%a9"),
        ("/é/{x}", "/%C3%A9/1"),
        ("/a%2fb", "/a%2Fb"),
    ],
)
def test_fixed_text_may_be_written_encoded_or_decoded(template: str, path: str) -> None:
    assert endpoint(table(("GET", template)), "GET", path) == 0


def test_an_encoded_slash_is_no_slash() -> None:
    router = table(("GET", "/a/b"), ("POST", "/a%2Fb"))
    assert router.match("GET", "/a%2Fb") == MethodNotAllowed(("POST",))
    assert endpoint(router, "GET", "/a/b") == 0


@pytest.mark.parametrize("target", ["*", "a", "", "example.org:80", "http://example.org/a"])
def test_a_target_in_another_form_than_origin_form_is_not_found(target: str) -> None:
    assert table(("GET", "/a"), ("GET", "/{t:.*}")).match("GET", target) == NotFound()


def test_the_empty_path_takes_the_empty_path_only() -> None:
    router = table(("GET", ""))
    assert endpoint(router, "GET", "") == 0
    assert router.match("GET", "/") == NotFound()


def test_a_resource_that_lacks_the_method_is_passed_over() -> None:
    router = table(("POST", "/a"), ("PUT", "/{x}"), ("GET", "/{t:.*}"))
    assert [endpoint(router, method, "/a") for method in ("POST", "PUT", "GET")] == [0, 1, 2]
    assert router.match("DELETE", "/a") == MethodNotAllowed(("GET", "POST", "PUT"))


def test_any_method_serves_those_that_are_not_served_before() -> None:
    router = table(("GET", "/a"), ("*", "/a"))
    assert [endpoint(router, method, "/a") for method in ("GET", "BREW")] == [0, 1]


def test_any_method_of_an_earlier_resource_comes_before_a_later_one() -> None:
    router = table(("*", "/a"), ("GET", "/b"), ("GET", "/a"))
    assert endpoint(router, "GET", "/a") == 0


def test_methods_are_case_sensitive_and_registered_in_upper_case() -> None:
    router = table(("get", "/a"))
    assert endpoint(router, "GET", "/a") == 0
    assert router.match("get", "/a") == MethodNotAllowed(("GET",))


def test_a_resource_without_endpoints_is_not_there() -> None:
    router: Router[int] = Router()
    router.add_resource("/a/{x}")
    assert router.match("GET", "/a/1") == NotFound()


def test_an_endpoint_may_be_anything_even_nothing() -> None:
    router: Router[None] = Router()
    router.add_resource("/a").add("GET", None)
    router.add_resource("/{x}").add("GET", None)
    assert isinstance(router.match("GET", "/a"), Matched)
    assert isinstance(router.match("GET", "/b"), Matched)


def test_each_match_has_variables_of_its_own() -> None:
    router = table(("GET", "/a"))
    first, second = router.match("GET", "/a"), router.match("GET", "/a")
    assert isinstance(first, Matched)
    assert isinstance(second, Matched)
    assert first.variables == {}
    assert first.variables is not second.variables


def test_the_last_resource_is_taken_again_for_the_same_path_and_name() -> None:
    router: Router[int] = Router()
    first = router.add_resource("/a", name="n")
    assert router.add_resource("/a", name="n") is first
    assert router.add_resource("/a") is not first
    again = router.add_resource("/a/{x}")
    assert router.add_resource("/a/{x}") is again
    assert router.add_resource("/a/{y}") is not again
    assert len(router) == 4


def test_resources_are_known_in_order_and_by_name() -> None:
    router: Router[int] = Router()
    a = router.add_resource("/a", name="a.b:c-d", where="app.py:1")
    b = router.add_resource(r"/{x:\d+}")
    b.add("get", 1)
    assert list(router) == [a, b]
    assert router.named == {"a.b:c-d": a}
    assert (a.name, a.is_plain, a.is_prefix, a.where) == ("a.b:c-d", True, False, "app.py:1")
    assert (b.name, b.is_plain, b.canonical, dict(b.endpoints)) == (None, False, "/{x}", {"GET": 1})
    assert b.build({"x": "1"}) == "/1"
    assert repr(b) == r"<Resource '/{x:\\d+}' GET>"
    assert repr(router.add_prefix("/p")) == "<Resource prefix '/p' >"


@pytest.mark.parametrize("name", ["1a", "a b", "", "a..b", "a-1", ".a", "a.", "class", "a.class"])
def test_a_name_is_identifiers_that_are_no_keywords(name: str) -> None:
    router: Router[int] = Router()
    with pytest.raises(ValueError, match=r"not an identifier|keyword"):
        router.add_resource("/a", name=name)
    assert not list(router)


def test_a_name_is_given_once() -> None:
    router: Router[int] = Router()
    router.add_resource("/a", name="n", where="app.py:1")
    with pytest.raises(ValueError, match=r"name 'n' is taken by '/a' \(app.py:1\)"):
        router.add_resource("/b", name="n")


@pytest.mark.parametrize("method", ["", "GET POST", "G(T", "GÉT", "GET\n"])
def test_a_method_is_a_token(method: str) -> None:
    with pytest.raises(ValueError, match="no token"):
        table((method, "/a"))


@pytest.mark.parametrize(("first", "second"), [("GET", "get"), ("*", "GET"), ("*", "*")])
def test_a_method_that_is_served_already_is_refused_with_both_places(first: str, second: str) -> None:
    router: Router[int] = Router()
    router.add_resource("/a").add(first, 1, where="app.py:1")
    with pytest.raises(RuntimeError, match=r"app.py:2.* is served already by .*app.py:1"):
        router.add_resource("/a").add(second, 2, where="app.py:2")
    assert endpoint(router, "GET", "/a") == 1


def test_a_frozen_router_takes_nothing_more() -> None:
    router = table(("GET", "/a"))
    resource = next(iter(router))
    assert not router.frozen
    router.freeze()
    assert router.frozen
    for add in (
        lambda: router.add_resource("/b"),
        lambda: router.add_prefix("/b"),
        lambda: resource.add("POST", 1),
    ):
        with pytest.raises(RuntimeError, match="frozen"):
            add()
    assert endpoint(router, "GET", "/a") == 0


def test_segments_with_fixed_ends_are_told_apart() -> None:
    router = table(("GET", "/r-{n}.pdf"), ("GET", "/r-{n}.txt"), ("GET", "/x-{n}.pdf"), ("GET", "/a{t:.*}b"))
    names = ["r-1.pdf", "r-1.txt", "x-1.pdf", "r-.pdf", "a/b"]
    assert [endpoint(router, "GET", f"/{name}") for name in names] == [0, 1, 2, None, 3]


# Prefixes: sub-applications, folders


def test_a_prefix_takes_itself_and_everything_below_and_tells_the_rest_raw() -> None:
    router: Router[str] = Router()
    prefix = router.add_prefix("/s/é/", name="sub", where="app.py:3")
    prefix.add("*", "sub")
    for path, rest in (
        ("/s/%C3%A9", ""),
        ("/s/é/", "/"),
        ("/%73/%c3%a9/a%2Fb/%41", "/a%2Fb/%41"),
        ("/s/é//", "//"),
    ):
        answer = router.match("GET", path)
        assert isinstance(answer, Matched)
        assert (answer.endpoint, answer.rest, answer.variables) == ("sub", rest, {})
        assert answer.resource.is_prefix
    assert router.match("GET", "/s/éa") == NotFound()
    assert router.match("GET", "/s") == NotFound()
    assert router.named["sub"] is prefix


def test_a_prefix_has_the_precedence_of_a_template_with_the_same_fixed_prefix() -> None:
    router: Router[str] = Router()
    router.add_resource("/s/{before}").add("GET", "before")
    router.add_prefix("/s").add("GET", "prefix")
    router.add_resource("/s/{after}").add("POST", "after")
    router.add_resource("/s").add("GET", "itself")
    router.add_resource("/s/deep/{x}").add("GET", "deeper")
    router.add_resource("/s/fixed").add("GET", "fixed")
    router.add_prefix("/s/p").add("GET", "deeper prefix")

    def ask(method: str, path: str) -> str | None:
        answer = router.match(method, path)
        return answer.endpoint if isinstance(answer, Matched) else None

    paths = ["/s/1", "/s/1/2", "/s", "/s/deep/1", "/s/fixed", "/s/p/1", "/s/deep"]
    assert [ask("GET", path) for path in paths] == [
        "before", "prefix", "prefix", "deeper", "fixed", "deeper prefix", "before",
    ]  # fmt: skip
    assert ask("POST", "/s/1") == "after"
    assert router.match("PUT", "/s/1") == MethodNotAllowed(("GET", "POST"))


def test_a_prefix_is_never_taken_again_as_a_resource() -> None:
    router: Router[int] = Router()
    prefix = router.add_prefix("/s")
    assert router.add_resource("/s") is not prefix


@pytest.mark.parametrize("prefix", ["", "/", "//", "/{x}", "s"])
def test_a_prefix_is_a_fixed_path_that_is_not_empty(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"prefix|begins with"):
        Router[int]().add_prefix(prefix)
