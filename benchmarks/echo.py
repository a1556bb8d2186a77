"""Load on a WebSocket echo: masked frames made beforehand, and every octet that comes back compared."""

import base64
import hashlib
import io
import socket
from typing import Final

from benchmarks.flights import Client, Fleet, connect
from benchmarks.scenarios import Echo
from benchmarks.server import HOST, ContenderError

_KEY: Final = base64.b64encode(b"sixteen octets!!")
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
ACCEPT: Final = base64.b64encode(hashlib.sha1(_KEY + _GUID).digest())
_MASKING_KEYS: Final = (b"\x9d\x3a\xe1\x57", b"\x04\xc8\x7b\xf2", b"\xb6\x61\x1e\x8c", b"\x5f\xd9\xa0\x33")
_TEXT: Final = 0x1
_BINARY: Final = 0x2


def frame(opcode: int, payload: bytes, masking_key: bytes = b"") -> bytes:
    """A whole message in one frame, its length in the shortest form; masked as a client's if asked (RFC 6455 5.2)."""
    masked = 0x80 if masking_key else 0
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, masked | length))
    elif length < 2**16:
        head = bytes((0x80 | opcode, masked | 126)) + length.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, masked | 127)) + length.to_bytes(8)
    return head + masking_key + (mask(payload, masking_key) if masked else payload)


def mask(payload: bytes, masking_key: bytes) -> bytes:
    """RFC 6455 5.3; masking twice gives the payload again."""
    repeated = (masking_key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))


def flight(echo: Echo) -> tuple[bytes, bytes]:
    """What a client sends at a time, and exactly what must come back."""
    opcode = _TEXT if echo.text else _BINARY
    sent = b"".join(
        frame(opcode, message, _MASKING_KEYS[i % len(_MASKING_KEYS)]) for i, message in enumerate(echo.messages)
    )
    return sent, b"".join(frame(opcode, message) for message in echo.messages)


class EchoReader:
    """Counts complete echoes; whatever is not exactly the flight raises ContenderError."""

    __slots__ = ("_echoed", "_frame_bytes", "_position", "answers", "errors")

    def __init__(self, echoed: bytes, depth: int) -> None:
        self._echoed = echoed
        self._frame_bytes = len(echoed) // depth  # all messages of a flight are of one size
        self._position = 0
        self.answers = 0
        self.errors = 0

    def feed(self, data: bytes) -> int:
        """Take what arrived; returns how many echoes it completed."""
        position = self._position
        if not self._echoed.startswith(data, position):
            raise ContenderError(self._difference(data))
        end = position + len(data)
        completed = end // self._frame_bytes - position // self._frame_bytes
        self._position = 0 if end == len(self._echoed) else end
        self.answers += completed
        return completed

    def _difference(self, data: bytes) -> str:
        expected = self._echoed[self._position : self._position + len(data)]
        at = next((i for i, (a, b) in enumerate(zip(data, expected, strict=False)) if a != b), len(expected))
        return (
            f"wrong echo at octet {self._position + at} of a flight of {len(self._echoed)}: "
            f"{data[at : at + 16]!r}, expected {expected[at : at + 16]!r}"
        )


def open_websocket(port: int, echo: Echo) -> socket.socket:
    """Connect and shake hands without offering any extension, so that nobody compresses (RFC 6455 4.1).

    raises: ContenderError unless it is answered 101 with the right key and without extensions
    """
    connection = connect(port)
    try:
        connection.sendall(
            f"GET {echo.path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {_KEY.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        check_head(_read_head(connection))
    except OSError as error:
        connection.close()
        raise ContenderError(f"no opening handshake at {echo.path}: {error}") from error
    except ContenderError:
        connection.close()
        raise
    return connection


def _read_head(connection: socket.socket) -> bytes:
    """Up to the empty line: a server sends nothing behind it before the first message."""
    head = io.BytesIO()
    while not head.getvalue().endswith(b"\r\n\r\n"):
        data = connection.recv(2**16)
        if not data:
            break
        head.write(data)
    return head.getvalue()


def check_head(head: bytes) -> None:
    """raises: ContenderError unless this is a 101 that accepts our key and agrees on nothing else"""
    status, _, rest = head.partition(b"\r\n")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in rest.split(b"\r\n"))
    }
    accepted = fields.get(b"sec-websocket-accept") == ACCEPT
    if not status.startswith(b"HTTP/1.1 101") or not accepted or b"sec-websocket-extensions" in fields:
        raise ContenderError(f"no plain WebSocket was opened: {head[:300]!r}")


def fleet(port: int, echo: Echo, *, connections: int | None = None) -> Fleet:
    """Open all connections; nothing of that is measured.

    raises: ContenderError if the server does not open them
    """
    sent, echoed = flight(echo)
    return Fleet(
        lambda: Client(open_websocket(port, echo), EchoReader(echoed, echo.depth)),
        echo.connections if connections is None else connections,
        sent,
        echo.depth,
    )
