"""One HTTP/1.1 response read from a raw socket by hand, as a client sees it."""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class RawResponse:
    """The final response: field names in lower case."""

    status: int
    fields: dict[str, str]
    content: bytes


def request(sock: socket.socket, method: str, target: str, content: bytes = b"", *fields: str) -> None:
    """Send a request; nothing is read."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *fields]
    if content:
        lines.append(f"Content-Length: {len(content)}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode() + content)


def response(sock: socket.socket) -> RawResponse:
    """Read one response up to its end by Content-Length or chunks; what follows stays in the socket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(sock, 1)
    status_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if fields.get("transfer-encoding") == "chunked":
        content = _chunks(sock)
    else:
        content = _exactly(sock, int(fields.get("content-length", "0")))
    return RawResponse(int(status_line.split(" ")[1]), fields, content)


def _chunks(sock: socket.socket) -> bytes:
    content = b""
    while True:
        size = b""
        while not size.endswith(b"\r\n"):
            size += _exactly(sock, 1)
        data = _exactly(sock, int(size, 16) + 2)
        assert data.endswith(b"\r\n"), "a chunk ends with CRLF (RFC 9112 7.1)"
        if len(data) == 2:
            return content
        content += data[:-2]


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(count - len(data))
        assert piece, f"the connection ended after {len(data)} of {count} bytes"
        data += piece
    return bytes(data)
