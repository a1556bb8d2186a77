"""Commands into bytes: heads, chunks and trailers, by the rules of framing (RFC 9112 6, 7).

Whatever is written here, h11 in the other role reads back as the same message. A field line or reason that could
break out of its line is refused before a byte of the head is made.
Not here: when a command is legal (`lifecycle`), how much content was promised (`outgoing`).
"""

import re
from collections.abc import Callable, Container
from enum import auto
from functools import lru_cache
from typing import Final, NamedTuple

from .._transitions import Member
from ..errors import LocalProtocolError, shown
from .commands import FieldLines
from .fields import tokens
from .framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Chunked, Framing, Length

# RFC 9110 5.6.2: token = 1*tchar; 5.5: field-value = *field-content without CR, LF, NUL and other controls but HTAB
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Kind(Member):
    """Fields that decide something about the message they stand in."""

    PLAIN = auto()
    CONTENT_LENGTH = auto()
    TRANSFER_ENCODING = auto()
    CONNECTION = auto()
    DATE = auto()
    SERVER = auto()


_KINDS: Final = {
    b"content-length": Kind.CONTENT_LENGTH,
    b"transfer-encoding": Kind.TRANSFER_ENCODING,
    b"connection": Kind.CONNECTION,
    b"date": Kind.DATE,
    b"server": Kind.SERVER,
}

# RFC 9110 6.5.1: fields that a recipient needs before the content, or that frame, route or authenticate the message
_NOT_IN_TRAILERS: Final = frozenset(
    (
        *(b"authorization", b"cache-control", b"connection", b"content-encoding", b"content-length"),
        *(b"content-range", b"content-type", b"expect", b"host", b"max-forwards", b"pragma"),
        *(b"proxy-authenticate", b"range", b"set-cookie", b"te", b"trailer", b"transfer-encoding"),
        *(b"upgrade", b"www-authenticate"),
    )
)


@lru_cache(maxsize=1024)
def _line(name: bytes, value: bytes) -> tuple[bytes, Kind]:
    """One field line with its CRLF, and what it decides; remembered, because most responses repeat theirs."""
    if not _NAME.fullmatch(name):
        raise LocalProtocolError(f"field name {shown(name)} {_offence(_NAME, name)} (RFC 9110 5.1)")
    if not _VALUE.fullmatch(value):
        where = _offence(_VALUE, value)
        raise LocalProtocolError(f"value {shown(value)} of field {shown(name)} {where} (RFC 9110 5.5)")
    return b"%b: %b\r\n" % (name, value.strip(b" \t")), _KINDS.get(name.lower(), Kind.PLAIN)


def _offence(pattern: re.Pattern[bytes], data: bytes) -> str:
    legal = pattern.match(data)
    at = legal.end() if legal else 0
    return f"has {data[at : at + 1]!r} at offset {at}" if data else "is empty"


@lru_cache(maxsize=256)
def status_line(status: int, reason: bytes) -> bytes:
    """`status-line` of RFC 9112 4, with its CRLF."""
    if not _VALUE.fullmatch(reason):
        raise LocalProtocolError(f"reason {shown(reason)} {_offence(_VALUE, reason)} (RFC 9112 4)")
    return b"HTTP/1.1 %d %b\r\n" % (status, reason)


class HeadPlan(NamedTuple):
    """A head ready to send."""

    data: bytes
    framing: Framing
    closes: bool


_WITHOUT_CONTENT: Final = (204, 304)


_FRESH: Final = 0.2  # seconds; a Date has no more than whole ones


