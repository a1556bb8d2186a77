"""Departures: of the client, by policy; of the server, when it stops; of the driver, from the books."""

import pytest
from tests.support.host import Cancelled, FakeEvent, Served
from tests.support.machine import CHUNKED_POST, GET, OK, OK_BYTES, post

from sansio_web.errors import LocalProtocolError
from sansio_web.exchange import Exchange
from sansio_web.host import OnDisconnect
from sansio_web.http.commands import SendContent, SendEnd, SendHead
from sansio_web.limits import Limits

HEAD_OK = SendHead(200, b"OK", [], complete=True)
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"


class Waiting:
    """A handler that sends something, waits, and sends the rest; what happened to it is in `seen`."""

    def __init__(self, *before: SendHead, work_on: bool = False) -> None:
        self.gate = FakeEvent()
        self.seen: list[str] = []
        self._before = before
        self._work_on = work_on

    async def __call__(self, exchange: Exchange) -> None:
        self.seen.append("begun")
        try:
            for command in self._before:
                await exchange.send(command)
            if self._work_on:
                await exchange.send(OK)
            await self.gate.wait()
            await exchange.send(SendContent(b"x") if self._before else OK)
            if self._before:
                await exchange.send(SendEnd())
            self.seen.append("answered")
        except BaseException as error:
            self.seen.append(type(error).__name__)
            raise


# -- on_disconnect=IGNORE ----


def test_ignored_a_half_closed_client_gets_its_answer() -> None:
    handler = Waiting()
    served = Served(handler)
    served.feed(GET)
    assert served.eof() == ["pause"]
    handler.gate.set()
    assert served.feed()[-1] == "close"
    assert handler.seen == ["begun", "answered"]


@pytest.mark.parametrize("before", [[], [HEAD_OK]])
def test_ignored_a_lost_client_costs_its_handler_an_error_when_it_sends(before: list[SendHead]) -> None:
    handler = Waiting(*before)
    served = Served(handler)
    served.feed(GET)
    served.lose()
    assert (handler.seen, served.departures) == (["begun"], 0)
    handler.gate.set()
    served.feed()
    assert handler.seen == ["begun", "ConnectionResetError"]
    assert (served.departures, served.settings.drivers) == (1, set())


# -- on_disconnect=CANCEL ----


@pytest.mark.parametrize("leave", [Served.eof, Served.lose])
@pytest.mark.parametrize("before", [[], [HEAD_OK]])
def test_cancelled_with_its_client(leave: object, before: list[SendHead]) -> None:
    handler = Waiting(*before)
    served = Served(handler, on_disconnect=OnDisconnect.CANCEL)
    served.feed(GET)
    done = leave(served)  # type: ignore[operator]
    assert handler.seen == ["begun", "Cancelled"]
    assert done[-1:] in (["close"], ["pause"])
    assert not served.driver.busy
    assert served.reports == []


@pytest.mark.parametrize("leave", [Served.eof, Served.lose])
def test_work_after_the_response_is_not_cancelled(leave: object) -> None:
    handler = Waiting(work_on=True)
    served = Served(handler, on_disconnect=OnDisconnect.CANCEL)
    served.feed(GET)
    leave(served)  # type: ignore[operator]
    assert handler.seen == ["begun"]
    assert served.driver.busy


@pytest.mark.parametrize("eager", [False, True])
def test_requests_before_the_end_of_the_stream_are_cancelled_as_well(eager: bool) -> None:
    handler = Waiting()
    served = Served(handler, on_disconnect=OnDisconnect.CANCEL, eager=eager)
    served.driver.receive_data(GET + GET)
    served.driver.receive_eof()
    served.host.run()
    assert not served.driver.busy
    assert handler.seen in (["begun", "Cancelled"], [])
    late = Waiting()
    served = Served(late, on_disconnect=OnDisconnect.CANCEL, limits=Limits(max_unsent_bytes=1))
    served.host.held = 10
    served.driver.write_blocked()
    served.feed(GET)
    served.eof()
    assert late.seen == []
    served.host.held = 0
    served.driver.write_resumed()
    served.host.run()
    assert late.seen == ["begun", "Cancelled"]


def test_a_handler_cancelled_before_its_first_step_is_gone_all_the_same() -> None:
    handler = Waiting()
    served = Served(handler, on_disconnect=OnDisconnect.CANCEL, eager=False)
    served.driver.receive_data(GET)
    served.driver.transport_lost()
    served.host.run()
    assert (handler.seen, served.driver.busy, served.settings.drivers) == ([], False, set())


def test_a_handler_that_runs_although_cancelled_before_its_first_step_does_nothing() -> None:
    handler = Waiting()
    served = Served(handler, eager=False)
    served.driver.receive_data(GET)
    (task,) = served.host.tasks
    served.driver.cancel()
    task.cancelling = False  # a runtime that cancels at the first wait
    served.host.run()
    assert (handler.seen, task.ended, served.driver.busy) == ([], True, False)


