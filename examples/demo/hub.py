"""Who is told of changes.

Telling never waits, so a browser that is slow delays neither the writer nor the others. What it has not taken yet is
held for it, up to `MAX_BEHIND` changes; at one more it is dropped: its changes end with `FellBehindError`.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .notes import Change

MAX_BEHIND: Final = 64


class FellBehindError(Exception):
    """More changes are waiting than are held; whoever wants to go on reads the notebook anew."""


class Hub:
    """The watchers. Belongs to the runtime's thread."""

    def __init__(self) -> None:
        self._watchers: set[MemoryObjectSendStream[str]] = set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._watchers)

    def tell(self, change: Change) -> None:
        """Give a change to every watcher, encoded once."""
        message = change_message(change)
        for watcher in list(self._watchers):
            try:
                watcher.send_nowait(message)
            except anyio.WouldBlock:
                self._watchers.remove(watcher)
                watcher.close()

    @contextmanager
    def watching(self) -> Iterator[AsyncIterator[str]]:
        """Each change from now on, as a message."""
        watcher, changes = anyio.create_memory_object_stream[str](MAX_BEHIND)
        self._watchers.add(watcher)
        with watcher, changes:
            try:
                yield _until_behind(changes)
            finally:
                self._watchers.discard(watcher)


async def _until_behind(changes: MemoryObjectReceiveStream[str]) -> AsyncIterator[str]:
    async for change in changes:
        yield change
    raise FellBehindError


def change_message(change: Change) -> str:
    """A change in JSON, with the note as the API gives it, or null."""
    note = None if change.note is None else change.note._asdict()
    return json.dumps({**change._asdict(), "note": note}, ensure_ascii=False)
