"""Every size, count and timeout of a WebSocket connection by name, with its default.

Sizes in bytes, timeouts in float seconds; `None` means unbounded and must be asked for, except where the
text says otherwise.
"""

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """Bounds of one connection after its opening handshake.

    raises: ValueError for a negative number, or a heartbeat of zero, naming the attribute
    """

    # messages coming in
    max_message_bytes: int | None = 4_194_304
    """One message, unmasked and inflated, all fragments together (1009)."""
    max_fragments: int | None = 16_384
    """Frames of one message (1009)."""
    max_unread_messages: int = 64
    """Messages (and told control frames) held for who does not ask; beyond it the peer is not read from."""
    max_unread_bytes: int = 65_536
    """Their payload together, text counted in characters; a single message may be larger."""
    frame_timeout: float | None = 30.0
    """Span in which `min_frame_bytes` of an unfinished frame must arrive while we read (1008)."""
    min_frame_bytes: int = 1_024
    """Least progress of a frame within `frame_timeout`; its end counts as progress."""

    # going out
    max_unsent_bytes: int = 65_536
    """Bytes the transport holds before answers to pings wait, of which then only the last is given (RFC 6455 5.5.3)."""
    write_timeout: float | None = 30.0
    """Span in which `min_write_bytes` must leave while bytes are unsent; then the connection is aborted."""
    min_write_bytes: int = 1_024
    """Least progress of outgoing bytes within `write_timeout`."""

    # is the peer alive
    heartbeat: float | None = None
    """Silence of the peer after which it is sent a Ping; None: never."""
    pong_timeout: float | None = None
    """From that Ping to the next byte of the peer; None: half of `heartbeat`."""

    # the end
    answer_timeout: float | None = 1.0
    """How long the peer's Close waits for the application to take, and answer, the messages that came before it."""
    close_timeout: float | None = 10.0
    """From our Close to the end of the connection, whatever the peer does."""
    drain_timeout: float | None = 2.0
    """After both are closing: how long to discard what the peer still sends, and to wait for its end of stream."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value < 0:
                raise ValueError(f"WebSocketLimits.{field.name} is {value!r}, but must not be negative")
        if self.heartbeat == 0:
            raise ValueError("WebSocketLimits.heartbeat is 0, but must be positive, or None for no heartbeat")


DEFAULT_WEBSOCKET_LIMITS: Final = WebSocketLimits()
