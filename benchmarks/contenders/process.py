"""What every server program does first: read its options, pin itself, and tie its life to the harness."""

import argparse
import ctypes
import os
import signal
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Options:
    """port: where to listen on 127.0.0.1; routes: filler routes to register; loop, http, ws: where one chooses"""

    port: int
    routes: int
    loop: str
    http: str
    ws: str


def start() -> Options:
    """Parse the command line of a contender; from here on it runs on its core and dies with its parent."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--core", type=int)
    parser.add_argument("--routes", type=int, default=0)
    parser.add_argument("--loop", default="asyncio")
    parser.add_argument("--http", default="auto")
    parser.add_argument("--ws", default="none")
    args = parser.parse_args()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != args.parent:
        raise SystemExit("the harness is gone")
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    return Options(args.port, args.routes, args.loop, args.http, args.ws)
