"""The demo: a shared notebook with a database, streams both ways, and errors that say what is wrong."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from examples.demo.app import make_app
from examples.demo.keys import STORE
from tests.support.raw_http import request
from tests.support.serving import Served, serving

from sansio_web import web

ROWS = 100_000


@pytest.fixture
def client(runtime: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a notebook that is empty."""
    with notebook(runtime, tmp_path / "notes.sqlite3") as client:
        yield client


@contextmanager
def notebook(runtime: str, database: Path) -> Iterator[httpx.Client]:
    with serving(make_app(database), runtime) as served, client_of(served) as client:
        yield client


def client_of(served: Served) -> httpx.Client:
    return httpx.Client(base_url=served.url, timeout=30)


def write(client: httpx.Client, title: str, **fields: str) -> dict[str, Any]:
    answer = client.post("/api/notes", json={"title": title, **fields})
    assert answer.status_code == 201, answer.text
    note: dict[str, Any] = answer.json()
    return note


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document (RFC 9457) that `answer` must be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["request_id"] == answer.headers["X-Request-Id"]
    return document


def test_the_page_is_one_file_that_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Shared notebook" in page.text
    assert "src=" not in page.text
    assert "<link" not in page.text


def test_a_note_is_written_read_changed_and_removed(client: httpx.Client) -> None:
    created = client.post("/api/notes", json={"title": " Milk ", "text": "two litres\n", "author": "Ada"})
    assert created.status_code == 201
    note = created.json()
    assert (note["title"], note["text"], note["author"], note["version"]) == (
        "Milk",
        "two litres\n",
        "Ada",
        1,
    )
    where = created.headers["Location"]
    assert where == f"/api/notes/{note['id']}"

    assert client.get(where).json() == note

    changed = client.put(where, json={**note, "title": "Bread"})  # what it does not decide, it may send back
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["version"]) == ("Bread", 2)
    assert client.get(where).json() == changed.json()

    removed = client.delete(where)
    assert (removed.status_code, removed.content) == (204, b"")
    assert "Content-Length" not in removed.headers
    assert "there is no note" in problem(client.get(where), 404)["detail"]
    problem(client.put(where, json=note), 404)
    problem(client.delete(where), 404)


def test_notes_outlive_the_server(runtime: str, tmp_path: Path) -> None:
    with notebook(runtime, tmp_path / "n") as client:
        note = write(client, "still here")
    with notebook(runtime, tmp_path / "n") as client:
        assert client.get(f"/api/notes/{note['id']}").json() == note


def test_the_list_comes_in_pages_newest_first(client: httpx.Client) -> None:
    for number in range(5):
        write(client, f"note {number}")
    seen, url = [], "/api/notes?limit=2"
    while True:
        page = client.get(url).json()
        assert page["total"] == 5
        seen.append([note["title"] for note in page["notes"]])
        if page["next"] is None:
            break
        url = f"/api/notes?limit=2&before={page['next']}"
    assert seen == [["note 4", "note 3"], ["note 2", "note 1"], ["note 0"]]


