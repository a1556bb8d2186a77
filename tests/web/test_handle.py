"""`Application.handle`: one request, one response, whatever the handler does."""

import gc
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest
from fake_exchange import FakeExchange, run, run_waiting, suspend

from sansio_web import web
from sansio_web.errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError
from sansio_web.http.commands import SendContent, SendEnd, SendHead, SendResponse

Handler = Callable[[web.Request], Awaitable[Any]]


def served(handler: Handler, exchange: FakeExchange | None = None, *middlewares: Any) -> FakeExchange:
    """The exchange after `handler` has handled it."""
    exchange = exchange or FakeExchange()
    app = web.Application(middlewares=middlewares)
    app.router.add_route("*", "/{tail:.*}", handler)
    app.freeze()
    run(app.handle(exchange))
    return exchange


# ---- the plain case


def test_an_untouched_response_is_one_command_that_the_machine_completes() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="hi")

    assert served(handler).sent == [SendResponse(200, b"OK", ((b"Content-Type", b"text/plain; charset=utf-8"),), b"hi")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"body": b"x"}, SendResponse(200, b"OK", ((b"Content-Type", b"application/octet-stream"),), b"x")),
        ({}, SendResponse(200, b"OK", ((b"Content-Type", b"application/octet-stream"),), b"")),
        ({"status": 204, "body": b"x"}, SendResponse(204, b"No Content", (), b"")),
        ({"status": 304}, SendResponse(304, b"Not Modified", (), b"")),
        ({"status": 205}, SendResponse(205, b"Reset Content", (), b"")),
        (
            {"status": 418, "body": b"x", "content_type": "a/b"},
            SendResponse(418, b"I'm a Teapot", ((b"Content-Type", b"a/b"),), b"x"),
        ),
        (
            {"reason": "Fine", "content_type": "a/b"},
            SendResponse(200, b"Fine", ((b"Content-Type", b"a/b"),), b""),
        ),
    ],
)
def test_the_command_says_what_the_response_says(arguments: dict[str, Any], expected: SendResponse) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(**arguments)

    assert served(handler).sent == [expected]


def test_headers_and_cookies_go_out_in_one_command_too() -> None:
    async def headers(request: web.Request) -> web.Response:
        return web.Response(body=b"xy", headers={"X": "y"})

    async def cookie(request: web.Request) -> web.Response:
        response = web.Response(text="x")
        response.set_cookie("a", "b")
        return response

    octets, text = (
        (b"Content-Type", b"application/octet-stream"),
        (b"Content-Type", b"text/plain; charset=utf-8"),
    )
    assert served(headers).sent == [SendResponse(200, b"OK", [(b"X", b"y"), (b"Content-Length", b"2"), octets], b"xy")]
    assert served(cookie).sent == [SendResponse(200, b"OK", [text, (b"Set-Cookie", b"a=b; Path=/")], b"x")]


def test_a_response_that_closes_the_connection_says_so_in_a_complete_head() -> None:
    async def closing(request: web.Request) -> web.Response:
        response = web.Response(text="x")
        response.force_close()
        return response

    exchange = served(closing)
    (command,) = exchange.sent
    assert isinstance(command, SendResponse)
    assert command.complete
    assert exchange.answer_fields.keys() == {
        b"content-type",
        b"content-length",
        b"connection",
        b"date",
        b"server",
    }


def test_a_class_of_response_that_sends_in_its_own_way_is_let() -> None:
    prepared: list[web.BaseRequest] = []

    class Own(web.Response):
        async def prepare(self, request: web.BaseRequest) -> None:
            prepared.append(request)
            await super().prepare(request)

    class OwnError(web.HTTPGone):
        async def write_eof(self, data: bytes = b"", **options: Any) -> None:
            await super().write_eof(b"!", **options)

    async def returning(request: web.Request) -> web.Response:
        return Own(text="x")

    async def raising(request: web.Request) -> web.Response:
        raise OwnError(text="gone")

    assert served(returning).answer == b"x"
    assert len(prepared) == 1
    assert served(raising).answer == b"gone!"


