"""Accounts of what goes out: how much content was promised and sent, and how fast the peer takes it.

Not here: which command is legal when (`lifecycle`), bytes (`writer`).
"""

from typing import Final

from ..errors import LocalProtocolError
from .framing import NO_CONTENT, UNTIL_CLOSE, Framing, Length, NoContent


class Outgoing:
    """The content of the message going out.

    `start` and `sent` are the only ones that change it. `suppressed`: the answer to HEAD, described but never sent.
    """

    __slots__ = ("framing", "left", "suppressed")

    def __init__(self) -> None:
        self.framing: Framing = NO_CONTENT
        self.left = 0
        self.suppressed = False

    def start(self, framing: Framing, *, suppressed: bool) -> None:
        """A head with this framing went out."""
        self.framing = framing
        self.suppressed = suppressed
        self.left = framing.bytes if isinstance(framing, Length) else 0

    def sent(self, count: int) -> None:
        """So much content is about to go out; raises LocalProtocolError if it was not promised."""
        if self.suppressed:
            return
        if isinstance(self.framing, NoContent) and count:
            raise LocalProtocolError(f"this message has no content, but {count} bytes were given (RFC 9110 6.4.1)")
        if isinstance(self.framing, Length):
            if count > self.left:
                declared = self.framing.bytes
                total = declared - self.left + count
                raise LocalProtocolError(
                    f"content exceeds Content-Length: {declared} declared, {total} sent (RFC 9110 8.6)"
                )
            self.left -= count

    def check_complete(self) -> None:
        """The content is said to be complete; raises LocalProtocolError if more was promised."""
        if self.left and not self.suppressed:
            declared = self.framing.bytes if isinstance(self.framing, Length) else 0
            what = f"content is shorter than Content-Length: {declared} declared, {declared - self.left} sent"
            raise LocalProtocolError(f"{what} (RFC 9110 8.6)")

    @property
    def ends_with_connection(self) -> bool:
        """Whether only a reset can show that something is missing (lifecycle, rule 4)."""
        return self.framing is UNTIL_CLOSE and not self.suppressed


class WriteProgress:
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
        """Whether so many bytes left since the last time this was true, or all of them did; starts a new span if so."""
        gone = self.transmitted - self.unsent
        if self.unsent and gone - self._mark < at_least:
            return False
        self._mark = gone
        return True


_ENOUGH: Final = 1  # a span without a minimum still needs one byte


def least(minimum: int) -> int:
    """A configured minimum of progress; zero would let a peer hold a connection with nothing at all."""
    return max(minimum, _ENOUGH)
