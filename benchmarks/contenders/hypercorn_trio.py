"""The raw ASGI application under hypercorn, worker class trio, one worker in this process."""

from functools import partial
from typing import Any, cast

import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from benchmarks.contenders import process, raw_asgi


def main() -> None:
    options = process.start()
    config = Config()
    config.bind = [f"127.0.0.1:{options.port}"]
    config.worker_class = "trio"
    config.accesslog = None
    config.loglevel = "WARNING"
    config.keep_alive_max_requests = 2**62  # its default closes a connection after 1000 requests
    config.keep_alive_timeout = 75
    trio.run(partial(serve, cast(Any, raw_asgi.app), config))


if __name__ == "__main__":
    main()