def test_receivers_of_on_response_prepare_may_change_and_delete_headers() -> None:
    seen: list[tuple[str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="x")

    async def receiver(request: web.Request, response: web.StreamResponse) -> None:
        seen.extend((name, value) for name, value in response.headers.items() if name != "Date")
        response.headers["X"] = request.path
        del response.headers["Server"]

    app = web.Application()
    app.router.add_get("/", handler)
    app.on_response_prepare.append(receiver)
    app.freeze()
    for target, status in (("/", 200), ("/nothing", 404)):
        exchange = FakeExchange(target=target)
        run(app.handle(exchange))
        assert exchange.status == status
        assert exchange.answer_fields[b"x"] == target.encode()
        assert b"server" not in exchange.answer_fields
    assert seen[:3] == [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Server", "sansio_web"),
        ("Content-Length", "1"),
    ]


def test_a_request_that_was_answered_is_garbage_at_once() -> None:
    class Witness:
        alive = 0

        def __init__(self) -> None:
            Witness.alive += 1

        def __del__(self) -> None:
            Witness.alive -= 1

    async def plain(request: web.Request) -> web.Response:
        request[web.RequestKey("witness", Witness)] = Witness()
        return web.Response(text="x")

    async def raising(request: web.Request) -> web.Response:
        request[web.RequestKey("witness", Witness)] = Witness()
        raise web.HTTPNotFound

    gc.collect()
    gc.disable()
    try:
        for handler in (plain, raising):
            served(handler)
            assert Witness.alive == 0
    finally:
        gc.enable()


# ---- streams and work after the response (FAQ 13)


def test_a_stream_that_the_handler_does_not_end_is_ended() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        return response

    assert served(handler).sent[1:] == [SendContent(b"x"), SendEnd()]


def test_a_stream_that_the_handler_does_not_even_prepare_is_prepared_and_ended() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.StreamResponse(status=202)

    exchange = served(handler)
    assert [type(command) for command in exchange.sent] == [SendHead, SendEnd]
    assert exchange.status == 202


@pytest.mark.parametrize("make", [lambda: web.Response(text="x"), web.StreamResponse])
def test_the_whole_response_is_out_before_work_after_write_eof(
    make: Callable[[], web.StreamResponse],
) -> None:
    seen: list[bool] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        response = make()
        await response.prepare(request)
        await response.write_eof()
        seen.append(exchange.complete)
        await suspend()
        return response

    exchange = FakeExchange()
    app = web.Application()
    app.router.add_get("/", handler)
    run_waiting(app.handle(exchange))
    assert seen == [True]
    assert len([command for command in exchange.sent if isinstance(command, SendResponse | SendHead)]) == 1
    assert exchange.reports == []


def test_an_error_in_work_after_the_response_is_reported_and_the_connection_lives() -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(text="x")
        await response.prepare(request)
        await response.write_eof()
        raise ValueError("after")

    exchange = served(handler)
    assert len(exchange.sent) == 1
    assert not exchange.aborted
    assert [repr(error) for _, error in exchange.reports] == ["ValueError('after')"]


# ---- errors


def test_an_error_in_the_handler_is_a_500_and_a_report_with_the_error() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise ValueError("oops")

    exchange = served(handler, FakeExchange(target="/x?secret"))
    assert (exchange.status, exchange.answer) == (500, b"500: Internal Server Error")
    ((message, error),) = exchange.reports
    assert message == "error while handling GET /x?secret"
    assert isinstance(error, ValueError)
    assert error.__traceback__ is not None
    assert not exchange.aborted


def test_an_error_in_a_prepared_response_of_which_nothing_was_sent_is_still_a_500() -> None:
    async def handler(request: web.Request) -> web.Response:
        await web.Response(text="x").prepare(request)
        raise ValueError("oops")

    exchange = served(handler)
    assert exchange.status == 500
    assert exchange.complete


def test_an_error_within_a_stream_breaks_the_connection_off() -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        raise ValueError("oops")

    exchange = served(handler)
    assert exchange.aborted
    assert not exchange.complete
    assert len(exchange.reports) == 1


@pytest.mark.parametrize("outcome", [None, "text", 5, web.Response])
def test_what_is_no_response_is_a_500_and_the_report_names_handler_and_type(outcome: Any) -> None:
    async def handler(request: web.Request) -> Any:
        return outcome

    exchange = served(handler)
    assert exchange.status == 500
    ((message, error),) = exchange.reports
    assert error is None
    assert "handler' (test_handle.py:" in message
    assert f"returned {type(outcome).__name__}" in message
    assert ("is a 'return' missing?" in message) is (outcome is None)


def test_a_raised_http_exception_is_a_response_and_no_report() -> None:
    async def handler(request: web.Request) -> web.Response:
        error = web.HTTPBadRequest(text="no")
        error.set_cookie("a", "b")
        raise error

    exchange = served(handler)
    assert (exchange.status, exchange.answer) == (400, b"no")
    assert exchange.answer_fields[b"set-cookie"] == b"a=b; Path=/"
    assert exchange.reports == []


def test_returning_an_http_exception_works_and_warns() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.HTTPNotFound()

    with pytest.warns(DeprecationWarning, match="raise it instead") as caught:
        exchange = served(handler)
    assert exchange.status == 404
    assert caught[0].filename == __file__


def test_no_route_is_404_and_another_method_405() -> None:
    async def handler(request: web.Request) -> web.Response: ...

    app = web.Application()
    app.router.add_post("/x", handler)
    for target, status in (("/", 404), ("/x", 405)):
        exchange = FakeExchange(target=target)
        run(app.handle(exchange))
        assert exchange.status == status
        assert exchange.reports == []


def test_a_peer_that_leaves_is_nobodys_error() -> None:
    async def streaming(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        return response

    async def plain(request: web.Request) -> web.Response:
        return web.Response()

    async def touched(request: web.Request) -> web.Response:
        return web.Response(headers={"X": "y"})

    for handler in (streaming, plain, touched):
        exchange = served(handler, FakeExchange(send_error=ConnectionResetError("gone")))
        assert exchange.reports == []
        assert not exchange.aborted


def test_a_connection_of_the_handlers_own_that_breaks_is_an_error() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise ConnectionResetError("the database")

    exchange = served(handler)
    assert exchange.status == 500
    assert len(exchange.reports) == 1


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "Bad Request"), (408, "Request Timeout"), (413, "Content Too Large")]
)
def test_broken_content_is_answered_with_what_the_peer_did_and_not_reported(status: int, reason: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        await request.read()
        raise AssertionError

    broken = RemoteProtocolError("broken", status_hint=status)
    exchange = served(handler, FakeExchange("POST", content=[b"x", broken]))
    assert (exchange.status, exchange.answer) == (status, f"{status}: {reason}".encode())
    assert exchange.reports == []


def test_a_peer_that_leaves_within_its_content_gets_no_answer() -> None:
    async def handler(request: web.Request) -> web.Response:
        await request.read()
        raise AssertionError

    exchange = served(handler, FakeExchange("POST", content=[b"x", PeerDisconnected("gone")]))
    assert exchange.sent == []
    assert exchange.reports == []


@pytest.mark.parametrize("headers", [None, {"X": "y"}])
def test_a_response_that_the_machine_refuses_is_a_500(headers: dict[str, str] | None) -> None:
    class Refusing(FakeExchange):
        async def send(self, command: Any) -> None:
            if command.status == 299:
                raise LocalProtocolError("refused")
            await super().send(command)

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=299, headers=headers)

    exchange = served(handler, Refusing())
    assert exchange.status == 500
    ((_, error),) = exchange.reports
    assert isinstance(error, LocalProtocolError)


