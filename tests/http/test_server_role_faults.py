"""Faulty applications: refused where they err, with nothing sent of it; a right response still goes."""

import pytest
from tests.support.machine import CHUNKED_POST, GET, OK, OK_BYTES, Server, h11_reads, post

from sansio_web.errors import LocalProtocolError
from sansio_web.http.commands import (
    ResponseCommand,
    SendContent,
    SendEnd,
    SendHead,
    SendInterim,
    SendResponse,
)
from sansio_web.http.lifecycle import CloseReason, Phase

HEAD_OK = SendHead(200, b"OK", [], complete=True)
THREE = SendHead(200, b"OK", [(b"Content-Length", b"3")], complete=True)
BOTH = [(b"Content-Length", b"2"), (b"Transfer-Encoding", b"chunked")]


def whole(*fields: tuple[bytes, bytes], status: int = 200, reason: bytes = b"", content: bytes = b"hi") -> SendResponse:
    return SendResponse(status, reason, fields, content)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            whole((b"X", b"a\r\nSet-Cookie: b")),
            r"value b'a\\r\\nSet-Cookie: b' of field b'X' has b'\\r' at offset 1 \(RFC 9110 5.5\)",
        ),
        (whole((b"X", b"a\nb")), r"has b'\\n' at offset 1"),
        (whole((b"X", b"a\0b")), r"has b'\\x00' at offset 1"),
        (whole((b"X", b"\x7f")), r"has b'\\x7f' at offset 0"),
        (whole((b"X\r\nY", b"a")), r"field name b'X\\r\\nY' has b'\\r' at offset 1 \(RFC 9110 5.1\)"),
        (whole((b"X Y", b"a")), r"has b' ' at offset 1"),
        (whole((b"", b"a")), r"field name b'' is empty"),
        (whole(reason=b"OK\r\nX: y"), r"reason b'OK\\r\\nX: y' has b'\\r' at offset 2 \(RFC 9112 4\)"),
        (
            whole((b"Content-Length", b"3")),
            r"Content-Length is 3, but the content has 2 bytes \(RFC 9110 8.6\)",
        ),
        (whole((b"Content-Length", b"1")), r"Content-Length is 1, but the content has 2 bytes"),
        (whole((b"Content-Length", b"two")), r"Content-Length is b'two'; allowed: decimal digits"),
        (whole((b"Content-Length", b"-2")), r"allowed: decimal digits"),
        (
            whole((b"Content-Length", b"2"), (b"content-length", b"2")),
            r"field b'content-length' stands twice in one head",
        ),
        (whole(*BOTH), r"Content-Length and Transfer-Encoding are both set \(RFC 9112 6.2\)"),
        (
            whole((b"Transfer-Encoding", b"gzip, chunked")),
            r"Transfer-Encoding is b'gzip, chunked'; allowed: chunked",
        ),
        (whole(status=204), r"a 204 response has no content, but 2 bytes were given \(RFC 9110 6.4.1\)"),
        (whole(status=304), r"a 304 response has no content, but 2 bytes were given"),
        (
            whole((b"Content-Length", b"0"), status=204, content=b""),
            r"a 204 response has neither Content-Length nor",
        ),
        (whole((b"Transfer-Encoding", b"chunked"), status=204, content=b""), r"a 204 response has neither"),
        (whole(status=99), r"status of a final response is 99; allowed: 200 to 599 \(RFC 9110 15\)"),
        (whole(status=100), r"status of a final response is 100"),
        (whole(status=101), r"status of a final response is 101"),
        (whole(status=600), r"status of a final response is 600"),
        (SendHead(99, b"", []), r"status of a final response is 99"),
        (SendHead(200, b"", BOTH), r"are both set"),
        (SendHead(200, b"", [(b"X", b"\r")]), r"at offset 0"),
        (SendInterim(200, b"", []), r"status of an interim response is 200; allowed: 100, 102 to 199"),
        (SendInterim(101, b"", []), r"status of an interim response is 101"),
        (
            SendInterim(103, b"", [(b"Content-Length", b"2")]),
            r"field b'Content-Length' cannot stand in an interim response",
        ),
        (SendInterim(103, b"", [(b"X", b"\n")]), r"at offset 0"),
        (SendContent(b"x"), r"cannot DATA in OWED; legal here: INTERIM, WHOLE, HEAD, SWITCH, CUT"),
        (SendEnd(), r"cannot END in OWED"),
        (SendHead(101, b"", []), r"101 without an Upgrade field in the request \(RFC 9110 7.8\)"),
    ],
)
@pytest.mark.parametrize("fed", [GET, post(b"ab"), CHUNKED_POST, post(b"", b"Expect: 100-continue", length=10**9)])
def test_a_faulty_answer_is_refused_and_a_right_one_still_goes(
    fed: bytes, command: ResponseCommand, message: str
) -> None:
    server = Server().feed(fed)
    if fed in (CHUNKED_POST, post(b"", b"Expect: 100-continue", length=10**9)) and message.startswith("101"):
        message = "protocols are switched after the whole request"
    with pytest.raises(LocalProtocolError, match=message):
        server.send(command)
    assert server.took() == b""
    assert (server.effects, server.phase, server.reason) == ([], Phase.PERSISTENT, None)
    (answer,) = h11_reads(server.send(OK).took(), [b"GET"], ended=False)
    assert (answer.status, answer.content, answer.complete) == (200, b"hi", True)


