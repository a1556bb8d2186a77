"""What is asyncio's and uvloop's own: `async with serve`, cancellation, runners and sites in a loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvloop

import sansio_web_asyncio
import sansio_web_uvloop
from sansio_web import web
from sansio_web.limits import Limits

pytestmark = pytest.mark.parametrize("runtime", ["asyncio", "uvloop"])


def run(runtime: str, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In a loop of that runtime."""
    factory = uvloop.new_event_loop if runtime == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
        assert len(asyncio.all_tasks(runner.get_loop())) == 0


def app_of(told: list[str], work: Callable[[], Coroutine[Any, Any, None]] | None = None) -> web.Application:
    """It tells of its life; `work` is done before the answer."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        told.append("entered")
        yield
        told.append("left")

    async def handler(request: web.Request) -> web.Response:
        told.append("request")
        try:
            if work is not None:
                await work()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        return web.Response(text="hello")

    app = web.Application()
    app.cleanup_ctx.append(context)
    app.router.add_get("/", handler)
    return app


async def fetch(url: str) -> str:
    """With aiohttp's client, in the same loop."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


def test_serve_lasts_as_long_as_its_block(runtime: str) -> None:
    told: list[str] = []
    module = sansio_web_uvloop if runtime == "uvloop" else sansio_web_asyncio

    async def main() -> None:
        async with module.serve(app_of(told), host="127.0.0.1", port=0, access_log=None) as server:
            assert module.is_running()
            (address,) = server.addresses
            assert await fetch(f"http://127.0.0.1:{address[1]}/") == "hello"
            told.append("block")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)

    run(runtime, main)
    assert told == ["entered", "request", "block", "left"]


def test_serve_beside_other_tasks_and_an_error_of_the_block_passes_through(runtime: str) -> None:
    told: list[str] = []

    async def main() -> None:
        with pytest.raises(LookupError):
            async with sansio_web_asyncio.serve(app_of(told), port=0, access_log=None):
                raise LookupError("meant")

    run(runtime, main)
    assert told == ["entered", "left"]


def test_cancelling_the_block_cleans_up(runtime: str) -> None:
    told: list[str] = []

    async def serve(started: asyncio.Event) -> None:
        async with sansio_web_asyncio.serve(app_of(told), port=0, access_log=None):
            started.set()
            await asyncio.sleep(3600)

    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(serve(started))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(runtime, main)
    assert told == ["entered", "left"]


def test_cancelling_a_stop_makes_it_hurry(runtime: str) -> None:
    told: list[str] = []

    async def work() -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        app = app_of(told, work)
        asked = asyncio.Event()

        async def body() -> None:
            options: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "limits": Limits(linger_timeout=0.1)}
            async with sansio_web_asyncio.serve(app, **options) as server:
                started.set_result(server.addresses[0])
                await asked.wait()

        task = asyncio.create_task(body())
        _, writer = await asyncio.open_connection(*await started)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while "request" not in told:
            await asyncio.sleep(0.005)
        asked.set()
        await asyncio.sleep(0.05)
        assert told == ["entered", "request"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 3)
        writer.close()

    run(runtime, main)
    assert told == ["entered", "request", "cancelled", "left"]


def test_a_start_that_is_cancelled_leaves_what_it_entered(runtime: str) -> None:
    told: list[str] = []

    async def never(app: web.Application) -> None:
        told.append("starting")
        await asyncio.sleep(3600)

    async def main() -> None:
        app = app_of(told)
        app.on_startup.append(never)

        async def body() -> None:
            async with sansio_web_asyncio.serve(app, port=0):
                raise AssertionError("it never starts")

        task = asyncio.create_task(body())
        while "starting" not in told:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(runtime, main)
    assert told == ["entered", "starting", "left"]


def test_runner_and_sites(runtime: str, tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "web.sock"

    async def main() -> None:
        given = socket.create_server(("127.0.0.1", 0))
        runner = web.AppRunner(app_of(told), access_log=None)
        with pytest.raises(RuntimeError, match="setup"):
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        await runner.setup()
        assert told == ["entered"]
        sites = [
            web.TCPSite(runner, "127.0.0.1", 0),
            web.UnixSite(runner, path),
            web.SockSite(runner, given),
        ]
        for site in sites:
            await site.start()
        tcp, unix, sock = sites
        assert tcp.name.startswith("http://127.0.0.1:")
        assert unix.name == f"http://unix:{path}:"
        assert runner.sites == set(sites)
        assert len(runner.addresses) == 3
        for site in (tcp, sock):
            assert await fetch(site.name) == "hello"
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session:
            response = await session.get("http://localhost/")
            assert await response.text() == "hello"
        await tcp.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await fetch(f"http://127.0.0.1:{tcp.port}/")
        assert await fetch(sock.name) == "hello"
        await runner.cleanup()
        await runner.cleanup()
        assert not path.exists()

    run(runtime, main)
    assert (told[0], told[-1], set(told[1:-1])) == ("entered", "left", {"request"})


def test_two_servers_in_one_loop_know_nothing_of_each_other(runtime: str) -> None:
    first: list[str] = []
    second: list[str] = []

    async def main() -> None:
        async with sansio_web_asyncio.serve(app_of(first), host="127.0.0.1", port=0) as one:
            async with sansio_web_asyncio.serve(app_of(second), host="127.0.0.1", port=0) as two:
                assert await fetch(f"http://127.0.0.1:{two.addresses[0][1]}/") == "hello"
            assert await fetch(f"http://127.0.0.1:{one.addresses[0][1]}/") == "hello"

    run(runtime, main)
    assert first == second == ["entered", "request", "left"]


def test_a_handler_may_start_tasks_and_outlive_them(runtime: str) -> None:
    told: list[str] = []

    async def work() -> None:
        async with asyncio.TaskGroup() as group, asyncio.timeout(5):
            group.create_task(asyncio.sleep(0.001))
            assert asyncio.current_task() is not None

    async def main() -> None:
        async with sansio_web_asyncio.serve(app_of(told, work), host="127.0.0.1", port=0) as server:
            assert await fetch(f"http://127.0.0.1:{server.addresses[0][1]}/") == "hello"

    run(runtime, main)
    assert told == ["entered", "request", "left"]
