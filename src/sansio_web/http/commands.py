"""What is asked for: the inputs of the HTTP/1.1 machine from its user.

Field lines are pairs of bytes, name and value, in the order they shall go out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

FieldLines: TypeAlias = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True)
class SendResponse:
    """A final response, whole. Content-Length is set from `content` unless the field lines have it.

    complete: the field lines are all there shall be; Date and Server are not added
    """

    status: int
    reason: bytes
    fields: FieldLines
    content: bytes
    complete: bool = False


@dataclass(slots=True)
class SendHead:
    """The head of a final response, or 101; content follows with `SendContent` and ends with `SendEnd`.

    Without Content-Length among the field lines the content is chunked, or ends with the connection in HTTP/1.0.
    """

    status: int
    reason: bytes
    fields: FieldLines
    complete: bool = False


@dataclass(slots=True)
class SendRequest:
    """The head of a request (client). With neither Content-Length nor Transfer-Encoding it has no content."""

    method: bytes
    target: bytes
    fields: FieldLines
    version: bytes = b"1.1"


@dataclass(slots=True)
class SendInterim:
    """An interim response, 100 to 199 but not 101: legal until the final response's head."""

    status: int
    reason: bytes
    fields: FieldLines = ()


@dataclass(slots=True)
class SendContent:
    """Some content of the message whose head was sent."""

    data: bytes


@dataclass(slots=True)
class SendEnd:
    """The content is complete. Trailers go out only where the content is chunked (RFC 9110 6.5.1)."""

    trailers: FieldLines = ()


@dataclass(frozen=True, slots=True)
class ReadContent:
    """One more content event is wanted. The first of them sends 100 (Continue) where the client waits for it."""


@dataclass(frozen=True, slots=True)
class LimitContent:
    """From now on this message's content may have `max_bytes` in all, or any number with None (a route's own limit)."""

    max_bytes: int | None


@dataclass(frozen=True, slots=True)
class StopPersisting:
    """Close after the open exchange; at once if none is open (graceful stop)."""


@dataclass(frozen=True, slots=True)
class Abort:
    """Break the connection off now: the message going out cannot be completed and must not look as if it were."""


READ_CONTENT: Final = ReadContent()
STOP_PERSISTING: Final = StopPersisting()
ABORT: Final = Abort()

ResponseCommand: TypeAlias = SendResponse | SendHead | SendInterim | SendContent | SendEnd
ServerCommand: TypeAlias = ResponseCommand | ReadContent | LimitContent | StopPersisting | Abort
ClientCommand: TypeAlias = SendRequest | SendContent | SendEnd | ReadContent | LimitContent | StopPersisting | Abort
