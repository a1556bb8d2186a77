"""Frames that came in, read by wsproto: the law that gives every byte its meaning (RFC 6455 5.2).

In: bytes, from the beginning of a frame. Out: headers, then pieces of payload, unmasked and as they come.
Not here: messages (`messages`), whole plain frames (`fast_lane`), frames going out (`writer`).
"""

from dataclasses import dataclass

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, ParseFailed, RsvBits
from wsproto.frame_protocol import Opcode as LawOpcode

from ..errors import LocalProtocolError, RemoteProtocolError

_RSV1_ALONE = RsvBits(rsv1=True, rsv2=False, rsv3=False)


@dataclass(slots=True)
class Header:
    """first: the first byte: FIN, RSV1 and opcode; length: of the payload."""

    first: int
    length: int


@dataclass(slots=True)
class Piece:
    """Some payload; `ends` the frame. Never empty unless it does."""

    payload: bytes
    ends: bool


class _Deflated(Extension):
    """Lets RSV1 through on the first frame of a message (RFC 7692 6); the payload stays as it is."""

    def offer(self) -> bool:
        raise LocalProtocolError("the opening handshake offers it (`deflate.offer`)")

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: LawOpcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        if rsv.rsv1 and opcode not in (LawOpcode.TEXT, LawOpcode.BINARY):
            return CloseReason.PROTOCOL_ERROR
        return _RSV1_ALONE


class FrameReader:
    """Pulls headers and pieces out of bytes: `feed`, then `next_header`, then `next_piece` until one ends the frame.

    held: bytes that were fed and not told
    """

    __slots__ = ("_decoder",)

    def __init__(self, *, masked: bool, deflated: bool) -> None:
        """masked: frames must be (we are the server); deflated: permessage-deflate was agreed."""
        self._decoder = FrameDecoder(client=not masked, extensions=[_Deflated()] if deflated else [])

    @property
    def held(self) -> int:
        return len(self._decoder.buffer)

    def feed(self, data: bytes) -> None:
        """Bytes that follow those fed before."""
        self._decoder.receive_bytes(data)

    def next_header(self) -> Header | None:
        """The header of the next frame, or None if it is incomplete.

        raises: RemoteProtocolError (1002)
        """
        try:
            if not self._decoder.parse_header():
                return None
        except ParseFailed as error:
            raise _refused(error) from None
        header = self._decoder.header
        assert header is not None
        return Header(header.fin << 7 | header.rsv.rsv1 << 6 | header.opcode, header.payload_len)

    def next_piece(self) -> Piece | None:
        """Some payload of the frame whose header was told, or None without any. A control frame comes in one piece."""
        frame = self._decoder.process_buffer()
        if frame is None:
            return None
        assert isinstance(frame.payload, bytes)
        return Piece(frame.payload, frame.frame_finished)


def _refused(error: ParseFailed) -> RemoteProtocolError:
    what = f"{error} (RFC 6455 5.2)"
    return RemoteProtocolError(what, close_code_hint=int(error.code))
