"""The Content-Type field of a response (RFC 9110 8.3): building it, and taking it apart again."""

import re
from functools import lru_cache
from typing import Final

from ..http.commands import FieldLines

# RFC 9110 5.6.6: parameter = parameter-name "=" ( token / quoted-string )
_PARAMETER: Final = re.compile(r';[ \t]*([^\s;="]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))')
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

DEFAULT_TYPE: Final = "application/octet-stream"
"""What content without a stated type is (RFC 9110 8.3)."""


def without_controls(what: str, value: str) -> str:
    """The value itself.

    raises: ValueError if it has a control character that could end its field line (RFC 9110 5.5)
    """
    found = _CONTROL.search(value)
    if found:
        raise ValueError(f"{what} has {found[0]!r} at offset {found.start()}: {value[:32]!r} (RFC 9110 5.5)")
    return value


def type_value(content_type: str, charset: str | None) -> str:
    """`content_type; charset=charset`."""
    return f"{content_type}; charset={charset}" if charset else content_type


@lru_cache(maxsize=256)
def type_lines(content_type: str, charset: str | None) -> FieldLines:
    """A field section of this one field; remembered, because an application has few content types.

    raises: ValueError for control characters
    """
    value = without_controls("Content-Type", type_value(content_type, charset))
    return ((b"Content-Type", value.encode()),)


def without_charset(content_type: str) -> str:
    """The value itself.

    raises: ValueError if it has a charset
    """
    if "charset" in content_type.lower():
        raise ValueError(f"content_type {content_type!r} has a charset; it belongs in the argument charset")
    return content_type


@lru_cache(maxsize=256)
def text_type_lines(content_type: str, charset: str) -> FieldLines:
    """As `type_lines`, for a content type from a user.

    raises: ValueError for control characters, or if it has a charset already
    """
    return type_lines(without_charset(content_type), charset)


@lru_cache(maxsize=256)
def split_type(value: str) -> tuple[str, str | None, str]:
    """Media type in lower case, charset if there is one, and the other parameters as they stand.

    The media type is `application/octet-stream` if the value has none.
    """
    media_type, semicolon, rest = value.partition(";")
    media_type = media_type.strip().lower()
    charset: str | None = None
    others: list[str] = []
    for found in _PARAMETER.finditer(semicolon + rest):
        if found[1].lower() == "charset" and charset is None:
            charset = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
        else:
            others.append(found[0].strip())
    if media_type.count("/") != 1:
        media_type = DEFAULT_TYPE
    return media_type, charset or None, "".join(others)


DEFAULT_TYPE_LINES: Final = type_lines(DEFAULT_TYPE, None)
TEXT_TYPE_LINES: Final = type_lines("text/plain", "utf-8")
