"""Named deadlines of one machine: which is next, which are due.

A name is a member of the machine's own enum; a moment is float seconds of the clock that `now` comes from.
"""

from enum import Enum
from typing import Generic, TypeVar

N = TypeVar("N", bound=Enum)


class Deadlines(Generic[N]):
    """At most one moment for each name."""

    __slots__ = ("_moments",)

    def __init__(self) -> None:
        self._moments: dict[N, float] = {}

    def set(self, name: N, now: float, timeout: float | None) -> None:
        """Due `timeout` seconds after `now`; never, if that is None."""
        if timeout is None:
            self._moments.pop(name, None)
        else:
            self._moments[name] = now + timeout

    def drop(self, name: N) -> None:
        """Forget one, as `clear` does."""
        self._moments.pop(name, None)

    def clear(self, *names: N) -> None:
        """Forget these; a name without a moment is no error."""
        for name in names:
            self._moments.pop(name, None)

    def clear_all(self) -> None:
        """Forget every one."""
        self._moments.clear()

    def at(self, name: N) -> float | None:
        """The moment of one name."""
        return self._moments.get(name)

    def next(self) -> float | None:
        """The earliest moment, or None."""
        moments = self._moments
        return min(moments.values()) if moments else None

    def due(self, now: float) -> list[N]:
        """Names whose moment has come, earliest first, and forget them: handling one is progress."""
        names = sorted((name for name, at in self._moments.items() if at <= now), key=self._moments.__getitem__)
        for name in names:
            del self._moments[name]
        return names
