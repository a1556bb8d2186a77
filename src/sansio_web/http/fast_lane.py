"""Plain, complete heads, read by one compiled pattern each: the short cut for nearly all traffic (RFC 9112).

The answer is exactly `h11_reader`'s, or None, which means that the head is incomplete or not plain and
`h11_reader` decides. Plain: HTTP/1.1; a method of capitals other than CONNECT with an origin-form target;
one Host, not empty and without percent-encoding; Content-Length of at most 15 digits or
`Transfer-Encoding: chunked`, once; Connection only keep-alive or close; no Expect and no Upgrade; any
other field lines without obs-fold and control characters. In a response: a final status and a reason or
the space before it; Content-Length, Transfer-Encoding, Connection as above.
"""

import re
from typing import Final

from ..limits import Limits
from .content import ChunkedReader, ContentReader, LengthReader, UntilCloseReader
from .events import RequestReceived, ResponseReceived
from .fields import Fields
from .framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Framing, Length
from .heads import RequestHead, ResponseHead
from .target import IP_LITERAL, PORT

# field-line = field-name ":" OWS field-value OWS   (RFC 9112 5); `Fields` takes the whitespace off
_NAME: Final = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]*+:"
_VALUE: Final = rb"[\t -~\x80-\xff]*+\r\n"


def _field_lines(refused: bytes, seen: bytes) -> bytes:
    """A pattern for any number of plain field lines; groups: close, the length, chunked.

    A line begins one of the alternatives and no other, and none can match in two ways, so matching is linear.

    refused: names of lines that are not plain, without their first letter, each with a bar behind it
    seen: fails if a length or chunked was seen before: (?(5)(?!)) means "not if group 5 has matched"
    """
    return (
        rb"""
    (?: [-!#$%&'*+.^_`|~0-9ABDFGI-SV-Zabdfgi-sv-z]<ANY>
      | [CcEeHhTtUu](?!(?i:<REFUSED>onnection|ontent-length|ransfer-encoding):)<ANY>
      | [Cc](?: (?i:onnection):[\t ]*+(?:(?i:keep-alive)|((?i:close)))[\t ]*+\r\n
              | (?i:ontent-length):<SEEN>[\t ]*+([0-9]{1,15})[\t ]*+\r\n )
      | [Tt](?i:ransfer-encoding):<SEEN>[\t ]*+(chunked)[\t ]*+\r\n
    )*
    """.replace(b"<REFUSED>", refused)
        .replace(b"<SEEN>", seen)
        .replace(b"<ANY>", _NAME + _VALUE)
    )


# Groups of a request: method, target, section, three before Host, three after it.
# Groups of a response: status, reason, section, three.
_SEEN_IN_REQUEST: Final = rb"(?(5)(?!))(?(6)(?!))(?(8)(?!))(?(9)(?!))"
_match_request = re.compile(
    rb"""
    (?!CONNECT[ ])([A-Z]++)[ ](/[!-"$-~]*+)[ ]HTTP/1\.1\r\n
    ( %b
      [Hh](?i:ost):[\t ]*+(?:[-A-Za-z0-9._~!$&'()*+,;=]++|%b)(?::%b)?[\t ]*+\r\n
      %b
    )\r\n
    """
    % (
        _field_lines(b"ost|xpect|pgrade|", _SEEN_IN_REQUEST),
        IP_LITERAL,
        PORT,
        _field_lines(b"ost|xpect|pgrade|", _SEEN_IN_REQUEST),
    ),
    re.VERBOSE,
).match
_match_response = re.compile(
    rb"""
    HTTP/1\.1[ ]([2-9][0-9]{2})[ ]([\t -~\x80-\xff]*+)\r\n
    ( %b )\r\n
    """
    % _field_lines(b"", rb"(?(5)(?!))(?(6)(?!))"),
    re.VERBOSE,
).match

_SHORTEST_FIELD_LINE: Final = 4  # `a:` and CRLF
_new_object = object.__new__


def read_request(data: bytes | bytearray, limits: Limits) -> RequestHead | None:
    """Read the head of a request, if it is complete and plain; never raises."""
    match = _match_request(data)
    if match is None:
        return None
    consumed = match.end()
    method, target, section, close, length, chunked, late_close, late_length, late_chunked = match.groups()
    if consumed > limits.max_head_bytes or (
        consumed > limits.max_field_lines * _SHORTEST_FIELD_LINE and section.count(b"\n") > limits.max_field_lines
    ):
        return None
    framing: Framing = NO_CONTENT
    reader: ContentReader | None = None
    if digits := length or late_length:
        if size := int(digits):
            framing = Length(size)
            reader = LengthReader(size)
    elif chunked or late_chunked:
        framing = CHUNKED
        reader = ChunkedReader(limits)
    fields = _new_object(Fields)  # Fields.from_section(section), without the cost of a call
    fields._items = fields._index = None
    fields._section = section
    persistent = close is None and late_close is None
    event = RequestReceived(method, target, b"1.1", fields, framing, persistent)
    return RequestHead(event, consumed, reader)


def read_response(data: bytes | bytearray, limits: Limits, *, request_method: bytes) -> ResponseHead | None:
    """Read the head of a final response, if it is complete and plain; never raises."""
    match = _match_response(data)
    if match is None or request_method == b"CONNECT":
        return None
    consumed = match.end()
    status, reason, section, close, length, chunked = match.groups()
    if consumed > limits.max_head_bytes or section.count(b"\n") > limits.max_field_lines:
        return None
    framing: Framing = UNTIL_CLOSE
    reader: ContentReader | None = None
    if status == b"204" and (length or chunked):
        return None
    if status == b"204" or status == b"304" or request_method == b"HEAD":
        framing = NO_CONTENT
    elif length:
        size = int(length)
        framing = Length(size) if size else NO_CONTENT
        reader = LengthReader(size) if size else None
    elif chunked:
        framing = CHUNKED
        reader = ChunkedReader(limits, folds=True)
    else:
        reader = UntilCloseReader()
    persistent = close is None and framing is not UNTIL_CLOSE
    event = ResponseReceived(int(status), reason, b"1.1", Fields.from_section(section), framing, persistent)
    return ResponseHead(event, consumed, reader)
