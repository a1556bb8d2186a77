"""One handler with a WebSocket, on a driver and a host made of lists: real bytes in and out, a clock set by hand."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support import ws_frames as wsf
from tests.support.host import Served

from sansio_web import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WSServed(Served):
    """An application whose only route is `/ws`; `open` makes the opening handshake."""

    def __init__(self, handler: Handler, *, app: web.Application | None = None, **options: Any) -> None:
        self.app = web.Application() if app is None else app
        self.app.router.add_route("*", "/ws", handler)
        self.app.freeze()
        super().__init__(self.app.handle, **options)
        self.rest = b""

    def request(self, *fields: str, **kinds: Any) -> tuple[int, dict[str, str], bytes]:
        """Send the opening request; status and fields of the head that answers, and what came behind it."""
        data = self.data(self.feed(wsf.opening("/ws", *fields, **kinds)))
        head, _, self.rest = data.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        return int(status.split(" ")[1]), {name.lower(): value for name, value in pairs}, self.rest

    def open(self, *fields: str) -> dict[str, str]:
        """The opening handshake must work; returns the fields of the 101."""
        status, answered, _ = self.request(*fields)
        assert status == 101
        return answered

    @staticmethod
    def data(log: list[bytes | str]) -> bytes:
        """What was written."""
        return b"".join(each for each in log if isinstance(each, bytes))

    def say(self, *pieces: bytes) -> list[wsf.Frame]:
        """Feed these; the frames that come back."""
        return wsf.frames(self.data(self.feed(*pieces)))

    def after(self, seconds: float) -> list[wsf.Frame]:
        """Let time pass, with a tick at each moment that was armed and at no other; the frames that come back."""
        return wsf.frames(self.data(self.wait(seconds)))

    def wait(self, seconds: float) -> list[bytes | str]:
        """As `after`; all that the driver did."""
        host = self.host
        end = host.clock + seconds
        while host.armed and host.armed[-1] <= end:
            host.clock = max(host.clock, host.armed[-1])
            host.armed.clear()
            self.driver.tick()
            host.run()
        host.clock = end
        return host.took()

    def task(self, work: Awaitable[Any]) -> list[Any]:
        """Run something beside the handler; its outcome is appended to the list that is returned."""
        outcome: list[Any] = []

        async def run() -> None:
            try:
                outcome.append(await work)
            except Exception as error:
                outcome.append(error)

        self.host.start(run())
        self.host.run()
        return outcome

    def written(self) -> list[wsf.Frame]:
        """Frames written since."""
        return wsf.frames(self.data(self.host.took()))

    def taken_all(self) -> None:
        """The peer takes all that is held."""
        self.host.taken(self.host.held)

    def leave(self) -> None:
        """The client closes after the server has, and the server's half ends too."""
        self.eof()
        self.lose()
