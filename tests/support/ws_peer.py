"""A WebSocket client that is nothing but a blocking socket and frames by hand."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from tests.support import ws_frames as wsf
from tests.support.serving import Served
from tests.support.ws_frames import Frame

from sansio_web.testing._peer import Peer, connected


class WSPeer(Peer):
    """Sends what no library sends, reads frames."""

    def frame(self) -> Frame | None:
        """The next one; None at the end of the stream."""
        return wsf.frame_from(self.exactly)

    def text(self) -> str:
        """The next frame, which must be a whole text message."""
        frame = self.frame()
        assert frame is not None
        assert (frame.opcode, frame.fin) == (wsf.TEXT, True)
        return frame.payload.decode()

    def last(self) -> int | None:
        """The code of the Close, after whatever comes before it; None if the stream ends without one."""
        while (frame := self.frame()) is not None:
            if frame.opcode == wsf.CLOSE:
                return frame.code
        return None

    def answers(self) -> None:
        """From now on: take everything, answer the Close and end the stream."""
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        with suppress(OSError):
            code = self.last()
            if code is not None:
                self.send(wsf.close(code))
            self.sock.close()


@contextmanager
def ws_peer(served: Served, target: str = "/ws", *fields: str, answering: bool = False) -> Iterator[WSPeer]:
    """Opened; `answering`: when the block ends well, the Close is answered by a thread."""
    with closing(connected((served.host, served.port))) as sock:
        client = WSPeer(sock)
        client.send(wsf.opening(target, *fields))
        status, _ = client.head()
        assert status == 101
        yield client
        if answering and sock.fileno() != -1:
            duplicate = WSPeer(sock.dup())
            duplicate.received = client.received
            duplicate.answers()