class Stamp:
    """`Date` and `Server` of every response, rendered once for each value that the clock gives.

    date: IMF-fixdate (RFC 9110 5.6.7); it may return the same object for a whole second
    server: value of the Server field, or b"" for none
    now: set by whoever asks: the machine's on the hot path, where the clock is looked at five times a second at most,
        else None
    """

    __slots__ = ("_at", "_date", "_lines", "_looked", "_server", "now")

    def __init__(self, date: Callable[[], bytes], server: bytes) -> None:
        self._date = date
        self._server = _line(b"Server", server)[0] if server else b""
        self._at: bytes | None = None
        self._lines = b""
        self._looked = -_FRESH  # when the clock was asked, by `now`
        self.now: float | None = None

    def both(self) -> bytes:
        """The two lines together."""
        now = self.now
        if now is not None:
            if 0.0 <= now - self._looked < _FRESH and self._lines:
                return self._lines
            self._looked = now
        at = self._date()
        if at is not self._at:
            self._at = at
            self._lines = _line(b"Date", at)[0] + self._server
        return self._lines

    def missing(self, seen: Container[Kind]) -> bytes:
        """The lines of those that the application did not set itself."""
        date = b"" if Kind.DATE in seen else _line(b"Date", self._date())[0]
        return date if Kind.SERVER in seen else date + self._server


def plain_head(status: int, reason: bytes, fields: FieldLines, length: int, stamp: Stamp | None) -> bytes | None:
    """The head of a response whose fields decide nothing, on a connection that persists; else None.

    The short cut of the hot path; its answer is None or exactly `response_head`'s to a request in HTTP/1.1.
    """
    lines, marked = _lines(status, reason, fields if isinstance(fields, tuple) else tuple(fields))
    if marked is not None or status in _WITHOUT_CONTENT or not 200 <= status <= 599:
        return None
    return b"%bContent-Length: %d\r\n%b\r\n" % (lines, length, b"" if stamp is None else stamp.both())


def response_head(
    method: bytes,
    version: bytes,
    status: int,
    reason: bytes,
    fields: FieldLines,
    length: int | None,
    stamp: Stamp | None,
    close: bool,
) -> tuple[bytes, Framing, bool]:
    """The head of a final response, how its content ends (RFC 9112 6.3), and whether the connection closes after it.

    method, version: of the request; GET and 1.1 stand for one that could not be read
    length: of the content, where it is known; it becomes Content-Length unless the fields have one
    stamp: where default lines come from; None: the fields are complete
    close: the connection will not persist, whatever the fields say
    raises: LocalProtocolError for a malformed field, status or reason, or fields that contradict one another
    """
    if not 200 <= status <= 599:
        raise LocalProtocolError(f"status of a final response is {status}; allowed: 200 to 599 (RFC 9110 15)")
    lines, marked = _lines(status, reason, fields if isinstance(fields, tuple) else tuple(fields))
    marked = marked or {}
    framing = _framing(method, version, status, length, marked)
    said = tokens(marked[Kind.CONNECTION]) if Kind.CONNECTION in marked else []
    close = close or framing is UNTIL_CLOSE or b"close" in said
    untrue: list[bytes] = []
    if framing is not CHUNKED and Kind.TRANSFER_ENCODING in marked:
        untrue.append(b"transfer-encoding")
    if close and b"keep-alive" in said:
        untrue.append(b"connection")
        said = [option for option in said if option not in (b"keep-alive", b"close")]
    if untrue:
        lines, _ = _lines(status, reason, tuple(line for line in fields if line[0].lower() not in untrue))
    parts = [lines]
    if type(framing) is Length:
        if Kind.CONTENT_LENGTH not in marked:
            parts.append(b"Content-Length: %d\r\n" % framing.bytes)
    elif framing is CHUNKED and Kind.TRANSFER_ENCODING not in marked:
        parts.append(b"Transfer-Encoding: chunked\r\n")
    if b"connection" in untrue:
        parts.append(b"Connection: %b\r\n" % b", ".join([*said, b"close"]))
    elif close:
        if b"close" not in said:
            parts.append(b"Connection: close\r\n")
    elif version == b"1.0" and not said:
        parts.append(b"Connection: keep-alive\r\n")
    if stamp is not None:
        parts.append(stamp.missing(marked) if marked else stamp.both())
    parts.append(b"\r\n")
    return b"".join(parts), framing, close


