"""What becomes of what a handler returned or raised: a response, a report, or the end of the connection.

One request gets one response. Nothing was sent yet: an error becomes a 500. Some of a response was sent: the
connection is broken off, because it must not look finished. All of it was sent: the error is reported, the
connection lives.
"""

import warnings
from typing import TYPE_CHECKING, Final, cast

from ..http.commands import FieldLines, SendResponse
from ._body import RequestDisconnectedError, RequestPayloadError
from ._content_type import DEFAULT_TYPE_LINES, TEXT_TYPE_LINES
from ._reasons import REASON_BYTES
from ._response_head import CONTENT_LENGTH, field_lines
from .cleanup import shown_function
from .response import Response
from .stream_response import (
    DROPPED,
    EMPTY_STATUSES,
    ENDED,
    HELD,
    LOST,
    NEW,
    UNTYPED_STATUSES,
    StreamResponse,
    shown_head,
)

if TYPE_CHECKING:
    from .request import BaseRequest

_TROUBLE: Final = "500: Internal Server Error"


def is_sent_plainly(error: Response) -> bool:
    """Whether the class of a raised response leaves sending to us."""
    kind = type(error)
    return kind.prepare is Response.prepare and kind.write_eof is Response.write_eof


def plain_command(request: "BaseRequest", response: Response) -> SendResponse:
    """The command for a Response that is not prepared, when nobody wants to see it before: the hot path.

    The machine adds what is missing of Content-Length, Date and Server. The response counts as sent; if
    sending fails, call `plain_failed`.
    """
    status = response._status
    content = response._body or b""
    lines = response._lines
    if response._headers is not None or response._cookies is not None:
        lines = _own_lines(response)
    elif not lines and status not in UNTYPED_STATUSES:
        lines = DEFAULT_TYPE_LINES
    if status == 200 and response._reason is None:
        command = SendResponse(200, b"OK", lines, content)
    else:
        if status in EMPTY_STATUSES:
            content = b""
        command = SendResponse(status, response._reason_bytes(), lines, content)
    response._plain = False
    response._stage = ENDED
    response._head = request._exchange.head
    response.body_length = len(content)
    request._sent = response  # not `_response`: the application's own request is no clone
    return command


def _own_lines(response: Response) -> FieldLines:
    headers = response._headers
    if headers is None:
        lines = list(response._lines)
    else:
        if response._status not in EMPTY_STATUSES:
            headers.setdefault(CONTENT_LENGTH, str(len(response._body or b"")))
        lines = field_lines(headers.items())
    if response._cookies is not None:
        lines.extend((b"Set-Cookie", value.encode()) for value in response._cookies.values())
    if not response._content_type_value() and response._status not in UNTYPED_STATUSES:
        lines.extend(DEFAULT_TYPE_LINES)
    return lines


async def plain_failed(request: "BaseRequest", response: Response, error: Exception) -> StreamResponse | None:
    """`plain_command` could not be sent.

    returns: as `fail`
    """
    if isinstance(error, ConnectionResetError):
        response._stage = LOST
        return response
    _drop(request, response)
    return await fail(request, error)


async def answer(request: "BaseRequest", outcome: object, *, raised: bool = False) -> StreamResponse | None:
    """Send what came back from the handler, completely.

    raised: it is an HTTPException that was raised
    returns: the response that was sent, as far as it was
    """
    if not isinstance(outcome, StreamResponse):
        return await fail(request, None, _no_response(request, outcome))
    if isinstance(outcome, Exception) and not raised:
        _warn_of_returned(request, outcome)
    prepared = request._response
    if prepared is not None and prepared is not outcome:
        stage = prepared._stage
        if stage is LOST:
            return prepared
        if stage is not HELD:
            await fail(
                request,
                outcome if isinstance(outcome, Exception) else None,
                _second(request, prepared, outcome),
            )
            return prepared
        if not raised:
            request._exchange.report(_second(request, prepared, outcome))
        _drop(request, prepared)
    try:
        await outcome.prepare(request)
        if outcome._stage is not ENDED:
            await outcome.write_eof()
    except Exception as error:
        return await fail(request, error)
    return outcome


