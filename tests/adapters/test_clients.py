"""Clients that know nothing of this library, against one application, on each runtime."""

import asyncio
import http.client
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest
from tests.support.serving import Served, serving

from sansio_web import web
from sansio_web.testing import ThreadedServer
from sansio_web.testing._contract_tls import contexts

MEGABYTE = b"0123456789abcdef" * 65_536


def application() -> web.Application:
    """What the clients ask for."""
    routes = web.RouteTableDef()

    @routes.get("/text")
    async def text(request: web.Request) -> web.Response:
        return web.Response(text="grüße", headers={"X-Method": request.method})

    @routes.post("/echo")
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read(), content_type="application/octet-stream")

    @routes.post("/stream")
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for piece in request.content.iter_any():
            await response.write(piece)
        return response

    @routes.post("/form")
    async def form(request: web.Request) -> web.Response:
        return web.json_response(dict(await request.post()))

    @routes.get("/large")
    async def large(request: web.Request) -> web.Response:
        return web.Response(body=MEGABYTE)

    @routes.get("/moved")
    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/text")

    @routes.get("/cookies")
    async def cookies(request: web.Request) -> web.Response:
        response = web.json_response(dict(request.cookies))
        response.set_cookie("seen", "yes")
        return response

    @routes.delete("/nothing")
    async def nothing(request: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application(client_max_size=4 * len(MEGABYTE))
    app.add_routes(routes)
    return app


@pytest.fixture
def served(runtime: str) -> Iterator[Served]:
    """The application on a runtime."""
    with serving(application(), runtime, access_log=None) as server:
        yield server


def curl(*arguments: str, data: bytes = b"") -> bytes:
    """What curl prints."""
    program = shutil.which("curl")
    assert program, "this test needs curl: apt-get install curl, or your system's way"
    command = [program, "--silent", "--show-error", "--max-time", "10", "--noproxy", "*", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def test_curl_gets_text_and_head(served: Served) -> None:
    assert curl(served.url + "/text").decode() == "grüße"
    head = curl("--head", served.url + "/text")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Length: 7\r\n" in head
    assert b"\r\nX-Method: HEAD\r\n" in head


def test_curl_keeps_one_connection_for_several_requests(served: Served) -> None:
    url = served.url
    assert curl("--write-out", "%{num_connects}", url + "/text", url + "/text").decode() == "grüße1grüße0"


def test_curl_uploads_with_expectation_length_and_chunks(served: Served) -> None:
    for field in ("Expect: 100-continue", "X-None: 1", "Transfer-Encoding: chunked"):
        out = curl("--data-binary", "@-", "--header", field, served.url + "/echo", data=MEGABYTE)
        assert out == MEGABYTE, field


def test_curl_sends_forms_follows_redirects_and_speaks_1_0(served: Served) -> None:
    out = curl("--data-urlencode", "name=grüße & mehr", served.url + "/form")
    assert json.loads(out) == {"name": "grüße & mehr"}
    assert curl("--location", served.url + "/moved").decode() == "grüße"
    assert curl("--http1.0", served.url + "/large") == MEGABYTE
    code = curl("--request", "DELETE", "--write-out", "%{http_code}", served.url + "/nothing")
    assert code == b"204"


def test_curl_over_a_unix_socket(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with ThreadedServer(application(), runtime=runtime, path=str(path), access_log=None):
        assert curl("--unix-socket", str(path), "http://localhost/text").decode() == "grüße"


def test_aiohttps_client(served: Served) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession(served.url) as session:
            async with session.get("/text") as response:
                assert (response.status, await response.text()) == (200, "grüße")
            async with session.post("/echo", data=MEGABYTE) as response:
                assert await response.read() == MEGABYTE
            async with session.post("/stream", data=pieces()) as response:
                assert await response.read() == MEGABYTE
            async with session.post("/form", data={"a": "1"}) as response:
                assert await response.json() == {"a": "1"}
            async with session.get("/moved") as response:
                assert (response.url.path, response.status) == ("/text", 200)
            async with session.get("/missing") as response:
                assert response.status == 404
            both = await asyncio.gather(*(fetch(session) for _ in range(20)))
            assert set(both) == {MEGABYTE}

    async def fetch(session: aiohttp.ClientSession) -> bytes:
        async with session.get("/large") as response:
            return await response.read()

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(MEGABYTE), 100_000):
            yield MEGABYTE[at : at + 100_000]

    asyncio.run(main())


def test_httpx(served: Served) -> None:
    with httpx.Client(base_url=served.url) as client:
        assert client.get("/text").text == "grüße"
        assert client.post("/echo", content=MEGABYTE).content == MEGABYTE
        parts = (MEGABYTE[at : at + 100_000] for at in range(0, len(MEGABYTE), 100_000))
        assert client.post("/stream", content=parts).content == MEGABYTE
        assert client.post("/form", data={"a": "1"}).json() == {"a": "1"}
        assert client.get("/cookies").json() == {}
        assert client.get("/cookies").json() == {"seen": "yes"}
        assert client.delete("/nothing").status_code == 204
        assert client.head("/large").headers["content-length"] == str(len(MEGABYTE))
        assert client.get("/text").text == "grüße"


def test_http_client(served: Served) -> None:
    connection = http.client.HTTPConnection(served.host, served.port, timeout=10)
    try:
        connection.request("GET", "/text")
        first = connection.getresponse()
        assert (first.status, first.version, first.read().decode()) == (200, 11, "grüße")
        connection.request("POST", "/stream", iter([b"one", b"two"]), encode_chunked=True)
        assert connection.getresponse().read() == b"onetwo"
        connection.request("HEAD", "/large")
        assert connection.getresponse().read() == b""
        connection.request("DELETE", "/nothing")
        assert connection.getresponse().read() == b""
        connection.request("GET", "/large")
        assert connection.getresponse().read() == MEGABYTE
    finally:
        connection.close()


def test_tls_clients(runtime: str) -> None:
    of_server, of_client = contexts()
    of_client.set_alpn_protocols(["http/1.1"])
    with serving(application(), runtime, ssl_context=of_server, access_log=None) as served:
        url = f"https://localhost:{served.port}"
        with httpx.Client(base_url=url, verify=of_client) as client:
            assert client.get("/text").text == "grüße"
            assert client.post("/echo", content=MEGABYTE).content == MEGABYTE
        connection = http.client.HTTPSConnection("localhost", served.port, timeout=10, context=of_client)
        connection.request("GET", "/large", headers={"Connection": "close"})
        assert connection.getresponse().read() == MEGABYTE
        connection.close()
        assert curl("--insecure", url + "/text").decode() == "grüße"

        async def main() -> None:
            async with aiohttp.ClientSession(url) as session:
                response = await session.get("/large", ssl=of_client)
                assert await response.read() == MEGABYTE

        asyncio.run(main())


def test_a_route_has_its_own_limit_of_content(runtime: str) -> None:
    """What is streamed beyond it is refused with 413; a route without one takes the same content."""

    async def count(request: web.Request) -> web.Response:
        if request.path == "/small":
            request.limit_content(10)
        seen = 0
        async for piece in request.content.iter_any():
            seen += len(piece)
        return web.Response(text=str(seen))

    app = web.Application()
    app.router.add_post("/small", count)
    app.router.add_post("/large", count)
    with ThreadedServer(app, runtime=runtime) as server, httpx.Client(base_url=server.url) as client:
        for sized in (True, False):
            content = b"x" * 11 if sized else iter([b"x" * 6, b"x" * 5])
            assert client.post("/small", content=content).status_code == 413
            assert client.post("/small", content=b"x" * 10).text == "10"
            assert client.post("/large", content=b"x" * 11).text == "11"
