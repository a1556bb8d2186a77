"""The life of one contender's process: start, ready, ended by its pid whatever happens."""

import os
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from benchmarks.contenders import Contender

ROOT: Final = Path(__file__).resolve().parent.parent
HOST: Final = "127.0.0.1"
START_TIMEOUT: Final = 20.0
STDERR_LINES: Final = 15


class ContenderError(Exception):
    """A contender could not start, died, or answered wrongly; the text says which and shows its stderr."""


class StartError(ContenderError):
    """It never accepted a connection."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the server and the load run; `None` where the machine has one core only."""

    server: int | None
    load: int | None


def choose_cores(available: set[int]) -> Cores:
    """The last core for servers, the first for the load, so that neither takes the other's time."""
    if len(available) < 2:
        return Cores(None, None)
    return Cores(server=max(available), load=min(available))


def environment() -> dict[str, str]:
    """The environment of a server: this repository is importable without being installed."""
    paths = [str(ROOT), str(ROOT / "src"), str(ROOT / "src" / "adapters")]
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths + ([inherited] if inherited else []))}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A running contender; use it as a context manager, `pid` and `port` are there inside."""

    def __init__(self, contender: Contender, *, routes: int, python: str, core: int | None) -> None:
        self.port = _free_port()
        self._command = [
            *(python, "-m", f"benchmarks.contenders.{contender.module}"),
            *("--port", str(self.port), "--parent", str(os.getpid()), "--routes", str(routes)),
            *(() if core is None else ("--core", str(core))),
            *contender.options,
        ]
        self._name = contender.name
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed in _end

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._stderr,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C reaches the harness, and the harness ends the server
        )
        try:
            self._wait_until_it_accepts()
        except ContenderError as error:
            self._end()
            raise StartError(str(error)) from error
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def check_alive(self) -> None:
        """raises: ContenderError with the end of its stderr if the process has ended"""
        assert self._process is not None
        status = self._process.poll()
        if status is not None:
            raise ContenderError(f"{self._name} ended with status {status}\n{self._last_words()}")

    def _wait_until_it_accepts(self) -> None:
        give_up = time.monotonic() + START_TIMEOUT
        while time.monotonic() < give_up:
            self.check_alive()
            try:
                socket.create_connection((HOST, self.port), timeout=1.0).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise ContenderError(f"{self._name} accepts no connection after {START_TIMEOUT:g} s\n{self._last_words()}")

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode("utf-8", "replace").splitlines()
        return "\n".join(f"    | {line}" for line in lines[-STDERR_LINES:])

    def _end(self) -> None:
        """SIGKILL: after the last measurement nothing in a server is worth waiting for."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        self._stderr.close()
