"""`Response`, JSON and the head section; compared with aiohttp's where its behaviour is what people know."""

import json
from datetime import UTC, datetime, timedelta, timezone
from http.cookies import CookieError
from typing import Any

import aiohttp.web
import pytest
from fake_exchange import DATE, SERVER, FakeExchange, run

from sansio_web import web
from sansio_web.http.commands import SendContent, SendEnd, SendHead, SendResponse
from sansio_web.web._response_head import field_lines
from sansio_web.web.keys import NotAppKeyWarning

KEY = web.ResponseKey("key", int)

ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"text": "plain"},
    {"text": ""},
    {"text": "é", "charset": "latin-1"},
    {"text": "x", "content_type": "text/html"},
    {"text": "x", "content_type": "text/html", "charset": "utf-16"},
    {"text": "é", "headers": {"Content-Type": "a/b; charset=latin-1"}},
    {"text": "é", "headers": {"Content-Type": "a/b"}},
    {"text": "x", "headers": {"X-Other": "1"}},
    {"body": b"bytes"},
    {"body": b""},
    {"body": bytearray(b"array")},
    {"body": b"x", "content_type": "a/b"},
    {"body": b"x", "content_type": "a/b", "charset": "utf-8"},
    {"body": b"x", "charset": "utf-8"},
    {"body": b"x", "headers": {"content-type": "a/b"}},
    {"content_type": "a/b"},
    {"status": 204},
    {"status": 304},
    {"status": "201"},
    {"status": 299},
    {"reason": "Because"},
    {"headers": {"Content-Length": "5"}, "text": "12345"},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_what_a_response_shows_is_what_aiohttp_shows(arguments: dict[str, Any]) -> None:
    ours, theirs = web.Response(**arguments), aiohttp.web.Response(**arguments)
    for name in ("status", "reason", "body", "text", "content_type", "charset", "content_length", "prepared"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert list(ours.headers.items()) == list(theirs.headers.items())


@pytest.mark.parametrize(
    "arguments",
    [
        {"body": b"a", "text": "a"},
        {"text": "a", "content_type": "text/html; charset=utf-8"},
        {"text": "a", "content_type": "text/html", "headers": {"Content-Type": "x/y"}},
        {"text": "a", "charset": "utf-8", "headers": {"Content-Type": "x/y"}},
        {"body": b"a", "content_type": "text/html", "headers": {"Content-Type": "x/y"}},
        {"reason": "a\nb"},
        {"reason": "a\rb"},
        {"status": "abc"},
    ],
    ids=str,
)
def test_arguments_that_aiohttp_refuses_are_refused_the_same_way(arguments: dict[str, Any]) -> None:
    for make in (web.Response, aiohttp.web.Response):
        with pytest.raises(ValueError, match=r"."):
            make(**arguments)


def test_a_body_of_another_type_is_refused_and_the_allowed_ones_named() -> None:
    with pytest.raises(TypeError, match=r"body is a int; allowed: bytes, bytearray, memoryview, str, None"):
        web.Response(body=123)  # type: ignore[arg-type]


def test_text_must_be_str() -> None:
    with pytest.raises(TypeError, match="text is a bytes"):
        web.Response(text=b"x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="text is a bytes"):
        web.Response(text=b"x", content_type="a/b")  # type: ignore[arg-type]


def test_a_str_body_is_text_and_a_memoryview_is_copied() -> None:
    assert web.Response(body="é").content_type == "text/plain"
    assert web.Response(body="é").body == "é".encode()
    data = bytearray(b"ab")
    response = web.Response(body=memoryview(data))
    data[:] = b"xy"
    assert response.body == b"ab"


def test_text_and_body_can_be_changed_before_sending() -> None:
    response = web.Response(text="a")
    response.text = "é"
    assert (response.body, response.content_length) == ("é".encode(), 2)
    response.charset = "latin-1"
    response.text = "é"
    assert (response.body, response.headers["Content-Type"]) == (b"\xe9", "text/plain; charset=latin-1")
    response.body = None
    assert (response.text, response.content_length) == (None, 0)
    response.body = b"zz"
    response.text = None
    assert response.body is None


def test_text_of_a_response_without_a_type_becomes_plain_text_in_utf_8() -> None:
    response = web.Response()
    response.text = "x"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    response = web.Response(content_type="text/css")
    response.text = "x"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"


def test_content_length_of_a_response_follows_from_its_content() -> None:
    with pytest.raises(RuntimeError, match="follows from its content"):
        web.Response(text="a").content_length = 5


def test_content_type_and_charset_change_apart_from_each_other() -> None:
    response = web.Response(text="a")
    response.content_type = "text/html"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    response.charset = None
    assert response.headers["Content-Type"] == "text/html"
    response.charset = "UTF-16"
    assert response.charset == "utf-16"
    assert web.Response(headers={"Content-Type": 'a/b; x=1; charset="utf-8"'}).charset == "utf-8"
    assert web.Response(headers={"Content-Type": "nonsense"}).content_type == "application/octet-stream"


def test_octet_stream_has_no_charset() -> None:
    with pytest.raises(RuntimeError, match="no charset"):
        web.Response().charset = "utf-8"


@pytest.mark.parametrize("value", ["text/html\r\nX: y", "a/b\0"])
def test_control_characters_in_content_type_are_refused_where_they_are_set(value: str) -> None:
    with pytest.raises(ValueError, match=r"Content-Type has .* at offset"):
        web.Response(content_type=value)


def test_last_modified_takes_what_aiohttp_takes() -> None:
    moments: list[Any] = [
        0,
        1.5,
        datetime(2020, 1, 1),
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "abc",
    ]
    for moment in moments:
        ours, theirs = web.StreamResponse(), aiohttp.web.StreamResponse()
        ours.last_modified = moment
        theirs.last_modified = moment
        assert ours.headers["Last-Modified"] == theirs.headers["Last-Modified"]
        assert ours.last_modified == theirs.last_modified
        ours.last_modified = None
        assert "Last-Modified" not in ours.headers
    with pytest.raises(TypeError, match="last_modified is a bytes"):
        ours.last_modified = b"x"  # type: ignore[assignment]
    assert web.StreamResponse().last_modified is None
    assert web.StreamResponse().etag is None


def test_etag_takes_what_aiohttp_takes() -> None:
    for value, weak in [("abc", False), ("x", True), ("*", False)]:
        ours, theirs = web.StreamResponse(), aiohttp.web.StreamResponse()
        ours.etag = web.ETag(value, weak) if weak else value
        theirs.etag = aiohttp.ETag(value, weak) if weak else value
        assert ours.headers["ETag"] == theirs.headers["ETag"]
        assert ours.etag is not None
        assert (ours.etag.value, ours.etag.is_weak) == (value, weak)
    ours.etag = None
    assert ours.etag is None
    for wrong in ('a"b', "a b", 5):
        with pytest.raises(ValueError, match="etag"):
            ours.etag = wrong  # type: ignore[assignment]


def test_a_reason_that_is_not_given_is_the_usual_one() -> None:
    response = web.Response()
    response.set_status(404)
    assert response.reason == "Not Found"
    response.set_status(404, "Gone fishing")
    assert response.reason == "Gone fishing"
    response.set_status(299)
    assert response.reason == ""
    with pytest.raises(ValueError, match="reason"):
        response.set_status(200, "a\r\nb")


# ---- cookies


def set_cookie_lines(response: web.StreamResponse) -> list[bytes]:
    exchange = FakeExchange()
    run(response.prepare(web.Request(exchange)))
    run(response.write_eof())
    head = exchange.sent[0]
    assert isinstance(head, SendHead | SendResponse)
    return [value for name, value in head.fields if name == b"Set-Cookie"]


@pytest.mark.parametrize(
    ("name", "value", "attributes"),
    [
        ("a", "b", {}),
        ("a", 'b c;"é', {}),
        ("a", "b", {"max_age": 0}),
        ("a", "b", {"max_age": "1", "expires": "x", "domain": "d", "path": "/p"}),
        ("a", "b", {"secure": True, "httponly": True, "samesite": "Lax"}),
        ("a", "b", {"secure": False, "httponly": False}),
        ("a", "b", {"version": "1"}),
    ],
)
def test_cookies_are_written_as_aiohttp_writes_them(name: str, value: str, attributes: dict[str, Any]) -> None:
    ours, theirs = web.Response(), aiohttp.web.Response()
    ours.set_cookie(name, value, **attributes)
    theirs.set_cookie(name, value, **attributes)
    assert ours.cookies.output() == theirs.cookies.output()
    assert set_cookie_lines(ours) == [theirs.cookies[name].OutputString().encode()]


def test_a_deleted_cookie_is_empty_and_long_expired() -> None:
    response, theirs = web.Response(), aiohttp.web.Response()
    response.del_cookie("a", path="/x", domain="d", secure=True)
    theirs.del_cookie("a", path="/x", domain="d", secure=True)
    assert response.cookies.output() == theirs.cookies.output()


def test_setting_after_deleting_keeps_nothing_of_the_deletion() -> None:
    response = web.Response()
    response.del_cookie("a", domain="d", httponly=True)
    response.set_cookie("a", "n", domain="d")
    assert set_cookie_lines(response) == [b"a=n; Domain=d; Path=/"]


def test_partitioned_works_on_every_python() -> None:
    response = web.Response()
    response.set_cookie("a", "b", secure=True, partitioned=True)
    (line,) = set_cookie_lines(response)
    assert sorted(line.split(b"; ")) == [b"Partitioned", b"Path=/", b"Secure", b"a=b"]


def test_cookies_with_one_name_and_two_paths_or_domains_are_both_sent() -> None:
    response = web.Response()
    response.set_cookie("a", "1", path="/x")
    response.set_cookie("a", "2", path="/y")
    response.set_cookie("a", "3", path="/x")
    response.set_cookie("a", "4", domain="d")
    assert set_cookie_lines(response) == [b"a=2; Path=/y", b"a=3; Path=/x", b"a=4; Domain=d; Path=/"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"value": "b\r\nX: y"},
        {"path": "/x\r\nY: z"},
        {"domain": "d;e"},
        {"samesite": "a\0"},
        {"expires": "\n"},
    ],
)
def test_cookies_cannot_break_out_of_their_line(attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"cookie 'a' has .* at offset"):
        web.Response().set_cookie("a", **{"value": "b", **attributes})


