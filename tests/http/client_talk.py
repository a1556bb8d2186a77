"""A client's machine and a hand that plays its server with real bytes."""

from collections.abc import Iterable
from typing import Any

from sansio_web.effects import Effect, Transmit
from sansio_web.errors import LocalProtocolError
from sansio_web.http.client_role import ClientRole
from sansio_web.http.commands import READ_CONTENT, ClientCommand, SendRequest
from sansio_web.http.events import ContentBroken, ContentEnded, ContentReceived
from sansio_web.limits import DEFAULT_LIMITS, Limits

HOST = (b"Host", b"h")
UPLOAD = (HOST, (b"Content-Length", b"4"))
CHUNKED_UPLOAD = (HOST, (b"Transfer-Encoding", b"chunked"))


class Talk:
    """One conversation at a time of our choice."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, **options: Any) -> None:
        self.now = 0.0
        self.role = ClientRole(limits, now=self.now, **options)

    def ask(
        self,
        method: bytes = b"GET",
        fields: Iterable[tuple[bytes, bytes]] = (HOST,),
        version: bytes = b"1.1",
    ) -> bytes:
        return self.send(SendRequest(method, b"/" if method != b"CONNECT" else b"h:1", list(fields), version))

    def send(self, *commands: ClientCommand) -> bytes:
        """Returns what is transmitted for them."""
        for command in commands:
            self.role.send(command, self.now)
        effects = self.effects()
        assert all(isinstance(effect, Transmit) for effect in effects), effects
        return b"".join(effect.data for effect in effects if isinstance(effect, Transmit))

    def receive(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.role.receive_data(piece, self.now)

    def eof(self) -> None:
        self.role.receive_eof(self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.role.handle_timeout(self.now)

    def effects(self) -> list[Effect]:
        return list(iter(self.role.next_effect, None))

    def events(self) -> list[Any]:
        return list(iter(self.role.next_event, None))

    def read(self) -> list[Any]:
        """Ask for content as long as there is any; neighbouring pieces are joined."""
        told: list[Any] = []
        while not (told and isinstance(told[-1], (ContentEnded, ContentBroken))):
            self.role.send(READ_CONTENT, self.now)
            more = self.events()
            if not more:
                break
            content = [event for event in more if isinstance(event, (ContentReceived, ContentEnded, ContentBroken))]
            after = more[more.index(content[-1]) + 1 :] if content else more
            told += [event for event in content if not _joined(told, event)]
            if after:
                return told + after
        return told

    def refuses(self, command: ClientCommand) -> str:
        """The error that the command raises; nothing of it was done."""
        before = (self.role.receive, self.role.sending, self.role.phase)
        try:
            self.role.send(command, self.now)
        except LocalProtocolError as error:
            assert (self.role.receive, self.role.sending, self.role.phase) == before
            assert self.effects() == []
            return str(error)
        raise AssertionError(f"{command} was taken")


def _joined(told: list[Any], event: Any) -> bool:
    if told and isinstance(told[-1], ContentReceived) and isinstance(event, ContentReceived):
        told[-1] = ContentReceived(told[-1].data + event.data)
        return True
    return False
