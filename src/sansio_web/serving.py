"""What a user may say of a server, and what follows for the driver: one list of options for every runtime.

`serve`, `run_app` and `AppRunner` all take these. Names and defaults are aiohttp's where it has them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict

from .exchange import AccessLogSink
from .host import Application, OnDisconnect, Settings
from .hosting import Listen, ListenSocket, ListenTCP, ListenUnix, ServerOptions, Surroundings
from .http.dates import date_source
from .limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from socket import socket
    from ssl import SSLContext

DEFAULT: Final[Any] = object()
"""Stands for the adapter's own access log."""

SERVER_SOFTWARE: Final = b"sansio_web/0.1"


class ServerSettings(TypedDict, total=False):
    """How a server behaves.

    shutdown_timeout: seconds for handlers to end when the server stops, before they are cancelled (60)
    keepalive_timeout: seconds that an idle connection is kept; `Limits.idle_timeout`
    limits: every other size and time
    on_disconnect: what a client's departure does to its handler: "ignore" or "cancel"
    handler_cancellation: aiohttp's name for on_disconnect="cancel"
    access_log: a logger for finished requests, or None for none
    access_log_class: subclass of `AbstractAccessLogger`
    access_log_format: see `AccessLogger`
    server_software: the value of the Server field; empty for no such field
    """

    shutdown_timeout: float
    keepalive_timeout: float
    limits: Limits
    on_disconnect: OnDisconnect | str
    handler_cancellation: bool
    access_log: Any
    access_log_class: type[Any]
    access_log_format: str
    server_software: str


class ServeOptions(ServerSettings, total=False):
    """Where it listens besides.

    host, port: one or several hosts; port 8080, or 8443 with TLS; 0 lets the system choose
    path: of a Unix socket, or several
    sock: bound sockets, one or several
    ssl_context, backlog, reuse_address, reuse_port: for each of them
    """

    host: str | Iterable[str] | None
    port: int | None
    path: Any
    sock: "socket | Iterable[socket] | None"
    ssl_context: "SSLContext | None"
    backlog: int
    reuse_address: bool | None
    reuse_port: bool | None


_KNOWN: Final = frozenset((*ServerSettings.__annotations__, *ServeOptions.__annotations__))


def server_options(application: Application, options: Mapping[str, Any]) -> ServerOptions:
    """What the adapter's server is made from.

    raises: TypeError for an unknown option, ValueError for a value that is not allowed
    """
    unknown = sorted(set(options) - _KNOWN)
    if unknown:
        raise TypeError(f"unknown option {unknown[0]!r}; known are {', '.join(sorted(_KNOWN))}")
    limits = options.get("limits", DEFAULT_LIMITS)
    if options.get("keepalive_timeout") is not None:
        limits = replace(limits, idle_timeout=float(options["keepalive_timeout"]))
    policy = OnDisconnect(options.get("on_disconnect", OnDisconnect.IGNORE))
    if options.get("handler_cancellation"):
        policy = OnDisconnect.CANCEL

    def settings(around: Surroundings) -> Settings:
        return Settings(
            application,
            date_source(around.wall_clock),
            around.report,
            limits=limits,
            server_software=options.get("server_software", SERVER_SOFTWARE.decode()).encode("ascii"),
            access_logger=_access_logger(options, around),
            on_disconnect=policy,
        )

    timeout = float(options.get("shutdown_timeout", ServerOptions.__dataclass_fields__["shutdown_timeout"].default))
    return ServerOptions(settings, shutdown_timeout=timeout)


def _access_logger(options: Mapping[str, Any], around: Surroundings) -> AccessLogSink | None:
    log = options.get("access_log", DEFAULT)
    if log is DEFAULT:
        log = around.access_log
    if log is None:
        return None
    from .web.access_log import AccessLogger  # here, because web's runner imports this module

    kind = options.get("access_log_class", AccessLogger)
    form = options.get("access_log_format", AccessLogger.LOG_FORMAT)
    made: Any

    def zoned() -> datetime:
        return datetime.fromtimestamp(around.wall_clock()).astimezone()

    if issubclass(kind, AccessLogger):
        made = kind(log, form, wall_clock=zoned, pid=around.process_id)
    else:
        made = kind(log, form)
    sink: AccessLogSink | None = made if getattr(made, "enabled", True) else None
    return sink


def listens(options: Mapping[str, Any]) -> list[Listen]:
    """The listeners that the options name; TCP on the default port if they name none."""
    context = options.get("ssl_context")
    backlog = options.get("backlog", 128)
    found: list[Listen] = []
    host, port, path, sock = (options.get(name) for name in ("host", "port", "path", "sock"))
    if host is not None or port is not None or (path is None and sock is None):
        chosen = port if port is not None else (8443 if context is not None else 8080)
        shared = (options.get("reuse_address"), options.get("reuse_port"))
        hosts = _several(host, (str,)) or [None]
        found.extend(ListenTCP(each, chosen, context, backlog, *shared) for each in hosts)
    found.extend(ListenUnix(_path_text(each), context, backlog) for each in _several(path, (str, bytes)))
    found.extend(ListenSocket(each, context, backlog) for each in _several(sock, ()))
    return found


def _several(value: Any, single: tuple[type, ...]) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, single) or hasattr(value, "__fspath__") or not isinstance(value, Iterable):
        return [value]
    return list(value)  # pyright: ignore[reportUnknownArgumentType]  # Any, narrowed to Iterable


def _path_text(path: Any) -> str:
    text = path.__fspath__() if hasattr(path, "__fspath__") else path
    return text.decode() if isinstance(text, bytes) else text


def limit_names() -> list[str]:
    """Every limit that `Limits` has."""
    return [each.name for each in fields(Limits)]
