"""Starlette with its own router, under uvicorn with httptools."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from benchmarks.contenders import process
from benchmarks.contenders.uvicorn_raw import serve
from benchmarks.scenarios import LARGE_CONTENT, PLAIN_TEXT, dumps, route_path

TEXT = PLAIN_TEXT.decode()


class SharedJSONResponse(JSONResponse):
    """Everybody's encoder instead of Starlette's own call, which builds an encoder each time."""

    def render(self, content: Any) -> bytes:
        return dumps(content).encode()


async def plaintext(request: Request) -> Response:
    return PlainTextResponse(TEXT)


async def user(request: Request) -> Response:
    return SharedJSONResponse({"id": request.path_params["id"]})


async def filler(request: Request) -> Response:
    return PlainTextResponse(request.path_params.get("name", ""))


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


async def large(request: Request) -> Response:
    return Response(LARGE_CONTENT, media_type="application/octet-stream")


def application(routes: int) -> Starlette:
    own = [
        Route("/plaintext", plaintext),
        Route("/user/{id}", user),
        Route("/echo", echo, methods=["POST"]),
        Route("/large", large),
    ]
    return Starlette(routes=own + [Route(route_path(index), filler) for index in range(routes)])


if __name__ == "__main__":
    chosen = process.start()
    serve(application(chosen.routes), chosen, "httptools")
