"""An `Exchange` made of lists, and a way to run coroutines without any event loop."""

import types
from collections.abc import Coroutine, Generator, Iterable
from typing import Any, TypeVar

from sansio_web.errors import LocalProtocolError, RemoteProtocolError
from sansio_web.http.commands import FieldLines, ResponseCommand, SendContent, SendEnd, SendHead, SendResponse
from sansio_web.http.events import ContentEnded, ContentReceived, RequestReceived
from sansio_web.http.fields import Fields
from sansio_web.http.framing import CHUNKED, NO_CONTENT, Framing, Length

T = TypeVar("T")

DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
SERVER = b"sansio_web"


class FakeConnection:
    """A transport that knows what it was told."""

    def __init__(self, remote: str | None, secure: bool, extra: dict[str, Any]) -> None:
        self.remote = remote
        self.secure = secure
        self.extra = extra

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.extra.get(name, default)


class FakeExchange:
    """One request from arguments; what is answered is in `sent`.

    content: pieces as they arrive; `None` in the list suspends the reader once; an exception in the list is
        raised then and for ever
    framing: from Content-Length, else chunked if there is content, else none
    send_error: raised by each `send`
    """

    def __init__(
        self,
        method: str = "GET",
        target: str = "/",
        fields: Iterable[tuple[str, str]] = (("Host", "example.org"),),
        content: Iterable[bytes | Exception | None] = (),
        *,
        trailers: FieldLines = (),
        version: bytes = b"1.1",
        framing: Framing | None = None,
        persistent: bool = True,
        expects_continue: bool = False,
        upgrade: bytes = b"",
        remote: str | None = "192.0.2.7",
        secure: bool = False,
        extra: dict[str, Any] | None = None,
        send_error: Exception | None = None,
    ) -> None:
        lines = Fields((name.encode("utf-8"), value.encode("utf-8", "surrogateescape")) for name, value in fields)
        self._pieces = list(content)
        self.head = RequestReceived(
            method.encode(),
            target.encode("utf-8", "surrogateescape"),
            version,
            lines,
            framing if framing is not None else _framing(lines, self._pieces),
            persistent,
            expects_continue,
            upgrade,
        )
        self.connection = FakeConnection(remote, secure, extra or {})
        self.server_software = SERVER
        self.access_logger: Any = None
        self.clock = 0.0
        self.sent: list[ResponseCommand] = []
        self.reports: list[tuple[str, BaseException | None]] = []
        self.aborted = False
        self.max_content_bytes: int | None = None
        self.limits_set: list[int | None] = []
        self.received = 0
        self.receive_calls = 0
        self._trailers = trailers
        self._ended = isinstance(self.head.framing, type(NO_CONTENT))
        self._send_error = send_error

    def now(self) -> float:
        return self.clock

    def date(self) -> bytes:
        return DATE

    async def receive(self) -> ContentReceived | ContentEnded:
        self.receive_calls += 1
        if self._ended:
            raise LocalProtocolError("receive() after the content has ended")
        while self._pieces and self._pieces[0] is None:
            self._pieces.pop(0)
            await suspend()
        if not self._pieces:
            self._ended = True
            return ContentEnded(Fields(self._trailers))
        piece = self._pieces[0]
        if isinstance(piece, Exception):
            raise piece
        assert piece, "ContentReceived is never empty"
        self._pieces.pop(0)
        self.received += len(piece)
        if self.max_content_bytes is not None and self.received > self.max_content_bytes:
            error = RemoteProtocolError(f"content exceeds {self.max_content_bytes} bytes", status_hint=413)
            self._pieces.insert(0, error)
            raise error
        return ContentReceived(piece)

    def respond(self, command: SendResponse) -> None:
        run(self.send(command))

    async def send(self, command: ResponseCommand) -> None:
        if self._send_error is not None:
            raise self._send_error
        self.sent.append(command)

    def limit_content(self, max_bytes: int | None) -> None:
        self.limits_set.append(max_bytes)
        self.max_content_bytes = max_bytes

    def abort(self) -> None:
        self.aborted = True

    def report(self, message: str, error: BaseException | None = None) -> None:
        self.reports.append((message, error))

    @property
    def status(self) -> int:
        """Of the one final response."""
        (head,) = [command for command in self.sent if isinstance(command, SendResponse | SendHead)]
        return head.status

    @property
    def answer_fields(self) -> dict[bytes, bytes]:
        """Of the one final response, names in lower case; the last of several lines."""
        (head,) = [command for command in self.sent if isinstance(command, SendResponse | SendHead)]
        return {name.lower(): value for name, value in head.fields}

    @property
    def answer(self) -> bytes:
        """The content sent, joined."""
        parts = [command.content for command in self.sent if isinstance(command, SendResponse)]
        parts += [command.data for command in self.sent if isinstance(command, SendContent)]
        return b"".join(parts)

    @property
    def complete(self) -> bool:
        """Whether a whole response went out."""
        return bool(self.sent) and isinstance(self.sent[-1], SendResponse | SendEnd)


def _framing(lines: Fields, content: list[bytes | Exception | None]) -> Framing:
    length = lines.get(b"content-length")
    if length is not None:
        return Length(int(length)) if int(length) else NO_CONTENT
    return CHUNKED if content or b"transfer-encoding" in lines else NO_CONTENT


@types.coroutine
def suspend() -> Generator[None, None, None]:
    """Wait once, for whoever drives the coroutine."""
    yield


def run(coro: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits; an error if it does."""
    try:
        coro.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coro.close()
    raise AssertionError("the coroutine waited for something")


def run_waiting(coro: Coroutine[Any, Any, T], most: int = 1000) -> T:
    """The result of a coroutine that may wait at `suspend`."""
    for _ in range(most):
        try:
            coro.send(None)
        except StopIteration as stop:
            result: T = stop.value
            return result
    coro.close()
    raise AssertionError(f"not done after {most} steps")
