"""Percent-encoding in the paths of targets and templates (RFC 3986 2).

Routes are compared in one form, here called *readable*: every percent-encoded octet is decoded as UTF-8,
except what would change the meaning of the path. `%2F` stays (it is no segment's end), `%25` stays (so that
decoding happens once), and so do octets that are not UTF-8; a `%` that begins no escape becomes `%25`. Every
`%` of a readable path therefore begins an escape, in upper case.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

# pct-encoded = "%" HEXDIG HEXDIG
_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+|%")
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
# pchar = unreserved / pct-encoded / sub-delims / ":" / "@"; unreserved is never quoted
_PCHAR: Final = "!$&'()*+,;=:@"


def readable(path: str) -> str:
    """Bring a raw path into the form in which routes are compared; equivalent paths become equal."""
    return _ESCAPES.sub(_decode_run, path) if "%" in path else path


def value_of(text: str) -> str:
    """Finish the decoding of a piece of a readable path: `%2F` and `%25` become what they stand for."""
    return text.replace("%2F", "/").replace("%25", "%") if "%" in text else text


def raw(text: str) -> str:
    """Encode a readable path, or a piece of it, for the wire; its escapes stay as they are."""
    return quote(text, safe=_PCHAR + "/%")


def quoted(value: str, *, keep_slash: bool) -> str:
    """Encode a variable's value for the wire; `keep_slash` where the value may span segments."""
    return quote(value, safe=_PCHAR + "/" if keep_slash else _PCHAR)


def _decode_run(run: re.Match[str]) -> str:
    octets = bytes.fromhex(run.group().replace("%", "")) or b"%"
    text = octets.decode("utf-8", "surrogateescape").replace("%", "%25").replace("/", "%2F")
    return text if text.isascii() else _UNDECODED.sub(lambda m: f"%{ord(m.group()) - 0xDC00:02X}", text)
