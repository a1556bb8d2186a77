import pytest
from tests.support.host import DATE, FakeEvent, Served
from tests.support.machine import GET, OK, OK_BYTES, post

from sansio_web.errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError
from sansio_web.exchange import Exchange
from sansio_web.http.commands import SendContent, SendEnd, SendHead, SendInterim, SendResponse
from sansio_web.http.events import ContentEnded, ContentReceived
from sansio_web.limits import Limits

HEAD_OK = SendHead(200, b"OK", [], complete=True)
HEAD_BYTES = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSING_GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def answer(exchange: Exchange) -> None:
    await exchange.send(OK)


async def echo(exchange: Exchange) -> None:
    content = b""
    while isinstance(told := await exchange.receive(), ContentReceived):
        content += told.data
    await exchange.send(SendResponse(200, b"OK", [], content, complete=True))


# -- what goes out ----


@pytest.mark.parametrize("eager", [False, True])
def test_a_request_is_answered(eager: bool) -> None:
    served = Served(answer, eager=eager)
    assert served.feed(GET) == [OK_BYTES]
    assert served.feed(GET[:9], GET[9:]) == [OK_BYTES]
    assert not served.driver.busy
    assert served.settings.requests_count == 2


def test_pipelined_answers_leave_in_one_write() -> None:
    assert Served(answer).feed(GET * 100) == [OK_BYTES * 100]


def test_a_batch_that_grows_too_large_leaves_in_several() -> None:
    async def large(exchange: Exchange) -> None:
        await exchange.send(SendResponse(200, b"OK", [], b"x" * 10_000, complete=True))

    written = Served(large).feed(GET * 20)
    assert 2 <= len(written) <= 4
    assert b"".join(part for part in written if isinstance(part, bytes)).count(b"HTTP/1.1") == 20


def test_bytes_leave_before_the_end_that_follows_them() -> None:
    assert Served(answer).feed(CLOSING_GET)[1:] == ["shutdown_write"]
    assert Served(answer, can_half_close=False).feed(CLOSING_GET)[1:] == ["close", "pause"]


def test_what_a_handler_sent_leaves_when_it_waits() -> None:
    gate = FakeEvent()

    async def slow(exchange: Exchange) -> None:
        await exchange.send(HEAD_OK)
        await exchange.send(SendContent(b"a"))
        await gate.wait()
        await exchange.send(SendContent(b"b"))
        await exchange.send(SendEnd())

    served = Served(slow)
    assert served.feed(GET) == [HEAD_BYTES + b"1\r\na\r\n"]
    assert served.driver.busy
    gate.set()
    served.host.run()
    assert served.host.took() == [b"1\r\nb\r\n", b"0\r\n\r\n"]


def test_an_exchange_knows_its_surroundings() -> None:
    seen: list[object] = []

    async def look(exchange: Exchange) -> None:
        seen.extend(
            (
                exchange.head.target,
                exchange.now(),
                exchange.date(),
                exchange.server_software,
                exchange.access_logger,
            )
        )
        seen.append(exchange.connection.remote)
        exchange.report("hello")
        await exchange.send(SendInterim(103, b"", []))
        await exchange.send(OK)

    served = Served(look)
    assert served.feed(GET) == [b"HTTP/1.1 103 \r\n\r\n" + OK_BYTES]
    assert seen == [b"/", 1000.0, DATE, b"sansio_web", None, "192.0.2.7"]
    assert served.reports == [("hello", None)]


# -- content ----


