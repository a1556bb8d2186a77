"""`WebSocketResponse`: the opening handshake, and messages in both directions."""

import json
from typing import Any

import pytest
from fake_exchange import FakeExchange, run
from tests.support import ws_frames as wsf
from tests.support.ws_frames import Frame, frame, text
from ws_served import WSServed

from sansio_web import web
from sansio_web.errors import LocalProtocolError
from sansio_web.web.stream_response import StreamResponse


async def echo(request: web.Request) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        if message.type is web.WSMsgType.TEXT:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
    return ws


def opened(**arguments: Any) -> tuple[WSServed, web.WebSocketResponse, list[Any]]:
    """A WebSocket whose handler receives until it fails; what it gets, or what is raised, is in the list."""
    ws = web.WebSocketResponse(**arguments)
    got: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        while len(got) < 20:
            try:
                got.append(await ws.receive())
            except Exception as error:
                got.append(error)
                break
        return ws

    served = WSServed(handler)
    served.open()
    return served, ws, got


# -- opening -----------------------------------------------------------------------------------------------------------


def test_the_101_has_what_the_rfc_asks_for_and_nothing_of_content() -> None:
    fields = WSServed(echo).open()
    assert fields["upgrade"] == "websocket"
    assert fields["connection"] == "Upgrade"
    assert fields["sec-websocket-accept"] == wsf.ACCEPT
    assert {"date", "server"} <= set(fields)
    assert not {"content-type", "content-length", "transfer-encoding"} & set(fields)


@pytest.mark.parametrize(
    ("asked", "chosen"), [("b, a", "b"), ("x, a", "a"), ("x", None), ("", None), ("A", None)], ids=str
)
def test_the_clients_first_subprotocol_that_is_spoken_here_is_chosen(asked: str, chosen: str | None) -> None:
    seen: list[web.WebSocketResponse] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(protocols=("a", "b"))
        seen.append(ws)
        assert ws.ws_protocol is None
        assert ws.can_prepare(request) == web.WebSocketReady(True, chosen)
        await ws.prepare(request)
        return ws

    fields = WSServed(handler).open(*([f"Sec-WebSocket-Protocol: {asked}"] if asked else []))
    assert fields.get("sec-websocket-protocol") == chosen
    assert seen[0].ws_protocol == chosen
    assert seen[0].protocols == ("a", "b")


REFUSED = [
    ({"without": "Upgrade"}, 400, "Upgrade is missing"),
    ({"without": "Connection"}, 400, "Connection is missing"),
    ({"without": "Sec-WebSocket-Key"}, 400, "Sec-WebSocket-Key is missing"),
    ({"without": "Sec-WebSocket-Version"}, 426, "Sec-WebSocket-Version is missing"),
    ({"version": "1.0"}, 400, "HTTP/1.0 cannot open a WebSocket"),
]


@pytest.mark.parametrize(("kinds", "status", "reason"), REFUSED, ids=[str(kinds) for kinds, _, _ in REFUSED])
def test_what_is_no_opening_handshake_is_refused_with_the_reason(
    kinds: dict[str, str], status: int, reason: str
) -> None:
    ready: list[web.WebSocketReady] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        ready.append(ws.can_prepare(request))
        await ws.prepare(request)
        return ws

    served = WSServed(handler)
    answered, fields, content = served.request(**kinds)
    assert answered == status
    assert f"{status}: {reason}" in content.decode()
    assert fields.get("sec-websocket-version") == ("13" if status == 426 else None)
    assert ready == [web.WebSocketReady(False, None)]
    assert not ready[0]
    assert served.reports == []
    if "version" not in kinds:
        assert served.request()[0] == 101  # the connection lives


def test_headers_cookies_and_what_the_signal_adds_are_in_the_101() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        ws.headers["X-Own"] = "1"
        ws.set_cookie("seen", "yes")
        await ws.prepare(request)
        return ws

    async def signal(request: web.Request, response: web.StreamResponse) -> None:
        assert isinstance(response, web.WebSocketResponse)
        response.headers["X-Signal"] = response.headers["Sec-WebSocket-Accept"]

    app = web.Application()
    app.on_response_prepare.append(signal)
    fields = WSServed(handler, app=app).open()
    assert fields["x-own"] == "1"
    assert fields["x-signal"] == wsf.ACCEPT
    assert fields["set-cookie"] == "seen=yes; Path=/"


