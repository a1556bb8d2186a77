"""What goes out: messages as frames (RFC 6455 5.4, 5.6), and how fast the peer takes it.

Not here: what is legal when (`closing`), the bytes of a frame (`writer`).
"""

from typing import Final

from ..errors import LocalProtocolError
from .codes import MAX_CONTROL_BYTES
from .deflate import Deflater
from .opcodes import FIN, RSV1, Opcode
from .writer import Mask, frame

_TEXT: Final = FIN | Opcode.TEXT
_BINARY: Final = FIN | Opcode.BINARY


class Outgoing:
    """Turns messages into frames.

    message: the opcode of a message whose fragments are going out, None between messages
    """

    __slots__ = ("_deflater", "_deflates", "_mask", "message")

    def __init__(self, mask: Mask | None, deflater: Deflater | None) -> None:
        """mask: a client's; deflater: of permessage-deflate, where it was agreed."""
        self._mask = mask
        self._deflater = deflater
        self._deflates = False  # the message whose fragments are going out
        self.message: Opcode | None = None

    def text(self, text: str, compress: bool | None) -> bytes:
        """A whole text message. Raises LocalProtocolError, and changes nothing then."""
        self._check_whole()
        return self._whole(_TEXT, utf8(text), compress)

    def binary(self, data: bytes, compress: bool | None) -> bytes:
        """A whole binary message. Raises LocalProtocolError, and changes nothing then."""
        self._check_whole()
        return self._whole(_BINARY, data, compress)

    def fragment(self, opcode: Opcode, payload: bytes, compress: bool | None, *, fin: bool) -> bytes:
        """One data frame. Raises LocalProtocolError, and changes nothing then."""
        if opcode >= Opcode.CLOSE:
            raise LocalProtocolError(
                f"SendFrame of {opcode.name}: SendPing, SendPong and StartClose send control frames"
            )
        if opcode is not Opcode.CONTINUATION:
            self._check_whole()
            self._deflates = self._wants(compress)
            self.message = opcode
        elif self.message is None:
            raise LocalProtocolError(
                "CONTINUATION without a message to continue: TEXT or BINARY begins one (RFC 6455 5.4)"
            )
        first = int(opcode)
        if self._deflates and self._deflater is not None:
            payload = self._deflater.deflate(payload, fin=fin)
            if opcode is not Opcode.CONTINUATION:
                first |= RSV1
        if fin:
            first |= FIN
            self.message = None
        return frame(first, payload, self._mask)

    def control(self, opcode: Opcode, payload: bytes) -> bytes:
        """A Ping, Pong or Close, which may stand between fragments. Raises LocalProtocolError over 125 bytes."""
        if len(payload) > MAX_CONTROL_BYTES:
            what = f"{opcode.name} exceeds {MAX_CONTROL_BYTES} bytes: {len(payload)}"
            raise LocalProtocolError(f"{what} (RFC 6455 5.5)")
        return frame(FIN | opcode, payload, self._mask)

    def _whole(self, first: int, data: bytes, compress: bool | None) -> bytes:
        if self._wants(compress) and self._deflater is not None:
            return frame(first | RSV1, self._deflater.deflate(data, fin=True), self._mask)
        return frame(first, data, self._mask)

    def _wants(self, compress: bool | None) -> bool:
        if compress and self._deflater is None:
            raise LocalProtocolError("compress=True, but permessage-deflate was not agreed (RFC 7692 5)")
        return self._deflater is not None and compress is not False

    def _check_whole(self) -> None:
        if self.message is not None:
            what = f"a fragmented {self.message.name} message is going out"
            raise LocalProtocolError(f"{what}: SendFrame of CONTINUATION, and control frames, are legal (RFC 6455 5.4)")


def utf8(text: str) -> bytes:
    """A text message's payload; raises LocalProtocolError for what UTF-8 cannot carry."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        where = f"text has a lone surrogate at offset {error.start}"
        raise LocalProtocolError(f"{where}, which UTF-8 cannot carry (RFC 6455 5.6)") from None


class Progress:
    """How much of what we transmitted the transport still holds, and whether the peer takes enough of it.

    `transmitted` counts what we gave to the transport, `report` what it says it still holds.
    """

    __slots__ = ("_mark", "transmitted", "unsent")

    def __init__(self) -> None:
        self.transmitted = 0
        self.unsent = 0
        self._mark = 0

    def report(self, unsent: int) -> None:
        """The transport holds so many bytes."""
        if not self.unsent:
            self._mark = self.transmitted - unsent
        self.unsent = unsent

    def progressed(self, at_least: int) -> bool:
        """Whether so many bytes left since the last time this was true, or all of them; starts a new span if so."""
        gone = self.transmitted - self.unsent
        if self.unsent and gone - self._mark < max(at_least, 1):
            return False
        self._mark = gone
        return True
