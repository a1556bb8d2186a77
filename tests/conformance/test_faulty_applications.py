"""Applications that are wrong, over real sockets on each runtime: what is on the wire is still HTTP.

h11 in the client's role reads every byte. A response that lacks something never looks finished: h11 raises
at the end of the stream, or the connection was reset.
"""

import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import h11
import pytest

from sansio_web import web
from sansio_web.limits import Limits
from sansio_web.testing import ThreadedServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Reading:
    """What h11 made of one exchange. complete: it saw the end of the message."""

    status: int | None = None
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytes = b""
    complete: bool = False


class Client:
    """One connection, read by h11."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(5)
        self.sock = sock
        self.reader = h11.Connection(h11.CLIENT)

    def exchange(self, method: str = "GET", target: str = "/faulty", content: bytes = b"") -> Reading:
        """Ask, and read up to the end of the response or of the connection."""
        fields = [("Host", "a")]
        if content:
            fields.append(("Content-Length", str(len(content))))
        self.sock.sendall(self.reader.send(h11.Request(method=method, target=target, headers=fields)) or b"")
        if content:
            self.sock.sendall(self.reader.send(h11.Data(data=content)) or b"")
        self.sock.sendall(self.reader.send(h11.EndOfMessage()) or b"")
        reading = Reading()
        while True:
            event = self.reader.next_event()
            if event is h11.NEED_DATA:
                try:
                    data = self.sock.recv(65_536)
                except ConnectionResetError:
                    return reading
                if not data and self.reader.their_state is h11.SEND_RESPONSE:
                    return reading
                try:
                    self.reader.receive_data(data)
                    if not data:
                        event = self.reader.next_event()
                except h11.RemoteProtocolError:
                    return reading  # the stream ended where the message had not
            if isinstance(event, h11.Response):
                reading.status, reading.fields = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                reading.content += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                reading.complete = True
                return reading

    def again(self) -> Reading:
        """A proper request on the same connection."""
        self.reader.start_next_cycle()
        return self.exchange(target="/")


@contextlib.contextmanager
def client_of(runtime: str, handler: Handler) -> Iterator[Client]:
    """A connection to an application with one faulty handler and one proper one."""

    async def proper(request: web.Request) -> web.Response:
        return web.Response(text="proper")

    app = web.Application()
    app.router.add_route("*", "/faulty", handler)
    app.router.add_get("/", proper)
    limits = Limits(linger_timeout=0.3, drain_timeout=0.3)
    with ThreadedServer(app, runtime=runtime, limits=limits, access_log=None) as server:
        with socket.create_connection(server.addresses[0], 5) as sock:
            yield Client(sock)
        with socket.create_connection(server.addresses[0], 5) as sock:
            assert Client(sock).exchange(target="/").content == b"proper"


def answered_500(runtime: str, handler: Handler, method: str = "GET") -> None:
    """The client has a whole 500 with nothing of the fault in it, and the connection lives."""
    with client_of(runtime, handler) as client:
        reading = client.exchange(method)
        assert (reading.status, reading.complete) == (500, True)
        assert not any(b"Injected" in name or b"Injected" in value for name, value in reading.fields)
        assert client.again().content == b"proper"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The errors are meant."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("evil", ["a\r\nInjected: 1", "a\nInjected: 1", "a\rInjected", "a\0Injected"], ids=repr)
def test_control_characters_in_a_field_value(runtime: str, evil: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(text="x")
        response.headers["X-Evil"] = evil
        return response

    answered_500(runtime, handler)


@pytest.mark.parametrize("evil", ["a\r\nInjected: 1", "a b", "a:", "", "ä"], ids=repr)
def test_a_field_name_that_is_no_token(runtime: str, evil: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(text="x")
        response.headers[evil] = "Injected"
        return response

    answered_500(runtime, handler)


def test_control_characters_in_the_reason(runtime: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=200, reason="fine\r\nInjected: 1")

    answered_500(runtime, handler)


def test_control_characters_in_a_streamed_head(runtime: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Evil": "a\r\nInjected: 1"})
        await response.prepare(request)
        return response

    answered_500(runtime, handler)


@pytest.mark.parametrize("declared", ["5", "0", "-1", "abc", "3, 3", "1e1"])
def test_a_wrong_content_length_of_a_whole_response(runtime: str, declared: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(body=b"abc")
        response.headers["Content-Length"] = declared
        return response

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        assert reading.status == 500 or (reading.complete and reading.content == b"abc")


@pytest.mark.parametrize("sent", [b"ab", b"abcdef"], ids=["too little", "too much"])
def test_a_wrong_content_length_of_a_stream(runtime: str, sent: bytes) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 4
        await response.prepare(request)
        await response.write(sent)
        return response

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        assert (reading.status, reading.complete) == (200, False)
        assert sent.startswith(reading.content)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("how", ["whole", "stream", "length"])
def test_content_where_none_may_be(runtime: str, status: int, how: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if how == "whole":
            return web.Response(status=status, body=b"abc")
        response = web.StreamResponse(status=status)
        if how == "length":
            response.content_length = 3
        await response.prepare(request)
        await response.write(b"abc")
        return response

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        assert reading.status in (status, 500)
        if reading.status == status:
            assert reading.content == b""
        if reading.complete and client.reader.our_state is h11.DONE:
            with contextlib.suppress(h11.RemoteProtocolError):
                assert client.again().content in (b"proper", b"")


@pytest.mark.parametrize("how", ["whole", "stream", "length"])
def test_content_to_head(runtime: str, how: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if how == "whole":
            return web.Response(body=b"abc")
        response = web.StreamResponse()
        if how == "length":
            response.content_length = 3
        await response.prepare(request)
        await response.write(b"abc")
        return response

    with client_of(runtime, handler) as client:
        reading = client.exchange("HEAD")
        assert (reading.status, reading.content, reading.complete) == (200, b"", True)
        assert client.again().content == b"proper"


@pytest.mark.parametrize("stream", [False, True])
def test_both_framings(runtime: str, stream: bool) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if not stream:
            both = {"Content-Length": "3", "Transfer-Encoding": "chunked"}
            return web.Response(body=b"abc", headers=both)
        response = web.StreamResponse(headers={"Content-Length": "3", "Transfer-Encoding": "chunked"})
        await response.prepare(request)
        await response.write(b"abc")
        return response

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        framing = [name for name, _ in reading.fields if name in (b"content-length", b"transfer-encoding")]
        assert len(framing) == 1
        assert reading.status == 500 or reading.content == b"abc"
        assert reading.complete


@pytest.mark.parametrize("status", [99, 0, -1, 600, 1000, 100])
def test_a_status_that_is_none(runtime: str, status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status)

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        assert reading.complete
        assert reading.status is not None
        assert 200 <= reading.status <= 999


def test_an_exception_before_the_head(runtime: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise LookupError("meant")

    answered_500(runtime, handler)


def test_an_exception_after_prepare_and_before_content(runtime: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        raise LookupError("meant")

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        assert (reading.status, reading.complete) in ((500, True), (200, False), (None, False))


@pytest.mark.parametrize("length", [None, 100])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_exception_within_content(runtime: str, length: int | None, version: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = length
        await response.prepare(request)
        await response.write(b"some")
        raise LookupError("meant")

    with client_of(runtime, handler) as client:
        if version == "1.1":
            reading = client.exchange()
            assert (reading.status, reading.complete) == (200, False)
        else:
            client.sock.sendall(b"GET /faulty HTTP/1.0\r\n\r\n")
            received = b""
            with pytest.raises(ConnectionResetError) if length is None else contextlib.nullcontext():
                while data := client.sock.recv(65_536):
                    received += data
            assert not received.endswith(b"\r\n\r\n0\r\n\r\n")
            assert length is None or len(received.partition(b"\r\n\r\n")[2]) < length


def test_an_exception_after_the_response(runtime: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(text="whole")
        await response.prepare(request)
        await response.write_eof()
        raise LookupError("meant")

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        assert (reading.content, reading.complete) == (b"whole", True)
        assert client.again().content == b"proper"


@pytest.mark.parametrize("outcome", [None, "text", 200, b"bytes", web.Response])
def test_something_that_is_no_response(runtime: str, outcome: object) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return outcome  # type: ignore[return-value]

    answered_500(runtime, handler)


def test_a_response_for_the_second_time(runtime: str) -> None:
    once = web.Response(text="once")

    async def handler(request: web.Request) -> web.Response:
        return once

    with client_of(runtime, handler) as client:
        assert client.exchange().content == b"once"
        client.reader.start_next_cycle()
        second = client.exchange()
        assert (second.status, second.complete) == (500, True)
        assert client.again().content == b"proper"


def test_content_that_is_never_read_keeps_a_connection_if_it_is_short(runtime: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="deaf")

    with client_of(runtime, handler) as client:
        assert client.exchange("POST", content=b"x" * 100_000).content == b"deaf"
        assert client.again().content == b"proper"


def test_content_that_is_never_read_ends_a_connection_if_it_is_long(runtime: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="deaf")

    with client_of(runtime, handler) as client:
        reading = client.exchange("POST", content=b"x" * 1_000_000)
        assert (reading.content, reading.complete) == (b"deaf", True)
        assert (b"connection", b"close") in reading.fields
        assert client.sock.recv(1) == b""


def test_two_tasks_worth_of_writing_to_a_finished_response(runtime: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(text="whole")
        await response.prepare(request)
        await response.write_eof()
        await response.write(b"more")
        return response

    with client_of(runtime, handler) as client:
        reading = client.exchange()
        assert (reading.content, reading.complete) == (b"whole", True)
        assert client.again().content == b"proper"
