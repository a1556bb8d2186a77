"""Contract: back-pressure both ways, and the deadlines of a peer that is slow or silent."""

import socket
import time
from dataclasses import replace

from .. import web
from ._peer import Peer, fetch, peer, until
from ._subject import QUICK, Subject, Witness, app_of, read, serving, watched

_PIECE = b"x" * 65_536
_PIECES = 512
_FAR_LESS = _PIECES * len(_PIECE) // 2
"""The systems' buffers together hold less than this; without back-pressure all of it would move."""


def _narrow(client: Peer) -> None:
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)


def a_handler_that_does_not_read_pauses_its_client(subject: Subject) -> None:
    """The server stops reading, so the client's writes block; once the handler reads, all of it arrives."""
    witness = Witness()

    async def late(request: web.Request) -> web.StreamResponse:
        while "read now" not in witness.told:
            await subject.sleep(0.005)
        return await read(request)

    total = _PIECES * len(_PIECE)
    with serving(subject, app_of(("/late", late))) as server, peer(server.addresses[0]) as client:
        _narrow(client)
        client.ask("/late", f"Content-Length: {total}", method="POST")
        sent = 0
        client.sock.settimeout(0.15)
        try:
            while sent < total:
                sent += client.sock.send(_PIECE[: total - sent])
        except TimeoutError:
            pass
        assert sent < _FAR_LESS, f"{sent} bytes were taken from a client whose content nobody read"
        witness.tell("read now")
        client.sock.settimeout(10)
        while sent < total:
            sent += client.sock.send(_PIECE[: total - sent])
        assert client.answer().content == str(total).encode()


def a_client_that_does_not_read_pauses_its_writer(subject: Subject) -> None:
    """`write` waits instead of collecting in memory; once the client reads, all of it arrives."""
    written = Witness()

    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(_PIECES):
            await response.write(_PIECE)
            written.tell("piece")
        return response

    with serving(subject, app_of(("/pour", pour))) as server, peer(server.addresses[0]) as client:
        _narrow(client)
        client.ask("/pour")
        assert written.heard("piece")
        count = -1
        while count != len(written.told):
            count = len(written.told)
            time.sleep(0.05)
        assert count * len(_PIECE) < _FAR_LESS, f"{count} pieces were taken for a client that reads nothing"
        assert fetch(server.addresses[0]).content == b"hello"
        answer = client.answer()
        assert len(answer.content) == _PIECES * len(_PIECE)
        assert answer.complete


def requests_are_not_begun_for_a_client_that_takes_no_answers(subject: Subject) -> None:
    """Pipelined requests wait in the client's own buffers while answers are not taken."""
    begun = Witness()

    async def large(request: web.Request) -> web.StreamResponse:
        begun.tell("one")
        return web.Response(body=_PIECE)

    with serving(subject, app_of(("/large", large))) as server, peer(server.addresses[0]) as client:
        _narrow(client)
        client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * _PIECES)
        count = -1
        while count != len(begun.told):
            count = len(begun.told)
            time.sleep(0.05)
        assert count * len(_PIECE) < _FAR_LESS
        for _ in range(_PIECES):
            assert client.answer().complete


def a_client_that_takes_nothing_is_aborted(subject: Subject) -> None:
    """After `Limits.write_timeout` without progress; its handler's write raises ConnectionResetError."""
    witness = Witness()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(_PIECE)

    limits = replace(QUICK, write_timeout=0.2)
    app = app_of(("/endless", watched(witness, endless)))
    with serving(subject, app, limits=limits) as server, peer(server.addresses[0]) as client:
        _narrow(client)
        client.ask("/endless")
        assert witness.heard("begin")
        assert witness.heard("ConnectionResetError", within=3.0), witness.told
        assert client.gone()


def a_client_that_is_idle_is_closed_without_a_word(subject: Subject) -> None:
    """After `Limits.idle_timeout`, before the first request and between two (RFC 9112 9.5)."""
    with serving(subject, app_of(), limits=replace(QUICK, idle_timeout=0.15)) as server:
        with peer(server.addresses[0]) as client:
            assert client.rest() == b""
        with peer(server.addresses[0]) as client:
            client.ask("/")
            assert client.answer().content == b"hello"
            began = time.monotonic()
            assert client.rest() == b""
            assert 0.1 < time.monotonic() - began < 2.0


def a_head_that_dribbles_is_refused_in_time(subject: Subject) -> None:
    """`Limits.head_timeout` counts from the first byte of a head; more bytes do not prolong it (408)."""
    with (
        serving(subject, app_of(), limits=replace(QUICK, head_timeout=0.2)) as server,
        peer(server.addresses[0]) as client,
    ):
        began = time.monotonic()
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nField: " + b"x" * 1000:
            client.sock.settimeout(0.01)
            try:
                if not client.more() or client.received:
                    break
            except TimeoutError:
                client.send(bytes((byte,)))
        client.sock.settimeout(10)
        assert client.answer().status == 408
        assert time.monotonic() - began < 2.0
        assert client.gone()


def content_that_stalls_is_refused_in_time(subject: Subject) -> None:
    """After `Limits.content_timeout` in which the handler waited, its read fails and the client hears 408."""
    with (
        serving(subject, app_of(("/read", read)), limits=replace(QUICK, content_timeout=0.2)) as server,
        peer(server.addresses[0]) as client,
    ):
        client.ask("/read", "Content-Length: 10", method="POST", content=b"some")
        assert client.answer().status == 408
        assert client.gone()


def a_deadline_that_moved_is_kept(subject: Subject) -> None:
    """Each exchange renews the idle deadline; none comes too early."""
    with (
        serving(subject, app_of(), limits=replace(QUICK, idle_timeout=0.2)) as server,
        peer(server.addresses[0]) as client,
    ):
        for _ in range(4):
            time.sleep(0.1)
            client.ask("/")
            assert client.answer().content == b"hello"
        assert client.gone(within=2.0)


def a_last_answer_that_nobody_takes_is_dropped_in_time(subject: Subject) -> None:
    """Also what waits to leave after the exchange is over and the client has ended its half."""
    left = Witness()

    async def last(request: web.Request) -> web.StreamResponse:
        left.tell("answered")
        return web.Response(body=_PIECE * 100)

    limits = replace(QUICK, write_timeout=0.2)
    with serving(subject, app_of(("/last", last)), limits=limits) as server:
        with peer(server.addresses[0]) as client:
            _narrow(client)
            client.ask("/last")
            client.end()
            assert left.heard("answered")
            time.sleep(0.5)
            dropped = until(lambda: _reset(client), within=3.0)
        assert dropped, "the connection was kept for a client that takes nothing"


def _reset(client: Peer) -> bool:
    """Whether the server has aborted: the system says so without any bytes being read."""
    return client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


CHECKS = (
    a_handler_that_does_not_read_pauses_its_client,
    a_client_that_does_not_read_pauses_its_writer,
    requests_are_not_begun_for_a_client_that_takes_no_answers,
    a_client_that_takes_nothing_is_aborted,
    a_client_that_is_idle_is_closed_without_a_word,
    a_head_that_dribbles_is_refused_in_time,
    content_that_stalls_is_refused_in_time,
    a_deadline_that_moved_is_kept,
    a_last_answer_that_nobody_takes_is_dropped_in_time,
)
