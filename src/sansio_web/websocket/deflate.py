"""permessage-deflate (RFC 7692): its parameters as agreed, and messages through DEFLATE in both directions.

What is inflated is bounded while it is inflated: at most one byte more than there is room for is ever made.
Not here: the fields of the opening handshake (`opening`), RSV1 (`frames`), sizes of messages (`messages`).
"""

import re
import zlib
from dataclasses import dataclass
from typing import Final

from ..errors import RemoteProtocolError, shown

NAME: Final = b"permessage-deflate"
MAX_WINDOW_BITS: Final = 15
_MIN_WINDOW_BITS: Final = 8
_LEAST_DEFLATED_BITS: Final = 9  # zlib cannot deflate raw with 8: such an endpoint sends its messages as they are
_TAIL: Final = b"\x00\x00\xff\xff"  # RFC 7692 7.2.1, 7.2.2: cut off the end, and put back
_MEMORY_LEVEL: Final = 5
_MAX_FINAL_BLOCKS: Final = 64  # of one message, each costs a new inflater (RFC 7692 7.2.3.4)

# extension       = extension-token *( ";" extension-param )                       (RFC 6455 9.1)
# extension-param = token [ "=" ( token / quoted-string that unescapes to a token ) ]
_CHAR: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_PARAM: Final = rb'[ \t]*;[ \t]*(%b+)(?:[ \t]*=[ \t]*(?:(%b+)|"((?:\\?%b)+)"))?' % (_CHAR, _CHAR, _CHAR)
_match_name: Final = re.compile(rb"%b+" % _CHAR).match
_match_param: Final = re.compile(_PARAM).match
_match_gap: Final = re.compile(rb"[ \t]*(?:,[ \t,]*|\Z)").match

Params = list[tuple[bytes, bytes | None]]


@dataclass(frozen=True, slots=True)
class DeflateParameters:
    """What both ends agreed on, or what one of them wishes (RFC 7692 7.1).

    *_no_context_takeover: that end begins each message with an empty window, which costs ratio and saves memory
    *_max_window_bits: that end's window is 2 to this power, 9 to 15

    raises: ValueError for a window outside 8 to 15
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = MAX_WINDOW_BITS
    client_max_window_bits: int = MAX_WINDOW_BITS

    def __post_init__(self) -> None:
        for name in ("server_max_window_bits", "client_max_window_bits"):
            value = getattr(self, name)
            if not _MIN_WINDOW_BITS <= value <= MAX_WINDOW_BITS:
                raise ValueError(f"{name} is {value!r}, but must be 8 to 15 (RFC 7692 7.1.2)")


# -- agreeing --------------------------------------------------------------------------------------------


def extensions(value: bytes) -> list[tuple[bytes, Params]]:
    """The elements of a Sec-WebSocket-Extensions value, each with its parameters (RFC 6455 9.1).

    raises: ValueError where the value does not follow the grammar
    """
    found: list[tuple[bytes, Params]] = []
    at = len(value) - len(value.lstrip(b" \t,"))
    while at < len(value):
        name = _match_name(value, at)
        if name is None:
            raise ValueError(f"Sec-WebSocket-Extensions {shown(value)} has no extension at offset {at}")
        at = name.end()
        params: Params = []
        while (param := _match_param(value, at)) is not None:
            quoted = param[3]
            params.append((param[1], param[2] if quoted is None else quoted.replace(b"\\", b"")))
            at = param.end()
        gap = _match_gap(value, at)
        if gap is None:
            raise ValueError(f"Sec-WebSocket-Extensions {shown(value)} breaks its grammar at offset {at}")
        at = gap.end()
        found.append((name[0], params))
    return found


def accept(value: bytes, wish: DeflateParameters) -> tuple[DeflateParameters, bytes] | None:
    """Server: take the first offer that can be taken; what is agreed, and the element that says so (RFC 7692 5.1).

    raises: ValueError where the value does not follow the grammar
    """
    for name, params in extensions(value):
        offered = _read(params) if name == NAME else None
        if offered is None:
            continue
        names = dict(params)
        limits_client = b"client_max_window_bits" in names
        agreed_on = DeflateParameters(
            wish.server_no_context_takeover or offered.server_no_context_takeover,
            wish.client_no_context_takeover or offered.client_no_context_takeover,
            min(wish.server_max_window_bits, offered.server_max_window_bits),
            min(wish.client_max_window_bits, offered.client_max_window_bits) if limits_client else MAX_WINDOW_BITS,
        )
        return agreed_on, _write(agreed_on, server_bits=b"server_max_window_bits" in names)
    return None


def offer(wish: DeflateParameters) -> bytes:
    """Client: the one element it offers (RFC 7692 7.1)."""
    plain = _write(wish)
    return plain if wish.client_max_window_bits < MAX_WINDOW_BITS else plain + b"; client_max_window_bits"


def agreed(value: bytes, wish: DeflateParameters | None) -> DeflateParameters | None:
    """Client: what the server took of `offer(wish)`; None for nothing (RFC 7692 5.1, 7.1).

    raises: RemoteProtocolError for what was not offered or does not fit it
    """
    try:
        found = extensions(value)
    except ValueError as error:
        raise _mandatory(f"{error} (RFC 6455 9.1)") from None
    if not found:
        return None
    name, params = found[0]
    if wish is None or name != NAME or len(found) > 1:
        raise _mandatory(f"Sec-WebSocket-Extensions {shown(value)} was not offered (RFC 6455 4.1)")
    taken = _read(params)
    if taken is None or (b"client_max_window_bits", None) in params:
        raise _mandatory(f"Sec-WebSocket-Extensions {shown(value)} has unknown parameters (RFC 7692 7.1)")
    client_fits = b"client_max_window_bits" not in dict(params) or (
        taken.client_max_window_bits <= wish.client_max_window_bits
    )
    server_fits = taken.server_max_window_bits <= wish.server_max_window_bits and (
        taken.server_no_context_takeover or not wish.server_no_context_takeover
    )
    if not (client_fits and server_fits):
        ours = offer(wish).decode()
        raise _mandatory(f"Sec-WebSocket-Extensions {shown(value)} does not fit the offer {ours} (RFC 7692 7.1)")
    return DeflateParameters(
        taken.server_no_context_takeover,
        wish.client_no_context_takeover or taken.client_no_context_takeover,
        taken.server_max_window_bits,
        min(wish.client_max_window_bits, taken.client_max_window_bits),
    )


def _mandatory(message: str) -> RemoteProtocolError:
    return RemoteProtocolError(message, close_code_hint=1010)


def _read(params: Params) -> DeflateParameters | None:
    """Parameters of one element; None if one is unknown, repeated or has a value that it cannot have (RFC 7692 7)."""
    flags = {b"server_no_context_takeover": False, b"client_no_context_takeover": False}
    bits = {b"server_max_window_bits": MAX_WINDOW_BITS, b"client_max_window_bits": MAX_WINDOW_BITS}
    if len({name for name, _ in params}) < len(params):
        return None
    for name, value in params:
        if name in flags and value is None:
            flags[name] = True
        elif name in bits and value in _WINDOW_BITS:
            bits[name] = _WINDOW_BITS[value]
        elif name != b"client_max_window_bits" or value is not None:
            return None
    return DeflateParameters(*flags.values(), *bits.values())


_WINDOW_BITS: Final[dict[bytes | None, int]] = {b"%d" % bits: bits for bits in range(8, 16)}


def _write(parameters: DeflateParameters, *, server_bits: bool = False) -> bytes:
    parts = [NAME]
    if parameters.server_no_context_takeover:
        parts.append(b"server_no_context_takeover")
    if parameters.client_no_context_takeover:
        parts.append(b"client_no_context_takeover")
    if server_bits or parameters.server_max_window_bits < MAX_WINDOW_BITS:
        parts.append(b"server_max_window_bits=%d" % parameters.server_max_window_bits)
    if parameters.client_max_window_bits < MAX_WINDOW_BITS:
        parts.append(b"client_max_window_bits=%d" % parameters.client_max_window_bits)
    return b"; ".join(parts)


# -- messages --------------------------------------------------------------------------------------------


class Deflater:
    """Messages going out (RFC 7692 7.2.1). Its memory is taken by the first message."""

    __slots__ = ("_bits", "_deflate", "_keeps")

    def __init__(self, bits: int, *, keeps: bool) -> None:
        """keeps: the window lives on from message to message."""
        self._bits = bits
        self._keeps = keeps
        self._deflate: zlib._Compress | None = None

    def deflate(self, data: bytes, *, fin: bool) -> bytes:
        """One frame's payload; what was given is in it whole, whether or not the message goes on."""
        deflate = self._deflate
        if deflate is None:
            deflate = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -self._bits, _MEMORY_LEVEL)
            self._deflate = deflate
        out = deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)
        if not fin:
            return out
        if not self._keeps:
            self._deflate = None
        return out[: -len(_TAIL)]


