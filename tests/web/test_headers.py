"""`web._headers`: field values as a server understands them, against RFCs and against aiohttp."""

import types
from datetime import UTC, datetime
from email.utils import format_datetime
from http.cookies import SimpleCookie

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from sansio_web.web._headers import (
    ETag,
    parse_content_type,
    parse_cookies,
    parse_etags,
    parse_forwarded,
    parse_http_date,
    parse_range,
)

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


# ---- media type


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ("application/octet-stream", None)),
        ("", ("application/octet-stream", None)),
        ("text", ("application/octet-stream", None)),
        ("a/b/c", ("application/octet-stream", None)),
        ("text/html; charset=UTF-8", ("text/html", "UTF-8")),
        ('text/html;charset="utf-8"', ("text/html", "utf-8")),
        ('text/plain; charset="a\\"b"', ("text/plain", 'a"b')),
        ("Text/HTML ; Charset=a", ("text/html", "a")),
        ("text/html; charset=", ("text/html", None)),
        ("application/json;", ("application/json", None)),
        ('text/plain; a="x;charset=y"; charset=z', ("text/plain", "z")),
        ("text/html;; charset=a", ("text/html", "a")),
        ("text/html; xcharset=a", ("text/html", None)),
    ],
)
def test_content_type(value: str | None, expected: tuple[str, str | None]) -> None:
    assert parse_content_type(value) == expected
    if value is not None:
        theirs = make_mocked_request("GET", "/", headers={"Content-Type": value})
        assert (theirs.content_type, theirs.charset) == expected


# ---- dates (the three examples of RFC 9110 5.6.7)


@pytest.mark.parametrize(
    "value",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_http_date_in_its_three_forms(value: str) -> None:
    assert parse_http_date(value, 2024) == MOMENT


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "0",
        "yesterday",
        '"etag"',
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
    ],
)
def test_what_is_no_http_date_counts_as_absent(value: str | None) -> None:
    assert parse_http_date(value, 2024) is None


def test_leap_second_is_the_next_minute() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", 2024) == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("digits", "year"), [("94", 1994), ("74", 2074), ("75", 1975), ("24", 2024), ("00", 2000)])
def test_two_digit_year_lies_at_most_50_years_ahead(digits: str, year: int) -> None:
    moment = parse_http_date(f"Sunday, 06-Nov-{digits} 08:49:37 GMT", 2024)
    assert moment is not None
    assert moment.year == year


@given(st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC)))
def test_dates_that_python_writes_are_read(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert parse_http_date(format_datetime(moment, usegmt=True), 2024) == moment


# ---- entity tags


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ('"a"', (ETag("a"),)),
        ('W/"a", "b"', (ETag("a", is_weak=True), ETag("b"))),
        ('"a","b"', (ETag("a"), ETag("b"))),
        ('"a,b"', (ETag("a,b"),)),
        ("*", (ETag("*"),)),
        ("a", ()),
        ('w/"a"', ()),
        ('W/"x', ()),
        ('"a" "b"', ()),
        ('"a", b, "c"', (ETag("a"),)),
        ('"a", *', (ETag("a"),)),
    ],
)
def test_entity_tags(value: str | None, expected: tuple[ETag, ...] | None) -> None:
    assert parse_etags(value) == expected
    if value is not None:
        theirs = make_mocked_request("GET", "/", headers={"If-Match": value}).if_match
        assert (
            theirs is None
            if expected is None
            else [(t.value, t.is_weak) for t in theirs or ()] == [(t.value, t.is_weak) for t in expected]
        )


def test_empty_tag_and_empty_elements_are_legal() -> None:
    assert parse_etags(',"", , "a",') == (ETag(""), ETag("a"))


