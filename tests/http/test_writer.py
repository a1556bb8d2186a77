import pytest

from sansio_web.errors import LocalProtocolError
from sansio_web.http.framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Framing, Length
from sansio_web.http.writer import (
    Stamp,
    content_bytes,
    end_bytes,
    interim_head,
    request_head,
    response_head,
    switching_head,
)

DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
TE = (b"Transfer-Encoding", b"chunked")
NINE = (b"Content-Length", b"9")
X = (b"Connection", b"x")
THREE = b"Content-Length: 3"
CLOSE = (b"Connection", b"close")


def head(
    *fields: tuple[bytes, bytes],
    method: bytes = b"GET",
    version: bytes = b"1.1",
    status: int = 200,
    length: int | None = None,
    stamp: Stamp | None = None,
    close: bool = False,
) -> tuple[bytes, Framing, bool]:
    return response_head(method, version, status, b"OK", fields, length, stamp, close=close)


@pytest.mark.parametrize(
    ("given", "lines", "framing", "closes"),
    [
        (head(length=3), [b"Content-Length: 3"], Length(3), False),
        (head(length=3, close=True), [THREE, b"Connection: close"], Length(3), True),
        (head(), [b"Transfer-Encoding: chunked"], CHUNKED, False),
        (head(TE), [b"Transfer-Encoding: chunked"], CHUNKED, False),
        (head(TE, length=3), [b"Transfer-Encoding: chunked"], CHUNKED, False),
        (head((b"Content-Length", b"3")), [b"Content-Length: 3"], Length(3), False),
        (head((b"X", b" \tb c\t ")), [b"X: b c", b"Transfer-Encoding: chunked"], CHUNKED, False),
        (head(version=b"1.0"), [b"Connection: close"], UNTIL_CLOSE, True),
        (head(TE, version=b"1.0"), [b"Connection: close"], UNTIL_CLOSE, True),
        (head(version=b"1.0", length=3), [THREE, b"Connection: keep-alive"], Length(3), False),
        (head(X, version=b"1.0", length=3), [b"Connection: x", b"Content-Length: 3"], Length(3), False),
        (head(version=b"1.0", length=3, close=True), [THREE, b"Connection: close"], Length(3), True),
        (head(status=204, length=0), [], NO_CONTENT, False),
        (head(status=304, length=0), [], NO_CONTENT, False),
        (head(TE, status=304), [], NO_CONTENT, False),
        (head(NINE, status=304), [b"Content-Length: 9"], NO_CONTENT, False),
        (head(NINE, method=b"HEAD", length=0), [b"Content-Length: 9"], Length(9), False),
        (head(CLOSE, length=0), [b"Connection: close", b"Content-Length: 0"], Length(0), True),
        (head((b"Connection", b"a"), (b"Connection", b"CLOSE"), length=0, close=True),
         [b"Connection: a", b"Connection: CLOSE", b"Content-Length: 0"], Length(0), True),
    ],
)  # fmt: skip
def test_the_head_of_a_response(
    given: tuple[bytes, Framing, bool], lines: list[bytes], framing: Framing, closes: bool
) -> None:
    assert given == (
        b"\r\n".join([b"HTTP/1.1 200 OK".replace(b"200", given[0][9:12]), *lines, b"", b""]),
        framing,
        closes,
    )


def test_an_application_cannot_keep_a_connection_that_ends() -> None:
    data, _, closes = head((b"Connection", b"Keep-Alive, x"), (b"A", b"b"), length=0, close=True)
    assert closes
    assert data == b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\nConnection: x, close\r\n\r\n"


def test_date_and_server_are_added_where_they_are_missing() -> None:
    stamp = Stamp(lambda: DATE, b"s")
    date, server = b"Date: " + DATE + b"\r\n", b"Server: s\r\n"
    assert head(length=0, stamp=stamp)[0].endswith(b"\r\nContent-Length: 0\r\n" + date + server + b"\r\n")
    assert head((b"SERVER", b"x"), length=0, stamp=stamp)[0].endswith(b"\r\n" + date + b"\r\n")
    assert head((b"date", b"x"), length=0, stamp=stamp)[0].endswith(b"\r\n" + server + b"\r\n")
    both = head((b"date", b"x"), (b"server", b"y"), length=0, stamp=stamp)[0]
    assert DATE not in both
    assert server not in both
    assert head((b"Connection", b"close"), length=0, stamp=Stamp(lambda: DATE, b""))[0].count(b"Server") == 0


def test_the_stamp_follows_the_clock() -> None:
    dates = iter([b"a", b"b"])
    stamp = Stamp(lambda: next(dates), b"")
    assert (stamp.both(), stamp.both()) == (b"Date: a\r\n", b"Date: b\r\n")
    still = Stamp(lambda: DATE, b"")
    assert still.both() is still.both()


def test_a_server_name_that_breaks_its_line_is_refused_at_once() -> None:
    with pytest.raises(LocalProtocolError, match="of field b'Server'"):
        Stamp(lambda: DATE, b"a\r\nb")