def test_cookie_names_are_tokens() -> None:
    with pytest.raises(CookieError):
        web.Response().set_cookie("a b", "c")


# ---- JSON


def test_json_responses_are_aiohttps() -> None:
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        (({"a": 1},), {}),
        ((None,), {}),
        ((), {}),
        ((), {"text": "x"}),
        ((), {"body": b"x"}),
        (([1],), {"status": 201, "reason": "Why", "headers": {"X": "y"}, "content_type": "a/b"}),
    ]
    for arguments, options in calls:
        ours = web.json_response(*arguments, **options)
        theirs = aiohttp.web.json_response(*arguments, **options)
        assert (ours.status, ours.reason, ours.body) == (theirs.status, theirs.reason, theirs.body)
        assert list(ours.headers.items()) == list(theirs.headers.items())


def test_json_takes_one_content_only() -> None:
    for extra in ({"text": "x"}, {"body": b"x"}):
        with pytest.raises(ValueError, match="more than one of"):
            web.json_response({}, **extra)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="both data and body"):
        web.json_bytes_response({}, dumps=lambda data: b"", body=b"x")


def test_json_bytes_response_uses_dumps_that_give_bytes() -> None:
    response = web.json_bytes_response([1], dumps=lambda data: json.dumps(data).encode())
    assert (response.body, response.headers["Content-Type"]) == (b"[1]", "application/json")


