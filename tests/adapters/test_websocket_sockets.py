"""WebSockets over real sockets: independent clients, many tasks, a server that stops, on each runtime."""

import asyncio
import resource
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import aiohttp
import anyio
import httpx
import pytest
from tests.support import ws_frames as wsf
from tests.support.serving import Served, serving
from tests.support.ws_frames import Frame
from tests.support.ws_peer import WSPeer, ws_peer
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sansio_web import web
from sansio_web.testing._contract_tls import contexts
from sansio_web.testing._peer import until

SOCKETS = 1000


class Log(list[Any]):
    """What handlers note; the test waits for it."""

    def has(self, *items: Any) -> bool:
        return until(lambda: self == list(items))


async def echo(request: web.Request) -> web.StreamResponse:
    ws = web.WebSocketResponse(protocols=("echo",), heartbeat=30.0)
    await ws.prepare(request)
    async for message in ws:
        if message.type is web.WSMsgType.TEXT:
            await ws.send_str(message.data)
        elif message.type is web.WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws


async def alive(request: web.Request) -> web.Response:
    return web.Response(text="alive")


def app_of(handler: Any = echo) -> web.Application:
    app = web.Application()
    app.add_routes([web.get("/ws", handler), web.get("/alive", alive)])
    return app


@contextmanager
def connected(served: Served, **options: Any) -> Iterator[ClientConnection]:
    """The client of the package `websockets`."""
    with connect(served.url.replace("http", "ws", 1) + "/ws", **options) as client:
        yield client


# -- independent clients -----------------------------------------------------------------------------------------------


def test_websockets_echoes_text_bytes_fragments_and_megabytes(runtime: str) -> None:
    with (
        serving(app_of(), runtime, access_log=None) as served,
        connected(served, subprotocols=["x", "echo"], max_size=None) as client,
    ):
        assert client.subprotocol == "echo"
        large = b"0123456789abcdef" * 200_000
        for message in ("", "grüße", b"", b"\0\xff", "x" * 125, "x" * 126, "x" * 65_536, large):
            client.send(message)
            assert client.recv(timeout=10) == message
        client.send(["frag", "ments", ""])
        assert client.recv(timeout=10) == "fragments"
        assert client.ping("are you there").wait(10)
        client.close(4001, "enough")
        assert (client.close_code, client.close_reason) == (4001, "enough")


def test_websockets_without_compression_and_with_a_wrong_path(runtime: str) -> None:
    with serving(app_of(), runtime, access_log=None) as served:
        with connected(served, compression=None) as client:
            client.send("plain")
            assert client.recv(timeout=10) == "plain"
        with pytest.raises(InvalidStatus, match="404"), connect(served.url.replace("http", "ws") + "/nowhere"):
            pass


