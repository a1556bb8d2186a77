"""What is trio's own: `nursery.start(serve)`, nurseries across a cleanup context, cancellation, runners."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

import sansio_web_trio
from sansio_web import web


def app_of(told: list[str], work: Callable[[], Awaitable[None]] | None = None) -> web.Application:
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
        except trio.Cancelled:
            told.append("cancelled")
            raise
        return web.Response(text="hello")

    app = web.Application()
    app.cleanup_ctx.append(context)
    app.router.add_get("/", handler)
    return app


async def fetch(address: Any) -> str:
    """With httpx's client, in the same trio."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://{address[0]}:{address[1]}/")).text


def test_nursery_start_gives_a_server_that_listens() -> None:
    told: list[str] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            server = await nursery.start(
                lambda **kw: sansio_web_trio.serve(app_of(told), host="127.0.0.1", port=0, **kw)
            )
            assert sansio_web_trio.is_running()
            assert await fetch(server.addresses[0]) == "hello"
            await server.close()
        with pytest.raises(OSError, match="failed"):
            await trio.open_tcp_stream(*server.addresses[0])

    trio.run(main)
    assert told == ["entered", "request", "left"]


def test_cancelling_the_nursery_ends_handlers_at_once_and_cleans_up() -> None:
    told: list[str] = []

    async def main() -> None:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                server = await nursery.start(
                    lambda **kw: sansio_web_trio.serve(app_of(told, trio.sleep_forever), host="127.0.0.1", port=0, **kw)
                )
                async with await trio.open_tcp_stream(*server.addresses[0]) as stream:
                    await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    while "request" not in told:
                        await trio.sleep(0.005)
                    nursery.cancel_scope.cancel()

    trio.run(main)
    assert told == ["entered", "request", "cancelled", "left"]


def test_what_start_up_raises_comes_out_as_it_is() -> None:
    async def fails(app: web.Application) -> None:
        raise LookupError("meant")

    async def main() -> None:
        app = web.Application()
        app.on_startup.append(fails)
        with pytest.raises(LookupError, match="meant"):
            await sansio_web_trio.serve(app, port=0)

    trio.run(main)


def test_what_cleanup_raises_comes_out_as_it_is() -> None:
    async def fails(app: web.Application) -> None:
        raise LookupError("meant")

    async def main() -> None:
        app = web.Application()
        app.on_cleanup.append(fails)

        async def serve_and_close() -> None:
            async with trio.open_nursery() as nursery:
                server = await nursery.start(lambda **kw: sansio_web_trio.serve(app, port=0, **kw))
                with pytest.raises(LookupError, match="meant"):
                    await server.close()

        with pytest.raises(ExceptionGroup) as caught:
            await serve_and_close()
        assert caught.group_contains(LookupError, match="meant")

    trio.run(main)


def test_a_listener_that_cannot_be_bound_ends_the_server() -> None:
    told: list[str] = []

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
            await sansio_web_trio.serve(app_of(told), host="127.0.0.1", port=taken.getsockname()[1])

    trio.run(main)
    assert told == ["entered", "left"]


def test_a_nursery_lives_across_the_yield_of_a_cleanup_context() -> None:
    told: list[str] = []

    async def ticks(app: web.Application) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            yield
            nursery.cancel_scope.cancel()
        told.append("nursery closed")

    async def tick() -> None:
        while True:
            told.append("tick")
            await trio.sleep(0.001)

    async def main() -> None:
        app = app_of(told, lambda: trio.sleep(0.02))
        app.cleanup_ctx.append(ticks)
        async with trio.open_nursery() as nursery:
            server = await nursery.start(lambda **kw: sansio_web_trio.serve(app, host="127.0.0.1", port=0, **kw))
            assert await fetch(server.addresses[0]) == "hello"
            await server.close()

    trio.run(main)
    assert told.count("tick") > 2
    assert told[-2:] == ["nursery closed", "left"]


@pytest.mark.parametrize("policy", ["ignore", "cancel"])
def test_a_handler_may_open_nurseries_and_scopes_wherever_it_runs(policy: str) -> None:
    """Its first step runs in the task that reads, and the rest stays there."""
    told: list[str] = []

    async def work() -> None:
        with trio.move_on_after(0.01) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 0)
                await trio.sleep_forever()
        assert scope.cancelled_caught
        with trio.fail_after(5):
            await trio.sleep(0)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            server = await nursery.start(
                lambda **kw: sansio_web_trio.serve(
                    app_of(told, work), host="127.0.0.1", port=0, on_disconnect=policy, **kw
                )
            )
            for _ in range(3):
                assert await fetch(server.addresses[0]) == "hello"
            await server.close()

    trio.run(main)


def test_runner_and_sites(tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "web.sock"

    async def main() -> None:
        given = socket.create_server(("127.0.0.1", 0))
        runner = web.AppRunner(app_of(told), access_log=None)
        await runner.setup()
        tcp, unix = web.TCPSite(runner, "127.0.0.1", 0), web.UnixSite(runner, path)
        sock = web.SockSite(runner, given)
        for site in (tcp, unix, sock):
            await site.start()
        assert runner.sites == {tcp, unix, sock}
        for address in (tcp.addresses[0], sock.addresses[0]):
            assert await fetch(address) == "hello"
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as client:
            assert (await client.get("http://localhost/")).text == "hello"
        await tcp.stop()
        with pytest.raises(httpx.ConnectError):
            await fetch(("127.0.0.1", tcp.port))
        assert await fetch(sock.addresses[0]) == "hello"
        await runner.cleanup()
        await runner.cleanup()
        assert not path.exists()

    trio.run(main)
    assert (told[0], told[-1]) == ("entered", "left")
