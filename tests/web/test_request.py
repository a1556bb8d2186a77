"""`web.request`: what is read from the head, the mapping, clones."""

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from fake_exchange import FakeExchange, run
from multidict import CIMultiDictProxy
from yarl import URL

from sansio_web import web
from sansio_web.web.keys import NotAppKeyWarning, RequestKey


def request(*args: Any, **kwargs: Any) -> web.Request:
    return web.Request(FakeExchange(*args, **kwargs))


# ---- request line and URL


@pytest.mark.parametrize(
    "target",
    ["/", "/a%2Fb?x=1&x=2&y=%20+", "/a?", "/?a&b=", "/%D1%88?q=%D1%88", "/a//b", "/p%41th;v=1?q=1#f"],
)
def test_origin_form_is_read_as_aiohttp_reads_it(target: str) -> None:
    ours = request("GET", target, [("Host", "h.org:99")])
    theirs = make_mocked_request("GET", target, headers={"Host": "h.org:99"})
    assert ours.path == theirs.path if "#" not in target else "/pAth;v=1"
    assert ours.raw_path == theirs.raw_path == target
    assert ours.query == theirs.query if "#" not in target else {"q": "1#f"}
    assert ours.host == theirs.host == "h.org:99"
    if "#" not in target and "%41" not in target:
        assert ours.path_qs == theirs.path_qs
        assert ours.query_string == theirs.query_string
        assert ours.rel_url == theirs.rel_url
        assert ours.url == theirs.url


def test_url_is_built_from_scheme_host_and_target() -> None:
    ours = request("GET", "/a/b?c=1", [("Host", "h.org:99")], secure=True)
    assert ours.url == URL("https://h.org:99/a/b?c=1")
    assert ours.rel_url == URL("/a/b?c=1")
    assert ours.url.relative() == ours.rel_url
    assert ours.scheme == "https"
    assert ours.secure


def test_two_slashes_begin_a_path_not_a_host() -> None:
    ours = request("GET", "//evil.example/x?q", [("Host", "h.org")])
    assert ours.path == "//evil.example/x"
    assert ours.path_qs == "//evil.example/x?q"
    assert ours.url.host == "h.org"


def test_dots_in_a_path_stay() -> None:
    ours = request("GET", "/a/../b", [("Host", "h.org")])
    assert str(ours.url) == "http://h.org/a/../b"
    assert ours.path == "/a/../b"


def test_absolute_form_outweighs_host() -> None:  # RFC 9112 3.2.2
    ours = request("GET", "http://ex.org:81/p%41th?q=1", [("Host", "h.org")])
    assert ours.host == "ex.org:81"
    assert str(ours.url) == "http://ex.org:81/p%41th?q=1"
    assert ours.rel_url.raw_path_qs == "/p%41th?q=1"
    assert ours.path == "/pAth"
    assert ours.raw_path == "http://ex.org:81/p%41th?q=1"
    assert ours.query == {"q": "1"}


def test_absolute_form_without_path_asks_for_the_root() -> None:
    ours = request("GET", "http://ex.org?q")
    assert (ours.path, ours.path_qs) == ("/", "/?q")


def test_asterisk_form_has_no_path_in_its_url() -> None:  # RFC 9112 3.3
    ours = request("OPTIONS", "*", [("Host", "h.org")])
    assert ours.path == "*"
    assert ours.url == URL("http://h.org")
    assert ours.host == "h.org"


def test_authority_form_names_the_host() -> None:
    ours = request("CONNECT", "ex.org:443", [("Host", "ex.org:443")])
    assert ours.host == "ex.org:443"
    assert ours.path == ""


def test_host_without_the_field_is_our_own_address() -> None:
    assert request(fields=[], extra={"sockname": ("192.0.2.1", 8080)}).host == "192.0.2.1:8080"
    assert request(fields=[], extra={"sockname": ("::1", 8080, 0, 0)}).host == "[::1]:8080"
    assert request(fields=[], extra={"sockname": "/run/s.sock"}).host == "localhost"


def test_method_is_as_sent() -> None:
    assert request("Get").method == "Get"


@pytest.mark.parametrize(("version", "expected"), [(b"1.1", (1, 1)), (b"1.0", (1, 0))])
def test_version(version: bytes, expected: tuple[int, int]) -> None:
    ours = request(version=version)
    assert ours.version == expected
    assert isinstance(ours.version, web.HttpVersion)


# ---- transport


def test_what_is_known_of_the_transport() -> None:
    ours = request(remote="192.0.2.9", extra={"peername": ("192.0.2.9", 5)}, persistent=False)
    assert ours.remote == "192.0.2.9"
    assert ours.get_extra_info("peername") == ours.transport.get_extra_info("peername") == ("192.0.2.9", 5)
    assert ours.get_extra_info("cipher", "none") == "none"
    assert not ours.keep_alive
    assert request(remote=None).remote is None


# ---- header fields


def test_headers_keep_order_and_case_and_are_found_in_any() -> None:
    ours = request(fields=[("Host", "h"), ("X-A", "1"), ("x-a", "2"), ("B", "\u00e9")])
    assert isinstance(ours.headers, CIMultiDictProxy)
    assert ours.headers.getall("X-a") == ["1", "2"]
    assert list(ours.headers.items()) == [("Host", "h"), ("X-A", "1"), ("x-a", "2"), ("B", "\u00e9")]
    assert ours.raw_headers[1:] == ((b"X-A", b"1"), (b"x-a", b"2"), (b"B", b"\xc3\xa9"))
    assert ours.headers is ours.headers


def test_octets_that_are_no_text_survive_in_headers() -> None:
    assert request(fields=[("A", "\udcff")]).headers["a"].encode("utf-8", "surrogateescape") == b"\xff"


