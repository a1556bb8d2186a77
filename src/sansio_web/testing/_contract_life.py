"""Contract: starting, stopping gracefully within a bound, and the application's life around it."""

import contextvars
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack

from .. import web
from ._peer import PATIENCE, connected, fetch, peer, until
from ._subject import Serving, Subject, Witness, app_of, serving, was_cancelled, watched


class _Stopping:
    """`server.stop()` in a thread of its own."""

    def __init__(self, server: Serving) -> None:
        self.began = time.monotonic()
        self._thread = threading.Thread(target=server.stop)
        self._thread.start()

    def took(self) -> float:
        """Wait for its end."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the stop has no end"
        return time.monotonic() - self.began


def _refused(address: tuple[str, int]) -> bool:
    try:
        connected(address).close()
    except ConnectionRefusedError:
        return True
    return False


def a_stop_lets_running_handlers_finish(subject: Subject) -> None:
    """Nothing new is accepted, idle connections end at once, and a running handler's answer says close."""
    witness = Witness()

    async def slow(request: web.Request) -> web.StreamResponse:
        while "released" not in witness.told:
            await subject.sleep(0.005)
        return web.Response(text="done")

    with serving(subject, app_of(("/slow", watched(witness, slow)))) as server:
        address = server.addresses[0]
        with peer(address) as working, peer(address) as idle:
            idle.ask("/")
            assert idle.answer().content == b"hello"
            working.ask("/slow")
            assert witness.heard("begin")
            stopping = _Stopping(server)
            assert idle.gone(within=1.0)
            assert until(lambda: _refused(address), within=1.0)
            witness.tell("released")
            answer = working.answer()
            assert (answer.content, answer.fields["connection"]) == (b"done", "close")
            assert working.rest() == b""
        assert stopping.took() < 2.0


def a_stop_ends_200_idle_connections_at_once(subject: Subject) -> None:
    """Within a second, whether they have asked before or not."""
    with serving(subject, app_of(), backlog=256) as server, ExitStack() as stack:
        clients = [stack.enter_context(peer(server.addresses[0])) for _ in range(200)]
        for client in clients[::2]:
            client.ask("/")
        for client in clients[::2]:
            assert client.answer().content == b"hello"
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.0
        assert all(client.gone(within=1.0) for client in clients)


def a_stop_cancels_handlers_after_its_bound(subject: Subject) -> None:
    """A handler that never ends, and one that streams for ever, to a reader and to nobody."""
    endless, reading, ignoring = Witness(), Witness(), Witness()

    async def sleep(request: web.Request) -> web.StreamResponse:
        await subject.sleep(3600)
        return web.Response()

    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)
            await subject.sleep(0.001)

    app = app_of(
        ("/endless", watched(endless, sleep)),
        ("/reading", watched(reading, pour)),
        ("/ignoring", watched(ignoring, pour)),
    )
    with serving(subject, app, shutdown_timeout=0.2) as server:
        with ExitStack() as stack:
            clients = [stack.enter_context(peer(server.addresses[0])) for _ in range(3)]
            for client, target in zip(clients, ("/endless", "/reading", "/ignoring"), strict=True):
                client.ask(target)
            assert all(each.heard("begin") for each in (endless, reading, ignoring))
            stopping = _Stopping(server)
            assert clients[1].answer().complete is False
            took = stopping.took()
            assert 0.15 < took < 3.0, took
            assert was_cancelled(endless)
            assert clients[0].gone(within=1.0)
        assert all(len(each.told) == 2 and "end" not in each.told for each in (endless, reading, ignoring))


def a_stop_waits_for_work_after_the_response(subject: Subject) -> None:
    """Within the same bound, although its connection is gone."""
    witness = Witness()

    async def goes_on(request: web.Request) -> web.StreamResponse:
        response = web.Response(text="done")
        await response.prepare(request)
        await response.write_eof()
        await subject.sleep(0.15)
        return response

    with serving(subject, app_of(("/on", watched(witness, goes_on)))) as server:
        assert fetch(server.addresses[0], "/on").content == b"done"
        server.stop()
        assert witness.told == ["begin", "end"]


def a_stop_does_not_wait_for_a_client_that_takes_nothing(subject: Subject) -> None:
    """Its answer lies there, complete, and nobody fetches it: the bound holds."""

    async def large(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 30_000_000)

    with (
        serving(subject, app_of(("/large", large)), shutdown_timeout=0.2) as server,
        peer(server.addresses[0]) as client,
    ):
        client.ask("/large")
        client.exactly(10)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 2.0


