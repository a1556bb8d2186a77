"""How does the server close a WebSocket from outside of its handler?

Keep the sockets in the application, and call `await ws.close(code=..., message=...)` from wherever you are. The handler
that reads needs nothing for it: its loop ends by itself.

`close` returns when the WebSocket has ended, and after `timeout` seconds at the latest, whatever the client does. Close
several at once, and a dead one delays none of the others. How it went is one value, `ws.ended`: the code, the reason,
who closed it, and whether the client agreed.

Run it: python -m examples.faq.faq_07_close_from_elsewhere [RUNTIME PORT]
"""

import sys
from functools import partial

import anyio

from sansio_web import web

LOGGED_OUT = 4001  # 4000 to 4999 are the application's own
SOCKETS = web.AppKey("SOCKETS", set[web.WebSocketResponse])
USER = web.ResponseKey("USER", str)


async def news(request: web.Request) -> web.WebSocketResponse:
    """A WebSocket of a user."""
    user = request.match_info["user"]
    ws = web.WebSocketResponse(timeout=2.0, heartbeat=30.0)
    await ws.prepare(request)
    ws[USER] = user
    request.app[SOCKETS].add(ws)
    try:
        async for message in ws:
            await ws.send_str(f"{user} said {message.data}")
    finally:
        request.app[SOCKETS].discard(ws)
    return ws


async def logout(request: web.Request) -> web.Response:
    """Close all WebSockets of a user, and tell how that went."""
    user = request.match_info["user"]
    sockets = [ws for ws in request.app[SOCKETS] if ws[USER] == user]

    async with anyio.create_task_group() as tasks:
        for ws in sockets:
            tasks.start_soon(partial(ws.close, code=LOGGED_OUT, message="logged out"))

    ends = [ws.ended for ws in sockets if ws.ended is not None]
    return web.json_response([{"code": end.code, "clean": end.clean, "by": end.by.name} for end in ends])


def make_app() -> web.Application:
    """The application."""
    app = web.Application()
    app[SOCKETS] = set()
    app.add_routes([web.get("/news/{user}", news), web.post("/logout/{user}", logout)])
    return app


if __name__ == "__main__":
    runtime, port = sys.argv[1:] or ("asyncio", "8080")
    web.run_app(make_app(), host="127.0.0.1", port=int(port), runtime=runtime)
