"""sansio_web on asyncio.

`async with serve(app, port=0) as server:` inside a running loop; `sansio_web.web.run_app(app)`
where there is none yet.
"""

from contextlib import AbstractAsyncContextManager
from typing import Any

from sansio_web.hosting import Hosted
from sansio_web.serving import listens, server_options

from ._connection import Connection
from ._run import Scope, is_running, run
from ._server import Listening, Server, serving, start_server

__all__ = ["Connection", "Listening", "Scope", "Server", "is_running", "run", "serve", "start_server"]


def serve(application: Hosted, **options: Any) -> AbstractAsyncContextManager[Server]:
    """Serve for as long as the block lasts; inside, `server.addresses` are bound, and it takes no signals.

    options: `host`, `port`, `path`, `sock`, `ssl_context`, … as `sansio_web.serving.ServeOptions` lists them
    """
    return serving(application, server_options(application, options), listens(options))