def test_fields_with_a_meaning() -> None:
    ours = request(
        fields=[
            ("Content-Type", "Text/Plain; charset=utf-8"),
            ("Content-Length", "5"),
            ("Cookie", "a=1"),
            ("Cookie", "b=2"),
            ("Forwarded", "for=a"),
            ("Forwarded", "for=b;proto=https"),
            ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("If-Unmodified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"),
            ("If-Range", '"tag"'),
            ("If-Match", '"a"'),
            ("If-Match", 'W/"b"'),
            ("If-None-Match", "*"),
            ("Range", "bytes=1-2"),
        ]
    )
    assert (ours.content_type, ours.charset, ours.content_length) == ("text/plain", "utf-8", 5)
    assert ours.cookies == {"a": "1", "b": "2"}
    assert ours.forwarded == ({"for": "a"}, {"for": "b", "proto": "https"})
    assert ours.if_modified_since == ours.if_unmodified_since
    assert ours.if_modified_since is not None
    assert ours.if_modified_since.isoformat() == "1994-11-06T08:49:37+00:00"
    assert ours.if_range is None
    assert [(tag.value, tag.is_weak) for tag in ours.if_match or ()] == [("a", False), ("b", True)]
    assert [tag.value for tag in ours.if_none_match or ()] == ["*"]
    assert ours.http_range == slice(1, 3, 1)


def test_fields_that_are_absent() -> None:
    ours = request(fields=[])
    assert (ours.content_type, ours.charset, ours.content_length) == ("application/octet-stream", None, None)
    assert (ours.cookies, ours.forwarded, ours.if_match, ours.if_none_match) == ({}, (), None, None)
    assert (ours.if_modified_since, ours.if_unmodified_since, ours.if_range) == (None, None, None)
    assert ours.http_range == slice(None, None, 1)


@pytest.mark.parametrize("name", ["headers", "path", "version", "url"])
def test_what_was_received_cannot_be_set(name: str) -> None:
    with pytest.raises(AttributeError, match=f"{name} of a request is read-only; request.clone"):
        setattr(request(), name, "x")


def test_attributes_are_documented() -> None:
    assert web.Request.headers.__doc__ == "Field lines; names in any case."


def test_repr_is_ascii() -> None:
    assert repr(request("GET", "/%C3%A4?b")) == "<Request GET /\\xe4 >"


# ---- mapping


def test_request_is_a_mapping_with_typed_keys() -> None:
    key = RequestKey("key", int)
    ours = request()
    assert (len(ours), list(ours), ours.get(key), ours.get(key, 3), key in ours) == (0, [], None, 3, False)
    with pytest.raises(KeyError):
        ours[key]
    with pytest.raises(KeyError):
        del ours[key]
    ours[key] = 5
    assert (ours[key], list(ours), dict(ours), ours.pop(key), len(ours)) == (5, [key], {key: 5}, 5, 0)


def test_plain_key_of_a_request_works_and_warns() -> None:
    ours = request()
    with pytest.warns(NotAppKeyWarning, match=r"key 'user' is a str; a web\.RequestKey") as caught:
        ours["user"] = "me"
    assert caught[0].filename == __file__
    assert ours["user"] == "me"


def test_request_is_true_and_equal_to_itself_only() -> None:
    ours = request()
    assert ours
    assert ours == ours
    assert ours != request()
    assert len({ours, ours}) == 1


# ---- clone


def test_clone_replaces_what_it_is_told() -> None:
    key = RequestKey("key", int)
    ours = request("GET", "/a?b=1")
    ours[key] = 1
    copy = ours.clone(
        method="PUT",
        rel_url="/z?x=1",
        headers={"A": "b"},
        scheme="https",
        host="q.org",
        remote="192.0.2.99",
        client_max_size=5,
        client_max_fields=6,
    )
    assert type(copy) is web.Request
    assert (copy.method, copy.path, copy.raw_path) == ("PUT", "/z", "/z?x=1")
    assert copy.url == URL("https://q.org/z?x=1")
    assert (copy.headers, copy.raw_headers) == ({"A": "b"}, ((b"A", b"b"),))
    assert (copy.remote, copy.client_max_size, copy.client_max_fields) == ("192.0.2.99", 5, 6)
    assert (ours.method, ours.path, ours.scheme, ours.host) == ("GET", "/a", "http", "example.org")
    copy[key] = 2
    assert ours[key] == 1


def test_clone_of_a_clone_keeps_what_the_first_replaced() -> None:
    copy = request().clone(scheme="https", host="q.org", remote="r", client_max_size=7).clone(method="PUT")
    assert (copy.method, copy.scheme, copy.host, copy.remote, copy.client_max_size) == (
        "PUT",
        "https",
        "q.org",
        "r",
        7,
    )


def test_clone_takes_an_absolute_url() -> None:
    copy = request().clone(rel_url=URL("http://x.org/y?z"))
    assert (copy.url, copy.host, copy.path) == (URL("http://x.org/y?z"), "x.org", "/y")


def test_clone_shares_the_content() -> None:
    ours = request("POST", content=[b"abc"])
    copy = ours.clone()
    assert copy.content is ours.content
    assert run(copy.read()) == b"abc"


def test_clone_after_reading_is_refused() -> None:
    ours = request("POST", content=[b"abc"])
    run(ours.read())
    with pytest.raises(RuntimeError, match="cannot clone a request after its content was read"):
        ours.clone()


def test_response_of_a_clone_is_the_response_of_the_request() -> None:
    ours = request()
    copy = ours.clone().clone()
    response = web.Response()
    copy._response = response
    assert ours._response is response
    assert copy._response is response


# ---- inside an application


def test_request_that_was_not_routed_says_so() -> None:
    with pytest.raises(RuntimeError, match="not been routed"):
        _ = request().match_info
