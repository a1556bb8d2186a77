"""Every size, count and timeout by name, with its default.

Sizes in bytes, timeouts in float seconds; `None` for a timeout or a content limit means unbounded and must be asked
for. A message that reports a limit names the attribute as `Limits.max_head_bytes`.
"""

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one HTTP/1.1 connection; every phase that waits for the peer has a deadline here.

    raises: ValueError for a negative number, naming the attribute
    """

    # head
    max_head_bytes: int = 32_768
    """Request line or status line and field section together, including the last empty line (431, 414)."""
    max_field_lines: int = 128
    """Field lines in one field section or trailer section (431)."""
    head_timeout: float | None = 20.0
    """From the first byte of a head to its last (408)."""
    idle_timeout: float | None = 75.0
    """Between two exchanges, and before the first byte of the first one (closed without a word)."""

    # content coming in
    max_content_bytes: int | None = None
    """Content of one message, decoded from its transfer coding (413); a route may lower or raise it."""
    max_buffered_content_bytes: int = 65_536
    """Content held for an application that does not read; beyond it the peer is not read from."""
    content_timeout: float | None = 30.0
    """Span in which `min_content_bytes` of content must arrive while the application waits for them (408)."""
    min_content_bytes: int = 1_024
    """Least progress of incoming content within `content_timeout`; the end of the content counts as progress."""
    max_chunk_line_bytes: int = 1_024
    """Chunk size and its extensions (RFC 9112 7.1)."""
    max_trailer_bytes: int = 8_192
    """Trailer section (RFC 9112 7.1.2)."""

    # going out
    max_unsent_bytes: int = 65_536
    """Bytes the transport holds before writers wait and no further pipelined request begins."""
    write_timeout: float | None = 30.0
    """Span in which `min_write_bytes` must leave while bytes are unsent; then the connection is aborted."""
    min_write_bytes: int = 1_024
    """Least progress of outgoing bytes within `write_timeout`."""

    # the end
    max_pipelined_bytes: int = 65_536
    """Bytes of later requests held while one exchange is open; beyond it the peer is not read from."""
    max_drained_bytes: int = 262_144
    """Content that nobody read, discarded after the response to keep the connection (else closed)."""
    drain_timeout: float | None = 5.0
    """Time for that discarding."""
    linger_timeout: float | None = 2.0
    """After our half has ended: how long to discard what the peer still sends (RFC 9112 9.6)."""
    max_linger_bytes: int = 4_194_304
    """How much of it."""
    max_interim_responses: int = 32
    """Interim responses a client accepts before the final one."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value < 0:
                raise ValueError(f"Limits.{field.name} is {value!r}, but must not be negative")


DEFAULT_LIMITS: Final = Limits()