@pytest.mark.parametrize(
    ("head", "command", "message"),
    [
        (THREE, SendContent(b"abcd"), r"content exceeds Content-Length: 3 declared, 4 sent \(RFC 9110 8.6\)"),
        (THREE, SendEnd(), r"content is shorter than Content-Length: 3 declared, 0 sent \(RFC 9110 8.6\)"),
        (SendHead(204, b"", []), SendContent(b"x"), r"this message has no content, but 1 bytes were given"),
        (SendHead(304, b"", [(b"Content-Length", b"9")]), SendContent(b"x"), r"this message has no content"),
        (HEAD_OK, HEAD_OK, r"cannot HEAD in CONTENT; legal here: DATA, END, CUT"),
        (HEAD_OK, OK, r"cannot WHOLE in CONTENT"),
        (HEAD_OK, SendInterim(103, b"", []), r"cannot INTERIM in CONTENT"),
        (HEAD_OK, SendHead(101, b"", []), r"cannot SWITCH in CONTENT"),
        (
            HEAD_OK,
            SendEnd([(b"Content-Length", b"3")]),
            r"field b'Content-Length' cannot stand in a trailer section",
        ),
        (HEAD_OK, SendEnd([(b"set-cookie", b"3")]), r"cannot stand in a trailer section \(RFC 9110 6.5.1\)"),
        (HEAD_OK, SendEnd([(b"X", b"a\r\nb")]), r"at offset 1"),
    ],
)
def test_a_fault_within_a_response_is_refused_and_the_response_can_go_on(
    head: SendHead, command: ResponseCommand, message: str
) -> None:
    server = Server().feed(GET).send(head)
    sent = server.took()
    with pytest.raises(LocalProtocolError, match=message):
        server.send(command)
    assert server.took() == b""
    assert server.phase is Phase.PERSISTENT
    if head is THREE:
        server.send(SendContent(b"abc"))
    (answer,) = h11_reads(sent + server.send(SendEnd()).took(), [b"GET"], ended=False)
    assert answer.complete
    assert answer.content == (b"abc" if head is THREE else b"")
    assert server.feed(GET).send(OK).took() == OK_BYTES