async def fail(request: "BaseRequest", error: Exception | None, message: str = "") -> StreamResponse | None:
    """Something went wrong: report it unless it is the peer's doing, and answer if nothing was sent.

    error: what was raised by the handler, or in sending; None if `message` says it all
    returns: the response that was sent, as far as it was
    """
    exchange = request._exchange
    prepared = request._response
    stage = NEW if prepared is None else prepared._stage
    if isinstance(error, RequestDisconnectedError) or (stage is LOST and _is_reset(error)):
        return prepared
    status = 500
    if isinstance(error, RequestPayloadError):
        status = error.status_hint
    else:
        exchange.report(message or f"error while handling {shown_head(exchange.head)}", error)
    if stage is ENDED or stage is LOST:
        return prepared
    if prepared is not None and stage is not HELD:
        await prepared._break_off()
        return prepared
    if prepared is not None:
        _drop(request, prepared)
    return await _apologize(request, status)


async def _apologize(request: "BaseRequest", status: int) -> StreamResponse | None:
    """Send an error response; if the signals' receivers break that as well, one without them."""
    exchange = request._exchange
    reason = REASON_BYTES.get(status, b"")
    text = _TROUBLE if status == 500 else f"{status}: {reason.decode()}"
    response = Response(status=status, text=text)
    try:
        await response.prepare(request)
        await response.write_eof()
        return response
    except ConnectionResetError:
        return response
    except Exception as error:
        exchange.report(f"error while preparing the response with {status} to {shown_head(exchange.head)}", error)
    try:
        await exchange.send(SendResponse(status, reason, TEXT_TYPE_LINES, text.encode()))
    except ConnectionResetError:
        pass
    except Exception as error:
        exchange.report(f"cannot answer {shown_head(exchange.head)}, the connection is broken off", error)
        exchange.abort()
    return response


def _is_reset(error: Exception | None) -> bool:
    """Whether the peer has gone and nothing else is wrong; a task group tells it as a group."""
    if isinstance(error, ExceptionGroup):
        return cast("ExceptionGroup[Exception]", error).split(ConnectionResetError)[1] is None
    return isinstance(error, ConnectionResetError)


def _warn_of_returned(request: "BaseRequest", outcome: Exception) -> None:
    message = f"{outcome!r} was returned for {shown_head(request._exchange.head)}; raise it instead"
    match = request._match_info
    code = None if match is None else getattr(match.handler, "__code__", None)
    if code is None:
        warnings.warn(message, DeprecationWarning, stacklevel=2)
    else:
        warnings.warn_explicit(message, DeprecationWarning, code.co_filename, code.co_firstlineno)


def _drop(request: "BaseRequest", response: StreamResponse) -> None:
    response._stage = DROPPED
    response._exchange = None
    request._response = None


def _no_response(request: "BaseRequest", outcome: object) -> str:
    match = request._match_info
    handler = shown_function(match.handler) if match is not None else "the handler"
    kind = type(outcome).__name__
    hint = "; is a 'return' missing?" if outcome is None else ""
    where = shown_head(request._exchange.head)
    return f"{handler} must return a web.StreamResponse for {where}, but returned {kind}{hint}"


def _second(request: "BaseRequest", prepared: StreamResponse, outcome: StreamResponse) -> str:
    verb = "raised" if isinstance(outcome, Exception) else "returned"
    fate = {ENDED: "the second was dropped", HELD: "the first was dropped"}
    what = fate.get(prepared._stage, "the first was cut off")
    return (
        f"{outcome!r} was {verb} for {shown_head(request._exchange.head)}, for which {prepared!r} "
        f"had been prepared; one request, one response: {what}"
    )