def test_a_request_that_had_to_wait_is_forgotten_with_its_client() -> None:
    handler = Waiting(work_on=True)
    served = Served(handler, max_handlers=1)
    served.feed(GET + GET)
    served.lose()
    handler.gate.set()
    served.feed()
    assert handler.seen == ["begun", "LocalProtocolError"]
    assert served.settings.drivers == set()


@pytest.mark.parametrize("on_disconnect", OnDisconnect)
def test_a_client_that_is_lost_while_a_handler_is_at_its_first_step(on_disconnect: OnDisconnect) -> None:
    seen: list[str] = []
    gate = FakeEvent()

    async def lose(exchange: Exchange) -> None:
        served.driver.transport_lost()
        with pytest.raises(ConnectionResetError, match="cannot SendResponse: the connection has ended"):
            await exchange.send(OK)
        try:
            await gate.wait()
        except Cancelled:
            seen.append("cancelled")
            raise

    served = Served(lose, on_disconnect=on_disconnect)
    served.feed(GET)
    assert seen == (["cancelled"] if on_disconnect is OnDisconnect.CANCEL else [])
    gate.set()
    served.feed()
    assert served.settings.drivers == set()


def test_a_reader_is_told_of_its_lost_client() -> None:
    async def read(exchange: Exchange) -> None:
        with pytest.raises(Exception, match="the transport broke"):
            await exchange.receive()
        raise ValueError("told")

    served = Served(read)
    served.feed(CHUNKED_POST)
    served.lose()
    assert str(served.reports[0][1]) == "told"


# -- the server stops ----


def test_stopping_closes_an_idle_connection_and_lets_a_handler_end() -> None:
    idle = Served(Waiting())
    idle.driver.stop()
    assert idle.host.took() == ["close", "pause"]
    handler = Waiting()
    served = Served(handler)
    served.feed(GET)
    served.driver.stop()
    assert served.host.took() == []
    handler.gate.set()
    assert served.feed()[-1] == "shutdown_write"


def test_a_connection_accepted_while_the_server_stops_is_closed() -> None:
    served = Served(Waiting())
    served.settings.stopping = True
    served.driver.connected()
    assert served.host.took() == ["close", "pause"]


def test_cancelling_ends_handlers_and_the_connection() -> None:
    handler = Waiting(HEAD_OK)
    served = Served(handler)
    served.feed(GET + GET)
    served.driver.cancel()
    served.host.run()
    assert handler.seen == ["begun", "Cancelled"]
    assert "shutdown_write" in served.host.took()
    served.lose()
    assert served.settings.drivers == set()


def test_cancelling_drops_what_nobody_handles() -> None:
    served = Served(Waiting())
    served.feed(post(b"", length=9)[:20])
    served.driver.cancel()
    assert "abort" in served.host.took()


def test_abandoning_drops_the_transport() -> None:
    served = Served(Waiting())
    served.feed(GET)
    served.driver.abandon()
    assert served.host.took() == ["abort"]


# -- protocols nobody speaks here ----


def test_a_switch_to_a_protocol_that_nobody_speaks_is_reported_and_dropped() -> None:
    async def switch(exchange: Exchange) -> None:
        await exchange.send(SendHead(101, b"", [(b"Upgrade", b"x")], complete=True))

    served = Served(switch)
    assert served.feed(UPGRADE + b"data") == [b"HTTP/1.1 101 \r\nUpgrade: x\r\n\r\n", "abort", "pause"]
    assert served.reports[0][0] == "nobody here speaks b'x'; the connection is closed"
    assert served.lose() == []
    assert served.settings.drivers == set()


def test_a_refused_request_reaches_no_handler() -> None:
    handler = Waiting()
    served = Served(handler)
    written = served.feed(b"nonsense\r\n\r\n")
    assert isinstance(written[0], bytes)
    assert written[0].startswith(b"HTTP/1.1 400 ")
    assert written[1] == "shutdown_write"
    assert (handler.seen, served.settings.requests_count) == ([], 0)
    assert OK_BYTES not in written


def test_a_server_may_stop_while_a_handler_is_at_its_first_step() -> None:
    async def stop(exchange: Exchange) -> None:
        served.driver.cancel()
        with pytest.raises((LocalProtocolError, ConnectionResetError), match="the connection has ended"):
            await exchange.send(OK)

    served = Served(stop)
    assert OK_BYTES not in served.feed(GET)
    assert not served.driver.busy


def test_the_end_of_the_stream_between_requests_cancels_nobody() -> None:
    handler = Waiting(work_on=True)
    served = Served(handler, on_disconnect=OnDisconnect.CANCEL)
    served.feed(GET)
    served.feed(GET[:9])
    served.eof()
    assert handler.seen == ["begun"]
