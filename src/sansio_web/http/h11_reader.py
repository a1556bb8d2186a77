"""Heads of requests and responses, read by h11 behind a layer of strictness: what bytes mean (RFC 9112).

In: a buffer that starts at the first byte of a message. Out: the event, its length and the reader for the
content; None while the head is incomplete; RemoteProtocolError with a status. A fault is found in the
complete head, or before that where it costs little to see; it is the same one then.
Not here: persistence over several messages (`connection`), content (`content`).

What the RFCs leave to the recipient, and how it is decided here:

1. One empty line before a request is skipped (RFC 9112 2.2), a second one refused; none before a response.
2. A repeated Content-Length is taken if all values are the same, and becomes one field line (RFC 9110 8.6).
3. obs-fold is refused in a request and replaced in a response (RFC 9112 5.2).
4. An empty Host is taken (RFC 9112 3.2); HTTP/1.0 may go without one.
5. Any expectation but 100-continue is refused with 417 (RFC 9110 10.1.1). 100-continue counts in HTTP/1.1
   only, and only if there is content to come.
6. Upgrade is reported with content as well: the switch waits for the end of it (RFC 9110 7.8). In
   HTTP/1.0, or without the connection option, it is ignored.
7. A status line without reason may lack the space before it; statuses from 600 on are final (RFC 9110 15).
8. Content-Length or Transfer-Encoding in a 1xx or 204 is refused (RFC 9110 8.6, RFC 9112 6.1); in a 304
   and in answers to HEAD and CONNECT they frame nothing (RFC 9112 6.3).
9. A transfer coding that does not end in chunked is refused in a response too, though it might end with the
   connection: we could not decode it.
"""

import re
from typing import Final

import h11

from ..errors import RemoteProtocolError, shown
from ..limits import Limits
from .content import content_reader
from .events import InterimReceived, RequestReceived, ResponseReceived
from .fields import Fields, tokens
from .framing import NO_CONTENT, UNTIL_CLOSE, Framing
from .heads import RequestHead, ResponseHead
from .status import has_no_content, is_interim
from .strictness import FieldLine, ask_h11, check_framing, framing_of, head_window, read_section, values
from .target import check_host, check_target

__all__ = ["RequestHead", "ResponseHead", "read_request", "read_response"]

# request-line = method SP request-target SP HTTP-version             (RFC 9112 3)
_match_request_line = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]++) ([!-~]++) HTTP/([0-9])\.([0-9])").fullmatch
# status-line = HTTP-version SP status-code SP [ reason-phrase ]      (RFC 9112 4)
_match_status_line = re.compile(rb"HTTP/([0-9])\.([0-9]) ([1-9][0-9]{2})(?: [\t -~\x80-\xff]*+)?").fullmatch
_TCHAR: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_request(data: bytes | bytearray, limits: Limits) -> RequestHead | None:
    """Read the head of a request (RFC 9112 3).

    returns: None if more bytes are needed
    raises: RemoteProtocolError with status 400, 414, 417, 431, 501 or 505
    """
    start = _request_start(data)
    if start is None:
        return None
    window, complete = head_window(data, start, limits, _check_request_line)
    if not complete:
        return None
    line, _, section = window[:-2].partition(b"\r\n")
    section, lines = read_section(section, folds=False)
    version = b"1.0" if line.endswith(b".0") else b"1.1"
    check_framing(lines, version, kind="request")
    _check_request_fields(lines, version)
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=len(window))
    reader.receive_data(line + b"\r\n" + section + b"\r\n")
    request = ask_h11(reader, "request")
    assert isinstance(request, h11.Request)
    check_target(request.method, request.target)
    event = _request_event(request, version)
    return RequestHead(event, start + len(window), content_reader(event.framing, limits))


def read_response(data: bytes | bytearray, limits: Limits, *, request_method: bytes) -> ResponseHead | None:
    """Read the head of a response (RFC 9112 4).

    request_method: of the request that it answers; HEAD and CONNECT change what follows the head
    returns: None if more bytes are needed
    raises: RemoteProtocolError
    """
    if data and data[0] != 0x48:
        raise RemoteProtocolError(f"response begins with {bytes(data[:1])!r}, not with HTTP/1 (RFC 9112 4)")
    window, complete = head_window(data, 0, limits, _check_status_line)
    if not complete:
        return None
    line, _, section = window[:-2].partition(b"\r\n")
    section, lines = read_section(section, folds=True)
    version = b"1.0" if line.startswith(b"HTTP/1.0") else b"1.1"
    check_framing(lines, version, kind="response")
    response = _ask_for_response(line + b"\r\n" + section + b"\r\n", request_method)
    event = _response_event(response, version, request_method)
    framing: Framing = NO_CONTENT if isinstance(event, InterimReceived) else event.framing
    return ResponseHead(event, len(window), content_reader(framing, limits, folds=True))