# ---- range


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, slice(None, None, 1)),
        ("bytes=0-99", slice(0, 100, 1)),
        ("bytes=5-", slice(5, None, 1)),
        ("bytes=-5", slice(-5, None, 1)),
        ("BYTES=0-0", slice(0, 1, 1)),
    ],
)
def test_range_is_a_slice(value: str | None, expected: slice) -> None:
    assert parse_range(value) == expected
    headers = {} if value is None else {"Range": value}
    assert make_mocked_request("GET", "/", headers=headers).http_range == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("bytes=", "one range like"),
        ("bytes=-", "neither first nor last"),
        ("bytes=5-3", "ends before it begins"),
        ("bytes=-0", "last 0 bytes"),
        ("bytes=1-2,3-4", "one range like"),
        ("items=1-2", "one range like"),
        ("bytes=a-b", "one range like"),
        ("bytes=٣-٤", "one range like"),
        ("bytes=" + "9" * 5000 + "-", "one range like"),
    ],
)
def test_range_that_cannot_be_served_is_an_error(value: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_range(value)


# ---- cookies


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ('a="x y"; b', {"a": "x y", "b": ""}),
        ("a=1;a=2", {"a": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
        ("=v", {}),
        ("a=1;;b=2", {"a": "1", "b": "2"}),
        (" a = 1 ", {"a": "1"}),
        ('a="unterminated; b=2', {"a": '"unterminated', "b": "2"}),
        ('a={"j": 1, "k": "v"}; b=1', {"a": '{"j": 1, "k": "v"}', "b": "1"}),
        ('a="x;y"; b=2', {"a": "x;y", "b": "2"}),
        ('a="b"c; d=1', {"a": '"b"c', "d": "1"}),
        ('a="\\054"', {"a": ","}),
        ('a="\\"q\\""', {"a": '"q"'}),
        ("a=\u00e9", {"a": "\u00e9"}),
        ("path=/; secure; expires=x", {"path": "/", "secure": "", "expires": "x"}),
        ("a[0]=3; b:c=4; d@e=5", {"a[0]": "3", "b:c": "4", "d@e": "5"}),
    ],
)
def test_cookies_as_aiohttp_reads_them(line: str, expected: dict[str, str]) -> None:
    assert parse_cookies([line]) == expected
    assert make_mocked_request("GET", "/", headers={"Cookie": line}).cookies == expected


def test_space_and_comma_belong_to_the_value() -> None:
    assert parse_cookies(["a=1, b=2; c d=3"]) == {"a": "1, b=2", "c d": "3"}


def test_cookies_of_several_lines_count() -> None:
    assert parse_cookies(["a=1", "b=2; a=3"]) == {"a": "3", "b": "2"}


@given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9_\-]{0,8}", fullmatch=True), st.text(max_size=20)))
def test_what_simplecookie_writes_is_read(cookies: dict[str, str]) -> None:
    reserved = {
        "expires",
        "path",
        "comment",
        "domain",
        "max-age",
        "secure",
        "httponly",
        "version",
        "samesite",
    }
    jar: SimpleCookie = SimpleCookie()
    wanted = {}
    for name, value in cookies.items():
        text = "".join(character for character in value if "\x20" <= character <= "\xff" and character != "\x7f")
        if name.lower() not in reserved and text == text.strip():
            jar[name] = text
            wanted[name] = text
    line = "; ".join(f"{morsel.key}={morsel.coded_value}" for morsel in jar.values())
    assert parse_cookies([line]) == wanted


# ---- forwarded (the examples of RFC 7239 4)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('for="_gazonk"', [{"for": "_gazonk"}]),
        ('For="[2001:db8:cafe::17]:4711"', [{"for": "[2001:db8:cafe::17]:4711"}]),
        (
            "for=192.0.2.60;proto=http;by=203.0.113.43",
            [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}],
        ),
        ("for=192.0.2.43, for=198.51.100.17", [{"for": "192.0.2.43"}, {"for": "198.51.100.17"}]),
        ("for=a , by=b", [{"for": "a"}, {"by": "b"}]),
        ('for="a\\"b"', [{"for": 'a"b'}]),
        ('for="a,b";proto=x', [{"for": "a,b", "proto": "x"}]),
        ("for=a;", [{"for": "a"}]),
        ("host=x:80", [{"host": "x:80"}]),
        ("bad", [{}]),
        ("for = a", [{}]),
        ("for=a, bad value, for=b", [{"for": "a"}, {}, {"for": "b"}]),
        ('for="unterminated', [{}]),
        ("for=a;bad, for=b", [{"for": "a"}, {"for": "b"}]),
        ("for=[::1]", [{}]),
    ],
)
def test_forwarded(line: str, expected: list[dict[str, str]]) -> None:
    assert list(parse_forwarded([line])) == expected
    assert list(make_mocked_request("GET", "/", headers={"Forwarded": line}).forwarded) == expected


def test_empty_forwarded_elements_do_not_count() -> None:
    assert list(parse_forwarded(["", ",,for=a, ,", "for=b"])) == [{"for": "a"}, {"for": "b"}]


def test_forwarded_elements_cannot_be_changed() -> None:
    (element,) = parse_forwarded(["for=a"])
    assert isinstance(element, types.MappingProxyType)


@pytest.mark.parametrize("value", ['"' + "\\" * 20_000, '"' * 20_000, "a=" * 20_000, ";" * 20_000, " " * 20_000])
def test_no_field_value_takes_long(value: str) -> None:
    parse_cookies([f"a={value}"])
    parse_forwarded([f"for={value}"])
    parse_content_type(f"a/b; c={value}")
    parse_etags(f'"a", {value}')
