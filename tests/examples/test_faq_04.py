"""FAQ 4: a database in a cleanup context."""

import sqlite3
from pathlib import Path

import httpx
import pytest
from examples.faq import faq_04_database as faq
from tests.support.serving import serving

from sansio_web import web

VISIT = "visit from 127.0.0.1"


def test_requests_reach_the_database_that_start_up_opened(runtime: str, tmp_path: Path) -> None:
    with serving(faq.make_app(str(tmp_path / "db")), runtime) as served, httpx.Client() as client:
        assert client.get(served.url).json() == ["started", VISIT]
        assert client.get(served.url).json() == ["started", VISIT, VISIT]


def test_contexts_are_left_in_reverse_so_the_last_entry_is_still_written(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / "db"
    with serving(faq.make_app(str(path)), runtime) as served:
        httpx.get(served.url)
    assert entries(path) == ["started", VISIT, "stopped"]

    with serving(faq.make_app(str(path)), runtime) as served:
        assert httpx.get(served.url).json() == ["started", VISIT, "stopped", "started", VISIT]


def test_a_start_up_that_fails_half_way_leaves_what_it_entered_in_reverse(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / "db"
    app = faq.make_app(str(path))

    async def failing(app: web.Application) -> None:
        raise LookupError("no such host")

    app.on_startup.append(failing)
    with pytest.raises(LookupError, match="no such host"), serving(app, runtime):
        pass

    assert entries(path) == ["started", "stopped"]  # `journal` was left, while the database was open
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):  # then `database` was
        app[faq.DATABASE]._connection.execute("SELECT 1")


def entries(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [entry for (entry,) in connection.execute("SELECT entry FROM journal ORDER BY rowid")]
    finally:
        connection.close()