def _request_start(data: bytes | bytearray) -> int | None:
    """The offset of the request line behind at most one empty line; None if that is open."""
    if not data or data == b"\r":
        return None
    start = 2 if data.startswith(b"\r\n") else 0
    if start == len(data):
        return None
    if data[start] in _TCHAR:
        return start
    first = bytes(data[start : start + 1])
    if start and first in (b"\r", b"\n"):
        raise RemoteProtocolError("more than one empty line before the request line (RFC 9112 2.2)")
    raise RemoteProtocolError(f"request begins with {first!r}, not with a method (RFC 9112 3)")


def _check_request_line(line: bytes) -> None:
    match = _match_request_line(line)
    if match is None:
        raise RemoteProtocolError(f"request line {shown(line)} is not 'method target HTTP/1.1' (RFC 9112 3)")
    if match[3] != b"1":
        raise RemoteProtocolError(f"request is HTTP/{match[3].decode()}, not HTTP/1 (RFC 9110 2.5)", status_hint=505)


def _check_status_line(line: bytes) -> None:
    match = _match_status_line(line)
    if match is None:
        raise RemoteProtocolError(f"status line {shown(line)} is not 'HTTP/1.1 status reason' (RFC 9112 4)")
    if match[1] != b"1":
        raise RemoteProtocolError(f"response is HTTP/{match[1].decode()}, not HTTP/1 (RFC 9110 2.5)", status_hint=505)


def _check_request_fields(lines: list[FieldLine], version: bytes) -> None:
    hosts = values(lines, b"host")
    if len(hosts) > 1:
        raise RemoteProtocolError(f"request has {len(hosts)} Host field lines, at most one is allowed (RFC 9112 3.2)")
    if not hosts and version != b"1.0":
        raise RemoteProtocolError("HTTP/1.1 request has no Host (RFC 9112 3.2)")
    for host in hosts:
        check_host(host)
    for value in values(lines, b"expect"):
        for expectation in tokens(value):
            if expectation != b"100-continue":
                raise RemoteProtocolError(
                    f"Expect has {shown(expectation)}, only 100-continue is met (RFC 9110 10.1.1)",
                    status_hint=417,
                )


def _request_event(request: h11.Request, version: bytes) -> RequestReceived:
    fields = Fields(request.headers.raw_items())
    framing = framing_of(fields) or NO_CONTENT
    options = tokens(fields.get(b"connection"))
    return RequestReceived(
        method=request.method,
        target=request.target,
        version=version,
        fields=fields,
        framing=framing,
        persistent=_persists(options, version),
        expects_continue=version != b"1.0" and framing is not NO_CONTENT and bool(tokens(fields.get(b"expect"))),
        upgrade=(fields.get(b"upgrade") or b"") if version != b"1.0" and b"upgrade" in options else b"",
    )


def _ask_for_response(head: bytes, request_method: bytes) -> h11.Response | h11.InformationalResponse:
    """h11's reading of a complete head; it wants a request first, here one that allows every answer."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=len(head))
    asked = [(b"Host", b""), (b"Connection", b"upgrade"), (b"Upgrade", b"any")]
    reader.send(h11.Request(method=request_method, target=b"/", headers=asked))
    reader.receive_data(head)
    response = ask_h11(reader, "response")
    assert isinstance(response, h11.Response | h11.InformationalResponse)
    return response


def _response_event(
    response: h11.Response | h11.InformationalResponse, version: bytes, request_method: bytes
) -> ResponseReceived | InterimReceived:
    status, reason = response.status_code, response.reason
    fields = Fields(response.headers.raw_items())
    announced = framing_of(fields)
    if announced is not None and (status < 200 or status == 204):
        raise RemoteProtocolError(
            f"response {status} has Content-Length or Transfer-Encoding (RFC 9110 8.6, RFC 9112 6.1)"
        )
    if is_interim(status):
        return InterimReceived(status, reason, fields)
    tunnel = request_method == b"CONNECT" and 200 <= status < 300
    framing: Framing = UNTIL_CLOSE if announced is None else announced
    if has_no_content(status) or request_method == b"HEAD" or tunnel:
        framing = NO_CONTENT
    persistent = framing is not UNTIL_CLOSE and _persists(tokens(fields.get(b"connection")), version)
    return ResponseReceived(status, reason, version, fields, framing, persistent)


def _persists(options: list[bytes], version: bytes) -> bool:
    """Whether the connection persists as far as this message says (RFC 9112 9.3)."""
    return b"close" not in options and (version != b"1.0" or b"keep-alive" in options)
