"""What the floors send, and the one thing they look at: the end of a request head."""

from typing import Final

from benchmarks.scenarios import PLAIN_TEXT

HEAD_END: Final = b"\r\n\r\n"
ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
    b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: floor\r\n\r\n%b" % (len(PLAIN_TEXT), PLAIN_TEXT)
)


def answers(data: bytes) -> tuple[bytes, bytes]:
    """The answers to all heads that end in `data`, and what is left behind the last of them."""
    if data.endswith(HEAD_END):
        return ANSWER * data.count(HEAD_END), b""
    heads, end, rest = data.rpartition(HEAD_END)
    return ANSWER * (heads + end).count(HEAD_END), rest
