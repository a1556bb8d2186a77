"""Contract: clients that leave, politely or not, and the server's own end of a connection."""

import socket
from dataclasses import replace

from .. import web
from ._peer import fetch, peer, until
from ._subject import CANCELLED, QUICK, Subject, Witness, app_of, read, serving, was_cancelled, watched


def a_client_that_ended_its_half_gets_its_answer(subject: Subject) -> None:
    """The end of the client's stream ends only its requests (RFC 9112 9.6)."""

    async def slow(request: web.Request) -> web.StreamResponse:
        await subject.sleep(0.05)
        return web.Response(text=str(len(await request.read())))

    with serving(subject, app_of(("/slow", slow))) as server, peer(server.addresses[0]) as client:
        client.ask("/slow", method="POST", content=b"abc")
        client.ask("/slow", method="POST", content=b"abcd")
        client.end()
        assert [client.answer().content for _ in range(2)] == [b"3", b"4"]
        assert client.rest() == b""


def no_reset_swallows_a_final_answer(subject: Subject) -> None:
    """A server that closes on unread content lingers, so that the whole answer arrives (RFC 9112 9.6)."""
    answer = b"y" * 1_048_576

    async def deaf(request: web.Request) -> web.StreamResponse:
        return web.Response(body=answer, status=413)

    with (
        serving(subject, app_of(("/deaf", deaf)), limits=replace(QUICK, linger_timeout=2.0)) as server,
        peer(server.addresses[0]) as client,
    ):
        client.ask("/deaf", "Content-Length: 3145728", method="POST")
        client.send(b"x" * 3_145_728)
        got = client.answer()
        assert (got.status, got.fields["connection"]) == (413, "close")
        assert got.content == answer
        assert client.rest() == b""


def a_truncated_request_is_never_whole(subject: Subject) -> None:
    """Content whose end did not come raises in the handler that reads it."""
    witness = Witness()
    with serving(subject, app_of(("/read", watched(witness, read)))) as server:
        with peer(server.addresses[0]) as client:
            client.ask("/read", "Content-Length: 10", method="POST", content=b"some")
            assert witness.heard("begin")
            client.end()
            assert client.gone()
        assert until(lambda: len(witness.told) == 2)
        assert witness.told[1] not in ("end", *CANCELLED)


def a_reset_within_content_disturbs_nobody(subject: Subject) -> None:
    """The handler's read raises, the server goes on."""
    witness = Witness()
    with serving(subject, app_of(("/read", watched(witness, read)))) as server:
        with peer(server.addresses[0]) as client:
            client.ask("/read", "Content-Length: 10", method="POST", content=b"some")
            assert witness.heard("begin")
            client.reset()
        assert until(lambda: len(witness.told) == 2)
        assert witness.told[1] not in ("end", *CANCELLED)
        assert fetch(server.addresses[0]).content == b"hello"


def a_reset_within_a_response_disturbs_nobody(subject: Subject) -> None:
    """The handler's write raises ConnectionResetError, the server goes on."""
    witness = Witness()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)
            await subject.sleep(0.001)

    with serving(subject, app_of(("/endless", watched(witness, endless)))) as server:
        with peer(server.addresses[0]) as client:
            client.ask("/endless")
            client.exactly(1000)
            client.reset()
        assert witness.heard("ConnectionResetError")
        assert fetch(server.addresses[0]).content == b"hello"


def by_default_a_departure_cancels_nothing(subject: Subject) -> None:
    """`ignore`: a handler whose client left runs to its end, after the response as well as before."""
    before, after = Witness(), Witness()

    async def waits(request: web.Request) -> web.StreamResponse:
        await subject.sleep(0.2)
        return web.Response()

    async def goes_on(request: web.Request) -> web.StreamResponse:
        response = web.Response(text="done")
        await response.prepare(request)
        await response.write_eof()
        after.tell("answered")
        await subject.sleep(0.2)
        return response

    app = app_of(("/waits", watched(before, waits)), ("/on", watched(after, goes_on)))
    with serving(subject, app) as server:
        for target, witness in (("/waits", before), ("/on", after)):
            with peer(server.addresses[0]) as client:
                client.ask(target)
                assert witness.heard("begin" if witness is before else "answered")
        assert before.heard("end")
        assert after.heard("end")


def a_departure_cancels_where_that_is_the_policy(subject: Subject) -> None:
    """`cancel`: a handler that owes a response is cancelled; work after a complete response is not."""
    before, after = Witness(), Witness()

    async def waits(request: web.Request) -> web.StreamResponse:
        await subject.sleep(60)
        return web.Response()

    async def goes_on(request: web.Request) -> web.StreamResponse:
        response = web.Response(text="done")
        await response.prepare(request)
        await response.write_eof()
        after.tell("answered")
        await subject.sleep(0.2)
        return response

    app = app_of(("/waits", watched(before, waits)), ("/on", watched(after, goes_on)))
    with serving(subject, app, on_disconnect="cancel") as server:
        with peer(server.addresses[0]) as client:
            client.ask("/on")
            assert client.answer().content == b"done"
            assert after.heard("answered")
        with peer(server.addresses[0]) as client:
            client.ask("/waits")
            assert before.heard("begin")
        assert was_cancelled(before)
        assert after.heard("end")
        assert fetch(server.addresses[0]).content == b"hello"


def work_after_the_response_delays_no_next_request(subject: Subject) -> None:
    """The client has the whole response before the work ends, and its connection is free."""
    witness = Witness()

    async def goes_on(request: web.Request) -> web.StreamResponse:
        response = web.Response(text="done")
        await response.prepare(request)
        await response.write_eof()
        while "enough" not in witness.told:
            await subject.sleep(0.005)
        return response

    with (
        serving(subject, app_of(("/on", watched(witness, goes_on)))) as server,
        peer(server.addresses[0]) as client,
    ):
        client.ask("/on")
        assert client.answer().content == b"done"
        client.ask("/")
        assert client.answer().content == b"hello"
        assert "end" not in witness.told
        witness.tell("enough")
        assert witness.heard("end")


def clients_that_come_and_go_leave_nothing(subject: Subject) -> None:
    """Connections that say nothing, half a head, or reset at once are forgotten."""
    with serving(subject, app_of()) as server:
        for number in range(30):
            with peer(server.addresses[0]) as client:
                if number % 3 == 1:
                    client.send(b"GET / HT")
                if number % 2:
                    client.reset()
                else:
                    client.sock.shutdown(socket.SHUT_RDWR)
        assert fetch(server.addresses[0]).content == b"hello"


CHECKS = (
    a_client_that_ended_its_half_gets_its_answer,
    no_reset_swallows_a_final_answer,
    a_truncated_request_is_never_whole,
    a_reset_within_content_disturbs_nobody,
    a_reset_within_a_response_disturbs_nobody,
    by_default_a_departure_cancels_nothing,
    a_departure_cancels_where_that_is_the_policy,
    work_after_the_response_delays_no_next_request,
    clients_that_come_and_go_leave_nothing,
)
