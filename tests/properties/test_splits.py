"""Laws 2 and 3: any split of the same bytes gives the same events; equal inputs give equal bytes."""

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.machine import CHUNKED_POST, GET, READ, Server, joined, post

from sansio_web.errors import LocalProtocolError
from sansio_web.http.commands import (
    LimitContent,
    SendContent,
    SendEnd,
    SendHead,
    SendInterim,
    SendResponse,
    ServerCommand,
)
from sansio_web.http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentReceived,
    RequestReceived,
)
from sansio_web.limits import Limits

LIMITS = Limits(max_head_bytes=300, max_content_bytes=64, max_chunk_line_bytes=16, max_trailer_bytes=64)

WHOLE = SendResponse(200, b"OK", [], b"hi")
STREAMED = (SendHead(200, b"OK", []), SendContent(b"abc"), SendEnd([(b"Digest", b"x")]))
LAST = SendResponse(200, b"OK", [(b"Connection", b"close")], b"")
Behaviour = tuple[ServerCommand | None, ...]  # None: read the content to its end
READERS: list[Behaviour] = [
    (None, WHOLE),
    (SendInterim(103, b""), None, *STREAMED),
    (LimitContent(5), None, WHOLE),
    (LimitContent(None), None, WHOLE),
    (None, LAST),
]
HASTY: list[Behaviour] = [(WHOLE,), STREAMED, (LAST,)]  # what they send may depend on what had come by then


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return CHUNKED_POST + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


MESSAGES = st.one_of(
    st.sampled_from(
        [
            GET,
            b"\r\n" + GET,
            b"HEAD /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            post(b"abcdef"),
            post(b"abc", b"Expect: 100-continue"),
            post(b"x" * 65),
            chunked(b"ab", b"c" * 30),
            chunked(b"ab", end=b"0;x\r\nA: b\r\n\r\n"),
            chunked(b"x" * 40, b"y" * 40),
            chunked(b"a", end=b"zz\r\n"),
            chunked(b"a", end=b"0\r\nHost: b\r\n\r\n"),
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET /" + b"a" * 400,
            b"nonsense\r\n\r\n",
            b"\r\n\r\n",
            b"\x00",
        ]
    ),
    st.binary(max_size=12),
    st.binary(max_size=70).map(lambda content: chunked(content) if content else chunked()),
    st.binary(max_size=70).map(lambda content: post(content)),
)
STREAMS = st.lists(MESSAGES, min_size=1, max_size=5).map(b"".join)
CUTS = st.lists(st.integers(0, 1000), max_size=12)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:stop] for start, stop in pairwise(at)]


def conversation(
    parts: list[bytes], behaviours: list[Behaviour], *, eof: bool
) -> tuple[list[object], bytes, list[object]]:
    """Feed the parts to a machine whose application acts as soon as it can: events, bytes, other effects."""
    server = Server(LIMITS)
    events: list[object] = []
    script: list[ServerCommand | None] = []
    requests = 0

    def react() -> None:
        nonlocal script, requests
        while True:
            told = server.took_events()
            events.extend(told)
            for event in told:
                if isinstance(event, RequestReceived):
                    script = list(behaviours[requests % len(behaviours)])
                    requests += 1
                elif isinstance(event, ContentEnded | ContentBroken) and script and script[0] is None:
                    script.pop(0)
                    waiting.clear()
                elif isinstance(event, ContentReceived):
                    waiting.clear()
            if not script or waiting:
                return
            command = script[0]
            try:
                if command is None:
                    waiting.append(True)
                    server.send(READ)
                else:
                    script.pop(0)
                    server.send(command)
            except LocalProtocolError as error:
                events.append(str(error))
                waiting.clear()
                if command is None:
                    script.pop(0)

    waiting: list[bool] = []
    for part in parts:
        server.feed(part)
        react()
    if eof:
        server.eof()
        react()
    return joined(events), server.took(), [*server.effects]


@given(STREAMS, CUTS, st.lists(st.sampled_from(READERS), min_size=1, max_size=4), st.booleans())
@example(post(b"abc", b"Expect: 100-continue") + GET, [60], [READERS[0]], True)
@settings(max_examples=400, deadline=None)
def test_any_split_gives_the_same_conversation(
    data: bytes, cuts: list[int], behaviours: list[Behaviour], eof: bool
) -> None:
    whole = [data] if data else []
    first = conversation(whole, behaviours, eof=eof)
    second = conversation(pieces(data, cuts), behaviours, eof=eof)
    bytewise = conversation(pieces(data, list(range(len(data)))), behaviours, eof=eof)
    for other in (second, bytewise):
        assert other[0] == first[0]
        # 100 is left out where content came with the head (RFC 9110 10.1.1)
        assert other[1].replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"") == first[1].replace(
            b"HTTP/1.1 100 Continue\r\n\r\n", b""
        )
        assert other[2] == first[2]


@given(STREAMS, CUTS, st.lists(st.sampled_from(READERS + HASTY), min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_equal_inputs_give_equal_bytes(data: bytes, cuts: list[int], behaviours: list[Behaviour]) -> None:
    parts = pieces(data, cuts)
    assert conversation(parts, behaviours, eof=True) == conversation(parts, behaviours, eof=True)


@given(STREAMS)
@settings(max_examples=100, deadline=None)
def test_after_the_close_nothing_comes_and_what_was_held_can_be_read(data: bytes) -> None:
    server = Server(LIMITS).feed(data).lose()
    ends = [event for event in server.took_events() if isinstance(event, ConnectionClosed)]
    assert len(ends) <= 1
    server.feed(GET).eof().lose().wait(1e6)
    assert server.events == []
    try:
        told = [server.read() for _ in range(3)]
    except LocalProtocolError:
        return
    assert all(event is not None for event in told)