def test_a_search_takes_its_words_literally(client: httpx.Client) -> None:
    for title in ("100 % wool", "100 wool", "snake_case", "snakeXcase", r"back\slash"):
        write(client, title)

    def found(query: str) -> list[str]:
        page = client.get("/api/notes", params={"q": query}).json()
        assert page["total"] == len(page["notes"])
        return [note["title"] for note in page["notes"]]

    assert found("%") == ["100 % wool"]
    assert found("_") == ["snake_case"]
    assert found("\\") == [r"back\slash"]
    assert found("WOOL") == ["100 wool", "100 % wool"]
    assert found("") == [r"back\slash", "snakeXcase", "snake_case", "100 wool", "100 % wool"]
    assert found("' OR 1=1 --") == []


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ({}, {"title": "must not be empty"}),
        ({"title": "   "}, {"title": "must not be empty"}),
        ({"title": None}, {"title": "must be text, is null"}),
        (
            {"title": 5, "text": ["a"]},
            {"title": "must be text, is a number", "text": "must be text, is an array"},
        ),
        ({"title": "x" * 201}, {"title": "must have at most 200 characters, has 201"}),
        ({"title": "a", "colour": "red"}, {"colour": "is not known; a note has title, text, author"}),
        (["title"], {"note": "must be an object with a title, is an array"}),
        (
            {"title": "a\ud800"},
            {"title": "has no character at offset 1, but half of a surrogate pair"},
        ),
    ],
)
def test_a_draft_that_is_no_note_is_told_all_that_is_wrong(
    client: httpx.Client, content: object, errors: dict[str, str]
) -> None:
    answer = client.post("/api/notes", content=json.dumps(content), headers={"Content-Type": "application/json"})
    assert problem(answer, 422)["errors"] == errors
    assert client.get("/api/notes").json()["total"] == 0


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"title": ', "application/json", 400),
        (b"\xff\xfe\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"", "application/json", 400),
        (b"title=a", "application/x-www-form-urlencoded", 415),
        (b'"' + b"x" * 1024**2 + b'"', "application/json", 413),
    ],
)
def test_content_that_is_not_json_or_too_much_is_refused(
    client: httpx.Client, content: bytes, content_type: str, status: int
) -> None:
    problem(client.post("/api/notes", content=content, headers={"Content-Type": content_type}), status)
    assert client.get("/api/notes").status_code == 200  # and the server goes on


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=ten", "limit=1_0", "before=-1", "before=" + "9" * 5000]
)
def test_a_query_outside_of_its_range_is_refused_by_name(client: httpx.Client, query: str) -> None:
    name = query.partition("=")[0]
    assert "must be a whole number from 1 to" in problem(client.get(f"/api/notes?{query}"), 422)["errors"][name]


@pytest.mark.parametrize("note_id", ["0", "abc", "-1", "%31%20", "9" * 18, "9" * 20, "9" * 4000])
def test_an_id_that_nobody_has_is_not_found(client: httpx.Client, note_id: str) -> None:
    problem(client.get(f"/api/notes/{note_id}"), 404)


def test_a_method_that_a_path_lacks_is_refused_with_those_it_has(client: httpx.Client) -> None:
    answer = client.patch("/api/notes")
    problem(answer, 405)
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "POST"}
    problem(client.get("/nowhere"), 404)


def test_each_response_has_the_id_of_its_request(client: httpx.Client) -> None:
    assert client.get("/", headers={"X-Request-Id": "my-id.7"}).headers["X-Request-Id"] == "my-id.7"
    made = {
        client.get("/", headers={"X-Request-Id": given}).headers["X-Request-Id"]
        for given in ("", "no spaces", "x" * 65)
    }
    assert len(made) == 3
    assert all(len(request_id) == 32 for request_id in made)
    assert "X-Request-Id" in client.get("/export").headers  # a stream


def test_a_note_that_the_client_has_is_not_sent_again(client: httpx.Client) -> None:
    where = f"/api/notes/{write(client, 'first')['id']}"
    tag = client.get(where).headers["ETag"]

    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        same = client.get(where, headers={"If-None-Match": condition})
        assert (same.status_code, same.content) == (304, b""), condition
        assert same.headers["ETag"] == tag  # RFC 9110 15.4.5

    client.put(where, json={"title": "second"})
    other = client.get(where, headers={"If-None-Match": tag})
    assert (other.status_code, other.json()["title"]) == (200, "second")
    assert other.headers["ETag"] != tag


def test_the_list_has_a_tag_that_any_change_changes(client: httpx.Client) -> None:
    tags = [client.get("/api/notes").headers["ETag"]]
    note = write(client, "a")
    tags.append(client.get("/api/notes").headers["ETag"])
    client.put(f"/api/notes/{note['id']}", json={"title": "b"})
    tags.append(client.get("/api/notes").headers["ETag"])
    client.delete(f"/api/notes/{note['id']}")
    tags.append(client.get("/api/notes").headers["ETag"])
    assert len(set(tags)) == 4
    assert client.get("/api/notes", headers={"If-None-Match": tags[-1]}).status_code == 304