@lru_cache(maxsize=512)
def _lines(
    status: int, reason: bytes, fields: tuple[tuple[bytes, bytes], ...]
) -> tuple[bytes, dict[Kind, bytes] | None]:
    """The status line and these field lines, and those that decide something; remembered, as most repeat."""
    parts = [status_line(status, reason)]
    marked: dict[Kind, bytes] = {}
    for name, value in fields:
        line, kind = _line(name, value)
        parts.append(line)
        if kind is not Kind.PLAIN:
            _mark(marked, kind, name, value)
    return b"".join(parts), marked or None


def _mark(marked: dict[Kind, bytes], kind: Kind, name: bytes, value: bytes) -> None:
    """Remember a field that decides something; only Connection may stand twice."""
    if kind not in marked:
        marked[kind] = value
    elif kind is Kind.CONNECTION:
        marked[kind] += b", " + value
    else:
        raise LocalProtocolError(f"field {name!r} stands twice in one head (RFC 9110 5.3)")


def _framing(method: bytes, version: bytes, status: int, length: int | None, marked: dict[Kind, bytes]) -> Framing:
    """How the content ends: as the fields say, or by its length, or by chunks, or with the connection."""
    if Kind.CONTENT_LENGTH in marked or Kind.TRANSFER_ENCODING in marked:
        return _declared(method, version, status, length, marked)
    if status in (204, 304):
        return NO_CONTENT
    if length is not None:
        return Length(length)
    return CHUNKED if version != b"1.0" else UNTIL_CLOSE


def _declared(method: bytes, version: bytes, status: int, length: int | None, marked: dict[Kind, bytes]) -> Framing:
    """Fields say something: check that it is one thing, legal for this status, and true."""
    coding = marked.get(Kind.TRANSFER_ENCODING)
    declared = marked.get(Kind.CONTENT_LENGTH)
    if coding is not None and declared is not None:
        raise LocalProtocolError("Content-Length and Transfer-Encoding are both set (RFC 9112 6.2)")
    if status == 204 and (coding is not None or declared is not None):
        raise LocalProtocolError("a 204 response has neither Content-Length nor Transfer-Encoding (RFC 9110 8.6)")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise LocalProtocolError(f"Transfer-Encoding is {shown(coding)}; allowed: chunked (RFC 9112 6.1)")
        if status == 304:
            return NO_CONTENT
        return CHUNKED if version != b"1.0" else UNTIL_CLOSE
    assert declared is not None  # one of the two is there
    if not declared.isdigit() or len(declared) > 18:
        raise LocalProtocolError(f"Content-Length is {shown(declared)}; allowed: decimal digits (RFC 9110 8.6)")
    if status == 304:
        return NO_CONTENT
    promised = int(declared)
    if length is not None and promised != length and method != b"HEAD":
        raise LocalProtocolError(f"Content-Length is {promised}, but the content has {length} bytes (RFC 9110 8.6)")
    return Length(promised)


def interim_head(status: int, reason: bytes, fields: FieldLines) -> bytes:
    """The whole of an interim response, which has no content (RFC 9110 15.2)."""
    if not 100 <= status <= 199 or status == 101:
        raise LocalProtocolError(f"status of an interim response is {status}; allowed: 100, 102 to 199 (RFC 9110 15.2)")
    return status_line(status, reason) + _plain_lines(fields, "an interim response") + b"\r\n"


def switching_head(status: int, reason: bytes, fields: FieldLines, stamp: bytes) -> bytes:
    """The head after which another protocol speaks: 101, or a 2xx to CONNECT (RFC 9110 7.8, 9.3.6)."""
    rendered = [_line(name, value) for name, value in fields]
    if any(kind in (Kind.CONTENT_LENGTH, Kind.TRANSFER_ENCODING) for _, kind in rendered):
        raise LocalProtocolError(f"a {status} that switches protocols has neither Content-Length nor Transfer-Encoding")
    return status_line(status, reason) + b"".join(line for line, _ in rendered) + stamp + b"\r\n"


