"""The demo's rows: how bytes were cut makes no difference, and nothing is held beyond a row."""

import tracemalloc

import pytest
from examples.demo.notes import Draft, Note
from examples.demo.rows import FORMATS, MAX_ROW_BYTES, CsvRows, NdjsonRows, Row, Rows
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
TITLE = TEXT.map(str.strip).filter(bool)
AUTHOR = TEXT.map(str.strip)
NOTES = st.lists(st.builds(Note, st.just(1), st.just(1), TITLE, TEXT, AUTHOR, st.just("t"), st.just("t")), max_size=5)
PARTS = [b"title", b",", b'"', b"\n", b"\r\n", b"a", b"{}", b'{"title":"a"}', b"\xff"]
FILES = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from([b"title", b",", b'"', b"\n", b"\r\n", b"a", b"{}", b'{"title":"a"}', b"\xff"])).map(
        b"".join
    ),
)


def read(rows: Rows, pieces: list[bytes]) -> list[Row] | str:
    """All rows, or the error that ends them."""
    found: list[Row] = []
    try:
        for piece in pieces:
            found += rows.feed(piece)
        found += rows.finish()
    except ValueError as error:
        return f"{error} after {found}"
    return found


@pytest.mark.parametrize("form", list(FORMATS))
@given(notes=NOTES, size=st.integers(1, 50))
def test_what_is_written_is_read_back_however_it_is_cut(form: str, notes: list[Note], size: int) -> None:
    file = FORMATS[form].head + FORMATS[form].write(notes)
    pieces = [file[start : start + size] for start in range(0, len(file), size)]
    rows = read(FORMATS[form].read(), pieces)
    assert isinstance(rows, list)
    assert [row.content for row in rows] == [Draft(note.title, note.text, note.author) for note in notes]


@pytest.mark.parametrize("form", list(FORMATS))
@given(file=FILES, cut=st.integers(0, 80))
def test_any_cut_of_any_bytes_gives_the_same_rows(form: str, file: bytes, cut: int) -> None:
    whole = read(FORMATS[form].read(), [file])
    assert read(FORMATS[form].read(), [file[:cut], file[cut:]]) == whole
    assert read(FORMATS[form].read(), [bytes([byte]) for byte in file]) == whole


@pytest.mark.parametrize("rows", [NdjsonRows(), CsvRows()])
def test_a_line_without_end_is_not_held(rows: Rows) -> None:
    piece = b"x" * 65_536
    tracemalloc.start()
    try:
        for _ in range(256):
            assert list(rows.feed(piece)) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MAX_ROW_BYTES
    assert list(rows.feed(b'\n{"title": "a"}')) == [Row(1, f"exceeds {MAX_ROW_BYTES} bytes")]


def test_a_quote_that_is_never_closed_costs_no_more_than_a_row() -> None:
    rows = CsvRows()
    assert list(rows.feed(b'title\n"never closed\n')) == []
    long = [row for _ in range(40) for row in rows.feed(b"more\n" * 1000)]
    assert long[0] == Row(2, f"exceeds {MAX_ROW_BYTES} bytes")
    assert long[1].content == Draft("more")
