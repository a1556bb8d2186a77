"""Whole, plain frames: the short cut for nearly all traffic (RFC 6455 5.2).

The answer is exactly that of wsproto's reader (`frames`), or None, which means that the frame is incomplete or not
plain and `frames` decides. Plain: a known opcode, no reserved bit that was not agreed on, masked as the role demands,
a length in its shortest form, control frames unfragmented and of at most 125 bytes.
"""

from collections.abc import Callable
from typing import Final

SMALL: Final = 126
"""Payloads below it have their length in one byte."""
_BLOCK: Final = 8_192
"""Longer payloads are masked piece by piece: numbers beyond it cost more than their length."""
# for payloads of less than 126 bytes: a key, as a number, times _REPEAT[n] repeats it over at least n bytes,
# & _ONES[n] cuts it
_REPEAT: Final = tuple(sum(1 << 32 * i for i in range((n + 3) // 4)) for n in range(SMALL))
_ONES: Final = tuple((1 << 8 * n) - 1 for n in range(SMALL))
_REPEAT_BLOCK: Final = int.from_bytes(b"\1\0\0\0" * (_BLOCK // 4), "little")
_from_bytes = int.from_bytes

_CONTROL: Final = (0x88, 0x89, 0x8A)
_DATA: Final = (0x81, 0x82, 0x01, 0x02, 0x00, 0x80)
_DEFLATED: Final = (0xC1, 0xC2, 0x41, 0x42)


def plain_firsts(*, deflated: bool) -> frozenset[int]:
    """First bytes of plain frames: FIN, reserved bits, opcode; RSV1 only with permessage-deflate (RFC 7692 6)."""
    return frozenset((*_CONTROL, *_DATA, *(_DEFLATED if deflated else ())))


def read_frame(
    data: bytes | bytearray, at: int, firsts: frozenset[int], *, masked: bool
) -> tuple[int, bytes, int] | None:
    """The frame that begins at `at`: its first byte, its payload unmasked, and where it ends; never raises."""
    size = len(data)
    if size - at < 2:
        return None
    first = data[at]
    length = data[at + 1]
    if first not in firsts or (length >= 128) is not masked:
        return None
    length &= 127
    begin = at + 2
    if length >= 126:
        if first & 8:
            return None
        wide = 2 if length == 126 else 8
        if size - begin < wide:
            return None
        length = _from_bytes(data[begin : begin + wide], "big")
        if length < (126 if wide == 2 else 65_536):
            return None
        begin += wide
    if not masked:
        end = begin + length
        return (first, bytes(data[begin:end]), end) if end <= size else None
    end = begin + 4 + length
    if end > size:
        return None
    if length < SMALL:
        key = _from_bytes(data[begin : begin + 4], "little") * _REPEAT[length] & _ONES[length]
        number = _from_bytes(data[begin + 4 : end], "little") ^ key
        return first, number.to_bytes(length, "little"), end
    return first, xor(data[begin + 4 : end], bytes(data[begin : begin + 4])), end


def small_message(data: bytes) -> str | bytes | None:
    """The message, if these bytes are one plain masked frame of at most 125 bytes and nothing else; never raises."""
    length = len(data) - 6
    if length < 0 or length >= SMALL or data[1] != length + 128:
        return None
    first = data[0]
    if first != 0x81 and first != 0x82:
        return None
    key = _from_bytes(data[2:6], "little") * _REPEAT[length] & _ONES[length]
    payload = (_from_bytes(data[6:], "little") ^ key).to_bytes(length, "little")
    if first == 0x82:
        return payload
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None


def awaited(data: bytes | bytearray, at: int, firsts: frozenset[int], max_bytes: int, *, masked: bool) -> int | None:
    """How many bytes the plain but incomplete frame at `at` takes at least, if its payload has at most `max_bytes`.

    None where `frames` must have the bytes now: what is there breaks a rule, or is to be read as it comes.
    """
    have = len(data) - at
    if have < 2:
        return 2 if have == 0 or data[at] in firsts else None
    first = data[at]
    length = data[at + 1]
    if first not in firsts or (length >= 128) is not masked:
        return None
    length &= 127
    head = 6 if masked else 2
    if length >= 126:
        wide = 2 if length == 126 else 8
        if first & 8:
            return None
        if have < 2 + wide:
            return 2 + wide
        length = _from_bytes(data[at + 2 : at + 2 + wide], "big")
        if length < (126 if wide == 2 else 65_536):
            return None
        head += wide
    return head + length if length <= max_bytes else None


def xor(data: bytes | bytearray, key: bytes) -> bytes:
    """Mask or unmask a payload with a key of 4 bytes (RFC 6455 5.3)."""
    length = len(data)
    if length < SMALL:
        repeated = _from_bytes(key, "little") * _REPEAT[length] & _ONES[length]
        return (_from_bytes(data, "little") ^ repeated).to_bytes(length, "little")
    return _mask_long(data, key)


def use_masking(mask: Callable[[bytes | bytearray, bytes], bytes] | None) -> None:
    """Mask payloads of 126 bytes and more by this function from now on, with None by `long_xor` again.

    mask: of a payload and a key of 4 bytes, compiled code; it must give exactly what `long_xor` does. The core looks
        for none by itself; our adapters use that of the extra `speedups` where it is installed.
    """
    global _mask_long
    _mask_long = long_xor if mask is None else mask


def long_xor(data: bytes | bytearray, key: bytes) -> bytes:
    """`xor` of a payload of any length without compiled code."""
    length = len(data)
    if length <= _BLOCK:
        repeated = _from_bytes((key * (length // 4 + 1))[:length], "little")
        return (_from_bytes(data, "little") ^ repeated).to_bytes(length, "little")
    repeated = _from_bytes(key, "little") * _REPEAT_BLOCK
    whole = length - length % _BLOCK
    blocks = [
        (_from_bytes(data[at : at + _BLOCK], "little") ^ repeated).to_bytes(_BLOCK, "little")
        for at in range(0, whole, _BLOCK)
    ]
    blocks.append(long_xor(data[whole:], key))
    return b"".join(blocks)


_mask_long: Callable[[bytes | bytearray, bytes], bytes] = long_xor  # set by `use_masking`
