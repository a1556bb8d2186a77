"""A program of this repository as its users start it: in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Program:
    """One that serves, and the address that it printed."""

    process: subprocess.Popen[str]
    url: str

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; returns how it ended, within five seconds, and what else it said."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=5)
        assert self.process.stdout is not None
        return code, self.process.stdout.read()


@contextmanager
def program(module: str, *arguments: str, folder: Path) -> Iterator[Program]:
    """`python -m module` in `folder`, from when it says where it serves."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        too_late = threading.Timer(20, process.kill)
        too_late.start()
        try:
            said = ""
            while (address := re.search(r"http://127\.0\.0\.1:[1-9]\d*", said)) is None:
                line = process.stdout.readline()
                assert line, f"it ended, or took too long, and said: {said}"
                said += line
            too_late.cancel()
            yield Program(process, address[0])
        finally:
            too_late.cancel()
            process.kill()
