"""Frames going out (RFC 6455 5.2): what wsproto in the other role reads back as the same frame.

Not here: which frame may go out when (`connection`, `closing`).
"""

from collections.abc import Callable
from typing import Final

from .fast_lane import xor

Mask = Callable[[], bytes]
"""Gives a fresh masking key, 4 bytes that cannot be predicted (RFC 6455 5.3)."""

_SHORT: Final = 126
_MASKED: Final = 0x80


def heads(first: int) -> tuple[bytes, ...]:
    """Headers of unmasked frames of 0 to 125 bytes that begin with this byte."""
    return tuple(bytes((first, length)) for length in range(_SHORT))


def frame(first: int, payload: bytes, mask: Mask | None) -> bytes:
    """One frame; `first`: FIN, RSV1 and opcode; masked with a key of `mask`, if there is one."""
    length = len(payload)
    bit = 0 if mask is None else _MASKED
    if length < _SHORT:
        header = bytes((first, bit | length))
    elif length < 1 << 16:
        header = bytes((first, bit | 126)) + length.to_bytes(2, "big")
    else:
        header = bytes((first, bit | 127)) + length.to_bytes(8, "big")
    if mask is None:
        return header + payload
    key = mask()
    return header + key + xor(payload, key)
