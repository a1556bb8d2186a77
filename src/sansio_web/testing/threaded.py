"""A server in a thread of its own, for tests whose client is synchronous or lives in another loop."""

import threading
from types import TracebackType
from typing import Any, Unpack

from ..serving import ServeOptions
from ..web.application import Application
from ..web.runner import Started, run_app


class ThreadedServer:
    """`with ThreadedServer(app, runtime="trio") as server:` serves on a free port of 127.0.0.1 in its block.

    url, host, port: where it listens (for TCP)
    addresses: of all listeners
    Leaving the block stops the server gracefully and raises what it raised; a server that does not stop
    within `stop_timeout` is an error.
    """

    def __init__(
        self,
        app: Application,
        *,
        runtime: str = "asyncio",
        stop_timeout: float = 20.0,
        **options: Unpack[ServeOptions],
    ) -> None:
        if not {"host", "port", "path", "sock"} & set(options):
            options["host"], options["port"] = "127.0.0.1", 0
        self._secure = options.get("ssl_context") is not None
        self._stop_timeout = stop_timeout
        self._ready = threading.Event()
        self._started: Started | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(app, runtime, options), daemon=True)

    def _run(self, app: Application, runtime: str, options: ServeOptions) -> None:
        try:
            run_app(app, runtime=runtime, print=None, handle_signals=False, on_start=self._on_start, **options)
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    def _on_start(self, started: Started) -> None:
        self._started = started
        self._ready.set()

    def start(self) -> "ThreadedServer":
        """Return once it listens; raises what start-up raised."""
        self._thread.start()
        self._ready.wait()
        if self._started is None:
            self._thread.join()
            assert self._failure is not None
            raise self._failure
        return self

    def stop(self) -> None:
        """Stop gracefully, wait for the end, and raise what the server raised. Idempotent."""
        if self._started is not None:
            self._started.stop()
        self._thread.join(self._stop_timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"the server did not stop within {self._stop_timeout} s")
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def __enter__(self) -> "ThreadedServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def addresses(self) -> list[Any]:
        """Of all listeners."""
        assert self._started is not None
        return self._started.addresses

    @property
    def host(self) -> str:
        """Of the first listener."""
        return str(self.addresses[0][0])

    @property
    def port(self) -> int:
        """Of the first listener."""
        return int(self.addresses[0][1])

    @property
    def url(self) -> str:
        """Of the first listener, without a slash at the end."""
        return f"{'https' if self._secure else 'http'}://{self.host}:{self.port}"
