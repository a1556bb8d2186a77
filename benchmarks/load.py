"""Load by HTTP requests, from this core: by wrk where it is found, else by a generator of our own.

Before either, `verify` looks at real answers, so that nobody is measured on wrong ones.
"""

import io
import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.flights import SOCKET_TIMEOUT, Client, Fleet, LoadResult, connect
from benchmarks.scenarios import Scenario
from benchmarks.server import HOST, ContenderError

_LUA: Final = Path(__file__).with_name("wrk.lua")
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)

HttpLoad = Callable[[int, Scenario, int, float], LoadResult]
"""Puts load on a port: (port, scenario, connections, seconds)."""


def choose_generator(name: str) -> tuple[str, HttpLoad]:
    """`auto` takes wrk where it is on PATH; returns what was chosen, and how to call it."""
    found = shutil.which("wrk")
    if name == "wrk" and found is None:
        raise ValueError("--load wrk: wrk is not on PATH; --load bundled needs nothing")
    if name == "bundled" or found is None:
        return "bundled", bundled
    path = found
    return "wrk", lambda port, scenario, connections, seconds: wrk(path, port, scenario, connections, seconds)


# --- answers ------------------------------------------------------------------------------------------------


class AnswerReader:
    """Counts the answers on one connection; all of them must be 200 and of the expected length."""

    __slots__ = ("_buffer", "_expected", "_skip", "answers", "errors")

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._buffer = b""  # the beginning of a head
        self._skip = 0  # octets of content still to come
        self.answers = 0
        self.errors = 0

    def feed(self, data: bytes) -> int:
        """Take what arrived; returns how many answers it completed."""
        before = self.answers
        while data:
            if self._skip:
                taken = min(self._skip, len(data))
                self._skip -= taken
                data = data[taken:]
                self.answers += not self._skip
                continue
            self._buffer += data
            head_end = self._buffer.find(b"\r\n\r\n") + 4
            if head_end < 4:
                break
            head, data, self._buffer = self._buffer[:head_end], self._buffer[head_end:], b""
            length = self._content_length(head)
            self._skip = length
            self.answers += not length
        return self.answers - before

    def _content_length(self, head: bytes) -> int:
        try:
            status, length = parse_head(head)
        except ValueError:
            self.errors += 1
            return 0
        self.errors += status != 200 or length != self._expected
        return length


def parse_head(head: bytes) -> tuple[int, int]:
    """Status and Content-Length of a response head; raises ValueError if it has none."""
    status = _STATUS.match(head)
    length = _CONTENT_LENGTH.search(head)
    if status is None or length is None:
        raise ValueError(f"not a response head with Content-Length: {head[:80]!r}")
    return int(status[1]), int(length[1])


def verify(port: int, scenario: Scenario) -> None:
    """Three flights on one connection must be answered 200 with exactly the expected content.

    raises: ContenderError saying what came instead
    """
    flight = scenario.request(f"{HOST}:{port}") * scenario.depth
    try:
        with (
            socket.create_connection((HOST, port), timeout=SOCKET_TIMEOUT) as connection,
            connection.makefile("rb") as stream,
        ):
            for _ in range(3):
                connection.sendall(flight)
                for _ in range(scenario.depth):
                    status, length = parse_head(_read_head(stream))
                    content = stream.read(length)
                    if status != 200 or content != scenario.answer:
                        raise ContenderError(_wrong(scenario, status, content))
    except (OSError, ValueError) as error:
        raise ContenderError(f"no answer to {scenario.method} {scenario.path}: {error}") from error


def _read_head(stream: io.BufferedReader) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline(2**16)
        if not line:
            raise ValueError("the connection was closed")
        head += line
    return head


def _wrong(scenario: Scenario, status: int, content: bytes) -> str:
    return (
        f"wrong answer to {scenario.method} {scenario.path}: {status} with {len(content)} octets "
        f"{content[:32]!r}, expected 200 with {len(scenario.answer)} octets {scenario.answer[:32]!r}"
    )


# --- wrk ----------------------------------------------------------------------------------------------------


def wrk(path: str, port: int, scenario: Scenario, connections: int, seconds: float) -> LoadResult:
    """One thread of wrk; SIGINT ends it at fractions of a second, which its own option does not know."""
    command = [path, "-t1", f"-c{connections}", f"-d{int(seconds) + 2}s", "-s", str(_LUA)]
    arguments = [scenario.method, str(len(scenario.content)), str(scenario.depth)]
    process = subprocess.Popen(
        [*command, f"http://{HOST}:{port}{scenario.path}", "--", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=SOCKET_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise ContenderError("wrk did not end") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return parse_wrk(output.decode("utf-8", "replace"))


def parse_wrk(output: str) -> LoadResult:
    """The figures that wrk.lua printed; raises ContenderError if there are none."""
    line = output.strip().rpartition("\n")[2]
    try:
        figures = json.loads(line)
        requests, seconds = figures["requests"], figures["microseconds"] / 1e6
        errors = figures["not_2xx"] + figures["broken"]
    except (ValueError, KeyError, TypeError) as error:
        raise ContenderError(f"wrk gave no figures: {output.strip()[-300:]!r}") from error
    return LoadResult(requests, seconds, errors)


# --- bundled ------------------------------------------------------------------------------------------------


def bundled(port: int, scenario: Scenario, connections: int, seconds: float) -> LoadResult:
    """Non-blocking sockets and a selector in this process: slower than wrk, the server's CPU still counts."""
    flight = scenario.request(f"{HOST}:{port}") * scenario.depth
    expected = len(scenario.answer)
    try:
        with Fleet(lambda: Client(connect(port), AnswerReader(expected)), connections, flight, scenario.depth) as fleet:
            return fleet.run(seconds)
    except OSError as error:
        raise ContenderError(f"load: {error}") from error
