"""What an adapter must do: the outputs of every connection machine.

An adapter takes them in order from `next_effect()` and does nothing else on its own account.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(slots=True)
class Transmit:
    """Send these bytes. Not frozen, because one is made for every response (a frozen one costs three times as much)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ShutdownWrite:
    """After what was transmitted before, end our half of the stream; the peer may still send."""


@dataclass(frozen=True, slots=True)
class CloseTransport:
    """After what was transmitted before, close both halves."""


@dataclass(frozen=True, slots=True)
class AbortTransport:
    """Close at once and drop what has not been sent: the peer stopped taking bytes or must not see an end."""


Effect: TypeAlias = Transmit | ShutdownWrite | CloseTransport | AbortTransport