@pytest.mark.parametrize("name", [b"Content-Length", b"Date", b"Server"])
def test_fields_that_stand_once_stand_once(name: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="stands twice in one head"):
        head((name, b"1"), (name, b"1"))


@pytest.mark.parametrize("length", [b"", b"+1", b"1_0", b"\xb2", b"9" * 19, b" 1"])
def test_a_length_is_decimal_digits(length: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="allowed: decimal digits"):
        head((b"Content-Length", length))


def test_interim_and_switching_heads() -> None:
    assert interim_head(103, b"Early Hints", [(b"Link", b"</a>")]) == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert (
        switching_head(101, b"", [(b"Upgrade", b"x")], b"Date: d\r\n")
        == b"HTTP/1.1 101 \r\nUpgrade: x\r\nDate: d\r\n\r\n"
    )


def test_content_and_its_end() -> None:
    assert content_bytes(CHUNKED, b"a" * 26) == b"1a\r\n" + b"a" * 26 + b"\r\n"
    assert content_bytes(CHUNKED, b"") == b""  # an empty chunk would be the last
    assert content_bytes(Length(2), b"ab") == content_bytes(UNTIL_CLOSE, b"ab") == b"ab"
    assert end_bytes(CHUNKED, ()) == b"0\r\n\r\n"
    assert end_bytes(CHUNKED, [(b"A", b"b")]) == b"0\r\nA: b\r\n\r\n"
    assert end_bytes(Length(2), [(b"A", b"b")]) == end_bytes(NO_CONTENT, ()) == b""
    with pytest.raises(LocalProtocolError, match="cannot stand in a trailer section"):
        end_bytes(Length(2), [(b"Host", b"b")])


# -- requests ----

HOST = (b"Host", b"a")


def test_the_head_of_a_request() -> None:
    plan = request_head(b"GET", b"/", b"1.1", [HOST])
    assert (plan.data, plan.framing, plan.closes) == (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", NO_CONTENT, False)
    assert request_head(b"PUT", b"*", b"1.1", [HOST, TE]).framing is CHUNKED
    assert request_head(b"PUT", b"/", b"1.1", [HOST, (b"Content-Length", b"3")]).framing == Length(3)
    assert request_head(b"PUT", b"/", b"1.1", [HOST, (b"Content-Length", b"0")]).framing is NO_CONTENT
    assert request_head(b"GET", b"/", b"1.0", []).closes
    assert not request_head(b"GET", b"/", b"1.0", [(b"Connection", b"keep-alive")]).closes
    assert request_head(b"GET", b"/", b"1.1", [HOST, (b"Connection", b"close")]).closes


@pytest.mark.parametrize(
    ("method", "target", "version", "fields", "message"),
    [
        (b"G T", b"/", b"1.1", [HOST], r"method b'G T' has b' ' at offset 1"),
        (b"", b"/", b"1.1", [HOST], r"method b'' is empty"),
        (b"GET", b"/ HTTP/1.1\r\nX: y", b"1.1", [HOST], r"is empty or has a character outside %x21-7E"),
        (b"GET", b"", b"1.1", [HOST], r"target b'' is empty"),
        (b"GET", b"/", b"2", [HOST], r"version is b'2'; allowed: b'1.1', b'1.0'"),
        (b"GET", b"/", b"1.1", [], r"a request in HTTP/1.1 has a Host field"),
        (b"GET", b"/", b"1.1", [HOST, HOST], r"field b'Host' stands twice"),
        (b"GET", b"/", b"1.1", [HOST, TE, TE], r"field b'Transfer-Encoding' stands twice"),
        (b"GET", b"/", b"1.1", [HOST, TE, (b"Content-Length", b"1")], r"are both set"),
        (
            b"GET",
            b"/",
            b"1.1",
            [HOST, (b"Content-Length", b"x")],
            r"Content-Length is b'x'; allowed: decimal digits",
        ),
        (
            b"GET",
            b"/",
            b"1.1",
            [HOST, (b"Transfer-Encoding", b"gzip")],
            r"Transfer-Encoding b'gzip' cannot be sent here",
        ),
        (b"GET", b"/", b"1.0", [TE], r"Transfer-Encoding b'chunked' cannot be sent here"),
        (b"GET", b"/", b"1.1", [HOST, (b"X", b"\n")], r"at offset 0"),
    ],
)
def test_a_request_that_could_be_misread_is_refused(
    method: bytes, target: bytes, version: bytes, fields: list[tuple[bytes, bytes]], message: str
) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        request_head(method, target, version, fields)


def test_the_clock_is_looked_at_five_times_a_second_where_the_time_is_told() -> None:
    dates = iter((b"a", b"b", b"c"))
    stamp = Stamp(lambda: next(dates), b"")
    said = []
    for now in (5.0, 5.1, 5.19, 5.2, 5.3):
        stamp.now = now
        said.append(stamp.both())
    assert said == [b"Date: a\r\n"] * 3 + [b"Date: b\r\n"] * 2
    stamp.now = None
    assert stamp.both() == b"Date: c\r\n"
