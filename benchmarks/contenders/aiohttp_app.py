"""aiohttp's server with its own router, on uvloop or asyncio."""

import asyncio

from aiohttp import web

from benchmarks.contenders import process
from benchmarks.scenarios import ECHO_PATH, LARGE_CONTENT, PLAIN_TEXT, dumps, route_path

TEXT = PLAIN_TEXT.decode()


async def plaintext(request: web.Request) -> web.Response:
    return web.Response(text=TEXT)


async def user(request: web.Request) -> web.Response:
    return web.json_response({"id": request.match_info["id"]}, dumps=dumps)


async def filler(request: web.Request) -> web.Response:
    return web.Response(text=request.match_info.get("name", ""))


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), content_type="application/octet-stream")


async def large(request: web.Request) -> web.Response:
    return web.Response(body=LARGE_CONTENT, content_type="application/octet-stream")


async def echo_messages(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        if message.type is web.WSMsgType.TEXT:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
    return ws


def application(routes: int) -> web.Application:
    app = web.Application()
    app.router.add_get("/plaintext", plaintext)
    app.router.add_get("/user/{id}", user)
    app.router.add_post("/echo", echo)
    app.router.add_get("/large", large)
    app.router.add_get(ECHO_PATH, echo_messages)
    for index in range(routes):
        app.router.add_get(route_path(index), filler)
    return app


def main() -> None:
    options = process.start()
    loop: asyncio.AbstractEventLoop
    if options.loop == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    web.run_app(
        application(options.routes),
        host="127.0.0.1",
        port=options.port,
        access_log=None,
        print=None,
        loop=loop,
    )


if __name__ == "__main__":
    main()
