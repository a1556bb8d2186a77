"""The notebook's SQLite file.

Each method of `Store` is awaited, is one transaction, and runs in a thread while the server goes on. One
runs at a time: the connection is one, and so there is nothing to lock. Nothing here depends on a runtime;
anyio knows which one it is. Every change that is kept is told, once, in order, to whoever opened the store.
"""

import random
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import anyio
from anyio import to_thread

from .notes import Change, ChangeKind, Draft, Note

P = ParamSpec("P")
T = TypeVar("T")

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS notes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL DEFAULT 1,
    title   TEXT NOT NULL,
    text    TEXT NOT NULL,
    author  TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notebook (revision INTEGER NOT NULL);
INSERT INTO notebook SELECT 0 WHERE NOT EXISTS (SELECT * FROM notebook);
"""
MAX_ID: Final = 2**63 - 1
INSERT: Final = "INSERT INTO notes (title, text, author, created, updated) VALUES (?, ?, ?, ?, ?)"
WORDS: Final = """
paper ink margin letter library window garden river morning winter lamp table music bread salt honey
road bridge harbour ship island stone cloud thunder orchard bicycle station kettle blanket mirror thread
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the notebook, newest first. `revision` grows with each change of any note."""

    notes: Sequence[Note]
    next: int | None
    total: int
    revision: int


class VersionConflictError(Exception):
    """The note is not any more what the writer has seen."""


def _in_thread(
    method: Callable[Concatenate["Store", P], T],
) -> Callable[Concatenate["Store", P], Awaitable[T]]:
    """Make a method of SQL one that is awaited."""

    @wraps(method)
    async def awaited(store: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(method, store, *args, **kwargs)
        try:
            return await to_thread.run_sync(partial(store._transaction, call), limiter=store._one_at_a_time)
        finally:  # also where whoever asked for it is being cancelled: it has happened
            store._tell()

    return awaited


class Store:
    """The notes in one file. Made by `await Store.open(path)`, ended by `await store.close()`."""

    def __init__(self, connection: sqlite3.Connection, tell: Callable[[Change], None]) -> None:
        self._sql = connection
        self._listener: Final = tell
        self._changes: Final[list[Change]] = []  # of the transaction that is running
        self._kept: Final[deque[Change]] = deque()  # and not told yet
        self._one_at_a_time: Final = anyio.CapacityLimiter(1)
        self.closed = False

    @classmethod
    async def open(cls, path: Path, tell: Callable[[Change], None] = lambda change: None) -> "Store":
        """Open the file; it is made if there is none.

        tell: called, in the caller's thread, after each change
        """

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(path, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(SCHEMA)
            except BaseException:
                connection.close()
                raise
            return connection

        return cls(await to_thread.run_sync(connect), tell)

    async def close(self) -> None:
        """Close the file, after the call that is running, and even where everything is being cancelled."""
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._sql.close, limiter=self._one_at_a_time)
        self.closed = True

    def _transaction(self, call: Callable[[], T]) -> T:
        """Run `call`: all of it is kept, or nothing of it."""
        self._changes.clear()
        with self._sql:
            result = call()
        self._kept.extend(self._changes)
        return result

    def _tell(self) -> None:
        while self._kept:
            self._listener(self._kept.popleft())

    @_in_thread
    def page(self, *, limit: int, before: int = MAX_ID, query: str = "") -> Page:
        """The newest notes older than `before` that have `query` in any of their texts."""
        pattern = "%" + query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        values = {"pattern": pattern, "before": before, "limit": limit + 1}
        where = r"(:pattern = '%%' OR title || ' ' || text || ' ' || author LIKE :pattern ESCAPE '\')"
        notes = self._notes(
            f"SELECT * FROM notes WHERE {where} AND id < :before ORDER BY id DESC LIMIT :limit",
            values,
        )
        (total,) = self._sql.execute(f"SELECT count(*) FROM notes WHERE {where}", values).fetchone()
        (revision,) = self._sql.execute("SELECT revision FROM notebook").fetchone()
        more = len(notes) > limit
        return Page(notes[:limit], notes[limit - 1].id if more else None, total, revision)

    @_in_thread
    def get(self, note_id: int) -> Note | None:
        """One note."""
        return self._get(note_id)

    @_in_thread
    def create(self, draft: Draft) -> Note:
        """A new note."""
        now = _now()
        (note,) = self._notes(INSERT + " RETURNING *", (*draft, now, now))
        self._changed("created", note.id, note)
        return note

    @_in_thread
    def replace(self, note_id: int, draft: Draft, allowed: Callable[[Note], bool]) -> Note | None:
        """A new version of a note, if `allowed` says so of the present one; None if there is no such note.

        raises: VersionConflictError if it is not allowed
        """
        if not self._check(note_id, allowed):
            return None
        (note,) = self._notes(
            "UPDATE notes SET version = version + 1, title = ?, text = ?, author = ?, updated = ? "
            "WHERE id = ? RETURNING *",
            (*draft, _now(), note_id),
        )
        self._changed("replaced", note.id, note)
        return note

    @_in_thread
    def delete(self, note_id: int, allowed: Callable[[Note], bool]) -> bool:
        """Remove a note, if `allowed` says so of it; False if there is no such note.

        raises: VersionConflictError if it is not allowed
        """
        if not self._check(note_id, allowed):
            return False
        self._sql.execute("DELETE FROM notes WHERE id = ?", (note_id,))
        self._changed("deleted", note_id)
        return True

    @_in_thread
    def add_many(self, drafts: Iterable[Draft]) -> int:
        """Many new notes at once; returns how many."""
        now = _now()
        cursor = self._sql.executemany(INSERT, ((*draft, now, now) for draft in drafts))
        self._changed("added")
        return cursor.rowcount

    @_in_thread
    def batch(self, *, after: int, size: int) -> Sequence[Note]:
        """The next `size` notes behind the note `after`, oldest first; so all can be read, holding few."""
        return self._notes("SELECT * FROM notes WHERE id > ? ORDER BY id LIMIT ?", (after, size))

    def _check(self, note_id: int, allowed: Callable[[Note], bool]) -> bool:
        note = self._get(note_id)
        if note is not None and not allowed(note):
            raise VersionConflictError(f"note {note_id} is at version {note.version}")
        return note is not None

    def _get(self, note_id: int) -> Note | None:
        return next(iter(self._notes("SELECT * FROM notes WHERE id = ?", (note_id,))), None)

    def _notes(self, statement: str, values: Sequence[Any] | dict[str, Any]) -> list[Note]:
        return [Note._make(row) for row in self._sql.execute(statement, values)]

    def _changed(self, kind: ChangeKind, note_id: int | None = None, note: Note | None = None) -> None:
        changed = self._sql.execute("UPDATE notebook SET revision = revision + 1 RETURNING revision")
        ((revision,),) = changed.fetchall()
        self._changes.append(Change(revision, kind, note_id, note))


def sample(count: int) -> Iterator[Draft]:
    """Notes to try things out with: always the same ones."""
    choose = random.Random(count)
    vocabulary = WORDS.split()
    for number in range(1, count + 1):
        words = choose.choices(vocabulary, k=24)
        yield Draft(
            f"Sample {number}: {words[0]} and {words[1]}",
            " ".join(words[2:]),
            choose.choice(("Ada", "Grace", "Edsger")),
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