# ---- as a mapping


def test_a_response_is_a_mapping_of_its_own() -> None:
    response = web.Response()
    assert (len(response), list(response), bool(response), response.get(KEY), response.get(KEY, 5)) == (
        0,
        [],
        True,
        None,
        5,
    )
    for gone in (lambda: response[KEY], lambda: response.pop(KEY)):
        with pytest.raises(KeyError):
            gone()
    response[KEY] = 1
    assert (response[KEY], list(response), len(response)) == (1, [KEY], 1)
    del response[KEY]
    assert KEY not in response
    assert response == response
    assert response != web.Response()
    assert len({response, web.Response()}) == 2


def test_deleting_from_an_empty_response_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        del web.Response()[KEY]


def test_a_header_name_that_is_no_str_is_an_error_too() -> None:
    with pytest.raises(AttributeError):
        field_lines([(5, "x")])  # type: ignore[list-item]


def test_a_string_key_warns_at_the_line_that_used_it() -> None:
    response = web.Response()
    with pytest.warns(NotAppKeyWarning) as caught:
        response["key"] = 1
    assert caught[0].filename == __file__
    assert response["key"] == 1


# ---- sending


def sent_by(response: web.StreamResponse, **request: Any) -> list[Any]:
    exchange = FakeExchange(**request)
    run(response.prepare(web.Request(exchange)))
    run(response.write_eof())
    return list(exchange.sent)


