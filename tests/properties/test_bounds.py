"""Laws 4 and 5: what a machine holds is bounded for every input, and every due deadline makes progress."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.machine import CHUNKED_POST, GET, OK, READ, Server, post

from sansio_web.http.commands import SendContent, SendHead
from sansio_web.http.events import ContentReceived, RequestReceived
from sansio_web.http.lifecycle import CloseReason, Phase
from sansio_web.limits import Limits

LIMITS = Limits(
    max_head_bytes=500,
    max_buffered_content_bytes=300,
    max_pipelined_bytes=200,
    max_chunk_line_bytes=50,
    max_trailer_bytes=100,
    max_unsent_bytes=100,
)
PIECE = 64


def bound(limits: Limits, piece: int) -> int:
    """What a connection may hold: a head or later requests, content, and a begun line or trailers of it."""
    coding = limits.max_chunk_line_bytes + limits.max_trailer_bytes + 4
    return (
        max(limits.max_head_bytes, limits.max_pipelined_bytes) + limits.max_buffered_content_bytes + coding + 2 * piece
    )


ENDLESS = [
    b"G" * 5000,
    GET[:-2] + b"X: y\r\n" * 1000,
    b"\r\n" * 1000,
    GET * 200,
    post(b"x" * 5000, length=10**9),
    post(b"x" * 290) + GET * 100,
    CHUNKED_POST + b"1\r\nx\r\n" * 2000,
    CHUNKED_POST + b"5;" + b"x" * 5000,
    CHUNKED_POST + b"0\r\n" + b"A: b\r\n" * 1000,
    CHUNKED_POST + b"0" * 5000,
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + b"\xff" * 3000,
    b"\xff" * 5000,
]


@given(
    st.lists(st.one_of(st.sampled_from(ENDLESS), st.binary(max_size=300)), max_size=4),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_what_is_held_is_bounded_for_every_input(parts: list[bytes], answers: bool, congested: bool) -> None:
    server = Server(LIMITS)
    if congested:
        server.unsent(10**6)
    data = b"".join(parts)
    for at in range(0, len(data), PIECE):
        if not server.machine.wants_data():
            break
        server.feed(data[at : at + PIECE])
        assert server.machine.buffered() <= bound(LIMITS, PIECE)
        if answers and any(isinstance(event, RequestReceived) for event in server.took_events()):
            server.send(OK)


@pytest.mark.parametrize("stream", ENDLESS, ids=range(len(ENDLESS)))
def test_every_connection_ends_by_itself_when_its_peer_falls_silent(stream: bytes) -> None:
    for stop in range(0, min(len(stream), 400), 13):
        server = Server(LIMITS).feed(stream[:stop])
        for _ in range(300):
            while any(isinstance(event, RequestReceived) for event in server.took_events()):
                server.send(OK)
            if server.phase is Phase.CLOSED:
                break
            assert server.machine.next_deadline() is not None
            server.wait(100.0)
        assert server.phase is Phase.CLOSED


def traced_peak() -> int:
    return tracemalloc.get_traced_memory()[1]


@pytest.fixture
def memory() -> object:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_a_million_chunks_of_one_byte() -> None:
    server = Server().feed(CHUNKED_POST)
    chunks = b"1\r\nx\r\n" * 10_000
    got = 0
    began = time.process_time()
    for _ in range(100):
        server.send(READ).feed(chunks)
        got += sum(len(event.data) for event in server.took_events() if isinstance(event, ContentReceived))
        server.send(READ)
        got += sum(len(event.data) for event in server.took_events() if isinstance(event, ContentReceived))
        assert server.machine.buffered() < 10
    assert got == 1_000_000
    assert time.process_time() - began < 60.0


def test_twenty_four_mebibytes_of_head(memory: object) -> None:
    server = Server()
    line = b"X: " + b"y" * 1000 + b"\r\n"
    server.feed(GET[:-2])
    for _ in range(24 * 1024):
        server.feed(line)
    assert server.took().startswith(b"HTTP/1.1 431 ")
    assert traced_peak() < 1_000_000
    assert server.reason is CloseReason.REFUSED


def test_a_large_response_that_nobody_reads_is_held_back_by_the_machines_own_account(memory: object) -> None:
    server = Server().feed(GET).send(SendHead(200, b"OK", [(b"Content-Length", b"1073741824")]))
    unsent = 0
    piece = SendContent(b"x" * 65_536)
    while unsent <= 65_536:  # what a writer that waits for the transport does
        unsent += len(server.send(piece).took())
        server.unsent(unsent)
    server.wait(30.0)
    assert server.closed() is CloseReason.WRITE_TIMEOUT
    assert traced_peak() < 1_000_000


def test_a_dribbled_head_costs_no_square_of_time() -> None:
    head = GET[:-2] + b"X: " + b"y" * 8000 + b"\r\n\r\n"
    began = time.process_time()
    server = Server()
    for at in range(len(head)):
        server.feed(head[at : at + 1])
    assert server.request().method == b"GET"
    assert time.process_time() - began < 20.0
