"""One readable form for equivalent paths (RFC 3986 6.2.2), checked against yarl and urllib."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from sansio_web.routing.quoting import quoted, raw, readable, value_of

ESCAPES = st.lists(
    st.sampled_from(["%", "%2", "%zz", "/", "a", "é"]) | st.integers(0, 255).map(lambda octet: f"%{octet:02x}")
).map("".join)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/a/b", "/a/b"),
        ("/%61", "/a"),
        ("/%2f%2F", "/%2F%2F"),
        ("/%25%32%46", "/%252F"),
        ("/%C3%A9", "/é"),
        ("/%c3", "/%C3"),
        ("/%ed%a0%80", "/%ED%A0%80"),  # a surrogate is not UTF-8 (RFC 3629 3)
        ("/100%", "/100%25"),
        ("/%4", "/%254"),
        ("/%7B%3F", "/{?"),
        ("/a+b", "/a+b"),
    ],
)
def test_readable_decodes_all_but_slash_percent_and_what_is_not_utf8(path: str, form: str) -> None:
    assert readable(path) == form


@given(ESCAPES)
def test_readable_agrees_with_yarl(path: str) -> None:
    escaped = re.sub("%(?![0-9A-Fa-f]{2})", "%25", path)
    escaped = re.sub("%..", lambda escape: escape.group().upper(), escaped)  # equivalent (RFC 3986 6.2.2.1)
    assert readable(path) == URL.build(path="/" + escaped, encoded=True).path_safe[1:]


@given(ESCAPES)
def test_readable_form_written_raw_reads_the_same(path: str) -> None:
    assert readable(raw(readable(path))) == readable(path)


@given(st.text(st.characters(codec="utf-8")), st.booleans())
def test_a_quoted_value_comes_back_decoded_exactly_once(value: str, keep_slash: bool) -> None:
    wire = quoted(value, keep_slash=keep_slash)
    assert wire.isascii()
    assert ("/" in wire) == (keep_slash and "/" in value)
    assert value_of(readable(wire)) == value == unquote(wire)
