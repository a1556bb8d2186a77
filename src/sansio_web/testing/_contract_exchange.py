"""Contract: listeners, requests and responses."""

import contextvars
import os
import socket
import tempfile
from typing import Any

from .. import web
from ._peer import fetch, peer
from ._subject import Subject, Witness, app_of, echo, read, serving, watched


def tcp_on_a_port_that_the_system_chose(subject: Subject) -> None:
    """Port 0 is bound before the start is over, `addresses` tells it, and a request knows both ends."""
    seen: list[Any] = []

    async def ends(request: web.Request) -> web.StreamResponse:
        transport = request._exchange.connection
        seen.extend((request.remote, transport.get_extra_info("peername"), transport.get_extra_info("sockname")))
        return web.Response(text="hello")

    with serving(subject, app_of(("/", ends)), host="127.0.0.1", port=0) as server:
        (address,) = server.addresses
        assert address[0] == "127.0.0.1"
        assert address[1] > 0
        with peer(address) as client:
            client.ask()
            assert client.answer().content == b"hello"
            own = client.sock.getsockname()
    assert seen == ["127.0.0.1", own, address]


def a_unix_socket(subject: Subject) -> None:
    """It is served, its address is its path, and the file is gone after the stop."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "contract.sock")
        with serving(subject, app_of(), path=path) as server:
            assert server.addresses == [path]
            assert fetch(path).content == b"hello"
        assert not os.path.exists(path)


def a_stale_unix_socket_is_replaced_and_a_living_one_is_not(subject: Subject) -> None:
    """What a crashed server left makes place; where somebody listens, the start fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "contract.sock")
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(path)
        with serving(subject, app_of(), path=path):
            try:
                with serving(subject, app_of(), path=path):
                    raise AssertionError("a second server took the path of a living one")
            except OSError:
                pass
            assert fetch(path).content == b"hello"


def given_sockets(subject: Subject) -> None:
    """Bound sockets, TCP and Unix, are listened on and closed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        tcp = socket.create_server(("127.0.0.1", 0))
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(os.path.join(folder, "contract.sock"))
        with serving(subject, app_of(), sock=[tcp, unix]) as server:
            assert len(server.addresses) == 2
            for address in server.addresses:
                assert fetch(address).content == b"hello"
        assert tcp.fileno() == unix.fileno() == -1


def several_listeners(subject: Subject) -> None:
    """Hosts, a path and a socket together make one server."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "contract.sock")
        given = socket.create_server(("127.0.0.1", 0))
        hosts = ["127.0.0.1", "127.0.0.2"]
        with serving(subject, app_of(), host=hosts, port=0, path=path, sock=given) as server:
            assert len(server.addresses) == 4
            for address in server.addresses:
                assert fetch(address).content == b"hello"


def one_connection_carries_many_exchanges(subject: Subject) -> None:
    """A connection persists until somebody says close (RFC 9112 9.3)."""
    with serving(subject, app_of(("/echo", echo))) as server, peer(server.addresses[0]) as client:
        for number in range(5):
            client.ask("/echo", method="POST", content=b"%d" % number)
            assert client.answer().content == b"%d" % number
        client.ask("/", "Connection: close")
        answer = client.answer()
        assert answer.fields["connection"] == "close"
        assert client.rest() == b""


def pipelined_requests_are_answered_in_order(subject: Subject) -> None:
    """Also when the first one's handler waits and the last ones' do not (RFC 9112 9.3.2)."""

    async def number(request: web.Request) -> web.StreamResponse:
        which = request.match_info["number"]
        if which == "0":
            await subject.sleep(0.05)
        return web.Response(text=which)

    with serving(subject, app_of(("/{number}", number))) as server, peer(server.addresses[0]) as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % each for each in range(20)))
        assert [client.answer().content for _ in range(20)] == [b"%d" % each for each in range(20)]


def chunks_both_ways_as_they_come(subject: Subject) -> None:
    """A handler has each piece before the client sends the next, and so has the client (RFC 9112 7.1)."""
    with serving(subject, app_of(("/echo", echo))) as server, peer(server.addresses[0]) as client:
        client.ask("/echo", "Transfer-Encoding: chunked", method="POST")
        client.send(b"3\r\none\r\n")
        status, fields = client.head()
        assert (status, fields["transfer-encoding"]) == (200, "chunked")
        assert client.chunk() == b"one"
        client.send(b"5\r\nthree\r\n")
        assert client.chunk() == b"three"
        client.send(b"0\r\n\r\n")
        assert client.line() == b"0"
        assert client.line() == b""
        client.ask("/")
        assert client.answer().content == b"hello"


