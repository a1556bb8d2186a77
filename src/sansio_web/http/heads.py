"""What both readers of heads answer."""

from typing import NamedTuple

from .content import ContentReader
from .events import InterimReceived, RequestReceived, ResponseReceived


class RequestHead(NamedTuple):
    """A request's head: how many bytes it took, and the reader for its content, if it has any."""

    event: RequestReceived
    consumed: int
    reader: ContentReader | None


class ResponseHead(NamedTuple):
    """A response's head, likewise; 101 is a `ResponseReceived` without content."""

    event: ResponseReceived | InterimReceived
    consumed: int
    reader: ContentReader | None
