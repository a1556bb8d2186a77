"""What single header fields mean to a server: conditions, ranges, cookies, media types, forwarding.

In: field values as text. Out: values for `Request`. A peer's nonsense is as if absent, but for Range, where
it is an error.
Not here: which field lines there are (`http.fields`), what to answer (`response`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple


class HttpVersion(NamedTuple):
    """Version of HTTP as a message says it."""

    major: int
    minor: int


HttpVersion10: Final = HttpVersion(1, 0)
HttpVersion11: Final = HttpVersion(1, 1)


@dataclass(frozen=True, slots=True)
class ETag:
    """An entity tag without its quotes (RFC 9110 8.8.3); `ETag("*")` in a condition stands for any."""

    value: str
    is_weak: bool = False


ETAG_ANY: Final = "*"

# ---- media type (RFC 9110 8.3.1)

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'
# media-type = type "/" subtype parameters
_MEDIA_TYPE: Final = re.compile(rf"[ \t]*({_TOKEN}/{_TOKEN})[ \t]*(?:;|$)")
# parameters = *( OWS ";" OWS [ parameter-name "=" parameter-value ] )
_PARAMETER: Final = re.compile(rf";[ \t]*(?:({_TOKEN})=({_TOKEN}|{_QUOTED})?)?")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)

OCTET_STREAM: Final = "application/octet-stream"


def parse_content_type(value: str | None) -> tuple[str, str | None]:
    """Media type in lower case and charset as sent; `application/octet-stream` where none can be read."""
    if not value:
        return OCTET_STREAM, None
    match = _MEDIA_TYPE.match(value)
    charset = None
    for name, parameter in _PARAMETER.findall(value):
        if parameter and name.lower() == "charset":
            charset = unquote_string(parameter)
    return (match.group(1).lower() if match else OCTET_STREAM), charset


def unquote_string(value: str) -> str:
    """A token as it is, a quoted-string without its quotes and backslashes (RFC 9110 5.6.4)."""
    if value.startswith('"'):
        return _QUOTED_PAIR.sub(r"\1", value[1:-1])
    return value


# ---- conditions (RFC 9110 13.1)

# entity-tag = [ weak ] opaque-tag; weak = %s"W/"; etagc = %x21 / %x23-7E / obs-text
_ETAG: Final = re.compile(r'[ \t]*(?:(W/)?"([^\x00-\x20"\x7f]*)"[ \t]*)?(?:,|$)')


def parse_etags(value: str | None) -> tuple[ETag, ...] | None:
    """The tags of If-Match or If-None-Match, up to the first thing that is none; None without the field."""
    if not value:
        return None
    if value.strip(" \t") == ETAG_ANY:
        return (ETag(ETAG_ANY),)
    tags: list[ETag] = []
    position = 0
    while position < len(value):
        match = _ETAG.match(value, position)
        if match is None:
            break
        if match.group(2) is not None:
            tags.append(ETag(match.group(2), match.group(1) is not None))
        position = match.end()
    return tuple(tags)


_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# IMF-fixdate, then rfc850-date, then asctime-date (RFC 9110 5.6.7)
_DATES: Final = (
    re.compile(r"\w{3}, (?P<day>\d\d) (?P<month>\w{3}) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) GMT", re.ASCII),
    re.compile(r"\w+, (?P<day>\d\d)-(?P<month>\w{3})-(?P<year>\d\d) (?P<time>\d\d:\d\d:\d\d) GMT", re.ASCII),
    re.compile(r"\w{3} (?P<month>\w{3}) (?P<day>[ \d]\d) (?P<time>\d\d:\d\d:\d\d) (?P<year>\d{4})", re.ASCII),
)


def parse_http_date(value: str | None, this_year: int) -> datetime | None:
    """A moment in UTC; None for what is no HTTP-date (RFC 9110 5.6.7).

    this_year: two digits that seem to lie more than 50 years ahead of it belong to the past
    """
    if not value:
        return None
    for pattern in _DATES:
        match = pattern.fullmatch(value.strip(" \t"))
        if match is not None:
            return _moment(match, this_year)
    return None


def _moment(match: re.Match[str], this_year: int) -> datetime | None:
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += this_year - this_year % 100
        if year > this_year + 50:
            year -= 100
    try:
        month = _MONTHS.index(match["month"].lower()) + 1
        hour, minute, second = map(int, match["time"].split(":"))
        leap = timedelta(seconds=1) if second == 60 else timedelta()
        return (
            datetime(
                year,
                month,
                int(match["day"]),
                hour,
                minute,
                min(second, 60) - leap.seconds,
                tzinfo=UTC,
            )
            + leap
        )
    except (ValueError, OverflowError):
        return None


# ---- range (RFC 9110 14.2)

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)
_MAX_RANGE_DIGITS: Final = 19


def parse_range(value: str | None) -> slice:
    """One range of bytes as a slice with step 1; everything without the field.

    raises: ValueError for several ranges, another unit, a suffix of no bytes, or an end before the start
    """
    if value is None:
        return slice(None, None, 1)
    match = _RANGE.fullmatch(value.strip(" \t"))
    if match is None or len(value) > 2 * _MAX_RANGE_DIGITS + 8:
        raise ValueError(f"Range is {value[:32]!r}, but one range like bytes=0-99 is understood (RFC 9110 14.1.1)")
    first, last = match.groups()
    if not first and not last:
        raise ValueError(f"Range {value!r} has neither first nor last position (RFC 9110 14.1.1)")
    if not first:
        if not int(last):
            raise ValueError(f"Range {value!r} asks for the last 0 bytes (RFC 9110 14.1.2)")
        return slice(-int(last), None, 1)
    if not last:
        return slice(int(first), None, 1)
    if int(last) < int(first):
        raise ValueError(f"Range {value!r} ends before it begins (RFC 9110 14.1.1)")
    return slice(int(first), int(last) + 1, 1)


# ---- cookies (RFC 6265 4.2, 5.2)

# cookie-pair up to ";"; a quoted value may hold one, as old clients send it
_COOKIE: Final = re.compile(rf"[ \t]*([^=;]*)(?:=[ \t]*({_QUOTED}(?=[ \t]*(?:;|$))|[^;]*))?(?:;|$)")
_COOKIE_ESCAPE: Final = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)


def parse_cookies(lines: Iterable[str]) -> dict[str, str]:
    """Names and values of all Cookie lines; of several with one name the last counts.

    A value in double quotes loses them and its backslashes (`\\"`, `\\054`), as `http.cookies` writes it.
    """
    cookies: dict[str, str] = {}
    for line in lines:
        for name, value in _COOKIE.findall(line):
            stripped = name.strip(" \t")
            if stripped:
                cookies[stripped] = _cookie_value(value.strip(" \t"))
    return cookies


def _cookie_value(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    if "\\" not in inner:
        return inner
    return _COOKIE_ESCAPE.sub(lambda match: chr(int(match[1], 8)) if match[1] else match[2], inner)


# ---- forwarding (RFC 7239 4)

# forwarded-pair = token "=" value; a port after an unquoted address is let pass
_FORWARDED_PAIR: Final = re.compile(rf"({_TOKEN})=((?:[:]|{_TOKEN})+|{_QUOTED})[ \t]*(?=[;,]|$)")
_SEPARATOR: Final = re.compile(r"[ \t]*([;,])[ \t]*|[ \t]+")


def parse_forwarded(lines: Iterable[str]) -> tuple[Mapping[str, str], ...]:
    """One mapping for each forwarded-element of all Forwarded lines, first proxy first, names in lower case.

    An element keeps the pairs that stand before its first fault, and its place even if none does: proxies are
    counted from the end.
    """
    elements: list[Mapping[str, str]] = []
    for line in lines:
        elements.extend(_forwarded_elements(line))
    return tuple(elements)


def _forwarded_elements(line: str) -> list[Mapping[str, str]]:
    elements: list[Mapping[str, str]] = []
    element: dict[str, str] = {}
    seen = False  # whether the element has anything in it: empty ones do not count (RFC 9110 5.6.1.2)
    position = 0
    while position < len(line):
        separator = _SEPARATOR.match(line, position)
        if separator is not None:
            position = separator.end()
            if separator.group(1) == "," and seen:
                elements.append(MappingProxyType(element))
                element, seen = {}, False
            continue
        seen = True
        pair = _FORWARDED_PAIR.match(line, position)
        if pair is not None:
            element[pair.group(1).lower()] = unquote_string(pair.group(2))
            position = pair.end()
        else:
            comma = line.find(",", position)
            position = len(line) if comma < 0 else comma
    if seen:
        elements.append(MappingProxyType(element))
    return elements
