"""Much of what nobody wants, against one server process a runtime: its memory stays flat, nobody else waits.

Flat means that the peak of its resident memory grows by less than `FLAT_KIB` over the peak before; what the
peers offer is 6 to 4096 MiB. The bound is what the named limits allow for the connections at hand, and some
slack for the allocator.
"""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sansio_web.testing._peer import fetch, peer, until

FLAT_KIB = 16_384
AT_ONCE = 1.0
"""Seconds; a turn that reads 256 KiB of one-byte chunks takes some 60 ms, and an answer some turns."""


@dataclass
class LoadServer:
    """The process, and where it listens."""

    pid: int
    address: tuple[str, int]

    def peak_kib(self) -> int:
        """The most memory that was ever resident."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1])

    @contextmanager
    def unmoved(self) -> Iterator[None]:
        """Memory stays flat within the block, and another client is served at once, again and again."""
        longest = [0.0]
        over = threading.Event()

        def others() -> None:
            while True:
                began = time.monotonic()
                assert fetch(self.address).content == b"hello"
                longest[0] = max(longest[0], time.monotonic() - began)
                if over.wait(0.02):
                    return

        for _ in range(5):
            fetch(self.address)
        before = self.peak_kib()
        thread = threading.Thread(target=others)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(10)
        assert fetch(self.address, "/at-work").content == b"0"
        grown = self.peak_kib() - before
        print(f"peak grew by {grown} KiB; the slowest other answer took {longest[0] * 1000:.0f} ms")
        assert grown < FLAT_KIB, f"the peak grew by {grown} KiB"
        assert 0 < longest[0] < AT_ONCE, f"another client waited {longest[0]:.2f} s"


@pytest.fixture(scope="module", params=["asyncio", "uvloop", "trio"])
def server(request: pytest.FixtureRequest) -> Iterator[LoadServer]:
    """One process for all tests of a runtime."""
    command = [sys.executable, "-m", "tests.support.load_server", request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield LoadServer(process.pid, ("127.0.0.1", int(process.stdout.readline())))
            process.terminate()
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_a_million_chunks_of_one_byte(server: LoadServer) -> None:
    with server.unmoved(), peer(server.address) as client:
        began = time.monotonic()
        client.ask("/consume", "Transfer-Encoding: chunked", method="POST")
        for _ in range(100):
            client.send(b"1\r\nx\r\n" * 10_000)
        client.send(b"0\r\n\r\n")
        assert client.answer().content == b"1000000"
        assert time.monotonic() - began < 5.0


def test_ten_thousand_pipelined_requests_whose_answers_nobody_reads(server: LoadServer) -> None:
    with server.unmoved(), peer(server.address) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.sock.settimeout(3)
        for _ in range(100):
            client.send(b"GET /kilobyte HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
        aborted = until(lambda: client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0, within=5.0)
        assert aborted, "it was kept for longer than Limits.write_timeout"


def test_24_mebibytes_of_head(server: LoadServer) -> None:
    with server.unmoved(), peer(server.address) as client:
        try:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
            for _ in range(24):
                client.send(b"Field: " + b"x" * (1_048_576 - 9) + b"\r\n")
        except OSError:
            pass  # it was closed long before
        else:
            assert client.answer().status == 431
        assert client.gone(within=5.0)


def test_four_responses_of_a_gibibyte_that_nobody_reads(server: LoadServer) -> None:
    with server.unmoved(), ExitStack() as stack:
        clients = [stack.enter_context(peer(server.address)) for _ in range(4)]
        for client in clients:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.ask("/gigabyte")
        assert until(lambda: int(fetch(server.address, "/at-work").content) == 4)
        assert until(lambda: int(fetch(server.address, "/at-work").content) == 0)


def test_200_resets_within_content(server: LoadServer) -> None:
    """600 cost no more than the first 200, each of which may hold its buffers for a moment."""
    _reset_200(server)
    with server.unmoved():
        _reset_200(server)
        _reset_200(server)


def _reset_200(server: LoadServer) -> None:
    for at in range(0, 200, 20):
        with ExitStack() as stack:
            clients = [stack.enter_context(peer(server.address)) for _ in range(20)]
            for client in clients:
                client.ask("/consume", "Content-Length: 1000000", method="POST")
                client.send(b"x" * (at + 1) * 500)
            for client in clients:
                client.reset()
    assert until(lambda: int(fetch(server.address, "/at-work").content) == 0)