@pytest.mark.parametrize("command", [OK, HEAD_OK, SendContent(b"x"), SendEnd(), SendInterim(103, b"", [])])
def test_without_a_request_there_is_nothing_to_answer(command: ResponseCommand) -> None:
    server = Server()
    with pytest.raises(LocalProtocolError, match="in IDLE"):
        server.send(command)
    server.feed(GET).send(OK)
    with pytest.raises(LocalProtocolError, match="in IDLE"):
        server.send(command)
    assert server.took() == OK_BYTES


def test_data_after_the_end_is_refused() -> None:
    server = Server().feed(b"GET / HTTP/1.0\r\n\r\n").send(HEAD_OK, SendEnd())
    with pytest.raises(LocalProtocolError, match="the response to this request is complete: one request, one response"):
        server.send(SendContent(b"x"))


def test_a_length_may_be_said_again_if_it_is_true() -> None:
    server = Server().feed(GET).send(SendResponse(200, b"OK", [(b"content-length", b"2")], b"hi", complete=True))
    assert server.took() == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


def test_a_not_modified_may_describe_what_it_does_not_send() -> None:
    server = Server().feed(GET).send(SendResponse(304, b"", [(b"Content-Length", b"9")], b"", complete=True))
    assert server.took() == b"HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n"
    server.feed(GET).send(SendResponse(304, b"", [(b"Transfer-Encoding", b"chunked")], b"", complete=True))
    (answer,) = h11_reads(server.took(), [b"GET"], ended=False)
    assert answer.complete


# -- switching protocols (RFC 9110 7.8, 9.3.6) ----

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
CONNECT = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
SWITCHING = SendHead(101, b"Switching Protocols", [(b"Connection", b"upgrade"), (b"Upgrade", b"websocket")])


@pytest.mark.parametrize(
    ("fed", "command", "protocol"),
    [(UPGRADE, SWITCHING, b"websocket"), (CONNECT, SendHead(200, b"OK", []), b"CONNECT")],
)
def test_a_switch_hands_over_what_had_already_come(fed: bytes, command: SendHead, protocol: bytes) -> None:
    server = Server().feed(fed + b"not ", b"HTTP")
    server.request()
    server.send(command)
    (switched,) = server.took_events()
    assert (switched.protocol, switched.data) == (protocol, b"not HTTP")  # type: ignore[union-attr]
    data = server.took()
    assert data.startswith(b"HTTP/1.1 %d " % command.status)
    assert b"\r\nDate: " in data
    assert data.endswith(b"\r\n\r\n")
    assert (server.phase, server.reason) == (Phase.SWITCHED, CloseReason.SWITCHED)
    server.feed(b"more").eof().wait(10_000.0)
    server.lose()
    assert (server.events, server.effects, server.machine.wants_data()) == ([], [], False)
    for again in (OK, command):
        with pytest.raises(LocalProtocolError, match="in SWITCHED"):
            server.send(again)


def test_a_switch_waits_for_the_whole_request() -> None:
    server = Server().feed(UPGRADE[:-2] + b"Content-Length: 3\r\n\r\n")
    with pytest.raises(LocalProtocolError, match="after the whole request was received"):
        server.send(SWITCHING)
    server.feed(b"abc").send(SendHead(101, b"", [], complete=True))
    assert server.took() == b"HTTP/1.1 101 \r\n\r\n"


def test_a_switch_has_no_content() -> None:
    server = Server().feed(CONNECT)
    with pytest.raises(LocalProtocolError, match="a 200 that switches protocols has neither Content-Length"):
        server.send(SendHead(200, b"OK", [(b"Content-Length", b"0")]))
    with pytest.raises(LocalProtocolError, match="opens a tunnel: send it with SendHead"):
        server.send(OK)
    assert server.send(SendResponse(405, b"", [], b"no", complete=True)).took().endswith(b"\r\n\r\nno")
    assert server.phase is Phase.PERSISTENT


def test_a_switch_may_be_declined() -> None:
    server = Server().feed(UPGRADE).send(OK).feed(GET).send(OK)
    assert server.took() == OK_BYTES * 2