def test_two_writers_cannot_overwrite_each_other(client: httpx.Client) -> None:
    where = f"/api/notes/{write(client, 'first')['id']}"
    seen = client.get(where).headers["ETag"]

    won = client.put(where, json={"title": "Ada's"}, headers={"If-Match": seen})
    assert won.status_code == 200
    assert problem(client.put(where, json={"title": "Grace's"}, headers={"If-Match": seen}), 412)
    assert problem(client.delete(where, headers={"If-Match": seen}), 412)
    weak = f"W/{won.headers['ETag']}"
    assert problem(client.put(where, json={"title": "Grace's"}, headers={"If-Match": weak}), 412)  # RFC 9110 13.1.1
    assert client.get(where).json()["title"] == "Ada's"
    assert client.delete(where, headers={"If-Match": won.headers["ETag"]}).status_code == 204


def test_seeding_makes_as_many_notes_as_asked(client: httpx.Client) -> None:
    seeded = client.post("/api/seed?n=1234")
    assert (seeded.status_code, seeded.json()) == (201, {"created": 1234})
    assert client.get("/api/notes").json()["total"] == 1234
    problem(client.post("/api/seed?n=200001"), 422)


def test_export_is_every_note_once_in_order(client: httpx.Client) -> None:
    client.post(f"/api/seed?n={ROWS}")
    count = size = 0
    with client.stream("GET", "/export") as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="notebook.ndjson"'
        assert answer.headers["Transfer-Encoding"] == "chunked"
        for line in answer.iter_lines():
            count += 1
            size += len(line)
            if count % 9973 == 1:
                assert json.loads(line)["id"] == count
    assert count == ROWS
    assert size > 20_000_000


def test_export_is_written_no_faster_than_it_is_read(runtime: str, tmp_path: Path) -> None:
    """A note written while the client has stopped reading is in the export: it was not made in advance."""
    with serving(make_app(tmp_path / "n"), runtime) as served, client_of(served) as client:
        client.post("/api/seed?n=80000")
        with served.connect() as slow:
            request(slow, "GET", "/export", b"", "Connection: close")
            export = slow.recv(1000)
            assert export.startswith(b"HTTP/1.1 200 ")

            write(client, "written while the export stood still")  # and others are served meanwhile

            tail = export
            while piece := slow.recv(1 << 20):
                tail = tail[-5000:] + piece
    assert b"written while the export stood still" in tail
    assert tail.endswith(b"0\r\n\r\n")


def test_head_of_an_export_has_its_fields_and_no_content(client: httpx.Client) -> None:
    write(client, "a")
    head = client.head("/export?format=csv")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "format is one of ndjson, csv" in problem(client.get("/export?format=pdf"), 400)["detail"]


@pytest.mark.parametrize(("form", "content_type"), [("ndjson", "application/x-ndjson"), ("csv", "text/csv")])
def test_what_was_exported_can_be_imported(runtime: str, tmp_path: Path, form: str, content_type: str) -> None:
    with notebook(runtime, tmp_path / "first") as client:
        write(client, 'quotes " and, commas', text="line one\nline two\r\n\n", author="Ada")
        write(client, "grün ☂", text='"')
        client.post("/api/seed?n=1200")
        file = client.get("/export", params={"format": form}).content

    with notebook(runtime, tmp_path / "second") as client:
        answer = client.put("/api/import", content=file, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()) == (200, {"imported": 1202, "rejected": 0, "errors": []})
        again = client.get("/export", params={"format": form}).content
    if form == "ndjson":
        assert texts(again) == texts(file)
    assert len(again) == len(file)


def texts(file: bytes) -> list[tuple[str, str, str]]:
    notes = [json.loads(line) for line in file.splitlines()]
    return [(note["title"], note["text"], note["author"]) for note in notes]