def test_a_middleware_stands_around_the_whole_conversation() -> None:
    log: list[str] = []

    @web.middleware
    async def around(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        log.append("before")
        response = await handler(request)
        assert isinstance(response, web.WebSocketResponse)
        log.append(f"after {response.close_code}")
        return response

    served = WSServed(echo, app=web.Application(middlewares=[around]))
    served.open()
    assert log == ["before"]
    served.say(text("one"), wsf.close(1001))
    served.leave()
    assert log == ["before", "after 1001"]


def test_prepare_again_does_nothing_and_two_for_one_request_is_an_error() -> None:
    errors: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        assert not ws.prepared
        await ws.prepare(request)
        assert ws.prepared
        await ws.prepare(request)
        for wrong in (web.WebSocketResponse().prepare(request), web.Response().prepare(request)):
            with pytest.raises(RuntimeError) as caught:
                await wrong
            errors.append(str(caught.value))
        with pytest.raises(RuntimeError, match=r"after prepare\(\)"):
            ws.can_prepare(request)
        return ws

    WSServed(handler).open()
    assert all("one request, one response" in error for error in errors)


def test_before_prepare_nothing_works() -> None:
    ws = web.WebSocketResponse()
    for what in (ws.receive(), ws.send_str(""), ws.ping(), ws.close(), ws.drain(), ws.write_eof()):
        with pytest.raises(RuntimeError, match=r"before prepare\(\)"):
            run(what)
    assert not ws.closed
    assert ws.close_code is ws.exception() is ws.ended is ws.ws_protocol is None
    assert ws.get_extra_info("peername", "none") == "none"
    with pytest.raises(RuntimeError, match=r"before prepare\(\)"):
        run(web.merged(ws).__aenter__())


def test_write_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"cannot call write\(\) of a WebSocket"):
        run(web.WebSocketResponse().write(b""))


def test_subprotocols_are_a_list_of_names() -> None:
    with pytest.raises(TypeError, match="give a list of names"):
        web.WebSocketResponse(protocols="chat")


def test_a_peer_that_left_before_the_101() -> None:
    ws = web.WebSocketResponse()
    exchange = FakeExchange(
        fields=[
            ("Host", "x"),
            ("Upgrade", "websocket"),
            ("Connection", "upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", wsf.NONCE),
        ]
    )

    def gone(*_: Any, **__: Any) -> Any:
        raise ConnectionResetError("gone")

    exchange.open_websocket = gone  # type: ignore[attr-defined]
    with pytest.raises(ConnectionResetError):
        run(ws.prepare(web.Request(exchange)))
    with pytest.raises(ConnectionResetError):
        run(ws.send_str("too late"))
    assert not ws.closed


def test_permessage_deflate_is_agreed_on_unless_it_is_not_wanted() -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    for wanted, offered, agreed in ((True, True, 15), (True, False, 0), (False, True, 0)):
        seen: list[int] = []

        async def handler(request: web.Request, wanted: bool = wanted, seen: list[int] = seen) -> web.StreamResponse:
            ws = web.WebSocketResponse(compress=wanted)
            assert ws.compress is wanted
            await ws.prepare(request)
            seen.append(ws.compress)
            await ws.send_str("a" * 100)
            await ws.send_str("a" * 100, compress=0)
            return ws

        served = WSServed(handler)
        fields = served.open(*([offer] if offered else []))
        deflated, plain, _ = wsf.frames(served.rest)
        assert seen == [agreed]
        assert ("sec-websocket-extensions" in fields) is bool(agreed)
        assert deflated.rsv1 is bool(agreed)
        assert plain == Frame(wsf.TEXT, b"a" * 100)


# -- receiving ---------------------------------------------------------------------------------------------------------


def test_messages_come_as_text_and_bytes_whatever_their_fragments() -> None:
    served, ws, got = opened()
    served.say(text("grüße"), frame(wsf.BINARY, b"\0\1"), frame(wsf.TEXT, b"a", fin=False), frame(0, b"b"))
    assert got == [
        web.WSMessage(web.WSMsgType.TEXT, "grüße", ""),
        web.WSMessage(web.WSMsgType.BINARY, b"\0\1", ""),
        web.WSMessage(web.WSMsgType.TEXT, "ab", ""),
    ]
    assert not ws.closed
    assert ws.close_code is ws.exception() is ws.ended is None


def test_what_came_together_with_the_request_is_not_lost() -> None:
    served = WSServed(echo)
    data = served.data(served.feed(wsf.opening() + text("early")))
    assert data.endswith(b"\r\n\r\n\x81\x05early")


def test_pings_are_answered_and_not_told_unless_the_handler_wants_them() -> None:
    served, _, got = opened()
    assert served.say(frame(wsf.PING, b"x"), frame(wsf.PONG, b"y")) == [Frame(wsf.PONG, b"x")]
    assert got == []
    served, _, got = opened(autoping=False)
    assert served.say(frame(wsf.PING, b"x"), frame(wsf.PONG, b"y")) == []
    assert got == [web.WSMessage(web.WSMsgType.PING, b"x", ""), web.WSMessage(web.WSMsgType.PONG, b"y", "")]


