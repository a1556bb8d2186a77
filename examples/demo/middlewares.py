"""What happens around each handler: a request gets an id, and what was refused says so in JSON (RFC 9457)."""

import re
from typing import Final
from uuid import uuid4

from sansio_web import web

from .keys import REQUEST_ID

REQUEST_ID_PATTERN: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)


class InvalidFieldsError(web.HTTPUnprocessableEntity):
    """What was sent can be read, but not accepted; says what is wrong by field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(text="some fields cannot be accepted")
        self.errors = errors


@web.middleware
async def identify(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Give the request an id: the one that it brings, where that is harmless, or a new one."""
    given = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = given if REQUEST_ID_PATTERN.fullmatch(given) else uuid4().hex
    return await handler(request)


async def show_id(request: web.Request, response: web.StreamResponse) -> None:
    """Put the id on the response, right before its head is sent: so a stream gets it as well."""
    if (request_id := request.get(REQUEST_ID)) is not None:
        response.headers["X-Request-Id"] = request_id


@web.middleware
async def explain(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Turn an HTTP error into a problem document.

    Any other exception goes on to the server, which answers with 500, or cuts the response that has begun.
    """
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _problem(request, error)


def _problem(request: web.Request, error: web.HTTPException) -> web.Response:
    document: dict[str, object] = {
        "title": error.reason,
        "status": error.status,
        "detail": error.text,
        "request_id": request[REQUEST_ID],
    }
    if isinstance(error, InvalidFieldsError):
        document["errors"] = error.errors
    kept = {name: value for name, value in error.headers.items() if name not in ("Content-Type", "Content-Length")}
    return web.json_response(
        document,
        status=error.status,
        reason=error.reason,
        headers=kept,
        content_type="application/problem+json",
    )
