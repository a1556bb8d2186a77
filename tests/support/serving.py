"""An application on real sockets, for clients that know nothing of this library."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sansio_web import web
from sansio_web.testing import ThreadedServer


@dataclass(frozen=True)
class Served:
    """Where it is served."""

    host: str
    port: int
    url: str

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        """A raw connection to it; waits for nothing longer than ten seconds."""
        with closing(socket.create_connection((self.host, self.port), timeout=10)) as sock:
            yield sock


@contextmanager
def serving(app: web.Application, runtime: str, **options: Any) -> Iterator[Served]:
    """Serve `app` on a free port of 127.0.0.1 from a thread of its own, and stop it at the end."""
    with ThreadedServer(app, runtime=runtime, **options) as server:
        yield Served("127.0.0.1", server.port, server.url)
