"""`StreamResponse`: the life of a response, from head to end."""

from typing import Any

import pytest
from fake_exchange import DATE, SERVER, FakeExchange, run

from sansio_web import web
from sansio_web.errors import LocalProtocolError
from sansio_web.http.commands import SendContent, SendEnd, SendHead, SendInterim


def started(**request: Any) -> tuple[web.StreamResponse, FakeExchange, web.Request]:
    exchange = FakeExchange(**request)
    response, made = web.StreamResponse(), web.Request(exchange)
    run(response.prepare(made))
    return response, exchange, made


def test_prepare_sends_the_head_write_the_content_write_eof_the_end() -> None:
    response, exchange, _ = started()
    assert exchange.sent == [
        SendHead(
            200,
            b"OK",
            [(b"Content-Type", b"application/octet-stream"), (b"Date", DATE), (b"Server", SERVER)],
            complete=True,
        )
    ]
    for data in (b"a", bytearray(b"b"), memoryview(b"c"), b""):
        run(response.write(data))
    run(response.drain())
    run(response.write_eof(b"d"))
    assert exchange.sent[1:] == [*map(SendContent, (b"a", b"b", b"c", b"d")), SendEnd()]
    assert response.body_length == 4


def test_preparing_again_for_the_same_request_does_nothing() -> None:
    response, exchange, request = started()
    run(response.prepare(request))
    run(response.prepare(request.clone()))
    assert len(exchange.sent) == 1


def test_preparing_for_a_second_request_names_both() -> None:
    response, _, _ = started(target="/first")
    with pytest.raises(RuntimeError, match=r"already sent for GET /first and cannot be sent for POST /second"):
        run(response.prepare(web.Request(FakeExchange("POST", "/second"))))


def test_a_second_response_for_a_request_is_refused_where_it_is_prepared() -> None:
    _, exchange, request = started(target="/x")
    with pytest.raises(RuntimeError, match=r"GET /x already has a response"):
        run(web.Response().prepare(request.clone()))
    assert len(exchange.sent) == 1


@pytest.mark.parametrize("what", ["write", "write_eof", "drain"])
def test_nothing_can_be_sent_before_prepare(what: str) -> None:
    response = web.StreamResponse()
    call = {"write": lambda: response.write(b"x"), "write_eof": response.write_eof, "drain": response.drain}[what]
    with pytest.raises(RuntimeError, match=rf"cannot call {what}\(\) before prepare\(\)"):
        run(call())


def test_nothing_can_be_sent_after_write_eof() -> None:
    response, exchange, _ = started()
    run(response.write_eof())
    run(response.write_eof())
    with pytest.raises(RuntimeError, match=r"cannot call write\(\) after write_eof\(\)"):
        run(response.write(b"x"))
    with pytest.raises(RuntimeError, match=r"cannot call drain\(\) after write_eof\(\)"):
        run(response.drain())
    assert exchange.sent.count(SendEnd()) == 1


@pytest.mark.parametrize("data", ["text", 5, None])
def test_only_bytes_can_be_written(data: object) -> None:
    response, exchange, _ = started()
    with pytest.raises(TypeError, match=f"data is a {type(data).__name__}; allowed: bytes"):
        run(response.write(data))  # type: ignore[arg-type]
    assert len(exchange.sent) == 1


def test_the_status_cannot_change_once_the_head_is_out() -> None:
    response, _, _ = started()
    with pytest.raises(RuntimeError, match="cannot change the status to 404"):
        response.set_status(404)


def test_chunked_and_content_length_exclude_each_other() -> None:
    response = web.StreamResponse()
    response.content_length = 5
    assert response.content_length == 5
    with pytest.raises(RuntimeError, match="cannot be chunked"):
        response.enable_chunked_encoding()
    response.content_length = None
    response.enable_chunked_encoding()
    assert response.chunked
    with pytest.raises(RuntimeError, match="no Content-Length"):
        response.content_length = 5


def test_content_length_is_not_negative() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        web.StreamResponse().content_length = -1


def test_chunks_cannot_be_insisted_on_with_http_1_0() -> None:
    exchange = FakeExchange(version=b"1.0")
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    with pytest.raises(RuntimeError, match=r"HTTP/1\.0"):
        run(response.prepare(web.Request(exchange)))
    assert exchange.sent == []
    assert not response.prepared


def test_force_close_is_said_in_the_head() -> None:
    response = web.StreamResponse()
    assert response.keep_alive is None
    response.force_close()
    exchange = FakeExchange()
    run(response.prepare(web.Request(exchange)))
    assert exchange.answer_fields[b"connection"] == b"close"
    assert response.keep_alive is False


def test_keep_alive_is_the_clients_wish_by_default() -> None:
    assert started()[0].keep_alive is True
    response, exchange, _ = started(persistent=False)
    assert response.keep_alive is False
    assert b"connection" not in exchange.answer_fields  # the machine says it


def test_headers_and_cookies_go_out_with_the_head() -> None:
    exchange = FakeExchange()
    response = web.StreamResponse(status=201, reason="Made", headers=[("A", "1"), ("A", "2")])
    response.set_cookie("c", "v")
    response.headers["Server"] = "mine"
    run(response.prepare(web.Request(exchange)))
    head = exchange.sent[0]
    assert isinstance(head, SendHead)
    assert (head.status, head.reason) == (201, b"Made")
    assert [value for name, value in head.fields if name == b"A"] == [b"1", b"2"]
    assert exchange.answer_fields[b"set-cookie"] == b"c=v; Path=/"
    assert exchange.answer_fields[b"server"] == b"mine"


def test_a_peer_that_has_gone_is_a_connection_reset() -> None:
    response, exchange, _ = started()
    exchange._send_error = ConnectionResetError("gone")
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            run(response.write(b"x"))
    assert repr(response) == "<StreamResponse OK peer gone>"


def test_what_the_machine_refuses_leaves_the_response_where_it_was() -> None:
    response, exchange, _ = started()
    exchange._send_error = LocalProtocolError("content exceeds Content-Length")
    with pytest.raises(LocalProtocolError):
        run(response.write(b"x"))
    exchange._send_error = None
    run(response.write_eof())
    assert exchange.complete
    assert response.body_length == 0


def test_trailers_go_out_with_the_end() -> None:
    response, exchange, _ = started()
    run(response.write_eof(trailers=[("X-Sum", "1")]))
    assert exchange.sent[-1] == SendEnd([(b"X-Sum", b"1")])


def test_interim_responses_can_be_sent_before_the_final_one() -> None:
    exchange = FakeExchange()
    run(web.send_interim(web.Request(exchange), 103, {"Link": "</a.css>; rel=preload"}))
    assert exchange.sent == [SendInterim(103, b"Early Hints", [(b"Link", b"</a.css>; rel=preload")])]
