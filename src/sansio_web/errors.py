"""Whose fault: errors of the protocol machines.

`LocalProtocolError` is raised where our own user erred. `RemoteProtocolError` says what the peer did; a machine
keeps it and gives it out as an event. Nothing here knows a transport; `ConnectionResetError` for a vanished
peer is the builtin.
"""

from typing import Final

_SHOWN_BYTES: Final = 32


class ProtocolError(Exception):
    """Base of both: something broke the rules of the protocol."""


class LocalProtocolError(ProtocolError):
    """The caller asked for something the protocol does not allow here; the message says what would have been legal."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol or one of our limits.

    status_hint: the status that a server answers with (RFC 9110 15)
    close_code_hint: the Close code that a WebSocket endpoint fails the connection with (RFC 6455 7.4.1)
    """

    def __init__(self, message: str, *, status_hint: int = 400, close_code_hint: int = 1002) -> None:
        super().__init__(message)
        self.status_hint = status_hint
        self.close_code_hint = close_code_hint

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), str(self), self.status_hint, self.close_code_hint)


class PeerDisconnected(RemoteProtocolError):
    """The peer ended its stream, or the transport broke, before the message was complete (RFC 9112 8)."""


def _rebuild(kind: type[RemoteProtocolError], message: str, status: int, code: int) -> RemoteProtocolError:
    return kind(message, status_hint=status, close_code_hint=code)


def shown(data: bytes | bytearray | memoryview) -> str:
    """How a peer's bytes appear in a message: their `repr`, cut to 32 bytes."""
    cut = bytes(data[:_SHOWN_BYTES])
    return f"{cut!r}…" if len(data) > _SHOWN_BYTES else repr(cut)