def test_texts_as_bytes_where_they_are_not_to_be_decoded() -> None:
    served, _, got = opened(decode_text=False)
    served.say(text("[1]"))
    assert got == [web.WSMessage(web.WSMsgType.TEXT, b"[1]", "")]
    assert got[0].json() == [1]


def test_receiving_by_type() -> None:
    got: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        got.append(await ws.receive_str())
        got.append(await ws.receive_bytes())
        got.append(await ws.receive_json())
        got.append(await ws.receive_json(loads=len))
        for wrong in (ws.receive_str, ws.receive_bytes, ws.receive_json, ws.receive_str):
            with pytest.raises(web.WSMessageTypeError) as caught:
                await wrong()
            got.append(str(caught.value))
        return ws

    served = WSServed(handler)
    served.open()
    served.say(text("a"), frame(wsf.BINARY, b"b"), text('{"c": 1}'), text("four"))
    served.say(frame(wsf.BINARY, b"b"), text("c"), frame(wsf.BINARY, b"d"), wsf.close())
    assert got == [
        *("a", b"b", {"c": 1}, 4),
        "received BINARY \"b'b'\", but TEXT was asked for",
        "received TEXT 'c', but BINARY was asked for",
        "received BINARY \"b'd'\", but TEXT was asked for",
        "received CLOSE '1000', but TEXT was asked for",
    ]
    assert issubclass(web.WSMessageTypeError, TypeError)
    assert served.reports == []


def test_a_message_is_a_tuple_that_decodes_json() -> None:
    kind, data, extra = message = web.WSMessage(web.WSMsgType.TEXT, "[1]", "")
    assert (kind, data, extra) == (web.WSMsgType.TEXT, "[1]", "")
    assert message.json() == [1]
    assert message.json(loads=len) == 3


def test_receive_gives_up_after_its_timeout_and_nothing_is_lost() -> None:
    served, _, got = opened(receive_timeout=5.0)
    assert served.host.armed[-1] <= served.host.clock + 5.0
    served.after(4.9)
    assert got == []
    served.after(0.2)
    assert [type(each) for each in got] == [TimeoutError]
    assert "5.0 s" in str(got[0])


def test_a_timeout_of_one_call_and_receiving_again_after_it() -> None:
    got: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        for timeout in (1.0, 2.0, None):
            try:
                got.append((await ws.receive(timeout)).data)
            except TimeoutError:
                got.append(timeout)
        return ws

    served = WSServed(handler)
    served.open()
    served.after(1.0)
    assert got == [1.0]
    served.after(1.0)
    served.say(text("in time"))
    assert got == [1.0, "in time"]
    served.after(60.0)
    served.say(text("at last"))
    assert got == [1.0, "in time", "at last"]


def test_two_receive_at_once_is_an_error_at_once_and_the_first_goes_on() -> None:
    served, ws, got = opened()
    (error,) = served.task(ws.receive())
    assert isinstance(error, RuntimeError)
    assert "another task is waiting in receive()" in str(error)
    served.say(text("for the first"))
    assert got[0].data == "for the first"


def test_a_reader_that_is_cancelled_loses_nothing() -> None:
    got: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        waiting = ws.receive()
        waiting.send(None)  # it waits
        waiting.close()  # and is cancelled
        got.append((await ws.receive()).data)
        return ws

    served = WSServed(handler)
    served.open()
    served.say(text("kept"))
    assert got == ["kept"]


# -- sending -----------------------------------------------------------------------------------------------------------


def sent_by(send: Any) -> tuple[list[Frame], WSServed]:
    """Frames that one function sends, the Close of its return cut off."""

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await send(ws)
        return ws

    served = WSServed(handler)
    served.open()
    *before, last = wsf.frames(served.rest)
    assert last.opcode == wsf.CLOSE
    return before, served


def test_everything_that_can_be_sent() -> None:
    async def send(ws: web.WebSocketResponse) -> None:
        await ws.send_str("grüße")
        await ws.send_bytes(bytearray(b"1"))
        await ws.send_bytes(memoryview(b"2"))
        await ws.send_json({"a": 1})
        await ws.send_json([1], dumps=str)
        await ws.send_json_bytes([1], dumps=lambda data: json.dumps(data).encode())
        await ws.ping()
        await ws.ping("ü")
        await ws.pong(b"p")
        await ws.drain()
        await ws.send_frame(b"whole", web.WSMsgType.TEXT)
        await ws.send_frame(b"fra", web.WSMsgType.BINARY, fin=False)
        await ws.send_frame(b"q", web.WSMsgType.PING)
        await ws.send_frame(b"gment", web.WSMsgType.CONTINUATION)
        await ws.send_frame(b"r", web.WSMsgType.PONG)
        await ws.send_str("deflate was not agreed on", compress=15)

    frames, _ = sent_by(send)
    assert frames == [
        Frame(wsf.TEXT, "grüße".encode()),
        Frame(wsf.BINARY, b"1"),
        Frame(wsf.BINARY, b"2"),
        Frame(wsf.TEXT, b'{"a": 1}'),
        Frame(wsf.TEXT, b"[1]"),
        Frame(wsf.BINARY, b"[1]"),
        Frame(wsf.PING, b""),
        Frame(wsf.PING, "ü".encode()),
        Frame(wsf.PONG, b"p"),
        Frame(wsf.TEXT, b"whole"),
        Frame(wsf.BINARY, b"fra", fin=False),
        Frame(wsf.PING, b"q"),
        Frame(wsf.CONTINUATION, b"gment"),
        Frame(wsf.PONG, b"r"),
        Frame(wsf.TEXT, b"deflate was not agreed on"),
    ]


