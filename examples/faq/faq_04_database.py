"""Where does a database connection belong?

In the application, under a typed key: mypy and pyright know that `app[DATABASE]` is a `Database`. A cleanup
context opens it before the first request, and closes it after the last.

Contexts are entered in order and left in reverse. `journal` may therefore count on the database at both of its ends.
And if something fails at start-up, half-way, whatever was entered until then is left all the same.

Run it: python -m examples.faq.faq_04_database [RUNTIME PORT]
"""

import sqlite3
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
from anyio import to_thread

from sansio_web import web


class Database:
    """A SQLite file. Statements run in a thread, so that the server goes on meanwhile, and one at a time."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._one_at_a_time = anyio.CapacityLimiter(1)

    async def run(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement in a transaction of its own; returns its rows."""

        def transaction() -> list[Any]:
            with self._connection:
                return self._connection.execute(statement, values).fetchall()

        return await to_thread.run_sync(transaction, limiter=self._one_at_a_time)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


DATABASE = web.AppKey("DATABASE", Database)
PATH = web.AppKey("PATH", str)


async def database(app: web.Application) -> AsyncIterator[None]:
    """Entered first, left last."""
    app[DATABASE] = Database(app[PATH])
    try:
        await app[DATABASE].run("CREATE TABLE IF NOT EXISTS journal (entry TEXT NOT NULL)")
        yield
    finally:
        app[DATABASE].close()


async def journal(app: web.Application) -> AsyncIterator[None]:
    """Entered second, left first: the database is open at both ends."""
    await app[DATABASE].run("INSERT INTO journal VALUES ('started')")
    yield
    await app[DATABASE].run("INSERT INTO journal VALUES ('stopped')")


async def visit(request: web.Request) -> web.Response:
    """Write the visitor's address into the journal, and show all of it."""
    db = request.app[DATABASE]
    await db.run("INSERT INTO journal VALUES (?)", f"visit from {request.remote}")
    return web.json_response([entry for (entry,) in await db.run("SELECT entry FROM journal ORDER BY rowid")])


def make_app(path: str = "journal.sqlite3") -> web.Application:
    """The application; nothing is opened before it starts."""
    app = web.Application()
    app[PATH] = path
    app.cleanup_ctx.extend([database, journal])
    app.router.add_get("/", visit)
    return app


if __name__ == "__main__":
    runtime, port = sys.argv[1:] or ("asyncio", "8080")
    web.run_app(make_app(), host="127.0.0.1", port=int(port), runtime=runtime)