def a_stop_may_be_repeated(subject: Subject) -> None:
    """The second and later ones return when the first is over."""
    with serving(subject, app_of()) as server:
        assert fetch(server.addresses[0]).content == b"hello"
        server.stop()
        server.stop()


def a_port_is_free_after_the_stop(subject: Subject) -> None:
    """The same address can be bound again at once."""
    with serving(subject, app_of()) as server:
        address = server.addresses[0]
        assert fetch(address).content == b"hello"
    with serving(subject, app_of(), host=address[0], port=address[1]) as server:
        assert server.addresses[0] == address


def a_failing_start_raises_and_leaves_nothing(subject: Subject) -> None:
    """What start-up raised is raised; what it had opened is closed; nothing listens."""
    witness = Witness()

    async def context(app: web.Application) -> AsyncIterator[None]:
        witness.tell("entered")
        yield
        witness.tell("left")

    async def fails(app: web.Application) -> None:
        raise LookupError("meant")

    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = probe.getsockname()
    app = app_of()
    app.cleanup_ctx.append(context)
    app.on_startup.append(fails)
    try:
        with serving(subject, app, host=address[0], port=address[1]):
            raise AssertionError("it serves, although its start-up failed")
    except LookupError:
        pass
    assert witness.told == ["entered", "left"]
    assert _refused(address)


def a_failing_listener_ends_what_was_started(subject: Subject) -> None:
    """One address that is taken: OSError, the other listeners closed, the application cleaned up."""
    witness = Witness()

    async def context(app: web.Application) -> AsyncIterator[None]:
        yield
        witness.tell("left")

    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()
    app = app_of()
    app.cleanup_ctx.append(context)
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as given:
        given.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        given.bind(free)
        try:
            with serving(subject, app, host="127.0.0.1", port=taken.getsockname()[1], sock=given):
                raise AssertionError("it serves where somebody else does")
        except OSError:
            pass
    assert witness.told == ["left"]
    assert _refused(free)


def life_goes_in_order_and_in_one_task(subject: Subject) -> None:
    """Contexts, start, requests, shutdown, the last handler's end, cleanup; all of it in one context."""
    witness = Witness()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def context(app: web.Application) -> AsyncIterator[None]:
        token = variable.set("mine")
        witness.tell("entered")
        yield
        variable.reset(token)  # ValueError in any other context
        witness.tell("left")

    def tell(what: str) -> object:
        async def receiver(app: web.Application) -> None:
            witness.tell(what)

        return receiver

    async def slow(request: web.Request) -> web.StreamResponse:
        witness.tell("request")
        while "shutdown" not in witness.told:
            await subject.sleep(0.005)
        await subject.sleep(0.02)
        witness.tell("answered")
        return web.Response()

    app = app_of(("/slow", slow))
    app.cleanup_ctx.append(context)
    for signal, name in (
        (app.on_startup, "startup"),
        (app.on_shutdown, "shutdown"),
        (app.on_cleanup, "cleanup"),
    ):
        signal.append(tell(name))  # type: ignore[arg-type]
    with serving(subject, app) as server, peer(server.addresses[0]) as client:
        client.ask("/slow")
        assert witness.heard("request")
        server.stop()
    assert witness.told == ["entered", "startup", "request", "shutdown", "answered", "left", "cleanup"]


def a_failing_cleanup_is_raised_by_the_stop(subject: Subject) -> None:
    """It is not lost, and everything else has ended."""

    async def fails(app: web.Application) -> None:
        raise LookupError("meant")

    app = app_of()
    app.on_cleanup.append(fails)
    with ExitStack() as stack:
        server = stack.enter_context(serving(subject, app))
        address = server.addresses[0]
        try:
            server.stop()
        except LookupError:
            pass
        else:
            raise AssertionError("the stop hid what the cleanup raised")
        assert _refused(address)


CHECKS = (
    a_stop_lets_running_handlers_finish,
    a_stop_ends_200_idle_connections_at_once,
    a_stop_cancels_handlers_after_its_bound,
    a_stop_waits_for_work_after_the_response,
    a_stop_does_not_wait_for_a_client_that_takes_nothing,
    a_stop_may_be_repeated,
    a_port_is_free_after_the_stop,
    a_failing_start_raises_and_leaves_nothing,
    a_failing_listener_ends_what_was_started,
    life_goes_in_order_and_in_one_task,
    a_failing_cleanup_is_raised_by_the_stop,
)
