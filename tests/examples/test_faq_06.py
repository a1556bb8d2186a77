"""FAQ 6: a WebSocket and a subscription in one handler, with a channel of this process and with a real Redis server."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from examples.faq import faq_06_several_sources as faq
from tests.support.serving import Served, serving
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from sansio_web.testing._peer import until


@dataclass
class Redis:
    """A server of its own for one test."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def cli(self, *words: str) -> str:
        """What the package's own client prints."""
        program = shutil.which("redis-cli")
        assert program, "this test needs redis-cli: apt-get install redis-tools, or your system's way"
        command = [program, "-p", str(self.port), "--raw", *words]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=10).stdout.strip()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A real Redis server on a free port."""
    program = shutil.which("redis-server")
    assert program, "this test needs redis-server: apt-get install redis-server, or your system's way"
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            assert until(lambda: _answers(port)), "the Redis server did not start"
            yield Redis(port, process)
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=1)) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(100).startswith(b"+PONG")
    except OSError:
        return False


@contextmanager
def client(served: Served, path: str) -> Iterator[ClientConnection]:
    with connect(served.url.replace("http", "ws", 1) + path) as connection:
        yield connection


PATHS = ["/chat", "/chat-by-tasks"]


@pytest.mark.parametrize("path", PATHS)
def test_what_one_says_all_hear(runtime: str, path: str) -> None:
    with serving(faq.make_app(), runtime, access_log=None) as served, ExitStack() as stack:
        clients = [stack.enter_context(client(served, path)) for _ in range(3)]
        for number, each in enumerate(clients):
            each.send(f"I am {number}")
            assert [other.recv(timeout=10) for other in clients] == [f"I am {number}"] * 3
        clients.pop().close()
        clients[0].send("still here")
        assert [other.recv(timeout=10) for other in clients] == ["still here"] * 2


@pytest.mark.parametrize("path", PATHS)
def test_the_server_stops_while_both_sources_are_silent(runtime: str, path: str) -> None:
    with ExitStack() as stack:
        with serving(faq.make_app(), runtime, access_log=None) as served:
            talking = stack.enter_context(client(served, path))
            talking.send("x")
            assert talking.recv(timeout=10) == "x"
        with pytest.raises(ConnectionClosed):
            talking.recv(timeout=10)
        assert talking.close_code == 1001


@pytest.mark.parametrize("path", PATHS)
def test_two_servers_share_a_channel_of_redis(runtime: str, path: str, redis: Redis) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving(faq.make_app(faq.RedisChannel(redis.url)), each, access_log=None))
            for each in (runtime, "asyncio")
        ]
        here, there = (stack.enter_context(client(served, path)) for served in servers)
        here.send("grüße")
        assert here.recv(timeout=10) == there.recv(timeout=10) == "grüße"
        assert redis.cli("PUBLISH", "chat", "from elsewhere") == "2"
        assert here.recv(timeout=10) == there.recv(timeout=10) == "from elsewhere"
        here.close()
        assert until(lambda: redis.cli("PUBSUB", "NUMSUB", "chat") == "chat\n1"), "the subscription was left behind"
        there.send("alone")
        assert there.recv(timeout=10) == "alone"


@pytest.mark.parametrize("path", PATHS)
def test_a_redis_server_that_goes_away_ends_the_websocket_with_1011(
    runtime: str, path: str, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    app = faq.make_app(faq.RedisChannel(redis.url))
    with serving(app, runtime, access_log=None) as served, client(served, path) as talking:
        talking.send("x")
        assert talking.recv(timeout=10) == "x"
        redis.process.terminate()
        with pytest.raises(ConnectionClosed):
            talking.recv(timeout=10)
        assert talking.close_code == 1011
    assert "error while handling GET " + path in caplog.text
