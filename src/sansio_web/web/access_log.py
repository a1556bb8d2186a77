"""Access log lines in Apache's format.

The format is compiled once. Loggers are duck-typed: `info(message, extra=...)`, and `isEnabledFor(20)` if
they have it. The core has no clock and no process id: whoever runs the server gives both.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ._http_date import MONTHS

if TYPE_CHECKING:
    from .request import BaseRequest
    from .stream_response import StreamResponse

_INFO: Final = 20  # logging.INFO
_DIRECTIVE: Final = re.compile(r"%(?:(%)|(Tf|[atPrsbTD])|\{([!#$&'*+\-.^_`|~0-9A-Za-z]+)\}([io])|(.?))", re.DOTALL)
_ALLOWED: Final = "%% %a %t %P %r %s %b %T %Tf %D %{Field-Name}i %{Field-Name}o"

# directive: key in `extra`, which log handlers may want to have apart from the line
_KEYS: Final = {
    "a": "remote_address",
    "t": "request_start_time",
    "P": "process_id",
    "r": "first_request_line",
    "s": "response_status",
    "b": "response_size",
    "T": "request_time",
    "Tf": "request_time_frac",
    "D": "request_time_micro",
}

Atom: TypeAlias = "Callable[[BaseRequest, StreamResponse, float], Any]"


class AbstractAccessLogger(ABC):
    """Base of access loggers."""

    def __init__(self, logger: Any, log_format: str) -> None:
        self.logger = logger
        self.log_format = log_format

    @abstractmethod
    def log(self, request: "BaseRequest", response: "StreamResponse", time: float) -> None:
        """Note one finished exchange; `time` in seconds since its head came."""

    @property
    def enabled(self) -> bool:
        """Whether it is worth calling `log`; asked once for each server."""
        return True


class AccessLogger(AbstractAccessLogger):
    """Lines by `log_format`.

    %%  the percent sign
    %a  the peer's address
    %t  when the request began
    %P  process id
    %r  method, target and version
    %s  status
    %b  bytes of content sent
    %T  seconds it took; %Tf with decimals; %D microseconds
    %{Field-Name}i  field of the request; %{Field-Name}o of the response; "-" without it

    wall_clock: the time of day with its zone; without it %t is "-"
    pid: process id; without it %P is "-"
    raises: ValueError for a directive that is none of these
    """

    LOG_FORMAT = '%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'

    def __init__(
        self,
        logger: Any,
        log_format: str = LOG_FORMAT,
        *,
        wall_clock: Callable[[], datetime] | None = None,
        pid: int | None = None,
    ) -> None:
        super().__init__(logger, log_format)
        self.wall_clock = wall_clock
        self.pid = pid
        self._template, self._atoms = self._compile(log_format)

    @property
    def enabled(self) -> bool:
        """Whether the logger takes lines of level INFO."""
        is_enabled = getattr(self.logger, "isEnabledFor", None)
        return True if is_enabled is None else bool(is_enabled(_INFO))

    def log(self, request: "BaseRequest", response: "StreamResponse", time: float) -> None:
        """Note one finished exchange."""
        extra: dict[str, Any] = {}
        values: list[Any] = []
        for key, name, atom in self._atoms:
            value = atom(request, response, time)
            if isinstance(value, str) and not (value.isascii() and value.isprintable()):
                value = value.encode("ascii", "backslashreplace").decode().translate(_CONTROLS)
            values.append(value)
            if name is None:
                extra[key] = value
            else:
                extra.setdefault(key, {})[name] = value
        self.logger.info(self._template % tuple(values), extra=extra)

    def _compile(self, log_format: str) -> tuple[str, list[tuple[str, str | None, Atom]]]:
        atoms: list[tuple[str, str | None, Atom]] = []
        simple: dict[str, Atom] = {
            "a": _remote,
            "t": self._started,
            "P": self._process,
            "r": _request_line,
            "s": _status,
            "b": _size,
            "T": _seconds,
            "Tf": _fraction,
            "D": _microseconds,
        }

        def replaced(found: re.Match[str]) -> str:
            percent, letter, name, side, _ = found.groups()
            if percent:
                return "%%"
            if letter:
                atoms.append((_KEYS[letter], None, simple[letter]))
            elif name:
                key = "request_header" if side == "i" else "response_header"
                atoms.append((key, name, _request_field(name) if side == "i" else _response_field(name)))
            else:
                rest = log_format[found.start() : found.start() + 16]
                raise ValueError(f"log_format has {rest!r} at offset {found.start()}; allowed: {_ALLOWED}")
            return "%s"

        return _DIRECTIVE.sub(replaced, log_format), atoms

    def _started(self, _request: "BaseRequest", _response: "StreamResponse", time: float) -> str:
        if self.wall_clock is None:
            return "-"
        at = self.wall_clock() - timedelta(seconds=time)
        return f"[{at.day:02}/{MONTHS[at.month - 1]}/{at.year:04}:{at:%H:%M:%S} {at:%z}]"

    def _process(self, _request: "BaseRequest", _response: "StreamResponse", _time: float) -> str:
        return "-" if self.pid is None else f"<{self.pid}>"


_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def _remote(request: "BaseRequest", _response: "StreamResponse", _time: float) -> str:
    return request.remote or "-"


def _request_line(request: "BaseRequest", _response: "StreamResponse", _time: float) -> str:
    version = request.version
    return f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}"


def _status(_request: "BaseRequest", response: "StreamResponse", _time: float) -> int:
    return response.status


def _size(_request: "BaseRequest", response: "StreamResponse", _time: float) -> int:
    return response.body_length


def _seconds(_request: "BaseRequest", _response: "StreamResponse", time: float) -> str:
    return str(round(time))


def _fraction(_request: "BaseRequest", _response: "StreamResponse", time: float) -> str:
    return f"{time:06f}"


def _microseconds(_request: "BaseRequest", _response: "StreamResponse", time: float) -> str:
    return str(round(time * 1_000_000))


def _request_field(name: str) -> Atom:
    return lambda request, response, time: request.headers.get(name, "-")


def _response_field(name: str) -> Atom:
    return lambda request, response, time: response.headers.get(name, "-")