def _plain_lines(fields: FieldLines, where: str) -> bytes:
    lines: list[bytes] = []
    for name, value in fields:
        line, kind = _line(name, value)
        if kind in (Kind.CONTENT_LENGTH, Kind.TRANSFER_ENCODING):
            raise LocalProtocolError(f"field {name!r} cannot stand in {where} (RFC 9112 6.1, RFC 9110 8.6)")
        lines.append(line)
    return b"".join(lines)


def request_head(method: bytes, target: bytes, version: bytes, fields: FieldLines) -> HeadPlan:
    """The head of a request; without Content-Length and Transfer-Encoding it has no content (RFC 9112 6.3)."""
    if not _NAME.fullmatch(method):
        raise LocalProtocolError(f"method {shown(method)} {_offence(_NAME, method)} (RFC 9110 9.1)")
    if not target or re.search(rb"[^\x21-\x7e]", target):
        raise LocalProtocolError(f"target {shown(target)} is empty or has a character outside %x21-7E (RFC 9112 3.2)")
    if version not in (b"1.1", b"1.0"):
        raise LocalProtocolError(f"version is {shown(version)}; allowed: b'1.1', b'1.0' (RFC 9112 2.3)")
    framing: Framing = NO_CONTENT
    close = version == b"1.0"
    lines = [b"%b %b HTTP/%b\r\n" % (method, target, version)]
    seen: set[bytes] = set()
    for name, value in fields:
        line, kind = _line(name, value)
        lines.append(line)
        lower = name.lower()
        if lower in (b"host", b"content-length", b"transfer-encoding") and lower in seen:
            raise LocalProtocolError(f"field {name!r} stands twice in one head (RFC 9110 5.3)")
        seen.add(lower)
        if kind is Kind.CONTENT_LENGTH:
            if not value.isdigit():
                raise LocalProtocolError(f"Content-Length is {shown(value)}; allowed: decimal digits (RFC 9110 8.6)")
            framing = Length(int(value)) if int(value) else NO_CONTENT
        elif kind is Kind.TRANSFER_ENCODING:
            if value.lower() != b"chunked" or version == b"1.0":
                raise LocalProtocolError(f"Transfer-Encoding {shown(value)} cannot be sent here (RFC 9112 6.1)")
            framing = CHUNKED
        elif kind is Kind.CONNECTION:
            close = b"close" in tokens(value) or (version == b"1.0" and b"keep-alive" not in tokens(value))
    if b"content-length" in seen and b"transfer-encoding" in seen:
        raise LocalProtocolError("Content-Length and Transfer-Encoding are both set (RFC 9112 6.2)")
    if version == b"1.1" and b"host" not in seen:
        raise LocalProtocolError("a request in HTTP/1.1 has a Host field (RFC 9112 3.2)")
    lines.append(b"\r\n")
    return HeadPlan(b"".join(lines), framing, close)


def content_bytes(framing: Framing, data: bytes) -> bytes:
    """Some content as it goes on the wire."""
    if framing is CHUNKED and data:
        return b"%x\r\n%b\r\n" % (len(data), data)
    return data


def end_bytes(framing: Framing, trailers: FieldLines) -> bytes:
    """The end of the content: the last chunk and the trailer section, or nothing (RFC 9112 7.1)."""
    lines: list[bytes] = []
    for name, value in trailers:
        if name.lower() in _NOT_IN_TRAILERS:
            raise LocalProtocolError(f"field {name!r} cannot stand in a trailer section (RFC 9110 6.5.1)")
        lines.append(_line(name, value)[0])
    return b"0\r\n%b\r\n" % b"".join(lines) if isinstance(framing, Chunked) else b""