def test_what_cannot_be_sent_raises_where_it_is_tried_and_the_socket_lives() -> None:
    async def send(ws: web.WebSocketResponse) -> None:
        wrong: list[tuple[Any, type[Exception], str]] = [
            (ws.send_str(b"x"), TypeError, "must be a str"),  # type: ignore[arg-type]
            (ws.send_bytes("x"), TypeError, "allowed: bytes"),  # type: ignore[arg-type]
            (ws.send_json({1}), TypeError, "not JSON serializable"),
            (ws.ping(b"x" * 126), LocalProtocolError, "125"),
            (ws.send_str("\ud800"), LocalProtocolError, "surrogate"),
            (ws.send_frame(b"", web.WSMsgType.CLOSE), ValueError, "use close()"),
            (ws.send_frame(b"", web.WSMsgType.ERROR), ValueError, "no frame"),
            (ws.close(code=1005), LocalProtocolError, "1005"),
            (ws.close(message=b"x" * 124), LocalProtocolError, "123"),
            (ws.close(message=b"\xff"), ValueError, "decode"),
        ]
        for call, kind, words in wrong:
            with pytest.raises(kind, match=words):
                await call
        await ws.send_str("alive")

    frames, _ = sent_by(send)
    assert frames == [Frame(wsf.TEXT, b"alive")]


def test_a_slow_peer_slows_its_senders_and_nobody_else() -> None:
    sent: list[int] = []
    ws = web.WebSocketResponse()

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        await ws.receive()
        for count in range(4):
            await ws.send_bytes(b"x" * 1000)
            sent.append(count)
        return ws

    served = WSServed(handler, takes=1500)
    served.open()
    served.say(text("begin"))
    assert sent == [0]  # it waits within the second
    served.say(frame(wsf.PING, b"!"))  # the machine still answers
    assert sent == [0]
    served.host.takes = None
    served.taken_all()
    assert sent == [0, 1, 2, 3]


def test_a_peer_that_takes_nothing_is_given_up_and_its_sender_learns() -> None:
    ws = web.WebSocketResponse(limits=web.WebSocketLimits(write_timeout=30.0))

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        await ws.receive()
        await ws.send_bytes(b"x" * 5000)
        return ws

    served = WSServed(handler, takes=1000)
    served.open()
    served.feed(text("begin"))
    served.wait(29.0)
    assert ws.ended is None
    served.wait(1.0)
    assert ws.ended is not None
    assert ws.ended.by is web.Ended.TIMEOUT
    assert isinstance(ws.exception(), TimeoutError)
    assert served.reports == []


def test_a_sender_that_waits_learns_that_the_peer_has_gone() -> None:
    errors: list[Exception] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.receive()
        try:
            await ws.send_bytes(b"x" * 5000)
        except ConnectionResetError as error:
            errors.append(error)
            raise
        return ws

    served = WSServed(handler, takes=1000)
    served.open()
    served.say(text("begin"))
    assert errors == []
    served.lose()
    assert "the WebSocket has ended (1006" in str(errors[0])
    assert served.reports == []  # the peer's doing is no error of the application


def test_what_waits_for_the_peer_is_visible() -> None:
    ws = web.WebSocketResponse()
    assert ws.unsent() == 0

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        await ws.receive()
        await ws.send_bytes(b"x" * 2000)
        return ws

    served = WSServed(handler, takes=1500)
    served.open()
    held = served.host.held
    served.say(text("begin"))
    assert ws.unsent() == served.host.held > held


def test_a_timeout_later_than_another_deadline_is_kept() -> None:
    served, _, got = opened(receive_timeout=24.0, heartbeat=10.0)
    served.after(10.0)
    served.say(frame(wsf.PONG))
    served.after(10.0)
    served.say(frame(wsf.PONG))
    assert got == []
    served.after(4.0)
    assert [type(each) for each in got] == [TimeoutError]


def test_a_websocket_is_a_stream_response_with_101() -> None:
    ws = web.WebSocketResponse()
    assert isinstance(ws, StreamResponse)
    assert (ws.status, ws.reason) == (101, "Switching Protocols")
