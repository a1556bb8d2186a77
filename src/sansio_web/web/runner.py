"""Serving an application by aiohttp's names, on whatever runtime runs: `run_app`, runners and sites.

The work is the adapter's; here is only who asks for it in which order.
"""

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Unpack, cast
from urllib.parse import quote

from ..hosting import (
    Adapter,
    Hosted,
    Listen,
    Listening,
    ListenSocket,
    ListenTCP,
    ListenUnix,
    RunningServer,
    Scope,
    adapter,
    running_adapter,
)
from ..serving import ServeOptions, ServerSettings, listens, server_options
from .application import Application

if TYPE_CHECKING:
    from socket import socket
    from ssl import SSLContext

_BANNER: Final = "======== Running on {} ========\n(Press CTRL+C to quit)"


_say: Final = functools.partial(print, flush=True)
"""Prints at once, so that whoever starts the process through a pipe sees where it listens."""


class GracefulExit(SystemExit):
    """Raised within a running `run_app` by whoever wants it to end as by a signal."""

    code = 1


class AppRunner:
    """An application, started by `setup` and ended by `cleanup`, with sites in between.

    Needs a running runtime from `setup` on. On trio the server lives in a system task; where there is a nursery,
    `sansio_web_trio.serve` is the better way.

    handle_signals: has no effect here, only `run_app` takes signals; it is there because aiohttp has it
    settings: see `sansio_web.serving.ServerSettings`
    """

    def __init__(self, app: Application, *, handle_signals: bool = False, **settings: Unpack[ServerSettings]) -> None:
        if not isinstance(app, Application):  # pyright: ignore[reportUnnecessaryIsInstance]  # not everybody checks types
            raise TypeError(f"app is {app!r}; needed is a web.Application")
        self._app = app
        self._settings = settings
        self._server: RunningServer | None = None
        self._sites: list[BaseSite] = []
        self._scope: Scope | None = None
        self._adapter: Adapter | None = None

    @property
    def app(self) -> Application:
        """The application."""
        return self._app

    @property
    def server(self) -> RunningServer | None:
        """The adapter's server, between `setup` and `cleanup`."""
        return self._server

    @property
    def sites(self) -> "set[BaseSite]":
        """Sites that were started."""
        return set(self._sites)

    @property
    def addresses(self) -> list[Any]:
        """What the sites are bound to."""
        return [address for site in self._sites for address in site.addresses]

    def bind(self, found: Adapter, scope: Scope) -> None:
        """Use this runtime's scope instead of looking for what runs."""
        self._adapter, self._scope = found, scope

    async def setup(self) -> None:
        """Start the application; what its start-up raises, this raises."""
        if self._server is not None:
            raise RuntimeError("this runner is set up already")
        found = self._adapter or running_adapter()
        options = server_options(self._app, cast(dict[str, Any], self._settings))
        self._server = await found.start_server(cast(Hosted, self._app), options, self._scope)

    async def cleanup(self) -> None:
        """Stop accepting, let handlers end within the bound, leave the cleanup contexts. Idempotent."""
        server, self._server = self._server, None
        self._sites.clear()
        if server is not None:
            await server.close()

    async def shutdown(self) -> None:
        """Call the receivers of `on_shutdown`; `cleanup` does it by itself."""
        await self._app.shutdown()


class BaseSite:
    """A place to listen at; each kind has its own constructor."""

    def __init__(self, runner: AppRunner, where: Listen) -> None:
        self._runner = runner
        self._where = where
        self._listening: Listening | None = None

    async def start(self) -> None:
        """Accept connections; the addresses are bound when this returns."""
        server = self._runner.server
        if server is None:
            raise RuntimeError("call runner.setup() before starting a site")
        if self._listening is not None:
            raise RuntimeError(f"site {self.name} is started already")
        self._listening = await server.listen(self._where)
        self._runner._sites.append(self)

    async def stop(self) -> None:
        """Accept no more here."""
        if self._listening is not None:
            await self._listening.close()
            self._runner._sites = [site for site in self._runner._sites if site is not self]

    @property
    def addresses(self) -> list[Any]:
        """What it is bound to, while it is started."""
        return self._listening.addresses if self._listening is not None else []

    @property
    def name(self) -> str:
        """As a URL."""
        scheme = "https" if self._where.ssl_context is not None else "http"
        return ", ".join(_url(scheme, address) for address in self.addresses) or f"{scheme}://{self._place()}"

    def _place(self) -> str:
        return "?"