def test_a_prepared_response_goes_out_as_one_command_with_a_complete_head() -> None:
    assert sent_by(web.Response(text="hi", headers={"X": "y"})) == [
        SendResponse(
            200,
            b"OK",
            [
                (b"X", b"y"),
                (b"Content-Type", b"text/plain; charset=utf-8"),
                (b"Date", DATE),
                (b"Server", SERVER),
                (b"Content-Length", b"2"),
            ],
            b"hi",
            complete=True,
        )
    ]


def test_empty_statuses_have_neither_content_nor_length() -> None:
    for status in (204, 304):
        (command,) = sent_by(web.Response(status=status, text="x"))
        assert command.content == b""
        assert b"Content-Length" not in dict(command.fields)


def test_content_is_stated_to_be_octets_if_nothing_else_is_known() -> None:
    (command,) = sent_by(web.Response(body=b"x"))
    assert dict(command.fields)[b"Content-Type"] == b"application/octet-stream"
    (command,) = sent_by(web.Response(status=205))
    assert b"Content-Type" not in dict(command.fields)


def test_prepare_of_a_response_sends_nothing_and_its_content_may_still_change() -> None:
    exchange = FakeExchange()
    response = web.Response(text="first")
    run(response.prepare(web.Request(exchange)))
    assert response.prepared
    assert exchange.sent == []
    response.text = "second!"
    run(response.write_eof(b" end"))
    assert exchange.answer == b"second! end"
    assert exchange.answer_fields[b"content-length"] == b"11"
    with pytest.raises(RuntimeError, match="was sent"):
        response.text = "third"


def test_write_eof_twice_does_nothing_but_more_data_is_an_error() -> None:
    exchange = FakeExchange()
    response = web.Response(text="x")
    run(response.prepare(web.Request(exchange)))
    run(response.write_eof())
    run(response.write_eof())
    assert len(exchange.sent) == 1
    with pytest.raises(RuntimeError, match=r"write_eof\(\) after write_eof\(\)"):
        run(response.write_eof(b"more"))


def test_a_chunked_response_is_sent_as_a_stream() -> None:
    response = web.Response(text="x")
    response.enable_chunked_encoding()
    assert response.content_length is None
    head, content, end = sent_by(response)
    assert isinstance(head, SendHead)
    assert dict(head.fields)[b"Transfer-Encoding"] == b"chunked"
    assert (content, end) == (SendContent(b"x"), SendEnd())


def test_trailers_make_a_response_a_stream() -> None:
    exchange = FakeExchange()
    response = web.Response(text="x")
    response.enable_chunked_encoding()
    run(response.prepare(web.Request(exchange)))
    run(response.write_eof(trailers={"X-Sum": "1"}))
    assert exchange.sent[-1] == SendEnd([(b"X-Sum", b"1")])


def test_writing_to_a_response_sends_its_head_first() -> None:
    exchange = FakeExchange()
    response = web.Response(headers={"Content-Length": "4"}, body=b"cd")
    run(response.prepare(web.Request(exchange)))
    run(response.write(b"ab"))
    run(response.write_eof())
    assert [type(command) for command in exchange.sent] == [SendHead, SendContent, SendContent, SendEnd]
    assert exchange.answer == b"abcd"
    assert response.body_length == 4


def test_header_values_must_be_str() -> None:
    response = web.Response(headers={"X": 5})  # type: ignore[dict-item]
    run(response.prepare(web.Request(FakeExchange())))
    with pytest.raises(TypeError, match="value of header 'X' is 5, a int"):
        run(response.write_eof())


def test_headers_of_a_response_that_went_out_untouched_still_tell_its_length() -> None:
    app = web.Application()
    response = web.Response(text="abc")

    async def handler(request: web.Request) -> web.Response:
        return response

    app.router.add_get("/", handler)
    run(app.handle(FakeExchange()))
    assert dict(response.headers) == {"Content-Type": "text/plain; charset=utf-8", "Content-Length": "3"}


def test_representations() -> None:
    response = web.Response(status=404)
    assert repr(response) == "<Response Not Found not prepared>"
    run(response.prepare(web.Request(FakeExchange(target="/x" + "y" * 100))))
    assert repr(response) == f"<Response Not Found GET /x{'y' * 77}…>"
    run(response.write_eof())
    assert repr(response) == "<Response Not Found eof>"
