"""A client that is nothing but a blocking socket: sends what no library sends, reads exactly what came."""

import socket
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

PATIENCE = 10.0
"""Seconds that a check waits for what must come; a server that keeps the rules never needs them."""


@dataclass(frozen=True)
class Answer:
    """One response. complete: whether its framing says that nothing is missing."""

    status: int
    fields: dict[str, str]
    content: bytes
    complete: bool


class Peer:
    """One connection. `received` is what came and was not taken yet."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self.sock = sock
        self.received = bytearray()
        self.ended = False

    def send(self, data: bytes) -> None:
        """All of it."""
        self.sock.sendall(data)

    def ask(self, target: str = "/", *fields: str, method: str = "GET", content: bytes = b"") -> None:
        """Send one request; content goes with its length unless a field says how it is framed."""
        lines = [f"{method} {target} HTTP/1.1", "Host: contract", *fields]
        framed = any(field.lower().startswith(("content-length", "transfer-encoding")) for field in fields)
        if content and not framed:
            lines.append(f"Content-Length: {len(content)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + content)

    def more(self) -> bool:
        """Wait for some bytes; false at the end of the stream."""
        if not self.ended:
            data = self.sock.recv(262_144)
            self.received += data
            self.ended = not data
        return not self.ended

    def line(self) -> bytes:
        """Up to the next CRLF, without it; b"" also if the stream ends before."""
        while b"\r\n" not in self.received:
            if not self.more():
                return b""
        text, _, rest = bytes(self.received).partition(b"\r\n")
        self.received = bytearray(rest)
        return text

    def exactly(self, count: int) -> bytes:
        """So many bytes, or as many as came before the end."""
        while len(self.received) < count and self.more():
            pass
        data = bytes(self.received[:count])
        del self.received[:count]
        return data

    def head(self) -> tuple[int, dict[str, str]]:
        """The next head, interim or final."""
        status_line = self.line()
        assert status_line.startswith(b"HTTP/1.1 "), f"wanted a response, got {status_line!r}"
        fields: dict[str, str] = {}
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        return int(status_line.split(b" ")[1]), fields

    def answer(self, *, to_head: bool = False) -> Answer:
        """The next final response."""
        status, fields = self.head()
        while 100 <= status < 200:
            status, fields = self.head()
        if to_head or status in (204, 304):
            return Answer(status, fields, b"", complete=True)
        if fields.get("transfer-encoding") == "chunked":
            return Answer(status, fields, *self._chunks())
        if "content-length" in fields:
            length = int(fields["content-length"])
            content = self.exactly(length)
            return Answer(status, fields, content, complete=len(content) == length)
        content = self.rest()
        return Answer(status, fields, content, complete=True)

    def _chunks(self) -> tuple[bytes, bool]:
        content = bytearray()
        while size_line := self.line():
            size = int(size_line, 16)
            if size == 0:
                return bytes(content), self.line() == b"" and not self.ended
            content += self.exactly(size)
            self.exactly(2)
        return bytes(content), False

    def chunk(self) -> bytes:
        """The data of one chunk."""
        data = self.exactly(int(self.line(), 16))
        self.exactly(2)
        return data

    def rest(self) -> bytes:
        """Everything up to the end of the stream; raises ConnectionResetError if it ends with a reset."""
        while self.more():
            pass
        data = bytes(self.received)
        self.received.clear()
        return data

    def gone(self, within: float = PATIENCE) -> bool:
        """Whether the server ends the connection, by whatever means, in so many seconds; drops what comes."""
        until = time.monotonic() + within
        while (left := until - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                if not self.more():
                    return True
                self.received.clear()
            except TimeoutError:
                return False
            except OSError:
                return True
        return False

    def end(self) -> None:
        """End our half."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.sock.close()


def connected(address: Any) -> socket.socket:
    """A socket connected to what a server says it is bound to."""
    if not isinstance(address, tuple):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(address)
        return sock
    host, port = cast(tuple[str, int], address[:2])
    return socket.create_connection((host, port), PATIENCE)


@contextmanager
def peer(address: Any, context: ssl.SSLContext | None = None) -> Generator[Peer, None, None]:
    """A connection for as long as the block lasts."""
    sock = connected(address)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname="localhost")
    with sock:
        yield Peer(sock)


def fetch(address: Any, target: str = "/", context: ssl.SSLContext | None = None) -> Answer:
    """One request on a connection of its own."""
    with peer(address, context) as client:
        client.ask(target, "Connection: close")
        return client.answer()


def until(condition: Any, within: float = PATIENCE) -> bool:
    """Wait in steps of 5 ms until the condition holds; whether it came to hold."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
