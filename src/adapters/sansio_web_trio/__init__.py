"""sansio_web on trio.

`server = await nursery.start(serve, app)`: the server and all its handlers live in that nursery;
`sansio_web.web.run_app(app, runtime="trio")` where trio does not run yet.
"""

from typing import Any

import trio

from sansio_web.hosting import Hosted
from sansio_web.serving import listens, server_options

from ._connection import Connection
from ._listening import Listening
from ._run import Scope, is_running, run, start_server
from ._server import Server

__all__ = ["Connection", "Listening", "Scope", "Server", "is_running", "run", "serve", "start_server"]


async def serve(
    application: Hosted, *, task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED, **options: Any
) -> None:
    """Serve until `server.close()` or cancellation; `nursery.start` returns the server, bound and listening.

    options: `host`, `port`, `path`, `sock`, `ssl_context`, … as `sansio_web.serving.ServeOptions` lists them
    raises: what the application's start-up, listening, or the application's cleanup raised
    """
    where = listens(options)
    server = Server(application, server_options(application, options))
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        try:
            await server.started()
            for each in where:
                await server.listen(each)
        except Exception as error:  # raised below, as it is: a nursery would wrap it
            failure = error
            nursery.cancel_scope.cancel()
        else:
            task_status.started(server)
            await server.ended()
    if failure is not None:
        raise failure
    await server.close()
