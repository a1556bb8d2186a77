"""The application, put together."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from sansio_web import web

from . import handlers, live, transfer
from .hub import Hub
from .keys import DATABASE, HUB, STORE
from .middlewares import explain, identify, show_id
from .store import Store

DEFAULT_DATABASE: Final = Path(__file__).with_name("notebook.sqlite3")


async def open_store(app: web.Application) -> AsyncIterator[None]:
    """The file is open before the first request, and closed after the last or if start-up fails later."""
    app[STORE] = await Store.open(app[DATABASE], app[HUB].tell)
    try:
        yield
    finally:
        await app[STORE].close()


def make_app(database: Path = DEFAULT_DATABASE) -> web.Application:
    """A notebook in the file `database`, made if there is none. Nothing is opened before the start."""
    app = web.Application(middlewares=[identify, explain])
    app[DATABASE] = database
    app[HUB] = Hub()
    app.cleanup_ctx.append(open_store)
    app.on_response_prepare.append(show_id)
    app.add_routes(handlers.routes)
    app.add_routes(live.routes)
    app.add_routes(transfer.routes)
    return app
