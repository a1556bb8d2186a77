"""A response whose content is known, and JSON in it.

A plain one is cheap: no multidict, no coroutine; the application sends it as one command.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from ..exchange import Exchange
from ..http.commands import SendResponse
from ._content_type import (
    DEFAULT_TYPE,
    TEXT_TYPE_LINES,
    split_type,
    text_type_lines,
    type_value,
    without_charset,
)
from ._response_head import CONTENT_LENGTH, CONTENT_TYPE, LooseHeaders, field_lines
from .stream_response import EMPTY_STATUSES, ENDED, HELD, StreamResponse

_MISSING: Final[Any] = object()


class Response(StreamResponse):
    """`text` or `body`; its content may be changed until it is sent."""

    _plain = True
    _body: bytes | None = None  # __init__, body, text
    _own_length: bool = False  # prepare has set Content-Length; then a change of the content changes it

    def __init__(
        self,
        *,
        body: bytes | bytearray | memoryview | str | None = None,
        status: int = 200,
        reason: str | None = None,
        text: str | None = None,
        headers: LooseHeaders | None = None,
        content_type: str | None = None,
        charset: str | None = None,
    ) -> None:
        if headers is None and body is None and text is not None and text.__class__ is str:
            if content_type is None and charset is None:
                self._lines = TEXT_TYPE_LINES
                self._body = text.encode()
            else:
                self._lines = text_type_lines(content_type or "text/plain", charset or "utf-8")
                self._body = text.encode(charset or "utf-8")
            if status != 200 or reason is not None:
                self.set_status(status, reason)
            return
        super().__init__(status=status, reason=reason, headers=headers)
        if body is not None and text is not None:
            raise ValueError("body and text are both given; a response has one content")
        if content_type is not None:
            without_charset(content_type)
        self._init_type(headers is not None, text is not None, content_type, charset)
        if text is not None:
            self._set_text(text)
        elif body is not None:
            self.body = body

    def _init_type(self, has_headers: bool, is_text: bool, content_type: str | None, charset: str | None) -> None:
        headers = self._headers
        if has_headers and headers is not None and CONTENT_TYPE in headers:
            if content_type is not None or charset is not None:
                raise ValueError("Content-Type is in headers; then neither content_type nor charset may be given")
            if is_text and self.charset is None:
                headers[CONTENT_TYPE] = type_value(headers[CONTENT_TYPE], "utf-8")
        elif is_text:
            self._set_content_type(content_type or "text/plain", charset or "utf-8")
        elif content_type is not None:
            self._set_content_type(content_type, charset)

    # -- content ---------------------------------------------------------------------------------------------

    @property
    def body(self) -> bytes | None:
        """The content as bytes."""
        return self._body

    @body.setter
    def body(self, value: bytes | bytearray | memoryview | str | None) -> None:
        if value is None or isinstance(value, bytes):
            content = value
        elif isinstance(value, bytearray | memoryview):
            content = bytes(value)
        elif isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            content = value.encode(self.charset or "utf-8")
            if not self._content_type_value():
                self._set_content_type("text/plain", "utf-8")
        else:
            raise TypeError(f"body is a {type(value).__name__}; allowed: bytes, bytearray, memoryview, str, None")
        if self._head_is_out:
            raise RuntimeError(f"cannot change the body: {self!r} was sent")
        self._body = content
        if self._own_length and self._headers is not None and CONTENT_LENGTH in self._headers:
            self._headers[CONTENT_LENGTH] = str(len(content or b""))

    @property
    def text(self) -> str | None:
        """The content decoded by its charset, UTF-8 by default."""
        return None if self._body is None else self._body.decode(self.charset or "utf-8")

    @text.setter
    def text(self, value: str | None) -> None:
        if value is None:
            self.body = None
            return
        media_type, charset, _ = split_type(self._content_type_value())
        if charset is None:
            plain = media_type if self._content_type_value() else "text/plain"
            self._set_content_type("text/plain" if plain == DEFAULT_TYPE else plain, "utf-8")
        self._set_text(value)

    def _set_text(self, value: str) -> None:
        if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"text is a {type(value).__name__}; it must be a str")
        self.body = value.encode(self.charset or "utf-8")

    @property
    def content_length(self) -> int | None:
        """Of the content, unless the headers say something else; None if it is chunked."""
        if self._chunked:
            return None
        declared = None if self._headers is None else self._headers.get(CONTENT_LENGTH)
        return len(self._body or b"") if declared is None else int(declared)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        raise RuntimeError("content_length of a Response follows from its content")

    # -- sending ---------------------------------------------------------------------------------------------

    def _complete_headers(self, exchange: Exchange) -> None:
        super()._complete_headers(exchange)
        headers = self.headers
        if self._chunked or self._status in EMPTY_STATUSES:
            return
        if CONTENT_LENGTH not in headers:
            self._own_length = True
            headers[CONTENT_LENGTH] = str(len(self._body or b""))

    async def prepare(self, request: Any) -> None:
        """Complete the head; it goes out with the content, at `write_eof` or with the first `write`.

        raises: RuntimeError if this response was prepared for another request, or another response for this request
        """
        if self._head is not None:
            if self._head is not request._exchange.head:
                raise RuntimeError(self._sent_twice(request))
            return
        await self._prepare(request)

    async def write_eof(self, data: bytes = b"", *, trailers: LooseHeaders | None = None) -> None:
        """Send the head if it was not sent, the content, `data` after it, and the end.

        raises: as `StreamResponse.write_eof`
        """
        if self._stage is ENDED and not data and not trailers:
            return
        content = (self._body or b"") + data if self._status not in EMPTY_STATUSES else b""
        if self._stage is not HELD or self._chunked or trailers:
            await super().write_eof(content, trailers=trailers)
            return
        headers = self.headers
        if data and self._own_length and CONTENT_LENGTH in headers:
            headers[CONTENT_LENGTH] = str(len(content))
        lines = field_lines(headers.items())
        await self._send(SendResponse(self._status, self._reason_bytes(), lines, content, complete=True), ENDED)
        self.body_length = len(content)
        self._exchange = None


def json_response(
    data: Any = _MISSING,
    *,
    text: str | None = None,
    body: bytes | None = None,
    status: int = 200,
    reason: str | None = None,
    headers: LooseHeaders | None = None,
    content_type: str = "application/json",
    dumps: Callable[[Any], str] = json.dumps,
) -> Response:
    """A Response with `data` as JSON; or `text` or `body`, which are JSON already.

    raises: ValueError if more than one of the three is given
    """
    if data is not _MISSING:
        if text is not None or body is not None:
            raise ValueError("more than one of data, text and body is given; a response has one content")
        text = dumps(data)
    return Response(text=text, body=body, status=status, reason=reason, headers=headers, content_type=content_type)


def json_bytes_response(
    data: Any = _MISSING,
    *,
    dumps: Callable[[Any], bytes],
    body: bytes | None = None,
    status: int = 200,
    reason: str | None = None,
    headers: LooseHeaders | None = None,
    content_type: str = "application/json",
) -> Response:
    """As `json_response`, for a `dumps` that gives bytes.

    raises: ValueError if both data and body are given
    """
    if data is not _MISSING:
        if body is not None:
            raise ValueError("both data and body are given; a response has one content")
        body = dumps(data)
    return Response(body=body, status=status, reason=reason, headers=headers, content_type=content_type)
