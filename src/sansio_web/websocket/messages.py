"""Messages from their fragments (RFC 6455 5.4, 5.6, 8.1): order, UTF-8, sizes, inflating.

In: data frames, header by header and piece by piece. Out: whole messages. UTF-8 is checked as it comes, across
fragments; what is too big is refused before it is read, or while it is inflated.
Not here: control frames (`connection`), the bytes of frames (`frames`, `fast_lane`).
"""

import codecs
import zlib
from typing import Final

from ..errors import RemoteProtocolError
from .codes import CloseCode
from .deflate import Inflater
from .limits import WebSocketLimits
from .opcodes import FIN, RSV1, Opcode

_OPCODE: Final = 0x0F
_new_decoder: Final = codecs.getincrementaldecoder("utf-8")


class Assembler:
    """The message that is coming in: `begin` for each data frame, `add` for its payload, `end` after it.

    opcode: of the message, 0 between messages
    """

    __slots__ = (
        "_data",
        "_decoder",
        "_fin",
        "_fragments",
        "_inflater",
        "_inflates",
        "_limits",
        "_wire",
        "opcode",
    )

    def __init__(self, limits: WebSocketLimits, inflater: Inflater | None) -> None:
        """inflater: None where permessage-deflate was not agreed."""
        self._limits = limits
        self._inflater = inflater
        self._data = bytearray()
        self._fin = False
        self._reset()

    def _reset(self) -> None:
        self.opcode = 0
        self._inflates: Inflater | None = None  # of this message
        self._decoder = _new_decoder()
        self._fragments = 0
        self._wire = 0  # its bytes as they came

    @property
    def held(self) -> int:
        """Bytes of the unfinished message."""
        return len(self._data)

    def begin(self, first: int, length: int) -> None:
        """A data frame begins; `first`: its FIN, RSV1 and opcode.

        raises: RemoteProtocolError, 1002 for a frame out of order, 1009 for a message too big
        """
        opcode = first & _OPCODE
        if opcode and self.opcode:
            name = Opcode(opcode).name
            raise RemoteProtocolError(f"{name} frame within a fragmented message: CONTINUATION expected (RFC 6455 5.4)")
        if opcode:
            self.opcode = opcode
            if first & RSV1:
                self._inflates = self._inflater
        elif not self.opcode:
            raise RemoteProtocolError("CONTINUATION frame without a message to continue (RFC 6455 5.4)")
        self._fin = first & FIN != 0
        self._fragments += 1
        self._wire += length
        limits = self._limits
        if limits.max_fragments is not None and self._fragments > limits.max_fragments:
            what = f"message exceeds {limits.max_fragments} fragments (WebSocketLimits.max_fragments)"
            raise RemoteProtocolError(what, close_code_hint=CloseCode.MESSAGE_TOO_BIG)
        most = limits.max_message_bytes
        if most is not None and self._wire > most + (_slack(most) if self._inflates else 0):
            raise too_big(most)

    def add(self, payload: bytes) -> None:
        """Some of the frame's payload.

        raises: RemoteProtocolError, 1007 for what is neither UTF-8 in text nor DEFLATE, 1009 for a message too big
        """
        if self._inflates is None:
            self._take(payload)
            return
        room = self._room()
        try:
            self._take_inflated(self._inflates.inflate(payload, room), room)
        except zlib.error:
            raise self._malformed() from None

    def end(self) -> str | bytes | None:
        """The frame is complete: the message, if it is as well. Raises as `add`."""
        if not self._fin:
            return None
        if self._inflates is not None:
            room = self._room()
            try:
                self._take_inflated(self._inflates.end(room), room)
            except zlib.error:
                raise self._malformed() from None
        data = self._data
        self._data = bytearray()
        message: str | bytes
        if self.opcode == Opcode.TEXT:
            try:
                message = data.decode()
            except UnicodeDecodeError:  # a character that was cut off: the rest was checked
                raise self._malformed() from None
        else:
            message = bytes(data)
        self._reset()
        return message

    def close(self) -> None:
        """Forget the unfinished message, and the window for those after it."""
        self._data = bytearray()
        self._inflater = None
        self._reset()

    def _room(self) -> int | None:
        most = self._limits.max_message_bytes
        return None if most is None else most - len(self._data)

    def _take_inflated(self, data: bytes, room: int | None) -> None:
        if room is not None and len(data) > room:
            self._take(data[:room])  # what is wrong before the limit is said first, however the bytes were split
            raise too_big(self._limits.max_message_bytes)
        self._take(data)

    def _take(self, data: bytes) -> None:
        if self.opcode == Opcode.TEXT:
            try:
                self._decoder.decode(data)
            except UnicodeDecodeError:
                raise self._malformed() from None
        self._data += data

    def _malformed(self) -> RemoteProtocolError:
        if self._inflates is None:
            return not_utf8()
        text = self.opcode == Opcode.TEXT
        what = "UTF-8 in DEFLATE (RFC 6455 8.1, RFC 7692 7.2.2)" if text else "DEFLATE (RFC 7692 7.2.2)"
        return RemoteProtocolError(f"message is not {what}", close_code_hint=CloseCode.INVALID_TEXT)


def not_utf8() -> RemoteProtocolError:
    """For a text message."""
    return RemoteProtocolError("text message is not UTF-8 (RFC 6455 8.1)", close_code_hint=CloseCode.INVALID_TEXT)


def too_big(most: int | None) -> RemoteProtocolError:
    """For a message that is, or will be, over the limit."""
    what = f"message exceeds {most} bytes (WebSocketLimits.max_message_bytes)"
    return RemoteProtocolError(what, close_code_hint=CloseCode.MESSAGE_TOO_BIG)


def _slack(most: int) -> int:
    """By how much DEFLATE may be longer than what it stands for, with empty blocks to spare."""
    return (most >> 10) + 64
