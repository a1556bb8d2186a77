"""python -m examples.demo [--runtime asyncio|uvloop|trio] [--host HOST] [--port PORT] [--database FILE]"""

import argparse
from functools import partial
from pathlib import Path

from sansio_web import web

from .app import DEFAULT_DATABASE, make_app


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description="A shared notebook.")
    parser.add_argument("--runtime", default="asyncio", help="asyncio, uvloop, trio, or an adapter of your own")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0: one that is free")
    parser.add_argument("--database", type=Path, default=DEFAULT_DATABASE, metavar="FILE", help="a SQLite file")
    options = parser.parse_args()
    web.run_app(
        make_app(options.database),
        host=options.host,
        port=options.port,
        runtime=options.runtime,
        print=partial(print, flush=True),
    )


if __name__ == "__main__":
    main()
