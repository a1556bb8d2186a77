"""Rows of a file that comes or goes piece by piece.

In: bytes, however they were cut. Out: one `Row` per line of NDJSON, or per record of CSV, with its draft or
with what is wrong with it. Nothing here waits for anything, and nothing holds more than one row.
"""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .notes import Draft, InvalidDraftError, Note, read_draft

MAX_ROW_BYTES: Final = 128 * 1024
COLUMNS: Final = Note._fields


@dataclass(frozen=True, slots=True)
class Row:
    """The line where it began, counted from 1, and what it says: a draft, or an error."""

    line: int
    content: Draft | str


class InvalidHeaderError(ValueError):
    """The first record of a CSV file does not name the columns of a note."""


class Rows(ABC):
    """Joins bytes to rows."""

    def __init__(self) -> None:
        self._bytes = bytearray()  # of the row that has begun
        self._quotes = 0  # in there
        self._too_long = False
        self._line = 0  # that has ended last
        self._first_line = 1  # of the row that has begun

    def feed(self, data: bytes) -> Iterator[Row]:
        """The rows that end in `data`."""
        start = 0
        while (end := data.find(b"\n", start) + 1) > 0:
            self._add(data[start:end])
            start = end
            self._line += 1
            if self._too_long or self._is_complete():
                yield from self._take()
        self._add(data[start:])

    def finish(self) -> Iterator[Row]:
        """The last row, where no line end follows it."""
        if self._bytes or self._too_long:
            yield from self._take()

    def _add(self, piece: bytes) -> None:
        if self._too_long or len(self._bytes) + len(piece) > MAX_ROW_BYTES:
            self._too_long = True
            self._bytes.clear()
        else:
            self._bytes += piece
            self._quotes += piece.count(b'"')

    def _take(self) -> Iterator[Row]:
        content: Draft | str | None
        if self._too_long:
            content = f"exceeds {MAX_ROW_BYTES} bytes"
        else:
            try:
                content = self._read(self._bytes.decode("utf-8-sig"))
            except UnicodeDecodeError as error:
                content = f"is not UTF-8 at byte {error.start}"
            except InvalidDraftError as error:
                content = str(error)
        if content is not None:
            yield Row(self._first_line, content)
        self._bytes.clear()
        self._quotes = 0
        self._too_long = False
        self._first_line = self._line + 1

    def _is_complete(self) -> bool:
        """Whether a row ends with the line that has just ended."""
        return True

    @abstractmethod
    def _read(self, text: str) -> Draft | str | None:
        """What a row says: a draft, an error, or None if it says nothing."""


class NdjsonRows(Rows):
    """A JSON object on each line; empty lines are passed over."""

    def _read(self, text: str) -> Draft | str | None:
        if not text.strip():
            return None
        try:
            return read_draft(json.loads(text))
        except InvalidDraftError:
            raise
        except (ValueError, RecursionError) as error:
            return f"is not JSON: {error}"


class CsvRows(Rows):
    """RFC 4180. The first record names the columns; a record may have line ends between its quotes."""

    def __init__(self) -> None:
        super().__init__()
        self._columns: Sequence[str] | None = None

    def _is_complete(self) -> bool:
        return self._quotes % 2 == 0

    def _read(self, text: str) -> Draft | str | None:
        try:
            record = next(csv.reader([text], strict=True), None)
        except csv.Error as error:
            return f"is not CSV: {error}"
        if not record:
            return None
        if self._columns is None:
            if "title" not in record or not set(record) <= set(COLUMNS) or len(set(record)) < len(record):
                raise InvalidHeaderError(
                    f"the first line must name columns out of {', '.join(COLUMNS)}, at least title"
                )
            self._columns = record
            return None
        if len(record) != len(self._columns):
            return f"has {len(record)} columns, the first line has {len(self._columns)}"
        return read_draft(dict(zip(self._columns, record, strict=True)))


def _ndjson(notes: Sequence[Note]) -> bytes:
    return "".join(json.dumps(note._asdict(), ensure_ascii=False) + "\n" for note in notes).encode()


def _csv(notes: Sequence[Note]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(notes)
    return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Format:
    """A file format, both ways."""

    content_type: str
    head: bytes
    write: Callable[[Sequence[Note]], bytes]
    read: Callable[[], Rows]


FORMATS: Final[Mapping[str, Format]] = {
    "ndjson": Format("application/x-ndjson", b"", _ndjson, NdjsonRows),
    "csv": Format("text/csv", f"{','.join(COLUMNS)}\r\n".encode(), _csv, CsvRows),
}
