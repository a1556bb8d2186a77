"""Request heads against RFC 9110 and RFC 9112, one row for each rule, by real bytes."""

import pytest

from sansio_web.errors import RemoteProtocolError
from sansio_web.http import fast_lane, h11_reader
from sansio_web.http.framing import CHUNKED, NO_CONTENT, Length
from sansio_web.limits import Limits

LIMITS = Limits(max_head_bytes=2_000, max_field_lines=10)
HOST = b"Host: a.example\r\n"


def head(line: bytes = b"GET / HTTP/1.1", fields: bytes = HOST) -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


def post(fields: bytes) -> bytes:
    return head(b"POST / HTTP/1.1", HOST + fields)


REFUSED = [
    # RFC 9112 2.2: lines
    ("2.2-bare-lf-ends-request-line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("2.2-bare-lf-ends-field-line", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
    ("2.2-bare-lf-hides-a-field-line", post(b"X: a\nContent-Length: 3\r\n"), 400),
    ("2.2-bare-lf-ends-last-field-line", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n\r\n", 400),
    ("2.2-bare-lf-only", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("2.2-bare-cr-in-value", post(b"X: a\rb\r\n"), 400),
    ("2.2-bare-cr-in-request-line", head(b"GET /\r HTTP/1.1"), 400),
    ("2.2-two-empty-lines-first", b"\r\n\r\n" + head(), 400),
    ("2.2-lf-first", b"\n" + head(), 400),
    ("2.2-cr-without-lf-first", b"\rGET / HTTP/1.1\r\n\r\n", 400),
    ("2.2-whitespace-after-request-line", head(fields=b" X: y\r\n" + HOST), 400),
    ("2.2-space-first", b" " + head(), 400),
    # RFC 9112 3: request line
    ("3-tls-hello", b"\x16\x03\x01\x02\x00\x01\x00", 400),
    ("3-nul-first", b"\x00", 400),
    ("3-method-no-token", head(b"G(T / HTTP/1.1"), 400),
    ("3-two-spaces", head(b"GET  / HTTP/1.1"), 400),
    ("3-tab", head(b"GET\t/ HTTP/1.1"), 400),
    ("3-no-version", head(b"GET /"), 400),
    ("3-no-target", head(b"GET HTTP/1.1"), 400),
    ("3-space-in-target", head(b"GET /a b HTTP/1.1"), 400),
    ("3-obs-text-in-target", head(b"GET /\xe4 HTTP/1.1"), 400),
    ("3-trailing-space", head(b"GET / HTTP/1.1 "), 400),
    ("3-lower-case-name", head(b"GET / http/1.1"), 400),
    ("3-long-version", head(b"GET / HTTP/1.10"), 400),
    ("3-response-instead", b"HTTP/1.1 200 OK\r\n\r\n", 400),
    ("2.3-major-version-2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("2.3-major-version-0", head(b"GET / HTTP/0.9"), 505),
    # RFC 9112 3.2: target
    ("3.2-no-form", head(b"GET a HTTP/1.1"), 400),
    ("3.2.1-fragment", head(b"GET /a#b HTTP/1.1"), 400),
    ("3.2.2-other-scheme", head(b"GET ftp://a/ HTTP/1.1"), 400),
    ("3.2.2-no-host", head(b"GET http:///a HTTP/1.1"), 400),
    ("3.2.2-userinfo", head(b"GET http://u@a/ HTTP/1.1"), 400),
    ("3.2.2-port-too-high", head(b"GET http://a:65536/ HTTP/1.1"), 400),
    ("3.2.2-connect", head(b"CONNECT http://a/ HTTP/1.1"), 400),
    ("3.2.3-not-connect", head(b"GET a:80 HTTP/1.1"), 400),
    ("3.2.3-no-port", head(b"CONNECT a HTTP/1.1"), 400),
    ("3.2.3-empty-port", head(b"CONNECT a: HTTP/1.1"), 400),
    ("3.2.3-port-0", head(b"CONNECT a:0 HTTP/1.1"), 400),
    ("3.2.3-path", head(b"CONNECT / HTTP/1.1"), 400),
    ("3.2.4-not-options", head(b"GET * HTTP/1.1"), 400),
    # RFC 9112 3.2: Host
    ("3.2-host-missing", head(fields=b""), 400),
    ("3.2-host-missing-in-1.2", head(b"GET / HTTP/1.2", b""), 400),
    ("3.2-host-twice", head(fields=HOST + HOST), 400),
    ("3.2-host-twice-in-1.0", head(b"GET / HTTP/1.0", HOST + HOST), 400),
    ("3.2-host-space", head(fields=b"Host: a b\r\n"), 400),
    ("3.2-host-slash", head(fields=b"Host: a/b\r\n"), 400),
    ("3.2-host-userinfo", head(fields=b"Host: u@a\r\n"), 400),
    ("3.2-host-obs-text", head(fields=b"Host: \xe4\r\n"), 400),
    ("3.2-host-bad-escape", head(fields=b"Host: a%2\r\n"), 400),
    ("3.2-host-port-no-number", head(fields=b"Host: a:b\r\n"), 400),
    ("3.2-host-port-too-high", head(fields=b"Host: a:70000\r\n"), 400),
    ("3.2-host-port-alone", head(fields=b"Host: :80\r\n"), 400),
    ("3.2-host-open-bracket", head(fields=b"Host: [::1\r\n"), 400),
    ("3.2-host-no-ipv6", head(fields=b"Host: [1::2::3]\r\n"), 400),
    ("3.2-host-zone", head(fields=b"Host: [fe80::1%25en0]\r\n"), 400),
    ("3.2-host-bad-in-1.0", head(b"GET / HTTP/1.0", b"Host: a b\r\n"), 400),
    # RFC 9112 5, RFC 9110 5: fields
    ("5.1-space-before-colon", post(b"X : y\r\n"), 400),
    ("5.1-tab-before-colon", post(b"X\t: y\r\n"), 400),
    ("5-no-colon", post(b"X\r\n"), 400),
    ("5-no-name", post(b": y\r\n"), 400),
    ("5-name-no-token", post(b"X(y): z\r\n"), 400),
    ("5-name-obs-text", post(b"X\xe4: z\r\n"), 400),
    ("5.2-obs-fold", post(b"X: y\r\n z\r\n"), 400),
    ("5.2-obs-fold-tab", post(b"X: y\r\n\tz\r\n"), 400),
    ("9110-5.5-nul", post(b"X: a\x00b\r\n"), 400),
    ("9110-5.5-control", post(b"X: a\x01b\r\n"), 400),
    ("9110-5.5-del", post(b"X: a\x7fb\r\n"), 400),
    ("9110-5.5-vertical-tab", post(b"X: a\x0bb\r\n"), 400),
    # RFC 9112 6: framing
    ("6.3-length-and-coding", post(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400),
    ("6.3-coding-and-length", post(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400),
    ("6.1-coding-in-1.0", head(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked\r\n"), 400),
    ("6.1-unknown-coding", post(b"Transfer-Encoding: gzip, chunked\r\n"), 501),
    ("6.1-unknown-coding-two-lines", post(b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501),
    ("6.3-chunked-not-last", post(b"Transfer-Encoding: chunked, gzip\r\n"), 400),
    ("6.3-chunked-absent", post(b"Transfer-Encoding: gzip\r\n"), 400),
    ("6.3-identity", post(b"Transfer-Encoding: identity\r\n"), 400),
    ("6.3-coding-empty", post(b"Transfer-Encoding:\r\n"), 400),
    ("6.3-coding-look-alike", post(b"Transfer-Encoding: xchunked\r\n"), 400),
    ("7-chunked-with-parameter", post(b"Transfer-Encoding: chunked;q=1\r\n"), 400),
    ("7.1-chunked-twice", post(b"Transfer-Encoding: chunked, chunked\r\n"), 400),
    (
        "7.1-chunked-twice-two-lines",
        post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        400,
    ),
    ("9110-8.6-length-negative", post(b"Content-Length: -1\r\n"), 400),
    ("9110-8.6-length-plus", post(b"Content-Length: +1\r\n"), 400),
    ("9110-8.6-length-hex", post(b"Content-Length: 0x1\r\n"), 400),
    ("9110-8.6-length-underscore", post(b"Content-Length: 1_0\r\n"), 400),
    ("9110-8.6-length-empty", post(b"Content-Length:\r\n"), 400),
    ("9110-8.6-length-words", post(b"Content-Length: 1 1\r\n"), 400),
    ("9110-8.6-length-huge", post(b"Content-Length: " + b"9" * 21 + b"\r\n"), 400),
    ("9110-8.6-lengths-differ", post(b"Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
    ("9110-8.6-lengths-differ-in-one-line", post(b"Content-Length: 1, 2\r\n"), 400),
    ("9110-8.6-lengths-differ-in-zeros", post(b"Content-Length: 1\r\nContent-Length: 01\r\n"), 400),
    ("9110-10.1.1-other-expectation", post(b"Expect: tea\r\nContent-Length: 1\r\n"), 417),
    ("9110-10.1.1-one-more-expectation", post(b"Expect: 100-continue, tea\r\n"), 417),
    # Limits
    ("limit-request-line", b"GET /" + b"a" * 2_000, 414),
    ("limit-head", head(fields=HOST + b"X: " + b"a" * 2_000 + b"\r\n"), 431),
    ("limit-head-endless", b"GET / HTTP/1.1\r\nX: " + b"a" * 3_000, 431),
    ("limit-field-lines", head(fields=HOST + b"a:\r\n" * 10), 431),
    ("limit-field-lines-endless", b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 20, 431),
]


@pytest.mark.parametrize(("data", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_request_that_breaks_a_rule_is_refused_and_every_prefix_is_open_or_refused_alike(
    data: bytes, status: int
) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        h11_reader.read_request(data, LIMITS)
    assert refused.value.status_hint == status
    for end in range(len(data)):
        assert fast_lane.read_request(data[:end], LIMITS) is None
        try:
            assert h11_reader.read_request(data[:end], LIMITS) is None
        except RemoteProtocolError as error:
            assert (str(error), error.status_hint) == (str(refused.value), status)  # noqa: PT017
    assert fast_lane.read_request(data, LIMITS) is None


ACCEPTED = [
    ("3.2.1-origin-form", head(b"GET /a/%20?b=|c HTTP/1.1"), {"target": b"/a/%20?b=|c"}),
    ("3.2.1-two-slashes", head(b"GET //a/b HTTP/1.1"), {"target": b"//a/b"}),
    ("3.2.2-absolute-form", head(b"GET http://b/c HTTP/1.1"), {"target": b"http://b/c"}),
    ("3.2.2-absolute-form-upper-case", head(b"GET HTTPS://B:443 HTTP/1.1"), {"target": b"HTTPS://B:443"}),
    ("3.2.3-authority-form", head(b"CONNECT a:443 HTTP/1.1"), {"method": b"CONNECT"}),
    ("3.2.4-asterisk-form", head(b"OPTIONS * HTTP/1.1"), {"target": b"*"}),
    ("3.1-methods-are-case-sensitive", head(b"connect / HTTP/1.1"), {"method": b"connect"}),
    ("3.1-any-token-is-a-method", head(b"M-SEARCH / HTTP/1.1"), {"method": b"M-SEARCH"}),
    ("2.2-one-empty-line-first", b"\r\n" + head(), {"method": b"GET"}),
    ("2.3-higher-minor-version", head(b"GET / HTTP/1.9"), {"version": b"1.1", "persistent": True}),
    ("3.2-host-empty", head(fields=b"Host:\r\n"), {}),
    ("3.2-host-ipv6", head(fields=b"Host: [::ffff:1.2.3.4]:80\r\n"), {}),
    ("3.2-host-future-ip", head(fields=b"Host: [v1.a:b]\r\n"), {}),
    ("3.2-host-escaped", head(fields=b"Host: a%20b\r\n"), {}),
    ("3.2-host-port-empty", head(fields=b"Host: a:\r\n"), {}),
    ("3.2-host-missing-in-1.0", head(b"GET / HTTP/1.0", b""), {"version": b"1.0", "persistent": False}),
    ("9.3-keep-alive-in-1.0", head(b"GET / HTTP/1.0", b"Connection: Keep-Alive\r\n"), {"persistent": True}),
    (
        "9.3-close-wins-in-1.0",
        head(b"GET / HTTP/1.0", b"Connection: keep-alive, close\r\n"),
        {"persistent": False},
    ),
    ("9.6-close", head(fields=HOST + b"Connection: foo, Close\r\n"), {"persistent": False}),
    ("9110-8.6-length", post(b"Content-Length: 12\r\n"), {"framing": Length(12)}),
    ("9110-8.6-length-zero", post(b"Content-Length: 00\r\n"), {"framing": NO_CONTENT}),
    ("9110-8.6-length-repeated", post(b"Content-Length: 3\r\ncontent-length: 3\r\n"), {"framing": Length(3)}),
    ("9110-8.6-length-repeated-in-line", post(b"Content-Length: 3, 3\r\n"), {"framing": Length(3)}),
    ("6.3-no-length", post(b""), {"framing": NO_CONTENT}),
    ("7.1-chunked", post(b"Transfer-Encoding: chunked\r\n"), {"framing": CHUNKED}),
    ("7-codings-in-any-case", post(b"Transfer-Encoding: CHUNKED\r\n"), {"framing": CHUNKED}),
    (
        "9110-10.1.1-expect",
        post(b"Expect: 100-Continue\r\nContent-Length: 1\r\n"),
        {"expects_continue": True},
    ),
    ("9110-10.1.1-expect-without-content", post(b"Expect: 100-continue\r\n"), {"expects_continue": False}),
    (
        "9110-10.1.1-expect-ignored-in-1.0",
        head(b"POST / HTTP/1.0", b"Expect: 100-continue\r\nContent-Length: 1\r\n"),
        {"expects_continue": False},
    ),
    ("9110-7.8-upgrade", post(b"Connection: Upgrade\r\nUpgrade: WebSocket\r\n"), {"upgrade": b"WebSocket"}),
    (
        "9110-7.8-upgrade-list",
        post(b"Connection: a, upgrade\r\nUpgrade: b\r\nUpgrade: c/2\r\n"),
        {"upgrade": b"b, c/2"},
    ),
    (
        "9110-7.8-upgrade-with-content",
        post(b"Connection: upgrade\r\nUpgrade: b\r\nContent-Length: 1\r\n"),
        {"upgrade": b"b", "framing": Length(1)},
    ),
    ("9110-7.8-upgrade-without-option", post(b"Upgrade: b\r\n"), {"upgrade": b""}),
    (
        "9110-7.8-upgrade-ignored-in-1.0",
        head(b"GET / HTTP/1.0", b"Connection: upgrade\r\nUpgrade: b\r\n"),
        {"upgrade": b""},
    ),
    ("limit-head-just-fits", head(fields=HOST + b"X: " + b"a" * 1_960 + b"\r\n"), {}),
    ("limit-field-lines-just-fit", head(fields=HOST + b"a:\r\n" * 9), {}),
]


@pytest.mark.parametrize(("data", "wanted"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_request_within_the_rules_is_read_and_every_prefix_is_open(data: bytes, wanted: dict[str, object]) -> None:
    read = h11_reader.read_request(data + b"more", LIMITS)
    assert read is not None
    assert {name: getattr(read.event, name) for name in wanted} == wanted
    assert read.consumed == len(data)
    assert (read.reader is None) == (read.event.framing is NO_CONTENT)
    for end in range(len(data)):
        assert h11_reader.read_request(data[:end], LIMITS) is None
        assert fast_lane.read_request(data[:end], LIMITS) is None


def test_the_largest_head_is_exactly_the_limit() -> None:
    data = head(fields=HOST + b"X: " + b"a" * 1_960 + b"\r\n")
    assert len(data) == LIMITS.max_head_bytes
    assert fast_lane.read_request(data, LIMITS) is not None
    longer = data.replace(b"X: ", b"X: b")
    assert fast_lane.read_request(longer, LIMITS) is None
    with pytest.raises(RemoteProtocolError, match=r"head exceeds 2000 bytes \(Limits.max_head_bytes\)"):
        h11_reader.read_request(longer, LIMITS)


def test_field_names_and_values_stay_as_sent_but_for_what_h11_unifies() -> None:
    read = h11_reader.read_request(
        post(b"X-Odd_Name:  \t a  b\t \r\nCONTENT-LENGTH: 7\r\nContent-length: 7\r\nY:\xe4\r\n"), LIMITS
    )
    assert read is not None
    assert read.event.fields.items() == (
        (b"Host", b"a.example"),
        (b"X-Odd_Name", b"a  b"),
        (b"CONTENT-LENGTH", b"7"),
        (b"Y", b"\xe4"),
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (post(b"Bad Name: x\r\n"), "field name b'Bad Name' has b' ' at offset 3 (RFC 9110 5.1)"),
        (post(b"X: a\x01b\r\n"), "field line 2 has the control character b'\\x01' (RFC 9110 5.5)"),
        (head(fields=b""), "HTTP/1.1 request has no Host (RFC 9112 3.2)"),
        (head(b"PRI * HTTP/2.0"), "request is HTTP/2, not HTTP/1 (RFC 9110 2.5)"),
        (post(b"X: y\r\n z\r\n"), "line b' z' is a folded field value, obs-fold (RFC 9112 5.2)"),
        (b"GET / HTTP/1.1\nX: y\r\n\r\n", "line b'GET / HTTP/1.1\\n' ends in LF without CR (RFC 9112 2.2)"),
        (b"\x16\x03", "request begins with b'\\x16', not with a method (RFC 9112 3)"),
        (b"\r\n\r\n", "more than one empty line before the request line (RFC 9112 2.2)"),
        (post(b"Content-Length: 1, 2\r\n"), "request refused: conflicting Content-Length headers"),
        (
            b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 12,
            "head has more than 10 field lines (Limits.max_field_lines)",
        ),
    ],
)
def test_a_refusal_says_what_came_what_is_allowed_and_where_that_is_written(data: bytes, message: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        h11_reader.read_request(data, LIMITS)
    assert str(refused.value) == message
