"""`WebSocketResponse`: every way it can end, seen by its handler, by other tasks, and by the peer."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.support import ws_frames as wsf
from tests.support.host import Cancelled, FakeEvent
from tests.support.ws_frames import Frame, frame, text
from ws_served import WSServed

from sansio_web import web
from sansio_web.errors import LocalProtocolError
from sansio_web.host import OnDisconnect
from sansio_web.http.commands import SendHead

T = web.WSMsgType
CLOSED = web.WSMessage(T.CLOSED, None, None)
CLOSING = web.WSMessage(T.CLOSING, None, None)
OPENED = 1.0


def receiving(count: int = 20, **arguments: Any) -> tuple[WSServed, web.WebSocketResponse, list[Any]]:
    """A handler that receives so often, or until that raises; what came is in the list."""
    ws = web.WebSocketResponse(**arguments)
    got: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        while len(got) < count:
            try:
                got.append(await ws.receive())
            except Exception as error:
                got.append(error)
                break
        return ws

    served = WSServed(handler)
    served.open()
    return served, ws, got


# -- by the peer -------------------------------------------------------------------------------------------------------


def test_the_peers_close_is_answered_told_once_and_then_closed_for_ever() -> None:
    served, ws, got = receiving()
    assert served.say(text("last"), wsf.close(4001, "bye")) == [
        Frame(wsf.CLOSE, b"\x0f\xa1bye"),
    ]
    assert got == [web.WSMessage(T.TEXT, "last", ""), web.WSMessage(T.CLOSE, 4001, "bye")]
    assert ws.closed
    assert ws.close_code == 4001
    assert ws.ended is None  # the transport still ends
    served.leave()
    assert got[2:6] == [CLOSED] * 4
    assert isinstance(got[6], RuntimeError)
    assert "after the WebSocket has ended (4001: " in str(got[6])
    assert ws.ended == web.SocketClosed(4001, "bye", clean=True, by=web.Ended.REMOTE)
    assert ws.exception() is None


def test_a_close_without_a_code_is_1005() -> None:
    served, ws, got = receiving(1)
    assert served.say(wsf.close(None)) == [Frame(wsf.CLOSE, b"")]
    assert got == [web.WSMessage(T.CLOSE, 1005, "")]
    assert ws.close_code == 1005


def test_without_autoclose_the_handler_answers_and_may_say_more_before() -> None:
    ws = web.WebSocketResponse(autoclose=False)
    log: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        log.append((await ws.receive(), ws.closed, ws.close_code))
        await ws.send_str("one more")
        log.append((await ws.close(code=4000, message="mine"), ws.closed, ws.close_code))
        return ws

    served = WSServed(handler)
    served.open()
    assert served.say(wsf.close(4001)) == [Frame(wsf.TEXT, b"one more"), Frame(wsf.CLOSE, b"\x0f\xa0mine")]
    served.leave()
    assert log == [(web.WSMessage(T.CLOSE, 4001, ""), False, 4001), (True, True, 4001)]


def test_a_peer_that_vanishes_is_1006() -> None:
    for leave in (WSServed.eof, WSServed.lose):
        served, ws, got = receiving()
        leave(served)
        assert got[0] == CLOSED
        assert (ws.closed, ws.close_code) == (True, 1006)
        assert isinstance(ws.exception(), ConnectionResetError)
        assert ws.ended == web.SocketClosed(1006, "", clean=False, by=web.Ended.TRANSPORT)
        for send in (ws.send_str("x"), ws.ping()):
            (error,) = served.task(send)
            assert isinstance(error, ConnectionResetError)
        assert served.task(ws.close()) == [False]
        assert served.reports == []


def test_what_breaks_the_protocol_is_an_error_after_the_messages_before_it() -> None:
    served, ws, got = receiving()
    sent = served.say(text("fine") + frame(wsf.TEXT, b"x", masked=False))
    assert [each.code for each in sent] == [1002]
    served.leave()
    assert [each.type for each in got[:3]] == [T.TEXT, T.ERROR, T.CLOSED]
    error = got[1].data
    assert isinstance(error, web.WebSocketError)
    assert error.code == 1002
    assert "unmasked frame" in str(error)
    assert ws.exception() is error
    assert ws.close_code == 1002
    assert ws.ended is not None
    assert (ws.ended.clean, ws.ended.by) == (False, web.Ended.FAILED)


def test_a_message_over_the_limit_is_1009_and_zero_is_no_limit() -> None:
    served, ws, got = receiving(max_msg_size=10)
    assert [each.code for each in served.say(text("x" * 11))] == [1009]
    assert got[0].data.code == 1009
    served, ws, got = receiving(max_msg_size=0)
    served.say(frame(wsf.BINARY, b"x" * 5_000_000))
    assert len(got[0].data) == 5_000_000
    assert not ws.closed


def test_what_went_wrong_is_known_without_receiving_it() -> None:
    ws, busy = web.WebSocketResponse(), FakeEvent()

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        await busy.wait()
        return ws

    served = WSServed(handler)
    served.open()
    served.say(frame(0x3))
    served.leave()
    error = ws.exception()
    assert isinstance(error, web.WebSocketError)
    assert error.code == ws.close_code == 1002


@pytest.mark.parametrize("leave", [WSServed.eof, WSServed.lose])
def test_a_peer_that_left_before_the_101_was_sent(leave: Any) -> None:
    ws, busy, log = web.WebSocketResponse(), FakeEvent(), list[Any]()

    async def handler(request: web.Request) -> web.StreamResponse:
        await busy.wait()
        try:
            await ws.prepare(request)
        except ConnectionResetError as error:
            log.append(str(error))
            raise
        log.append(await ws.receive())
        return ws

    served = WSServed(handler)
    served.feed(wsf.opening())
    leave(served)
    busy.set()
    served.host.run()
    if leave is WSServed.eof:
        assert log == [CLOSED]
    else:
        assert log[0].startswith("cannot SendHead: the connection has ended (the transport broke")
    assert served.reports == []


def test_a_peer_that_did_not_take_what_came_before_the_101_is_timed() -> None:
    ws, busy = web.WebSocketResponse(), FakeEvent()

    async def handler(request: web.Request) -> web.StreamResponse:
        await busy.wait()
        await web.send_interim(request, 103, {"Link": "<" + "x" * 5000 + ">"})
        await busy.wait()
        await ws.prepare(request)
        async for _ in ws:
            pass
        return ws

    served = WSServed(handler, takes=1000)
    served.feed(wsf.opening())
    busy.set()
    served.host.run()
    assert ws.unsent() > 4000
    served.wait(31.0)
    assert ws.ended is not None
    assert ws.ended.by is web.Ended.TIMEOUT


@pytest.mark.parametrize("gone_on", [False, True], ids=["at once", "after the next request"])
def test_a_request_that_was_answered_cannot_become_a_websocket(gone_on: bool) -> None:
    errors: list[str] = []
    busy = FakeEvent()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.Response()
        await response.prepare(request)
        await response.write_eof()
        if gone_on:
            await busy.wait()
        with pytest.raises(LocalProtocolError) as caught:
            request._exchange.open_websocket(SendHead(101, b"", ()), limits=web.WebSocketLimits(), deflate=None)
        errors.append(str(caught.value))
        return response

    served = WSServed(handler)
    assert served.request()[0] == 200
    served.feed(wsf.opening())
    busy.set()
    served.host.run()
    assert len(errors) == 2
    assert all("one request, one response" in error for error in errors)


def test_a_heartbeat_answered_late_is_1006_with_a_timeout() -> None:
    served, ws, got = receiving(heartbeat=10.0)
    (ping,) = served.after(10.0)
    assert ping.opcode == wsf.PING
    served.say(frame(wsf.PONG, ping.payload))
    assert served.after(4.9) == []
    assert served.after(5.1)[0].opcode == wsf.PING  # ten seconds after the sign of life
    served.after(5.0)
    assert [each.type for each in got[:2]] == [T.ERROR, T.CLOSED]
    assert isinstance(got[0].data, TimeoutError)
    assert ws.exception() is got[0].data
    assert "no sign of life within 5.0 s" in str(got[0].data)
    assert ws.close_code == 1006
    assert ws.ended is not None
    assert ws.ended.by is web.Ended.TIMEOUT


# -- by a task here ----------------------------------------------------------------------------------------------------


def test_another_task_closes_while_one_receives() -> None:
    served, ws, got = receiving(2)
    closing = served.task(ws.close(code=4002, message=b"logged out"))
    assert got == [CLOSING]  # at once
    assert closing == []
    assert served.written() == [Frame(wsf.CLOSE, b"\x0f\xa2logged out")]
    assert ws.closed
    served.say(text("crossed on the way"), wsf.close(4002, "logged out"))
    served.leave()
    assert closing == [True]
    assert got == [CLOSING, CLOSED]
    assert ws.ended == web.SocketClosed(4002, "logged out", clean=True, by=web.Ended.LOCAL)
    assert ws.exception() is None


def test_a_loop_over_messages_ends_by_itself_when_another_task_closes() -> None:
    ws = web.WebSocketResponse()
    log: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        async for message in ws:
            assert message.type is T.TEXT
            log.append(message.data)
        log.append("over")
        return ws

    served = WSServed(handler)
    served.open()
    served.say(text("a"))
    served.task(ws.close())
    assert log == ["a", "over"]


def test_close_returns_within_its_timeout_though_the_peer_says_nothing() -> None:
    served, ws, got = receiving(2, timeout=3.0)
    closing = served.task(ws.close())
    served.after(2.9)
    assert closing == []
    served.after(0.1)
    assert closing == [True]
    assert ws.ended == web.SocketClosed(1006, "", clean=False, by=web.Ended.LOCAL)
    assert isinstance(ws.exception(), web.WebSocketError)
    assert got == [CLOSING, CLOSED]


@pytest.mark.parametrize(
    "said_before",
    [
        pytest.param(text("go on"), id="open"),
        pytest.param(wsf.close(), id="after the peer's Close"),
    ],
)
def test_close_returns_within_its_timeout_though_the_peer_takes_and_ends_nothing(said_before: bytes) -> None:
    ws = web.WebSocketResponse(timeout=3.0, autoclose=False)

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        await ws.receive()
        await ws.receive()
        return ws

    served = WSServed(handler, takes=1000)
    served.open()
    served.task(ws.send_bytes(b"x" * 1_000_000))
    served.feed(said_before)
    closing = served.task(ws.close())
    assert closing == []
    for _ in range(30):
        served.wait(0.1)
    assert closing == [True]


def test_several_tasks_close_at_once() -> None:
    served, ws, _ = receiving(1)
    outcomes = [served.task(ws.close(code=4000 + each)) for each in range(3)]
    assert [each.code for each in served.written()] == [4000]
    served.say(wsf.close(4000))
    served.leave()
    assert outcomes == [[True], [False], [False]]
    assert served.task(ws.close()) == [False]


def test_senders_learn_that_it_closes_and_no_frame_follows_the_close() -> None:
    served, ws, _ = receiving(1)
    served.task(ws.close())
    for send in (ws.send_str("late"), ws.send_bytes(b"late"), ws.send_frame(b"late", T.TEXT)):
        (error,) = served.task(send)
        assert isinstance(error, ConnectionResetError)
        assert "the WebSocket is closing" in str(error)
    assert [each.opcode for each in served.written()] == [wsf.CLOSE]


def test_a_cancelled_close_goes_on_alone() -> None:
    served, ws, _ = receiving(1, timeout=3.0)
    closing = ws.close()
    closing.send(None)
    closing.close()
    assert [each.opcode for each in served.written()] == [wsf.CLOSE]
    served.after(3.0)
    assert ws.ended is not None


def test_the_server_that_stops_says_1001_and_wakes_the_reader() -> None:
    served, _, got = receiving(2)
    served.driver.stop()
    served.host.run()
    assert [each.code for each in served.written()] == [1001]
    assert got == [CLOSING]
    served.say(wsf.close(1001))
    served.leave()
    served.driver.stop()  # again changes nothing
    assert got == [CLOSING, CLOSED]
    assert served.departures == 1


def test_a_websocket_opened_while_the_server_stops_is_closed_at_once() -> None:
    held = FakeEvent()

    async def handler(request: web.Request) -> web.StreamResponse:
        await held.wait()
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for _ in ws:
            pass
        return ws

    served = WSServed(handler)
    served.feed(wsf.opening())
    served.settings.stopping = True
    served.driver.stop()
    held.set()
    served.host.run()
    data = served.data(served.host.took())
    assert data.startswith(b"HTTP/1.1 101 ")
    assert [each.code for each in wsf.frames(data.partition(b"\r\n\r\n")[2])] == [1001]


# -- by the handler's own end ------------------------------------------------------------------------------------------


def ended_by(work: Any, **options: Any) -> tuple[WSServed, web.WebSocketResponse]:
    """A handler that prepares and then does this."""
    ws = web.WebSocketResponse()

    async def handler(request: web.Request) -> Any:
        await ws.prepare(request)
        return await work(ws)

    served = WSServed(handler, **options)
    served.open()
    return served, ws


def test_a_handler_that_returns_closes_with_1000() -> None:
    async def work(ws: web.WebSocketResponse) -> web.StreamResponse:
        return ws

    served, ws = ended_by(work)
    assert [each.code for each in wsf.frames(served.rest)] == [1000]
    served.say(wsf.close())
    served.leave()
    assert ws.ended is not None
    assert ws.ended.clean
    assert served.departures == 1
    assert served.reports == []


@pytest.mark.parametrize("kind", ["raises", "raises HTTPException", "returns None", "returns another"])
def test_a_handler_that_fails_closes_with_1011_and_is_reported(kind: str) -> None:
    async def work(ws: web.WebSocketResponse) -> Any:
        match kind:
            case "raises":
                raise ValueError("boom")
            case "raises HTTPException":
                raise web.HTTPNotFound
            case "returns None":
                return None
            case _:
                return web.Response()

    served, ws = ended_by(work)
    (close,) = wsf.frames(served.rest)
    assert close.code == 1011
    assert b"boom" not in close.payload
    served.say(wsf.close(1011))
    served.leave()
    assert len(served.reports) == 1
    assert ws.close_code == 1011
    assert served.departures == 1


def test_a_handler_that_fails_after_the_end_is_reported() -> None:
    async def work(ws: web.WebSocketResponse) -> Any:
        await ws.receive()
        raise ValueError("boom")

    served, _ = ended_by(work)
    served.lose()
    assert [str(error) for _, error in served.reports] == ["boom"]


def test_a_handler_whose_send_failed_because_the_peer_left_is_no_error() -> None:
    async def work(ws: web.WebSocketResponse) -> Any:
        await ws.receive()
        await ws.send_str("x")

    served, _ = ended_by(work)
    served.lose()
    assert served.reports == []


@pytest.mark.parametrize(
    ("errors", "reported"), [([ConnectionResetError("gone")], 0), ([ConnectionResetError("gone"), ValueError()], 1)]
)
def test_a_group_of_nothing_but_lost_connections_is_no_error_either(errors: list[Exception], reported: int) -> None:
    async def work(ws: web.WebSocketResponse) -> Any:
        await ws.receive()
        with pytest.raises(ConnectionResetError):
            await ws.send_str("x")
        raise ExceptionGroup("two tasks", [ExceptionGroup("one", errors)])

    served, _ = ended_by(work)
    served.lose()
    assert len(served.reports) == reported


def test_a_cancelled_handler_closes_with_1011() -> None:
    async def work(ws: web.WebSocketResponse) -> Any:
        await FakeEvent().wait()

    served, _ = ended_by(work)
    (task,) = served.host.tasks
    task.cancel()
    served.host.run()
    assert [each.code for each in served.written()] == [1011]


def test_other_commands_of_the_exchange_are_refused_and_abort_breaks_off() -> None:
    exchanges: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        exchanges.append(request._exchange)
        await ws.receive()
        return ws

    served = WSServed(handler)
    served.open()
    with pytest.raises(Exception, match="one request, one response"):
        exchanges[0].respond(SimpleNamespace(content=b""))
    exchanges[0].abort()
    assert "abort" in served.host.took()


def test_the_access_log_has_a_line_when_it_is_over() -> None:
    lines: list[tuple[int, float]] = []

    async def work(ws: web.WebSocketResponse) -> web.StreamResponse:
        await ws.receive()
        return ws

    class Sink:
        def log(self, request: web.Request, response: web.StreamResponse, time: float) -> None:
            lines.append((response.status, time))

    ws = web.WebSocketResponse()

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        return await work(ws)

    served = WSServed(handler)
    served.settings.access_logger = Sink()
    served.driver.__init__(served.settings, served.host)  # type: ignore[misc]  # a connection that knows of it
    served.open()
    served.after(2.5)
    assert lines == []
    served.say(wsf.close())
    served.leave()
    assert lines == [(101, 2.5)]


# -- what the end does to a handler that waits for something else ------------------------------------------------------


def waiting_elsewhere(policy: OnDisconnect) -> tuple[WSServed, web.WebSocketResponse, list[str], FakeEvent]:
    ws = web.WebSocketResponse(timeout=3.0)
    log: list[str] = []
    elsewhere = FakeEvent()

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        try:
            await elsewhere.wait()
            async for _ in ws:
                raise AssertionError("no message was sent")
            log.append(f"the loop ended {ws.close_code}")
        except Cancelled:
            log.append("cancelled")
            raise
        return ws

    served = WSServed(handler, on_disconnect=policy)
    served.open()
    return served, ws, log, elsewhere


def lost(served: WSServed, ws: web.WebSocketResponse) -> None:
    served.lose()


def closed_by_the_peer(served: WSServed, ws: web.WebSocketResponse) -> None:
    served.say(wsf.close(1001))
    served.after(60.0)
    served.leave()


def closed_by_another_task(served: WSServed, ws: web.WebSocketResponse) -> None:
    served.task(ws.close(code=4000))
    served.say(wsf.close(4000))
    served.leave()


def closed_by_another_task_with_a_dead_peer(served: WSServed, ws: web.WebSocketResponse) -> None:
    served.task(ws.close(code=4000))
    served.after(3.0)


WAYS = [lost, closed_by_the_peer, closed_by_another_task, closed_by_another_task_with_a_dead_peer]


@pytest.mark.parametrize("way", WAYS)
def test_with_cancel_a_handler_that_waits_for_something_else_is_cancelled(way: Any) -> None:
    served, ws, log, _ = waiting_elsewhere(OnDisconnect.CANCEL)
    way(served, ws)
    assert log == ["cancelled"]
    assert served.reports == []


@pytest.mark.parametrize("way", WAYS)
def test_with_ignore_its_loop_ends_at_the_next_receive(way: Any) -> None:
    served, ws, log, elsewhere = waiting_elsewhere(OnDisconnect.IGNORE)
    way(served, ws)
    assert log == []
    elsewhere.set()
    served.host.run()
    assert log == [f"the loop ended {ws.close_code}"]


@pytest.mark.parametrize("way", WAYS)
def test_with_cancel_a_handler_that_receives_is_not_cancelled(way: Any) -> None:
    ws = web.WebSocketResponse(timeout=3.0)
    log: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        async for _ in ws:
            pass
        log.append("the loop ended")
        return ws

    served = WSServed(handler, on_disconnect=OnDisconnect.CANCEL)
    served.open()
    way(served, ws)
    assert log == ["the loop ended"]


def test_with_cancel_a_handler_in_its_own_close_is_not_cancelled() -> None:
    ws = web.WebSocketResponse()
    log: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        await ws.close()
        log.append("closed")
        return ws

    served = WSServed(handler, on_disconnect=OnDisconnect.CANCEL)
    served.open()
    served.say(wsf.close())
    served.leave()
    assert log == ["closed"]
