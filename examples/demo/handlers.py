"""The page, and the notes behind it.

    GET     /                       the page
    GET     /api/notes              ?limit= ?before= ?q=    newest first; `next` is `before` of the next page
    POST    /api/notes              a new note
    GET     /api/notes/{id}         its ETag serves If-None-Match here, and If-Match below
    PUT     /api/notes/{id}         all of it anew
    DELETE  /api/notes/{id}
    POST    /api/seed               ?n=                     as many notes to try things out with

Files that are more than one answer should hold go in and out by `transfer`; `live` tells of every change.
"""

import json
from pathlib import Path
from typing import Final

from sansio_web import web

from .keys import STORE
from .middlewares import InvalidFieldsError
from .notes import Draft, InvalidDraftError, Note, read_draft
from .store import MAX_ID, VersionConflictError, sample

PAGE: Final = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
POLICY: Final = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
MAX_SEED: Final = 200_000

routes = web.RouteTableDef()


@routes.get("/")
async def page(request: web.Request) -> web.Response:
    """The one page; everything else on it comes from the API."""
    return web.Response(text=PAGE, content_type="text/html", headers={"Content-Security-Policy": POLICY})


@routes.get("/api/notes")
async def list_notes(request: web.Request) -> web.Response:
    """A stretch of the notebook. The ETag stays until any note changes: it is the revision that `live` counts."""
    limit = whole_number(request, "limit", default=20, low=1, high=100)
    before = whole_number(request, "before", default=MAX_ID, low=1, high=MAX_ID)
    found = await request.app[STORE].page(limit=limit, before=before, query=request.query.get("q", "").strip())
    response = web.json_response(
        {"notes": [note._asdict() for note in found.notes], "next": found.next, "total": found.total}
    )
    return tagged(request, response, str(found.revision))


@routes.post("/api/notes")
async def create(request: web.Request) -> web.Response:
    """A new note, and where it is."""
    note = await request.app[STORE].create(await draft_of(request))
    response = note_response(note, status=201)
    response.headers["Location"] = str(request.app.router["note"].url_for(id=str(note.id)))
    return response


@routes.get("/api/notes/{id}", name="note")
async def read(request: web.Request) -> web.Response:
    """One note, unless the client has it already."""
    note = await request.app[STORE].get(id_of(request))
    if note is None:
        raise no_such_note(request)
    return tagged(request, note_response(note), note.etag)


@routes.put("/api/notes/{id}")
async def replace(request: web.Request) -> web.Response:
    """All of a note anew. With If-Match, only over the version that the writer has seen."""
    draft = await draft_of(request)
    try:
        note = await request.app[STORE].replace(id_of(request), draft, lambda note: if_match(request, note.etag))
    except VersionConflictError as conflict:
        raise web.HTTPPreconditionFailed(text=str(conflict)) from None
    if note is None:
        raise no_such_note(request)
    return note_response(note)


@routes.delete("/api/notes/{id}")
async def delete(request: web.Request) -> web.Response:
    """Remove a note. With If-Match, only the version that was seen."""
    try:
        found = await request.app[STORE].delete(id_of(request), lambda note: if_match(request, note.etag))
    except VersionConflictError as conflict:
        raise web.HTTPPreconditionFailed(text=str(conflict)) from None
    if not found:
        raise no_such_note(request)
    return web.Response(status=204)


@routes.post("/api/seed")
async def seed(request: web.Request) -> web.Response:
    """Notes to try things out with."""
    count = whole_number(request, "n", default=1000, low=1, high=MAX_SEED)
    return web.json_response({"created": await request.app[STORE].add_many(sample(count))}, status=201)


async def draft_of(request: web.Request) -> Draft:
    """The draft in the content of a request.

    raises: HTTPUnsupportedMediaType if it is not called JSON, HTTPBadRequest if it is not JSON,
        InvalidFieldsError if it is no note
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text=f"send application/json, not {request.content_type}")
    content = await request.read()
    try:
        return read_draft(json.loads(content))
    except InvalidDraftError as error:
        raise InvalidFieldsError(error.errors) from None
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text=f"the content is not JSON: {error}") from None


def id_of(request: web.Request) -> int:
    """The id in the path; what cannot be one is nobody's."""
    text = request.match_info["id"]
    if not is_number(text) or int(text) > MAX_ID:
        raise no_such_note(request)
    return int(text)


def whole_number(request: web.Request, name: str, *, default: int, low: int, high: int) -> int:
    """A number in the query."""
    text = request.query.get(name)
    if text is None:
        return default
    if not is_number(text) or not low <= int(text) <= high:
        raise InvalidFieldsError({name: f"must be a whole number from {low} to {high}"})
    return int(text)


def is_number(text: str) -> bool:
    """Digits, and not so many that reading them takes long."""
    return text.isascii() and text.isdecimal() and len(text) <= 20


def no_such_note(request: web.Request) -> web.HTTPNotFound:
    """To be raised."""
    return web.HTTPNotFound(text=f"there is no note {request.match_info['id'][:20]}")


def note_response(note: Note, *, status: int = 200) -> web.Response:
    """A note, with the ETag of its version."""
    response = web.json_response(note._asdict(), status=status)
    response.etag = note.etag
    return response


def tagged(request: web.Request, response: web.Response, etag: str) -> web.Response:
    """`response` under its ETag, or 304 where the client has it (RFC 9110 13.1.2: compared weakly)."""
    if any(tag.value in ("*", etag) for tag in request.if_none_match or ()):
        response = web.Response(status=304)
    response.etag = etag
    response.headers["Cache-Control"] = "no-cache"
    return response


def if_match(request: web.Request, etag: str) -> bool:
    """Whether If-Match, if there is one, allows a change (RFC 9110 13.1.1: compared strongly)."""
    tags = request.if_match
    return tags is None or any(tag.value == "*" or (tag.value == etag and not tag.is_weak) for tag in tags)
