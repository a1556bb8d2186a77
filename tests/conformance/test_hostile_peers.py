"""Peers that send nonsense, too much, too little, or too slowly, over real sockets on each runtime.

Each gets its status or its close within its deadline, and everybody else is served at once.
"""

import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sansio_web import web
from sansio_web.limits import Limits
from sansio_web.testing import ThreadedServer
from sansio_web.testing._peer import Peer, fetch, peer

LIMITS = Limits(
    max_head_bytes=4_096,
    max_field_lines=32,
    head_timeout=0.3,
    idle_timeout=0.3,
    max_content_bytes=10_000,
    content_timeout=0.3,
    write_timeout=0.3,
    drain_timeout=0.2,
    linger_timeout=0.2,
)
AT_ONCE = 1.0
"""Seconds in which another client has its answer, whatever the hostile ones do; generous, for a busy machine."""

IN_TIME = 6.0
"""Seconds in which each hostile connection is over; every deadline above is far below."""

MESSAGE = (
    b"POST /read HTTP/1.1\r\nHost: a\r\nX: y\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
    b"3;a=b\r\nabc\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nT: v\r\n\r\n"
)
HEAD_END = MESSAGE.index(b"\r\n\r\n") + 4
CUTS = range(len(MESSAGE))


async def read(request: web.Request) -> web.Response:
    """Needs all of its content."""
    return web.Response(text=str(len(await request.read())))


async def hello(request: web.Request) -> web.Response:
    """Needs nothing."""
    return web.Response(text="hello")


@pytest.fixture
def address(runtime: str) -> Iterator[tuple[str, int]]:
    """A server with short deadlines."""
    app = web.Application(client_max_size=0)
    app.add_routes([web.post("/read", read), web.get("/", hello), web.post("/", hello)])
    with ThreadedServer(app, runtime=runtime, limits=LIMITS, access_log=None, backlog=512) as server:
        yield server.addresses[0]


def served_at_once(address: tuple[str, int]) -> bool:
    """Whether a polite client has its answer without delay."""
    began = time.monotonic()
    assert fetch(address).content == b"hello"
    return time.monotonic() - began < AT_ONCE


def crowd(stack: ExitStack, address: tuple[str, int]) -> list[Peer]:
    """One connection for each point at which the message can be cut."""
    clients = [stack.enter_context(peer(address)) for _ in CUTS]
    for client in clients:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return clients


def outcome(client: Peer) -> int | None:
    """The status that came before the close, or None for a close without a word."""
    data = client.rest()
    return int(data.split(b" ", 2)[1]) if data else None


@pytest.mark.parametrize(
    "noise",
    [
        b"\0" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 200 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        bytes(random.Random(1).randrange(256) for _ in range(2_000)) + b"\r\n\r\n",
    ],
    ids=repr,
)
def test_garbage_is_refused_and_closed(address: tuple[str, int], noise: bytes) -> None:
    with peer(address) as client:
        client.send(noise)
        assert client.answer().status in (400, 501, 505)
        assert client.gone(IN_TIME)
    assert served_at_once(address)


def test_garbage_after_a_request_takes_nothing_from_it(address: tuple[str, int]) -> None:
    with peer(address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\0\0\0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().content == b"hello"
        assert client.answer().status == 400
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (414, 431)),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5_000 + b"\r\n\r\n", (431,)),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 40 + b"\r\n", (431,)),
        (b"x" * 100_000, (400, 414, 431)),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, (400, 431)),
    ],
    ids=["target", "field", "fields", "endless method", "endless field"],
)
def test_an_oversize_head_is_refused(address: tuple[str, int], head: bytes, status: tuple[int, ...]) -> None:
    with peer(address) as client:
        client.send(head)
        assert client.answer().status in status
        assert client.gone(IN_TIME)
    assert served_at_once(address)


def test_oversize_content_is_refused_before_it_comes_and_while_it_comes(address: tuple[str, int]) -> None:
    with peer(address) as client:
        client.ask("/read", "Content-Length: 10001", method="POST")
        assert client.answer().status == 413
        assert client.gone(IN_TIME)
    with peer(address) as client:
        client.ask("/read", "Transfer-Encoding: chunked", method="POST")
        client.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n1\r\nx\r\n")
        assert client.answer().status == 413
        assert client.gone(IN_TIME)
    with peer(address) as client:
        client.ask("/read", "Content-Length: 10000", method="POST", content=b"x" * 10_000)
        assert client.answer().content == b"10000"
    assert served_at_once(address)


def test_truncation_at_every_point(address: tuple[str, int]) -> None:
    with ExitStack() as stack:
        clients = crowd(stack, address)
        for cut, client in zip(CUTS, clients, strict=True):
            client.send(MESSAGE[:cut])
            client.end()
        outcomes = [outcome(client) for client in clients]
        assert served_at_once(address)
    assert outcomes[0] is None
    assert set(outcomes[1:HEAD_END]) == {400}
    assert set(outcomes[HEAD_END:]) <= {400, None}


def test_a_stall_at_every_point(address: tuple[str, int]) -> None:
    with ExitStack() as stack:
        clients = crowd(stack, address)
        began = time.monotonic()
        for cut, client in zip(CUTS, clients, strict=True):
            client.send(MESSAGE[:cut])
        assert served_at_once(address)
        outcomes = [outcome(client) for client in clients]
        assert time.monotonic() - began < IN_TIME
        assert served_at_once(address)
    assert outcomes[0] is None
    assert set(outcomes[1:]) == {408}


def test_a_dribble_at_every_point(address: tuple[str, int]) -> None:
    """A byte each 30 ms keeps every connection busy; none keeps it for longer than its deadlines."""
    with ExitStack() as stack:
        clients = crowd(stack, address)
        for cut, client in zip(CUTS, clients, strict=True):
            client.send(MESSAGE[:cut])
        living = dict(zip(CUTS, clients, strict=True))
        began = time.monotonic()
        step = 0
        delays: list[bool] = []
        while living and time.monotonic() - began < IN_TIME:
            for cut, client in list(living.items()):
                try:
                    client.send(MESSAGE[cut + step : cut + step + 1])
                    client.sock.setblocking(False)
                    if not client.more():
                        del living[cut]
                except BlockingIOError:
                    pass
                except OSError:
                    del living[cut]
                finally:
                    client.sock.setblocking(True)
            delays.append(served_at_once(address))
            step += 1
            time.sleep(0.03)
        assert not living
        assert all(delays)


def test_a_reset_at_every_point(address: tuple[str, int]) -> None:
    with ExitStack() as stack:
        for cut, client in zip(CUTS, crowd(stack, address), strict=True):
            client.send(MESSAGE[:cut])
            client.reset()
        assert served_at_once(address)


def test_a_peer_that_reads_nothing_is_gone_in_time(address: tuple[str, int]) -> None:
    with peer(address) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.sock.setblocking(False)
        asked = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1_000
        began = time.monotonic()
        while time.monotonic() - began < 2 * IN_TIME:
            try:
                client.sock.send(asked)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
        else:
            raise AssertionError("the connection was kept")
        assert served_at_once(address)