def test_a_stream_whose_head_the_machine_refuses_is_a_500() -> None:
    class Refusing(FakeExchange):
        async def send(self, command: Any) -> None:
            if isinstance(command, SendHead):
                raise LocalProtocolError("refused")
            await super().send(command)

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.StreamResponse()

    exchange = served(handler, Refusing())
    assert exchange.status == 500
    assert not exchange.aborted


def test_a_stream_whose_end_the_machine_refuses_is_broken_off_because_something_is_missing() -> None:
    class Refusing(FakeExchange):
        async def send(self, command: Any) -> None:
            if isinstance(command, SendEnd):
                raise LocalProtocolError("content is shorter than Content-Length")
            await super().send(command)

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.StreamResponse(headers={"Content-Length": "5"})

    exchange = served(handler, Refusing())
    assert exchange.aborted
    assert len(exchange.reports) == 1


def test_a_receiver_that_fails_for_every_response_still_leaves_a_500() -> None:
    async def receiver(request: web.Request, response: web.StreamResponse) -> None:
        raise ValueError("receiver")

    app = web.Application()
    app.on_response_prepare.append(receiver)
    app.freeze()
    exchange = FakeExchange()
    run(app.handle(exchange))
    assert exchange.status == 500
    assert len(exchange.reports) == 2


