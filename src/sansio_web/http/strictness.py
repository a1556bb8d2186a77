"""What RFC 9110 and RFC 9112 refuse although h11 takes it: the layer in front of h11.

Every function raises RemoteProtocolError and names the section. Not here: what h11 itself refuses
(`h11_reader`), target and host (`target`), chunks (`content`).
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import h11

from ..errors import RemoteProtocolError, shown
from ..limits import Limits
from .fields import Fields, tokens
from .framing import CHUNKED, NO_CONTENT, Framing, Length

_TOKEN: Final = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]"
_find_control = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)").search
_match_name = re.compile(_TOKEN + rb"++").match
_OBS_FOLD: Final = re.compile(rb"\r\n[ \t]+")

FieldLine = tuple[bytes, bytes]
"""Name in lower case, and value."""


def head_window(
    data: bytes | bytearray, start: int, limits: Limits, check_start_line: Callable[[bytes], None]
) -> tuple[bytes, bool]:
    """The bytes of one head from `start`, and whether its end is among them.

    Refuses what can be refused before the end is there, always the first fault in the order of the bytes,
    so that the error does not depend on how many bytes have come.

    check_start_line: gets the first line without CRLF
    """
    stop = start + limits.max_head_bytes
    end = data.find(b"\r\n\r\n", start, stop)
    window = bytes(data[start : end + 4 if end >= 0 else stop])
    line_end = window.find(b"\n")
    if line_end >= 0:
        _check_line_end(window[: line_end + 1])
        check_start_line(window[: line_end - 1])
        _check_lines(window, limits)
    if end < 0 and len(window) == limits.max_head_bytes:
        if line_end < 0:
            raise RemoteProtocolError(
                f"start line exceeds {limits.max_head_bytes} bytes (Limits.max_head_bytes)", status_hint=414
            )
        raise RemoteProtocolError(
            f"head exceeds {limits.max_head_bytes} bytes (Limits.max_head_bytes)", status_hint=431
        )
    return window, end >= 0


def _check_lines(window: bytes, limits: Limits) -> None:
    """Refuse the first line that ends in LF alone, or is one too many."""
    if window.count(b"\n") == window.count(b"\r\n") <= limits.max_field_lines + 2:
        return  # start line, field lines, empty line
    for line in window.split(b"\n")[:-1][: limits.max_field_lines + 2]:
        _check_line_end(line + b"\n")
    raise RemoteProtocolError(
        f"head has more than {limits.max_field_lines} field lines (Limits.max_field_lines)", status_hint=431
    )


def _check_line_end(line: bytes) -> None:
    if not line.endswith(b"\r\n"):
        raise RemoteProtocolError(f"line {shown(line)} ends in LF without CR (RFC 9112 2.2)")


def read_section(section: bytes, *, folds: bool) -> tuple[bytes, list[FieldLine]]:
    """A section of whole lines, for h11 with obs-fold replaced (RFC 9112 5.2), and its field lines.

    folds: replace it (a response), else refuse it
    """
    control = _find_control(section)
    if control is not None:
        line = section.count(b"\n", 0, control.start()) + 1
        raise RemoteProtocolError(f"field line {line} has the control character {control[0]!r} (RFC 9110 5.5)")
    if folds and not section.startswith((b" ", b"\t")):
        section = _OBS_FOLD.sub(b" ", section)
    return section, [_field_line(line) for line in section.split(b"\r\n")[:-1]]


def _field_line(line: bytes) -> FieldLine:
    match = _match_name(line)
    end = match.end() if match is not None else 0
    if match is not None and line.startswith(b":", end):
        return match[0].lower(), line[end + 1 :].strip(b" \t")
    if line.startswith((b" ", b"\t")):
        raise RemoteProtocolError(f"line {shown(line)} is a folded field value, obs-fold (RFC 9112 5.2)")
    name, colon, _ = line.partition(b":")
    if not colon:
        raise RemoteProtocolError(f"field line {shown(line)} has no colon (RFC 9112 5)")
    if not name:
        raise RemoteProtocolError(f"field line {shown(line)} has no name (RFC 9110 5.1)")
    raise RemoteProtocolError(f"field name {shown(name)} has {name[end : end + 1]!r} at offset {end} (RFC 9110 5.1)")


def values(lines: Sequence[FieldLine], name: bytes) -> list[bytes]:
    """The values of the lines with this name."""
    return [value for each, value in lines if each == name]


def check_framing(lines: Sequence[FieldLine], version: bytes, *, kind: str) -> None:
    """Refuse framing that two recipients may read in two ways (RFC 9112 6.1, 6.3, 11.2).

    kind: "request" or "response"
    """
    codings = values(lines, b"transfer-encoding")
    if not codings:
        return
    if values(lines, b"content-length"):
        raise RemoteProtocolError(f"{kind} has Content-Length and Transfer-Encoding (RFC 9112 6.3)")
    if version == b"1.0":
        raise RemoteProtocolError(f"HTTP/1.0 {kind} has Transfer-Encoding (RFC 9112 6.1)")
    coded = b", ".join(codings)
    names = tokens(coded)
    if len(codings) == 1 and coded.lower() == b"chunked":
        return
    if names[-1:] != [b"chunked"] or names.count(b"chunked") > 1:
        raise RemoteProtocolError(f"Transfer-Encoding {shown(coded)} does not end in chunked, once (RFC 9112 6.3)")
    raise RemoteProtocolError(f"Transfer-Encoding {shown(coded)} is not chunked alone (RFC 9112 6.1)", status_hint=501)


def framing_of(fields: Fields) -> Framing | None:
    """The framing that checked fields announce; None if they announce none."""
    if b"transfer-encoding" in fields:
        return CHUNKED
    length = fields.get(b"content-length")
    if length is None:
        return None
    return Length(int(length)) if int(length) else NO_CONTENT


def read_trailers(section: bytes, *, folds: bool) -> Fields:
    """The fields of a trailer section, whole lines without the empty one, as h11 reads them.

    folds: see `read_section`
    raises: RemoteProtocolError, also for fields that frame or route a message (RFC 9110 6.5.1)
    """
    section, lines = read_section(section, folds=folds)
    for name, _ in lines:
        if name in (b"content-length", b"transfer-encoding", b"host"):
            raise RemoteProtocolError(f"field {shown(name)} is not allowed in a trailer section (RFC 9110 6.5.1)")
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=len(section) + 128)
    reader.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + section + b"\r\n")
    reader.next_event()
    end = ask_h11(reader, "trailer section")
    assert isinstance(end, h11.EndOfMessage)
    return Fields(end.headers.raw_items())


def ask_h11(connection: h11.Connection, what: str) -> object:
    """The next event, its refusal as ours."""
    try:
        return connection.next_event()
    except h11.RemoteProtocolError as error:
        raise RemoteProtocolError(f"{what} refused: {str(error)[:96]}", status_hint=error.error_status_hint) from None