def test_aiohttps_client_echoes_with_and_without_compression(runtime: str) -> None:
    async def main(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            for compress in (0, 15):
                async with session.ws_connect(url + "/ws", compress=compress, protocols=("echo",)) as ws:
                    assert (ws.protocol, ws.compress) == ("echo", compress)
                    for count in (0, 1, 125, 70_000):
                        await ws.send_str("ü" * count)
                        assert await ws.receive_str() == "ü" * count
                        await ws.send_bytes(b"\0" * count)
                        assert await ws.receive_bytes() == b"\0" * count
                    await ws.send_json({"a": [1]})
                    assert await ws.receive_json() == {"a": [1]}
                    await ws.close(code=4000, message=b"bye")
                    assert ws.close_code == 4000

    with serving(app_of(), runtime, access_log=None) as served:
        asyncio.run(main(served.url))


def test_over_tls(runtime: str) -> None:
    server_context, client_context = contexts()
    with serving(app_of(), runtime, access_log=None, ssl_context=server_context) as served:
        url = served.url.replace("https://127.0.0.1", "wss://localhost")
        with connect(
            url + "/ws", ssl=client_context, sock=socket.create_connection((served.host, served.port))
        ) as client:
            client.send("x" * 100_000)
            assert client.recv(timeout=10) == "x" * 100_000
        assert (client.close_code, client.close_reason) == (1000, "")


def test_a_handler_that_fails_closes_with_1011(runtime: str, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        raise ValueError(await ws.receive_str())

    with serving(app_of(handler), runtime, access_log=None) as served, connected(served) as client:
        client.send("boom")
        with pytest.raises(ConnectionClosedError) as caught:
            client.recv(timeout=10)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1011
    assert "ValueError: boom" in caplog.text


# -- many tasks --------------------------------------------------------------------------------------------------------


def test_many_tasks_send_whole_messages_until_another_closes(runtime: str) -> None:
    refused = Log()

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)

        async def send(letter: str) -> None:
            try:
                while True:
                    await ws.send_str(letter * 10_000)
                    await anyio.sleep(0)
            except ConnectionResetError:
                refused.append(letter)

        async with anyio.create_task_group() as tasks:
            for letter in "abcdefgh":
                tasks.start_soon(send, letter)
            await ws.receive()
            assert await ws.close(code=4000)
        return ws

    with serving(app_of(handler), runtime, access_log=None) as served, ws_peer(served) as client:
        seen: set[str] = set()
        for _ in range(100):
            message = client.text()
            assert message == message[:1] * 10_000, "frames of two messages were mixed"
            seen.add(message[:1])
        assert seen == set("abcdefgh")
        client.send(wsf.text("enough"))
        while (last := client.frame()) is not None and last.opcode == wsf.TEXT:
            assert last.payload == last.payload[:1] * 10_000
        assert last == Frame(wsf.CLOSE, b"\x0f\xa0")
        client.send(wsf.close(4000))
        assert client.frame() is None
        assert until(lambda: sorted(refused) == list("abcdefgh"))


def test_a_peer_that_takes_nothing_slows_its_own_senders_only(runtime: str) -> None:
    sent = [0]

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=0.5)
        await ws.prepare(request)
        if "fast" in request.query:
            return await echo_of(ws)
        try:
            while True:
                await ws.send_bytes(b"x" * 65_536)
                sent[0] += 65_536
        except ConnectionResetError:
            return ws

    async def echo_of(ws: web.WebSocketResponse) -> web.StreamResponse:
        async for message in ws:
            await ws.send_str(message.data)
        return ws

    with serving(app_of(handler), runtime, access_log=None) as served, ws_peer(served) as slow:
        assert until(lambda: sent[0] > 0)
        with ws_peer(served, "/ws?fast") as fast:
            before = -1
            while before != sent[0]:
                before = sent[0]
                fast.send(wsf.text("quick"))
                assert fast.frame() == Frame(wsf.TEXT, b"quick")
                time.sleep(0.05)
        assert sent[0] < 32_000_000  # what the kernel takes, and no more
        slow.sock.close()


def test_one_task_closes_while_another_receives(runtime: str) -> None:
    log = Log()
    sockets: list[web.WebSocketResponse] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=0.5)
        await ws.prepare(request)
        sockets.append(ws)
        async for _ in ws:
            pass
        log.append("the loop ended")
        return ws

    async def logout(request: web.Request) -> web.Response:
        ws = sockets.pop()
        began = time.monotonic()
        assert await ws.close(code=4001, message=b"logged out")
        assert ws.ended is not None
        return web.json_response([ws.ended.code, ws.ended.clean, time.monotonic() - began])

    app = app_of(handler)
    app.router.add_get("/logout", logout)
    with serving(app, runtime, access_log=None) as served:
        with connected(served) as client:
            code, clean, took = httpx.get(served.url + "/logout").json()
            assert (code, clean) == (4001, True)
            assert took < 0.4
            with pytest.raises(ConnectionClosed):
                client.recv(timeout=10)
            assert (client.close_code, client.close_reason) == (4001, "logged out")
        with ws_peer(served):  # which answers nothing
            code, clean, took = httpx.get(served.url + "/logout").json()
            assert (code, clean) == (1006, False)
            assert 0.5 <= took < 1.5
        assert log.has("the loop ended", "the loop ended")


# -- what the end does to a handler that waits for something else ------------------------------------------------------


@pytest.mark.parametrize("end", ["reset", "eof", "Close", "closed here"])
@pytest.mark.parametrize("policy", ["cancel", "ignore"])
def test_the_disconnect_policy(runtime: str, policy: str, end: str) -> None:
    log = Log()
    sockets: list[web.WebSocketResponse] = []
    go_on = threading.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        sockets.append(ws)
        try:
            while not go_on.is_set():
                await anyio.sleep(0.01)
            async for _ in ws:
                pass
            log.append("the loop ended")
        except anyio.get_cancelled_exc_class():
            log.append("cancelled")
            raise
        return ws

    async def close(request: web.Request) -> web.Response:
        await sockets[0].close()
        return web.Response()

    app = app_of(handler)
    app.router.add_get("/close", close)
    with serving(app, runtime, access_log=None, on_disconnect=policy) as served, ws_peer(served) as client:
        assert until(lambda: sockets)
        match end:
            case "reset":
                client.reset()
            case "eof":
                client.sock.shutdown(socket.SHUT_WR)
            case "Close":
                client.send(wsf.close())
                assert client.frame() == Frame(wsf.CLOSE, b"\x03\xe8")
                client.sock.close()
            case _:
                client.answers()
                assert httpx.get(served.url + "/close").status_code == 200
        if policy == "ignore":
            assert until(lambda: sockets[0].ended is not None)
            assert log == []
            go_on.set()
        assert log.has("cancelled" if policy == "cancel" else "the loop ended")
        assert httpx.get(served.url + "/alive").text == "alive"