def test_when_not_even_the_500_can_be_sent_the_connection_is_broken_off() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    exchange = served(handler, FakeExchange(send_error=LocalProtocolError("no")))
    assert exchange.aborted
    assert len(exchange.reports) == 3


def test_cancellation_passes_through_and_nothing_is_sent() -> None:
    class Cancelled(BaseException):
        pass

    async def handler(request: web.Request) -> web.Response:
        raise Cancelled

    exchange = FakeExchange()
    with pytest.raises(Cancelled):
        served(handler, exchange)
    assert (exchange.sent, exchange.reports, exchange.aborted) == ([], [], False)


# ---- one request, one response (FAQ 14)


@pytest.mark.parametrize("headers", [None, {"X": "y"}])
def test_a_response_returned_again_is_a_500_that_names_the_first_request(
    headers: dict[str, str] | None,
) -> None:
    cached = web.Response(text="cached", headers=headers)

    async def handler(request: web.Request) -> web.Response:
        return cached

    assert served(handler, FakeExchange(target="/first")).answer == b"cached"
    exchange = served(handler, FakeExchange(target="/second"))
    assert exchange.status == 500
    assert not exchange.aborted
    ((_, error),) = exchange.reports
    assert "already sent for GET /first and cannot be sent for GET /second" in str(error)


def test_an_exception_raised_again_is_refused_too_because_what_the_first_client_got_must_not_leak() -> None:
    singleton = web.HTTPForbidden()

    async def handler(request: web.Request) -> web.Response:
        raise singleton

    @web.middleware
    async def remembering(request: web.Request, inner: Handler) -> Any:
        try:
            return await inner(request)
        except web.HTTPException as error:
            error.set_cookie("who", request.path)
            raise

    assert served(handler, FakeExchange(target="/first"), remembering).status == 403
    exchange = served(handler, FakeExchange(target="/second"), remembering)
    assert exchange.status == 500
    assert b"set-cookie" not in exchange.answer_fields
    assert "already sent for GET /first" in str(exchange.reports[0][1])


def test_a_class_can_be_raised_any_number_of_times() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPForbidden

    assert [served(handler).status for _ in range(3)] == [403, 403, 403]