def test_content_is_received_as_it_comes() -> None:
    served = Served(echo)
    assert served.feed(post(b"a", length=3)) == []
    assert served.feed(b"b", b"c" + GET[:3]) == [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"]


def test_a_reader_who_is_cancelled_loses_nothing() -> None:
    got: list[object] = []

    async def impatient(exchange: Exchange) -> None:
        first = exchange.receive()
        assert isinstance(first.send(None), FakeEvent)  # type: ignore[attr-defined]
        first.close()  # type: ignore[attr-defined]
        second = exchange.receive()
        assert isinstance(second.send(None), FakeEvent)  # type: ignore[attr-defined]
        second.close()  # type: ignore[attr-defined]
        await gate.wait()
        got.append(await exchange.receive())
        got.append(await exchange.receive())
        await exchange.send(OK)

    gate = FakeEvent()
    served = Served(impatient)
    served.feed(post(b"", length=3), b"abc")
    gate.set()
    assert served.feed() == [OK_BYTES]
    assert got == [ContentReceived(b"abc"), ContentEnded()]


def test_only_one_task_may_wait_for_content() -> None:
    async def two(exchange: Exchange) -> None:
        first = exchange.receive()
        first.send(None)  # type: ignore[attr-defined]
        with pytest.raises(LocalProtocolError, match="another task is waiting in receive"):
            await exchange.receive()
        first.close()  # type: ignore[attr-defined]
        await exchange.send(OK)

    assert Served(two).feed(post(b"", length=3)) == [OK_BYTES]


def test_content_that_breaks_raises_again_and_again() -> None:
    async def stubborn(exchange: Exchange) -> None:
        assert await exchange.receive() == ContentReceived(b"a")
        for _ in range(3):
            with pytest.raises(PeerDisconnected, match="1 of 3 bytes"):
                await exchange.receive()
        await exchange.send(OK)

    served = Served(stubborn)
    served.feed(post(b"a", length=3))
    assert OK_BYTES.partition(b"\r\n")[0] in served.eof()[1]  # type: ignore[operator]
    assert served.reports == []


def test_after_the_end_of_the_content_there_is_nothing_to_receive() -> None:
    async def greedy(exchange: Exchange) -> None:
        while isinstance(await exchange.receive(), ContentReceived):
            pass
        with pytest.raises(LocalProtocolError, match="nothing more to read"):
            await exchange.receive()
        await exchange.send(OK)

    assert Served(greedy).feed(post(b"abc")) == [OK_BYTES]


def test_a_route_bounds_its_content() -> None:
    async def bounded(exchange: Exchange) -> None:
        exchange.limit_content(2)
        with pytest.raises(RemoteProtocolError) as caught:
            await exchange.receive()
        await exchange.send(SendResponse(caught.value.status_hint, b"", [], b""))

    assert Served(bounded).feed(post(b"", length=3))[0].startswith(b"HTTP/1.1 413 ")  # type: ignore[union-attr,arg-type]


def test_reading_stops_while_nobody_receives() -> None:
    gate = FakeEvent()

    async def late(exchange: Exchange) -> None:
        await gate.wait()
        await echo(exchange)

    served = Served(late, limits=Limits(max_buffered_content_bytes=10))
    assert served.feed(post(b"x" * 10, length=20)) == ["pause"]
    gate.set()
    assert served.feed() == ["read"]
    assert served.feed(b"x" * 10)[0].endswith(b"\r\n\r\n" + b"x" * 20)  # type: ignore[union-attr,arg-type]


# -- back-pressure ----


def test_a_writer_waits_while_the_transport_holds_back() -> None:
    sent: list[int] = []

    async def stream(exchange: Exchange) -> None:
        await exchange.send(HEAD_OK)
        for number in range(5):
            await exchange.send(SendContent(b"x" * 70_000))
            sent.append(number)
        await exchange.send(SendEnd())

    served = Served(stream, takes=150)
    served.feed(GET)
    assert sent == []
    served.host.taken(10)
    assert sent == [0]
    for _ in range(4):
        served.host.takes = 100
        served.host.taken(served.host.held)
    assert sent == [0, 1, 2, 3, 4]
    assert served.host.took()[-1] == b"0\r\n\r\n"


def test_a_writer_who_waits_is_told_when_the_peer_is_gone() -> None:
    async def stream(exchange: Exchange) -> None:
        await exchange.send(HEAD_OK)
        with pytest.raises(
            ConnectionResetError, match=r"cannot SendContent: the connection has ended \(the transport broke"
        ):
            await exchange.send(SendContent(b"x" * 70_000))
        raise ValueError("seen")

    served = Served(stream, takes=0)
    served.feed(GET)
    served.lose()
    assert [str(error) for _, error in served.reports] == ["seen"]


def test_a_peer_that_takes_nothing_is_aborted_in_time() -> None:
    async def stream(exchange: Exchange) -> None:
        await exchange.send(HEAD_OK)
        with pytest.raises(ConnectionResetError, match=r"Limits\.write_timeout"):
            await exchange.send(SendContent(b"x" * 70_000))

    served = Served(stream, takes=0)
    served.feed(GET)
    assert served.host.armed[-1] == 1030.0
    assert served.wait(30.0) == ["abort", "pause"]
    assert not served.driver.busy


def test_requests_wait_for_a_peer_that_does_not_read() -> None:
    served = Served(answer, takes=0, limits=Limits(max_unsent_bytes=100, max_pipelined_bytes=200))
    served.feed(GET * 5)
    served.feed(GET * 5, GET * 5)
    assert served.settings.requests_count < 15
    while served.host.held:
        served.host.taken(served.host.held)
        served.host.takes = 10_000
    assert served.settings.requests_count == 15


def test_a_close_that_the_peer_does_not_take_is_timed() -> None:
    served = Served(answer, takes=0)
    served.driver.receive_data(GET)
    served.host.took()
    assert served.eof() == ["close", "pause"]
    assert served.wait(30.0) == ["abort"]
    quiet = Served(answer)
    quiet.feed(GET)
    quiet.host.held = 40  # below the mark at which a transport says so
    assert quiet.eof() == ["close", "pause"]
    assert quiet.host.armed[-1] == 1030.0


# -- time ----


def test_the_timer_is_armed_for_an_earlier_moment_only() -> None:
    served = Served(answer)
    assert served.host.armed == [1075.0]
    served.host.clock += 10.0
    served.feed(GET)
    assert served.host.armed == [1075.0]
    served.feed(GET[:9])
    assert served.host.armed == [1075.0, 1030.0]
    served.feed(GET[9:])
    served.wait(20.0)  # early for the next one
    assert served.host.armed == [1075.0, 1030.0, 1085.0]
    assert served.wait(100.0) == ["close", "pause"]
    assert served.wait(100.0) == []


# -- handlers that work on after their response ----


def test_the_next_request_begins_while_a_handler_works_on_up_to_a_number() -> None:
    gate = FakeEvent()

    async def work_on(exchange: Exchange) -> None:
        await exchange.send(OK)
        await gate.wait()

    served = Served(work_on, max_handlers=2)
    assert served.feed(GET * 3) == [OK_BYTES * 2, "pause"]
    gate.set()
    assert served.feed() == [OK_BYTES, "read"]
    assert not served.driver.busy


def test_late_commands_are_refused_where_they_are_given() -> None:
    gate = FakeEvent()
    checked: list[bool] = []

    async def late(exchange: Exchange) -> None:
        await exchange.send(OK)
        exchange.abort()
        await gate.wait()
        for command in (OK, HEAD_OK, SendContent(b"x"), SendEnd()):
            with pytest.raises(LocalProtocolError, match="one request, one response"):
                await exchange.send(command)
        with pytest.raises(RemoteProtocolError, match="the content was discarded"):
            await exchange.receive()
        exchange.limit_content(3)
        exchange.abort()
        checked.append(True)

    served = Served(late)
    assert served.feed(post(b"abc") + GET) == [OK_BYTES * 2]
    gate.set()
    assert served.feed() == []
    assert checked == [True, True]


def test_a_refused_command_leaves_the_exchange_as_it_was() -> None:
    async def faulty(exchange: Exchange) -> None:
        with pytest.raises(LocalProtocolError, match=r"RFC 9110 5\.5"):
            await exchange.send(SendResponse(200, b"OK", [(b"X", b"\r\n")], b""))
        await exchange.send(OK)

    assert Served(faulty).feed(GET + GET) == [OK_BYTES * 2]


# -- handlers that fail ----


@pytest.mark.parametrize("head", [None, HEAD_OK])
def test_an_escaped_exception_is_reported_and_the_response_cut(head: SendHead | None) -> None:
    async def fail(exchange: Exchange) -> None:
        if head is not None:
            await exchange.send(head)
        raise ValueError("oops")

    served = Served(fail)
    done = served.feed(GET)
    assert done == ([HEAD_BYTES] if head else []) + ["shutdown_write"]
    assert [(message, str(error)) for message, error in served.reports] == [
        ("the application let an exception escape", "oops")
    ]


def test_a_handler_that_forgets_its_response_is_cut() -> None:
    async def forget(exchange: Exchange) -> None:
        await exchange.send(HEAD_OK)

    served = Served(forget)
    assert served.feed(GET + GET) == [HEAD_BYTES, "shutdown_write"]


def test_a_handler_may_break_the_connection_off() -> None:
    async def abort(exchange: Exchange) -> None:
        await exchange.send(HEAD_OK)
        exchange.abort()
        with pytest.raises(LocalProtocolError, match="the connection has ended"):
            await exchange.send(SendEnd())

    http_1_0 = Served(abort)
    assert http_1_0.feed(b"GET / HTTP/1.0\r\n\r\n")[1:] == ["abort", "pause"]
    served = Served(abort)
    assert served.feed(GET) == [HEAD_BYTES, "shutdown_write"]


def test_a_transport_may_say_twice_that_it_holds_back() -> None:
    served = Served(answer, takes=0)
    served.feed(GET)
    blocked = served.driver.blocked
    served.driver.write_blocked()
    assert served.driver.blocked is blocked
    served.host.taken(len(OK_BYTES))
    assert served.driver.blocked is None
    served.driver.write_resumed()


def test_a_server_need_not_ask_for_departures() -> None:
    served = Served(answer)
    served.settings.on_departure = None
    served.lose()
    assert served.settings.drivers == set()


def test_a_whole_response_needs_no_waiting() -> None:
    async def at_once(exchange: Exchange) -> None:
        exchange.respond(OK)
        with pytest.raises(LocalProtocolError, match="one request, one response"):
            exchange.respond(OK)

    assert Served(at_once).feed(GET) == [OK_BYTES]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_wish_to_exit_is_the_servers_to_fulfil(kind: type[BaseException]) -> None:
    async def leave(exchange: Exchange) -> None:
        raise kind

    served = Served(leave)
    with pytest.raises(kind):
        served.feed(GET)
    assert not served.driver.busy
    told: list[BaseException] = []
    served = Served(leave)
    served.settings.on_exit = told.append
    assert served.feed(GET) == ["shutdown_write"]
    assert [type(error) for error in told] == [kind]
