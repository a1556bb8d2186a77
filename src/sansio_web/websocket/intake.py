"""Bytes in, whole messages and control frames out: who reads a frame, the fast lane or the law (RFC 6455 5).

Plain frames that are whole go through `fast_lane`, also when they come in pieces, up to a size; all others, and all
that break a rule, through `frames`, which begins where a frame begins. Both lead to the same messages.
Not here: what a control frame means (`connection`).
"""

from typing import Final

from .deflate import Inflater
from .fast_lane import SMALL, awaited, plain_firsts, read_frame
from .frames import FrameReader, Header
from .limits import WebSocketLimits
from .messages import Assembler, not_utf8, too_big
from .opcodes import CONTROL

_LARGEST_AWAITED: Final = 262_144
"""Payload of a frame that is collected whole; a larger one is read as it comes."""
_LEAST_BYTES: Final = 2
_OPCODE: Final = 0x0F
_WHOLE_TEXT: Final = 0x81
_WHOLE_BINARY: Final = 0x82

Item = tuple[int, str | bytes]
"""A message as (0, message), a control frame as (opcode, payload)."""


class Intake:
    """`feed` bytes, then take `next` until it is None.

    frames: how many were read whole; received: bytes that were fed
    """

    __slots__ = (
        *("_assembler", "_at", "_awaited", "_data", "_deflated", "_firsts", "_header", "_largest", "_masked"),
        *("_most", "_reader", "_slow", "_small", "frames", "received"),
    )

    def __init__(self, limits: WebSocketLimits, *, masked: bool, inflater: Inflater | None) -> None:
        """masked: frames must be (we are the server); inflater: of permessage-deflate, where it was agreed."""
        self._masked = masked
        self._most = limits.max_message_bytes
        self._largest = _LARGEST_AWAITED if self._most is None else min(_LARGEST_AWAITED, self._most)
        self._small = masked and self._largest >= SMALL
        self._firsts = plain_firsts(deflated=inflater is not None)
        self._assembler = Assembler(limits, inflater)
        self._deflated = inflater is not None
        self._reader: FrameReader | None = None  # made when it is needed
        self._slow = False  # whether `_reader` has the bytes
        self._header: Header | None = None  # of the frame that `_reader` is in
        self._data: bytes | bytearray = b""
        self._at = 0  # what of `_data` was read
        self._awaited = _LEAST_BYTES  # how much of it must be there before it is worth looking
        self.frames = 0
        self.received = 0

    @property
    def held(self) -> int:
        """Bytes of frames and of messages that are not complete."""
        read = self._reader.held if self._reader is not None else 0
        return len(self._data) - self._at + read + self._assembler.held

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun and is not complete, once `next` has said None."""
        return self._slow or len(self._data) > self._at

    @property
    def at_rest(self) -> bool:
        """Whether `small_message` may be asked: nothing is unfinished, frames are masked, small ones allowed."""
        return self._small and not self._slow and self._at >= len(self._data) and not self._assembler.opcode

    def feed(self, data: bytes) -> None:
        """Bytes that follow those fed before."""
        self.received += len(data)
        if self._slow and self._reader is not None:
            self._reader.feed(data)
        elif self._at >= len(self._data):
            self._data = data
            self._at = 0
        else:
            held = self._data
            if not isinstance(held, bytearray):
                held = bytearray(held)
            if self._at:
                del held[: self._at]
                self._at = 0
            held += data
            self._data = held

    def next(self) -> Item | None:
        """The next message or control frame, or None if it is not complete.

        raises: RemoteProtocolError; nothing may be asked for afterwards
        """
        while True:
            if self._slow:
                item = self._next_slow()
                if item is not None or self._slow:
                    return item
            data = self._data
            at = self._at
            if len(data) - at < self._awaited:
                return None
            frame = read_frame(data, at, self._firsts, masked=self._masked)
            if frame is None:
                more = awaited(data, at, self._firsts, self._largest, masked=self._masked)
                if more is not None and self._fits(data, at):
                    self._awaited = more
                    return None
                self._yield_to_law()
                continue
            first, payload, self._at = frame
            self._awaited = _LEAST_BYTES
            self.frames += 1
            if first & CONTROL:
                return first & _OPCODE, payload
            message = self._whole(first, payload)
            if message is not None:
                return 0, message

    def _fits(self, data: bytes | bytearray, at: int) -> bool:
        """Whether a frame that begins so is not out of order, so that nothing is lost by waiting for all of it."""
        if at >= len(data) or data[at] & CONTROL:
            return True
        return (data[at] & _OPCODE == 0) is (self._assembler.opcode != 0)

    def _whole(self, first: int, payload: bytes) -> str | bytes | None:
        """A data frame, complete."""
        assembler = self._assembler
        if not assembler.opcode and (first in (_WHOLE_TEXT, _WHOLE_BINARY)):
            if self._most is not None and len(payload) > self._most:
                raise too_big(self._most)
            if first == _WHOLE_BINARY:
                return payload
            try:
                return payload.decode()
            except UnicodeDecodeError:
                raise not_utf8() from None
        assembler.begin(first, len(payload))
        assembler.add(payload)
        return assembler.end()

    def close(self) -> None:
        """Nothing more will be read: forget what is held."""
        self._data = b""
        self._at = 0
        self._slow = False
        self._reader = None
        self._assembler.close()

    def _yield_to_law(self) -> None:
        data = self._data
        if self._reader is None:
            self._reader = FrameReader(masked=self._masked, deflated=self._deflated)
        self._reader.feed(bytes(data[self._at :]) if self._at else bytes(data))
        self._data = b""
        self._at = 0
        self._awaited = _LEAST_BYTES
        self._slow = True

    def _next_slow(self) -> Item | None:
        """As `next`, from the law; gives back the lead once it holds nothing."""
        reader = self._reader
        assert reader is not None
        while True:
            header = self._header
            if header is None:
                self._header = header = reader.next_header()
                if header is None:
                    self._slow = reader.held > 0
                    return None
                if not header.first & CONTROL:
                    self._assembler.begin(header.first, header.length)
            piece = reader.next_piece()
            if piece is None:
                return None
            first = header.first
            if not first & CONTROL:
                self._assembler.add(piece.payload)
            if piece.ends:
                self._header = None
                self.frames += 1
                if first & CONTROL:
                    return first & _OPCODE, piece.payload
                message = self._assembler.end()
                if message is not None:
                    return 0, message
