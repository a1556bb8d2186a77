"""Dates of HTTP as bytes (RFC 9110 5.6.7). The moment is an argument; there is no clock here."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

_DAYS: Final = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTHS: Final = tuple(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())


def imf_fixdate(seconds: float) -> bytes:
    """Seconds since 1970 in UTC as `Sun, 06 Nov 1994 08:49:37 GMT`."""
    at = datetime.fromtimestamp(int(seconds), UTC)
    clock = (at.hour, at.minute, at.second)
    return b"%b, %02d %b %04d %02d:%02d:%02d GMT" % (
        _DAYS[at.weekday()],
        at.day,
        _MONTHS[at.month - 1],
        at.year,
        *clock,
    )


def date_source(wall_clock: Callable[[], float]) -> Callable[[], bytes]:
    """A callable that gives the date of now, and the same object for all of one second."""
    second: int | None = None
    text = b""

    def date() -> bytes:
        nonlocal second, text
        now = int(wall_clock())
        if now != second:
            second = now
            text = imf_fixdate(now)
        return text

    return date
