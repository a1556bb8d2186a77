"""WebSocket frames by hand (RFC 6455 5.2), as a client sends and sees them."""

from collections.abc import Callable
from dataclasses import dataclass

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
KEY = b"\x37\xfa\x21\x3d"
NONCE = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3, for that nonce


def opening(target: str = "/ws", *fields: str, version: str = "1.1", without: str = "") -> bytes:
    """A request that opens a WebSocket; fields come after its own, of which one may be left out."""
    lines = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {NONCE}",
    ]
    kept = [line for line in lines if not without or not line.startswith(without)]
    return "\r\n".join([f"GET {target} HTTP/{version}", "Host: localhost", *kept, *fields, "", ""]).encode()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """One frame, its length in the shortest form."""
    size = len(payload)
    first = fin << 7 | rsv << 4 | opcode
    bit = masked << 7
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65_536:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    return head + KEY + bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))


def text(data: str) -> bytes:
    """A text message."""
    return frame(TEXT, data.encode())


def close(code: int | None = 1000, reason: str = "") -> bytes:
    """A Close."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason.encode())


@dataclass(frozen=True)
class Frame:
    """One that a server sent."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv1: bool = False

    @property
    def code(self) -> int:
        """Of a Close; 1005 for one without."""
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big") if self.payload else 1005


def frame_from(exactly: Callable[[int], bytes]) -> Frame | None:
    """The next frame; None at the end of the stream, or in the middle of a frame."""
    head = exactly(2)
    if len(head) < 2:
        return None
    assert not head[1] & 0x80, "a server masks nothing (RFC 6455 5.1)"
    size = head[1] & 0x7F
    if size > 125:
        size = int.from_bytes(exactly(2 if size == 126 else 8), "big")
    payload = exactly(size)
    return Frame(head[0] & 0xF, payload, bool(head[0] & 0x80), bool(head[0] & 0x40)) if len(payload) == size else None


def frames(data: bytes) -> list[Frame]:
    """All frames in these bytes."""
    rest = bytearray(data)

    def exactly(count: int) -> bytes:
        piece = bytes(rest[:count])
        del rest[:count]
        return piece

    found: list[Frame] = []
    while rest:
        one = frame_from(exactly)
        assert one is not None, f"half a frame at the end of {data!r}"
        found.append(one)
    return found
