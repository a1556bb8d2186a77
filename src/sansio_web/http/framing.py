"""How the content of a message ends (RFC 9112 6.3), as values.

Not here: the decision from a head (`reading`), the decoding (`content`).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class NoContent:
    """The head is the whole message."""


@dataclass(slots=True)
class Length:
    """Exactly so many bytes. Not frozen: one is made for each request with content."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Chunked:
    """Chunked transfer coding, with a trailer section (RFC 9112 7.1)."""


@dataclass(frozen=True, slots=True)
class UntilClose:
    """Everything until the server ends the connection; only in responses."""


Framing: TypeAlias = NoContent | Length | Chunked | UntilClose

NO_CONTENT: Final = NoContent()
CHUNKED: Final = Chunked()
UNTIL_CLOSE: Final = UntilClose()