def test_an_import_tells_what_is_wrong_with_each_row_and_takes_the_others(client: httpx.Client) -> None:
    file = b"\n".join(
        [
            b'{"title": "one"}',
            b"",
            b'{"title": ',
            b'{"title": "\xff"}',
            b'{"text": "no title"}',
            b'{"title": "' + b"x" * 140_000 + b'"}',
            b'{"title": "two"}',
        ]
    )
    answer = client.put("/api/import", content=file, headers={"Content-Type": "application/x-ndjson"})
    report = answer.json()
    assert (answer.status_code, report["imported"], report["rejected"]) == (200, 2, 4)
    assert [error["line"] for error in report["errors"]] == [3, 4, 5, 6]
    assert [error["error"].split(":")[0] for error in report["errors"]] == [
        "is not JSON",
        "is not UTF-8 at byte 11",
        "title must not be empty",
        "exceeds 131072 bytes",
    ]
    assert [note["title"] for note in client.get("/api/notes").json()["notes"]] == ["two", "one"]


def test_rows_of_csv_may_span_lines_and_are_counted_where_they_begin(client: httpx.Client) -> None:
    file = b'title,text\r\none,"a\r\nb"\r\ntwo\r\n"thr""ee",\r\n'
    answer = client.put("/api/import", content=file, headers={"Content-Type": "text/csv"})
    assert answer.json() == {
        "imported": 2,
        "rejected": 1,
        "errors": [{"line": 4, "error": "has 1 columns, the first line has 2"}],
    }
    three, one = client.get("/api/notes").json()["notes"]
    assert (one["title"], one["text"], three["title"]) == ("one", "a\r\nb", 'thr"ee')


def test_an_import_of_which_nothing_can_be_taken_is_refused(client: httpx.Client) -> None:
    ndjson, csv = {"Content-Type": "application/x-ndjson"}, {"Content-Type": "text/csv"}
    assert client.put("/api/import", content=b"nonsense\n", headers=ndjson).status_code == 422
    assert (
        "must name columns" in problem(client.put("/api/import", content=b"a,b\r\n1,2\r\n", headers=csv), 400)["detail"]
    )
    problem(client.put("/api/import", content=b"a", headers={"Content-Type": "text/plain"}), 415)


def test_an_import_is_stored_while_it_comes_in(client: httpx.Client) -> None:
    """More than `client_max_size`, of unknown length; the first notes are there before the last are sent."""
    totals = []

    def file() -> Iterator[bytes]:
        for batch in range(20):
            yield b"".join(b'{"title": "%d", "text": "%s"}\n' % (batch, b"x" * 300) for _ in range(500))
            totals.append(httpx.get(client.base_url.join("/api/notes?limit=1")).json()["total"])

    answer = client.put("/api/import", content=file(), headers={"Content-Type": "application/x-ndjson"})
    assert answer.json() == {"imported": 10_000, "rejected": 0, "errors": []}
    assert totals[-1] >= 5_000
    assert totals == sorted(totals)


@pytest.mark.parametrize("hook", ["on_startup", "cleanup_ctx"])
def test_a_start_up_that_fails_closes_the_database_that_it_opened(runtime: str, tmp_path: Path, hook: str) -> None:
    database = tmp_path / "notes.sqlite3"
    app = make_app(database)

    async def failing_hook(app: web.Application) -> None:
        assert not app[STORE].closed
        raise LookupError("half-way")

    async def failing_context(app: web.Application) -> Any:
        await failing_hook(app)
        yield

    if hook == "on_startup":
        app.on_startup.append(failing_hook)
    else:
        app.cleanup_ctx.append(failing_context)
    with pytest.raises(LookupError, match="half-way"), serving(app, runtime):
        pass
    assert app[STORE].closed
    assert [path.name for path in tmp_path.iterdir()] == ["notes.sqlite3"]  # SQLite removes its log at the close


def test_stopping_the_server_closes_the_database(runtime: str, tmp_path: Path) -> None:
    app = make_app(tmp_path / "notes.sqlite3")
    with serving(app, runtime):
        assert not app[STORE].closed
    assert app[STORE].closed