def byte_by_byte(subject: Subject) -> None:
    """How the bytes are cut into segments changes nothing."""
    with serving(subject, app_of(("/echo", echo))) as server, peer(server.addresses[0]) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc":
            client.send(bytes((byte,)))
        assert client.answer().content == b"abc"


def expectations_are_met_when_the_handler_reads(subject: Subject) -> None:
    """100 (Continue) comes with the first read, and never beside a final response (RFC 9110 10.1.1)."""
    expecting = ("Content-Length: 3", "Expect: 100-continue")
    with serving(subject, app_of(("/read", read))) as server:
        with peer(server.addresses[0]) as client:
            client.ask("/read", *expecting, method="POST")
            assert client.head()[0] == 100
            client.send(b"abc")
            assert client.answer().content == b"3"
        with peer(server.addresses[0]) as client:
            client.ask("/", *expecting, method="POST")
            assert client.head()[0] == 200


def an_exception_is_a_500_and_the_connection_lives(subject: Subject) -> None:
    """Nothing had been sent, so the next exchange is as good as any."""

    async def broken(request: web.Request) -> web.StreamResponse:
        raise LookupError("meant")

    with serving(subject, app_of(("/broken", broken))) as server, peer(server.addresses[0]) as client:
        client.ask("/broken")
        assert client.answer().status == 500
        client.ask("/")
        assert client.answer().content == b"hello"


def an_exception_within_a_response_leaves_it_visibly_unfinished(subject: Subject) -> None:
    """Neither chunks nor a declared length may look complete (RFC 9112 8)."""

    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if "length" in request.query:
            response.content_length = 100
        await response.prepare(request)
        await response.write(b"some")
        raise LookupError("meant")

    with serving(subject, app_of(("/broken", broken))) as server:
        for query in ("", "?length"):
            with peer(server.addresses[0]) as client:
                client.ask("/broken" + query)
                answer = client.answer()
                assert (answer.status, answer.content, answer.complete) == (200, b"some", False)
                assert client.gone()


def a_handler_that_waits_delays_nobody_else(subject: Subject) -> None:
    """Handlers of different connections run beside each other."""
    witness = Witness()

    async def wait(request: web.Request) -> web.StreamResponse:
        while "released" not in witness.told:
            await subject.sleep(0.005)
        return web.Response(text="released")

    with (
        serving(subject, app_of(("/wait", watched(witness, wait)))) as server,
        peer(server.addresses[0]) as patient,
    ):
        patient.ask("/wait")
        assert witness.heard("begin")
        assert fetch(server.addresses[0]).content == b"hello"
        witness.tell("released")
        assert patient.answer().content == b"released"


def a_context_belongs_to_one_request(subject: Subject) -> None:
    """What a handler sets in a context variable, it finds after waiting, and no other request does."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")

    async def keep(request: web.Request) -> web.StreamResponse:
        before = variable.get()
        variable.set(request.path)
        if "wait" in request.path:
            await subject.sleep(0.01)
        return web.Response(text=f"{before} {variable.get()}")

    with serving(subject, app_of(("/{name}", keep))) as server, peer(server.addresses[0]) as client:
        for path in ("/wait", "/a", "/wait", "/b"):
            client.ask(path)
            assert client.answer().content == f"nothing {path}".encode()


CHECKS = (
    tcp_on_a_port_that_the_system_chose,
    a_unix_socket,
    a_stale_unix_socket_is_replaced_and_a_living_one_is_not,
    given_sockets,
    several_listeners,
    one_connection_carries_many_exchanges,
    pipelined_requests_are_answered_in_order,
    chunks_both_ways_as_they_come,
    byte_by_byte,
    expectations_are_met_when_the_handler_reads,
    an_exception_is_a_500_and_the_connection_lives,
    an_exception_within_a_response_leaves_it_visibly_unfinished,
    a_handler_that_waits_delays_nobody_else,
    a_context_belongs_to_one_request,
)
