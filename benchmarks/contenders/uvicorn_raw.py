"""The raw ASGI application under uvicorn, with httptools or h11, and wsproto for WebSockets."""

from typing import Any

import uvicorn

from benchmarks.contenders import process, raw_asgi


def serve(app: Any, options: process.Options, http: str) -> None:
    """uvicorn with everything off that a plain exchange or echo does not need."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=options.port,
        loop=options.loop,
        http=http,
        ws=options.ws,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    chosen = process.start()
    serve(raw_asgi.app, chosen, chosen.http)