@pytest.mark.parametrize("second", [lambda: web.Response(text="second"), web.HTTPGone])
def test_another_response_than_the_one_that_was_sent_is_reported_and_dropped(
    second: Callable[[], Any],
) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(text="first")
        await response.prepare(request)
        await response.write_eof()
        if isinstance(other := second(), Exception):
            raise other
        return other  # type: ignore[no-any-return]

    exchange = served(handler)
    assert exchange.answer == b"first"
    assert not exchange.aborted
    ((message, _),) = exchange.reports
    assert "one request, one response: the second was dropped" in message


def test_another_response_within_a_stream_breaks_the_connection_off() -> None:
    async def handler(request: web.Request) -> web.Response:
        await web.StreamResponse().prepare(request)
        return web.Response(text="second")

    exchange = served(handler)
    assert exchange.aborted
    assert "the first was cut off" in exchange.reports[0][0]


def test_another_response_than_the_prepared_one_of_which_nothing_was_sent_takes_its_place() -> None:
    first = web.Response(text="first")

    async def handler(request: web.Request) -> web.Response:
        await first.prepare(request)
        return web.Response(text="second")

    exchange = served(handler)
    assert exchange.answer == b"second"
    assert "the first was dropped" in exchange.reports[0][0]
    with pytest.raises(RuntimeError, match="another response was sent in place of this one"):
        run(first.write_eof())


def test_an_exception_takes_the_place_of_a_response_of_which_nothing_was_sent() -> None:
    async def handler(request: web.Request) -> web.Response:
        await web.Response(text="first").prepare(request)
        raise web.HTTPGone

    exchange = served(handler)
    assert exchange.status == 410
    assert exchange.reports == []


def test_a_peer_that_left_the_first_response_needs_no_second() -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.StreamResponse()
        try:
            await response.prepare(request)
        except ConnectionResetError:
            return web.Response(text="second")
        raise AssertionError

    exchange = served(handler, FakeExchange(send_error=ConnectionResetError()))
    assert exchange.reports == []


def test_a_clone_of_the_request_is_answered_as_the_request() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request.clone(rel_url="/other"))
        return response

    exchange = served(handler)
    assert [type(command) for command in exchange.sent] == [SendHead, SendEnd]


def test_a_peer_that_leaves_before_the_500_is_nobodys_error() -> None:
    class Leaving(FakeExchange):
        async def send(self, command: Any) -> None:
            raise ConnectionResetError("gone")

    async def handler(request: web.Request) -> web.Response:
        raise ValueError("oops")

    exchange = served(handler, Leaving())
    assert len(exchange.reports) == 1
    assert not exchange.aborted


def test_returning_an_http_exception_from_a_view_warns_too() -> None:
    class Thing(web.View):
        async def get(self) -> web.Response:
            return web.HTTPGone()

    with pytest.warns(DeprecationWarning, match="raise it instead"):
        assert served(Thing).status == 410


# ---- middlewares


def test_middlewares_run_outermost_first_around_every_outcome() -> None:
    calls: list[str] = []

    def named(name: str) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> Any:
            calls.append(f"{name} in")
            try:
                return await handler(request)
            finally:
                calls.append(f"{name} out")

        return middleware

    async def handler(request: web.Request) -> web.Response:
        calls.append("handler")
        return web.Response()

    app = web.Application(middlewares=[named("a"), named("b")])
    app.router.add_get("/", handler)
    for target, middle in (("/", ["handler"]), ("/", ["handler"]), ("/none", [])):
        calls.clear()
        run(app.handle(FakeExchange(target=target)))
        assert calls == ["a in", "b in", *middle, "b out", "a out"]


def test_a_middleware_may_answer_itself_and_change_the_answer() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="handler")

    @web.middleware
    async def instead(request: web.Request, inner: Handler) -> Any:
        return web.Response(text="middleware")

    @web.middleware
    async def around(request: web.Request, inner: Handler) -> Any:
        response = await inner(request)
        response.headers["X"] = "y"
        return response

    assert served(handler, None, instead).answer == b"middleware"
    assert served(handler, None, around, instead).answer_fields[b"x"] == b"y"
    assert served(handler, None, around).answer == b"handler"