def _url(scheme: str, address: Any) -> str:
    if isinstance(address, tuple):
        host, port = cast(tuple[str, int], address[:2])
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    return f"{scheme}://unix:{quote(str(address))}:"


class TCPSite(BaseSite):
    """Host and port; port 0 lets the system choose, see `port`."""

    def __init__(
        self,
        runner: AppRunner,
        host: str | None = None,
        port: int | None = None,
        *,
        ssl_context: "SSLContext | None" = None,
        backlog: int = 128,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
    ) -> None:
        chosen = port if port is not None else (8443 if ssl_context is not None else 8080)
        super().__init__(runner, ListenTCP(host, chosen, ssl_context, backlog, reuse_address, reuse_port))
        self._host, self._port = host, chosen

    @property
    def port(self) -> int:
        """The bound port, once started."""
        return int(self.addresses[0][1]) if self.addresses else self._port

    def _place(self) -> str:
        return f"{self._host or '0.0.0.0'}:{self._port}"


class UnixSite(BaseSite):
    """The path of a Unix socket."""

    def __init__(
        self, runner: AppRunner, path: Any, *, ssl_context: "SSLContext | None" = None, backlog: int = 128
    ) -> None:
        self._path = str(path)
        super().__init__(runner, ListenUnix(self._path, ssl_context, backlog))

    def _place(self) -> str:
        return f"unix:{self._path}:"


class SockSite(BaseSite):
    """A socket that is bound already."""

    def __init__(
        self,
        runner: AppRunner,
        sock: "socket",
        *,
        ssl_context: "SSLContext | None" = None,
        backlog: int = 128,
    ) -> None:
        super().__init__(runner, ListenSocket(sock, ssl_context, backlog))

    def _place(self) -> str:
        return str(cast(ListenSocket, self._where).sock.getsockname())


class Started:
    """What `run_app(on_start=…)` is called with: the bound addresses, and a way to end it from any thread."""

    def __init__(self, addresses: list[Any], stop: Callable[[], None]) -> None:
        self.addresses = addresses
        self.stop = stop


def run_app(
    app: Application | Awaitable[Application],
    *,
    runtime: str = "asyncio",
    print: Callable[[str], object] | None = _say,
    handle_signals: bool = True,
    on_start: Callable[[Started], object] | None = None,
    debug: bool | None = None,
    **options: Unpack[ServeOptions],
) -> None:
    """Serve until SIGINT, SIGTERM or `GracefulExit`, and stop gracefully.

    app: an application, or something to await under the runtime that gives one
    runtime: "asyncio", "uvloop", "trio" or the name of any installed adapter
    print: told where it listens; None for silence
    on_start: called once it listens, with the addresses and a `stop` that any thread may call
    options: see `sansio_web.serving.ServeOptions`; the keep-alive is 75 s unless told otherwise
    """
    found = adapter(runtime)
    places = listens(cast(dict[str, Any], options))
    settings = {name: value for name, value in options.items() if name in ServerSettings.__annotations__}

    async def main(scope: Scope) -> None:
        application = app if isinstance(app, Application) else await app
        runner = AppRunner(application, **cast(ServerSettings, settings))
        runner.bind(found, scope)
        await runner.setup()
        try:
            sites = [BaseSite(runner, where) for where in places]
            for site in sites:
                await site.start()
            if print is not None:
                print(_banner(sites))
            if on_start is not None:
                on_start(Started(runner.addresses, scope.stop))
            await scope.stopped()
        finally:
            await runner.cleanup()

    try:
        found.run(main, handle_signals=handle_signals, debug=debug)
    except GracefulExit:
        pass


def _banner(sites: Iterable[BaseSite]) -> str:
    return _BANNER.format(", ".join(site.name for site in sites))
