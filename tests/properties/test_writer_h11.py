"""What the writer writes, h11 as a client reads back as the same message; or the writer refused it."""

import h11
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.machine import Server, h11_reads

from sansio_web.errors import LocalProtocolError
from sansio_web.http.commands import SendContent, SendEnd, SendHead, SendInterim, SendResponse
from sansio_web.http.framing import CHUNKED, UNTIL_CLOSE, Length
from sansio_web.http.writer import Stamp, plain_head, request_head, response_head

TOKEN = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=8).map(str.encode)
CONTROLS = {*range(0x20), 0x7F} - {0x09}
VALUE = st.binary(max_size=12).filter(lambda value: CONTROLS.isdisjoint(value))
LENGTH = st.tuples(st.sampled_from([b"Content-Length", b"CONTENT-LENGTH"]), st.sampled_from([b"0", b"2", b"3", b"03"]))
FIELD = st.one_of(
    st.tuples(TOKEN, VALUE),
    LENGTH,
    st.tuples(st.just(b"Transfer-Encoding"), st.sampled_from([b"chunked", b"Chunked", b"gzip"])),
    st.tuples(st.just(b"Connection"), st.sampled_from([b"close", b"keep-alive", b"x, Close", b"Keep-Alive, y"])),
    st.tuples(st.sampled_from([b"Date", b"server"]), VALUE),
)
FIELDS = st.lists(FIELD, max_size=5)
STATUS = st.one_of(st.integers(200, 599), st.sampled_from([200, 204, 304]))
REQUESTS = st.tuples(
    st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT"]), st.sampled_from([b"1.1", b"1.0"]), st.booleans()
)
CONTENT = st.binary(max_size=8)
SPECIAL = {b"content-length", b"transfer-encoding", b"connection", b"date", b"server"}


def asked(method: bytes, version: bytes, keep: bool) -> Server:
    target = b"a:1" if method == b"CONNECT" else b"/"
    option = b"keep-alive" if keep else b"close"
    return Server().feed(b"%b %b HTTP/%b\r\nHost: a:1\r\nConnection: %b\r\n\r\n" % (method, target, version, option))


def plain(fields: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    return {name.lower(): value.strip(b" \t") for name, value in fields if name.lower() not in SPECIAL}


@given(REQUESTS, STATUS, VALUE, FIELDS, CONTENT, st.booleans())
@settings(max_examples=500, deadline=None)
def test_a_whole_response_is_read_back(
    request: tuple[bytes, bytes, bool],
    status: int,
    reason: bytes,
    fields: list[tuple[bytes, bytes]],
    content: bytes,
    complete: bool,
) -> None:
    server = asked(*request)
    try:
        server.send(SendResponse(status, reason, fields, content, complete=complete))
    except LocalProtocolError:
        assert server.took() == b""
        return
    ended = server.effects != []
    (message,) = h11_reads(server.took(), [b"GET" if request[0] == b"CONNECT" else request[0]], ended=ended)
    assert (message.status, message.complete) == (status, True)
    assert message.content == (b"" if request[0] == b"HEAD" else content)
    assert message.keeps_alive is not ended
    for name, value in plain(fields).items():
        assert name in message.headers
        assert value in [v.strip(b" \t") for n, v in fields if n.lower() == name]
    assert (b"date" in message.headers) or complete


@given(
    REQUESTS,
    STATUS,
    FIELDS,
    st.lists(CONTENT, max_size=4),
    st.lists(st.tuples(TOKEN, VALUE), max_size=2),
    st.booleans(),
)
@settings(max_examples=500, deadline=None)
def test_a_streamed_response_is_read_back_and_one_cut_short_is_not_whole(
    request: tuple[bytes, bytes, bool],
    status: int,
    fields: list[tuple[bytes, bytes]],
    pieces: list[bytes],
    trailers: list[tuple[bytes, bytes]],
    interim: bool,
) -> None:
    assume(not (request[0] == b"CONNECT" and status < 300))
    server = asked(*request)
    try:
        if interim:
            server.send(SendInterim(103, b"", [(b"Link", b"x")]))
        server.send(SendHead(status, b"", fields))
    except LocalProtocolError:
        return
    sent = b""
    finished = False
    try:
        for piece in pieces:
            server.send(SendContent(piece))
            sent += piece
        server.send(SendEnd(trailers))
        finished = True
    except LocalProtocolError:
        pass
    (message,) = h11_reads(server.took(), [request[0]], ended=server.effects != [])
    assert message.interim == ([103] if interim and request[1] == b"1.1" else [])
    assert message.content == (b"" if request[0] == b"HEAD" else sent)
    if finished:
        assert message.complete
        assert message.trailers in ([], [(name.lower(), value.strip(b" \t")) for name, value in trailers])
    elif message.complete:  # only where nothing was missing: refused content of a message that has no more
        outgoing = server.http._outgoing
        assert outgoing.left == 0
        assert outgoing.framing not in (CHUNKED, UNTIL_CLOSE) or outgoing.suppressed


@given(STATUS | st.integers(0, 999), VALUE | st.binary(max_size=4), FIELDS, st.integers(0, 99), st.booleans())
@settings(max_examples=400, deadline=None)
def test_the_short_cut_is_none_or_the_same_head(
    status: int, reason: bytes, fields: list[tuple[bytes, bytes]], length: int, stamped: bool
) -> None:
    stamp = Stamp(lambda: b"today", b"me") if stamped else None
    try:
        whole = response_head(b"GET", b"1.1", status, reason, fields, length, stamp, False)
    except LocalProtocolError:
        whole = None
    try:
        short = plain_head(status, reason, fields, length, stamp)
    except LocalProtocolError:
        assert whole is None
        return
    assert short is None or (short, Length(length), False) == whole


@given(TOKEN, st.sampled_from([b"/", b"/a?b", b"*", b"http://a/"]), FIELDS)
@settings(max_examples=200, deadline=None)
def test_the_head_of_a_request_is_read_back(method: bytes, target: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    try:
        plan = request_head(method, target, b"1.1", [(b"Host", b"a"), *fields])
    except LocalProtocolError:
        return
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(plan.data)
    request = reader.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method, request.target) == (method, target)
    assert {name for name, _ in fields} <= {name for name, _ in request.headers.raw_items()}