def test_middlewares_see_the_attributes_of_the_handler() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    handler.needs_login = True  # type: ignore[attr-defined]
    seen: list[Any] = []

    @web.middleware
    async def outer(request: web.Request, inner: Any) -> Any:
        seen.append((inner.needs_login, inner.__name__))
        return await inner(request)

    served(handler, None, outer, outer)
    assert seen == [(True, "handler")] * 2


def test_an_unmarked_middleware_and_one_with_other_parameter_names_work() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async def unmarked(req: web.Request, following: Handler) -> Any:
        return await following(req)

    assert served(handler, None, unmarked).status == 200


def test_views_work_behind_middlewares() -> None:
    class Thing(web.View):
        async def get(self) -> web.Response:
            return web.Response(text=self.request.path)

    @web.middleware
    async def passing(request: web.Request, inner: Handler) -> Any:
        return await inner(request)

    assert served(Thing, FakeExchange(target="/x"), passing).answer == b"/x"
    assert served(Thing, FakeExchange(target="/x")).answer == b"/x"
    assert served(Thing, FakeExchange("POST", "/x"), passing).status == 405


def test_old_style_factories_work_and_warn() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="x")

    def plain(app: web.Application, inner: Handler) -> Handler:
        return inner

    async def waiting(app: web.Application, inner: Handler) -> Handler:
        return inner

    for factory in (plain, waiting):
        with pytest.warns(DeprecationWarning, match=r"old-style factory"):
            assert served(handler, None, factory).answer == b"x"


def test_a_middleware_that_cannot_be_called_is_refused_at_the_start() -> None:
    with pytest.raises(TypeError, match="middleware 5 cannot be called"):
        web.Application(middlewares=[5]).freeze()  # type: ignore[list-item]


def test_a_middleware_without_a_signature_is_taken_as_it_is() -> None:
    class Odd:
        __signature__ = 5

        def __call__(self, request: web.Request, handler: Handler) -> Awaitable[Any]:
            return handler(request)

    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="x")

    assert served(handler, None, Odd()).answer == b"x"


# ---- expectations


def test_an_expect_handler_may_answer_instead_of_the_handler() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="handler")

    async def expectation(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=417) if request.path == "/no" else None

    app = web.Application()
    app.router.add_route("POST", "/{x}", handler, expect_handler=expectation)
    for target, status in (("/no", 417), ("/yes", 200)):
        exchange = FakeExchange("POST", target, content=[b"x"], expects_continue=True)
        run(app.handle(exchange))
        assert exchange.status == status


# ---- what it awaits


def test_a_handler_may_wait_for_anything_its_runtime_has() -> None:
    @types.coroutine
    def runtime_thing() -> Generator[str, int, int]:
        return (yield "trap")

    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=str(await runtime_thing()))

    exchange = FakeExchange()
    app = web.Application()
    app.router.add_get("/", handler)
    coro = app.handle(exchange)
    assert coro.send(None) == "trap"  # type: ignore[comparison-overlap]
    with pytest.raises(StopIteration) as stop:
        coro.send(5)  # type: ignore[arg-type]
    assert isinstance(stop.value.value, web.Response)
    assert exchange.answer == b"5"


def test_the_access_logger_is_told_of_every_response_and_the_time_it_took() -> None:
    lines: list[tuple[str, int, int, float]] = []

    class Sink:
        def log(self, request: web.Request, response: web.StreamResponse, time: float) -> None:
            lines.append((request.path, response.status, response.body_length, time))

    async def handler(request: web.Request) -> web.Response:
        exchange.clock += 1.5
        if request.path == "/error":
            raise ValueError
        return web.Response(text="abc")

    for target in ("/", "/error"):
        exchange = FakeExchange(target=target)
        exchange.access_logger = Sink()
        served(handler, exchange)
    assert lines == [("/", 200, 3, 1.5), ("/error", 500, 26, 1.5)]
