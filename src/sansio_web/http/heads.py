"""What both readers of heads answer."""

from dataclasses import dataclass

from .content import ContentReader
from .events import InterimReceived, RequestReceived, ResponseReceived


@dataclass(slots=True)
class RequestHead:
    """A request's head: how many bytes it took, and the reader for its content, if it has any."""

    event: RequestReceived
    consumed: int
    reader: ContentReader | None


@dataclass(slots=True)
class ResponseHead:
    """A response's head, likewise; 101 is a `ResponseReceived` without content."""

    event: ResponseReceived | InterimReceived
    consumed: int
    reader: ContentReader | None
