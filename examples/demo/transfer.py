"""The whole notebook as one file, out and in, with no more than a few hundred notes in memory.

    GET     /export                 ?format=ndjson|csv      all notes, oldest first
    PUT     /api/import             the same formats, by Content-Type; says which rows it could not take

Out: a batch is read when the one before it has been taken by the client, so a slow client makes slow
reading, not a big buffer. Notes that are written meanwhile come with it. In: nothing is received while a
batch is being stored.
"""

from collections.abc import Iterable
from typing import Final

from sansio_web import web

from .keys import STORE
from .notes import Draft
from .rows import FORMATS, InvalidHeaderError, Row, Rows
from .store import Store

BATCH: Final = 500
MAX_IMPORT_BYTES: Final = 256 * 1024 * 1024
MAX_ERRORS: Final = 50  # that are told one by one

routes = web.RouteTableDef()


@routes.get("/export")
async def export(request: web.Request) -> web.StreamResponse:
    """Stream all notes."""
    name = request.query.get("format", "ndjson")
    if (form := FORMATS.get(name)) is None:
        raise web.HTTPBadRequest(text=f"the format is one of {', '.join(FORMATS)}")
    response = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="notebook.{name}"'})
    response.content_type = form.content_type
    response.charset = "utf-8"
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    store = request.app[STORE]
    if form.head:
        await response.write(form.head)
    last = 0
    while notes := await store.batch(after=last, size=BATCH):
        await response.write(form.write(notes))
        last = notes[-1].id
    await response.write_eof()
    return response


@routes.put("/api/import")
async def import_rows(request: web.Request) -> web.Response:
    """Store the rows of a file as they come in. What is wrong with a row is told, and stops no other row."""
    rows = reader_for(request)
    load = Import(request.app[STORE])
    received = 0
    try:
        async for data in request.content.iter_any():
            received += len(data)
            if received > MAX_IMPORT_BYTES:
                raise web.HTTPRequestEntityTooLarge(MAX_IMPORT_BYTES, received)
            await load.take(rows.feed(data))
        await load.take(rows.finish())
        await load.store_batch()
    except InvalidHeaderError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    nothing_taken = load.rejected > 0 and load.imported == 0
    return web.json_response(load.report(), status=422 if nothing_taken else 200)


class Import:
    """One import that is under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batch: list[Draft] = []
        self._errors: list[dict[str, int | str]] = []
        self.imported = 0
        self.rejected = 0

    async def take(self, rows: Iterable[Row]) -> None:
        """Put rows into the batch; store it whenever it is full."""
        for row in rows:
            if isinstance(row.content, Draft):
                self._batch.append(row.content)
                if len(self._batch) == BATCH:
                    await self.store_batch()
            else:
                self.rejected += 1
                if len(self._errors) < MAX_ERRORS:
                    self._errors.append({"line": row.line, "error": row.content})

    async def store_batch(self) -> None:
        """Store what the batch holds."""
        if self._batch:
            self.imported += await self._store.add_many(self._batch)
            self._batch.clear()

    def report(self) -> dict[str, object]:
        """How it went; of many errors, the first ones."""
        return {"imported": self.imported, "rejected": self.rejected, "errors": self._errors}


def reader_for(request: web.Request) -> Rows:
    """By the content type of what is sent.

    raises: HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge if so much is announced
    """
    if (request.content_length or 0) > MAX_IMPORT_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_IMPORT_BYTES, request.content_length or 0)
    for form in FORMATS.values():
        if form.content_type == request.content_type:
            return form.read()
    accepted = " or ".join(form.content_type for form in FORMATS.values())
    raise web.HTTPUnsupportedMediaType(text=f"send {accepted}, not {request.content_type}")