# -- the server stops --------------------------------------------------------------------------------------------------


@pytest.fixture
def many_files() -> Iterator[None]:
    """Both ends of all sockets are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 3 * SOCKETS)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def crowd(served: Served, stack: ExitStack) -> list[WSPeer]:
    """So many clients, each opened."""
    peers: list[WSPeer] = []
    for _ in range(SOCKETS):
        sock = stack.enter_context(socket.create_connection((served.host, served.port), timeout=20))
        sock.sendall(wsf.opening())
        peers.append(WSPeer(sock))
    for each in peers:
        assert each.head()[0] == 101
    return peers


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("answering", [True, False], ids=["all answer", "nobody answers"])
def test_a_stop_tells_1001_to_a_thousand_and_ends_within_its_bound(runtime: str, answering: bool) -> None:
    left = [0]

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=10.0 if answering else 1.0)
        await ws.prepare(request)
        async for _ in ws:
            pass
        left[0] += 1
        return ws

    told: list[int] = []
    began: list[float] = []
    with ExitStack() as stack:
        with serving(app_of(handler), runtime, access_log=None, backlog=1024) as served:
            peers = crowd(served, stack)
            client = threading.Thread(target=hear, args=(peers, told, answering))
            client.start()
            began.append(time.monotonic())
        took = time.monotonic() - began[0]
        client.join(20)
    assert told == [1001] * SOCKETS
    assert left == [SOCKETS]
    assert took < 8.0


def hear(peers: list[WSPeer], told: list[int], answering: bool) -> None:
    """Read each socket to its Close, and answer that."""
    with selectors.DefaultSelector() as selector:
        for each in peers:
            selector.register(each.sock, selectors.EVENT_READ, each)
        for _ in peers:
            key, _ = selector.select(20)[0]
            last = key.data.frame()
            selector.unregister(key.fileobj)
            if last is None:
                continue
            told.append(last.code)
            if answering:
                key.data.send(wsf.close(last.code))
                key.data.sock.shutdown(socket.SHUT_WR)


def test_sockets_may_be_closed_in_on_shutdown(runtime: str) -> None:
    sockets = web.AppKey("sockets", set[web.WebSocketResponse])

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        request.app[sockets].add(ws)
        try:
            async for _ in ws:
                pass
        finally:
            request.app[sockets].discard(ws)
        return ws

    async def shutdown(app: web.Application) -> None:
        for ws in set(app[sockets]):
            await ws.close(code=web.WSCloseCode.SERVICE_RESTART, message="back soon")

    app = app_of(handler)
    app[sockets] = set()
    app.on_shutdown.append(shutdown)
    with ExitStack() as stack:
        with serving(app, runtime, access_log=None) as served:
            clients = [stack.enter_context(connected(served)) for _ in range(3)]
            assert until(lambda: len(app[sockets]) == 3)
        for client in clients:
            with pytest.raises((ConnectionClosedOK, ConnectionClosedError)):
                client.recv(timeout=10)
            assert (client.close_code, client.close_reason) == (1012, "back soon")


# -- merged ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["Close", "reset", "server stop"])
def test_a_websocket_merged_with_a_source_of_the_runtimes_own(runtime: str, end: str) -> None:
    log = Log()

    async def ticks() -> Any:
        try:
            for count in range(1_000_000):
                yield count
                with anyio.fail_after(10):
                    await anyio.sleep(0.01)
        except anyio.get_cancelled_exc_class():
            log.append("cancelled")
            raise
        finally:
            log.append("source left")

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async with web.merged(ws, ticks()) as items:
            async for origin, item in items:
                await ws.send_str(item.data if origin is ws else f"tick {item}")
        log.append("block left")
        return ws

    with ws_peer_of(app_of(handler), runtime) as (served, client):
        assert [client.text() for _ in range(3)] == ["tick 0", "tick 1", "tick 2"]
        client.send(wsf.text("hello"))
        assert until(lambda: client.text() == "hello")
        if end == "Close":
            client.send(wsf.close())
        elif end == "reset":
            client.reset()
        if end != "server stop":
            assert until(lambda: len(log) == 3)
            assert httpx.get(served.url + "/alive").text == "alive"
    assert log in (["cancelled", "source left", "block left"], ["source left", "block left"])


@contextmanager
def ws_peer_of(app: web.Application, runtime: str) -> Iterator[tuple[Served, WSPeer]]:
    with serving(app, runtime, access_log=None) as served, ws_peer(served, answering=True) as client:
        yield served, client