class Inflater:
    """Messages coming in (RFC 7692 7.2.2). Its memory is taken by the first message."""

    __slots__ = ("_bits", "_ended", "_inflate", "_keeps")

    def __init__(self, bits: int, *, keeps: bool) -> None:
        self._bits = bits
        self._keeps = keeps
        self._inflate: zlib._Decompress | None = None
        self._ended = 0

    def inflate(self, data: bytes, room: int | None) -> bytes:
        """What these bytes of a message become: all of it, or `room` + 1 bytes, which says that it is too much.

        raises: zlib.error
        """
        out = b""
        while True:
            inflate = self._inflate
            if inflate is None or inflate.eof:
                inflate = self._restarted(inflate)
            out += inflate.decompress(data, 0 if room is None else room + 1 - len(out))
            data = inflate.unused_data
            if not data or (room is not None and len(out) > room):
                return out

    def end(self, room: int | None) -> bytes:
        """The message is complete: the rest of it, as `inflate`."""
        out = self.inflate(_TAIL, room)
        self._ended = 0
        if not self._keeps:
            self._inflate = None
        return out

    def _restarted(self, before: "zlib._Decompress | None") -> "zlib._Decompress":
        """An inflater for the first message, or after a final block, where DEFLATE begins anew (RFC 7692 7.2.3.4)."""
        self._ended += before is not None
        if self._ended > _MAX_FINAL_BLOCKS:
            raise zlib.error(f"more than {_MAX_FINAL_BLOCKS} final blocks in one message")
        self._inflate = zlib.decompressobj(-self._bits)
        return self._inflate


def deflater(agreed_on: DeflateParameters, *, server: bool) -> Deflater | None:
    """For what this end sends; None if it cannot deflate with so small a window."""
    bits = agreed_on.server_max_window_bits if server else agreed_on.client_max_window_bits
    takes_over = agreed_on.server_no_context_takeover if server else agreed_on.client_no_context_takeover
    return Deflater(bits, keeps=not takes_over) if bits >= _LEAST_DEFLATED_BITS else None


def inflater(agreed_on: DeflateParameters, *, server: bool) -> Inflater:
    """For what this end receives."""
    bits = agreed_on.client_max_window_bits if server else agreed_on.server_max_window_bits
    takes_over = agreed_on.client_no_context_takeover if server else agreed_on.server_no_context_takeover
    return Inflater(bits, keeps=not takes_over)
