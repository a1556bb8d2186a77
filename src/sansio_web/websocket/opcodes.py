"""Opcodes and bits of the first byte of a frame (RFC 6455 5.2)."""

from enum import IntEnum
from typing import Final


class Opcode(IntEnum):
    """What a frame is; from 8 on it is a control frame."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


FIN: Final = 0x80
RSV1: Final = 0x40
CONTROL: Final = 0x08
