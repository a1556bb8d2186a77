"""Contract: TLS. Needs the package `trustme` for certificates."""

import ssl
import time
from dataclasses import replace
from functools import cache

from .. import web
from ._peer import fetch, peer
from ._subject import QUICK, Subject, app_of, echo, serving


@cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For the server and for its clients, from an authority made for this process."""
    import trustme

    authority = trustme.CA()
    of_server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(of_server)  # pyright: ignore[reportUnknownMemberType]  # it names a type of pyOpenSSL
    of_client = ssl.create_default_context()
    authority.configure_trust(of_client)  # pyright: ignore[reportUnknownMemberType]
    of_client.set_alpn_protocols(["h2", "http/1.1"])
    return of_server, of_client


def tls_speaks_http_1_1(subject: Subject) -> None:
    """ALPN selects http/1.1, requests know that they are secure, and the connection persists (RFC 7301)."""
    of_server, of_client = contexts()

    async def tell(request: web.Request) -> web.StreamResponse:
        info = request._exchange.connection
        cipher = info.get_extra_info("cipher") is not None and info.get_extra_info("ssl_object") is not None
        return web.Response(text=f"{request.scheme} {request.secure} {cipher} {request.remote}")

    with (
        serving(subject, app_of(("/tell", tell)), ssl_context=of_server) as server,
        peer(server.addresses[0], of_client) as client,
    ):
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.selected_alpn_protocol() == "http/1.1"
        for _ in range(2):
            client.ask("/tell")
            assert client.answer().content == b"https True True 127.0.0.1"


def tls_carries_much_both_ways(subject: Subject) -> None:
    """Many records in each direction at once."""
    of_server, of_client = contexts()
    with (
        serving(subject, app_of(("/echo", echo)), ssl_context=of_server) as server,
        peer(server.addresses[0], of_client) as client,
    ):
        client.ask("/echo", "Content-Length: 4194304", method="POST")
        size = 0
        for _ in range(64):
            client.send(b"x" * 65_536)
            size += len(client.received)
        assert len(client.answer().content) == 4_194_304


def tls_delivers_a_last_answer_to_a_slow_reader(subject: Subject) -> None:
    """Closing waits for what was written, whatever the time that a goodbye may take."""
    of_server, of_client = contexts()
    size = 16_777_216

    async def large(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * size)

    limits = replace(QUICK, linger_timeout=0.1)
    with (
        serving(subject, app_of(("/large", large)), ssl_context=of_server, limits=limits) as server,
        peer(server.addresses[0], of_client) as client,
    ):
        client.ask("/large", "Connection: close")
        time.sleep(0.4)
        answer = client.answer()
        assert len(answer.content) == size
        assert client.rest() == b""


def no_reset_swallows_a_final_answer_over_tls(subject: Subject) -> None:
    """As without TLS: our half ends, and what the client still sends is dropped (RFC 9112 9.6)."""
    of_server, of_client = contexts()
    answer = b"y" * 1_048_576

    async def deaf(request: web.Request) -> web.StreamResponse:
        return web.Response(body=answer, status=413)

    limits = replace(QUICK, linger_timeout=2.0)
    with (
        serving(subject, app_of(("/deaf", deaf)), ssl_context=of_server, limits=limits) as server,
        peer(server.addresses[0], of_client) as client,
    ):
        client.ask("/deaf", "Content-Length: 3145728", method="POST")
        client.send(b"x" * 3_145_728)
        got = client.answer()
        assert (got.status, got.content == answer) == (413, True)
        assert client.rest() == b""


def tls_clients_may_leave_without_a_goodbye(subject: Subject) -> None:
    """An end of the stream without close_notify disturbs nobody."""
    of_server, of_client = contexts()
    with serving(subject, app_of(), ssl_context=of_server) as server:
        for way in ("end", "reset"):
            with peer(server.addresses[0], of_client) as client:
                client.ask("/")
                assert client.answer().content == b"hello"
                if way == "reset":
                    client.reset()
        assert fetch(server.addresses[0], context=of_client).content == b"hello"


def garbage_on_a_tls_port_is_closed(subject: Subject) -> None:
    """Plain HTTP and noise get no answer in HTTP, and nobody else notices."""
    of_server, of_client = contexts()
    with serving(subject, app_of(), ssl_context=of_server) as server:
        for noise in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 200):
            with peer(server.addresses[0]) as client:
                client.send(noise)
                assert client.gone()
                assert not bytes(client.received).startswith(b"HTTP")
        assert fetch(server.addresses[0], context=of_client).content == b"hello"


def a_stalled_handshake_ends_in_time(subject: Subject) -> None:
    """After `Limits.head_timeout`; meanwhile others are served."""
    of_server, of_client = contexts()
    limits = replace(QUICK, head_timeout=0.3)
    with (
        serving(subject, app_of(), ssl_context=of_server, limits=limits) as server,
        peer(server.addresses[0]) as silent,
        peer(server.addresses[0]) as half,
    ):
        half.send(b"\x16\x03\x01")
        assert fetch(server.addresses[0], context=of_client).content == b"hello"
        assert silent.gone(within=3.0)
        assert half.gone(within=3.0)


def a_stop_waits_for_no_handshake(subject: Subject) -> None:
    """A client that has not said who it is holds nothing up."""
    of_server, _ = contexts()
    with serving(subject, app_of(), ssl_context=of_server) as server, peer(server.addresses[0]) as silent:
        time.sleep(0.05)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.0
        assert silent.gone(within=1.0)


def a_stop_waits_for_no_goodbye(subject: Subject) -> None:
    """An idle client that does not answer close_notify holds nothing up (RFC 8446 6.1)."""
    of_server, of_client = contexts()
    with (
        serving(subject, app_of(), ssl_context=of_server) as server,
        peer(server.addresses[0], of_client) as client,
    ):
        client.ask("/")
        assert client.answer().content == b"hello"
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < QUICK.linger_timeout + 1.0  # type: ignore[operator]
        assert client.gone(within=1.0)


CHECKS = (
    tls_speaks_http_1_1,
    tls_carries_much_both_ways,
    tls_delivers_a_last_answer_to_a_slow_reader,
    no_reset_swallows_a_final_answer_over_tls,
    tls_clients_may_leave_without_a_goodbye,
    garbage_on_a_tls_port_is_closed,
    a_stalled_handshake_ends_in_time,
    a_stop_waits_for_no_handshake,
    a_stop_waits_for_no_goodbye,
)
