"""The demo's live page: whoever watches is told of every change, and nobody waits for whoever does not listen."""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from examples.demo.app import make_app
from examples.demo.hub import MAX_BEHIND
from examples.demo.keys import HUB
from tests.support.serving import Served, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sansio_web import web

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def app(tmp_path: Path) -> web.Application:
    return make_app(tmp_path / "notes.sqlite3")


@pytest.fixture
def served(app: web.Application, runtime: str) -> Iterator[Served]:
    with serving(app, runtime) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=10) as client:
        yield client


def watch(served: Served, **options: Any) -> ClientConnection:
    return connect(f"ws://{served.host}:{served.port}/live", **options)


def told(page: ClientConnection) -> dict[str, Any]:
    change: dict[str, Any] = json.loads(page.recv(timeout=5))
    return change


def ending(page: ClientConnection) -> tuple[int | None, str | None]:
    """The code and reason of the server's Close, after whatever was told before."""
    try:
        while True:
            page.recv(timeout=15)
    except ConnectionClosed as closed:
        return (None, None) if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


def eventually(state: Any, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not state() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(state())


def test_two_pages_see_each_others_changes(served: Served, client: httpx.Client) -> None:
    with watch(served) as ada, watch(served) as grace:
        created = client.post("/api/notes", json={"title": "Milk ☂", "author": "Ada"}).json()
        for page in (ada, grace):
            assert told(page) == {"revision": 1, "kind": "created", "id": created["id"], "note": created}

        where = f"/api/notes/{created['id']}"
        replaced = client.put(where, json={"title": "Bread", "author": "Grace"}).json()
        for page in (ada, grace):
            assert told(page) == {"revision": 2, "kind": "replaced", "id": created["id"], "note": replaced}

        client.delete(where)
        for page in (ada, grace):
            assert told(page) == {"revision": 3, "kind": "deleted", "id": created["id"], "note": None}


def test_many_notes_at_once_are_one_change(served: Served, client: httpx.Client) -> None:
    with watch(served) as page:
        client.post("/api/seed?n=2000")
        assert told(page) == {"revision": 1, "kind": "added", "id": None, "note": None}

        rows = b"".join(b'{"title": "%d"}\n' % number for number in range(1001))
        assert client.put("/api/import", content=rows, headers=NDJSON).json()["imported"] == 1001
        assert [told(page)["revision"] for _ in range(3)] == [2, 3, 4]  # a batch holds 500


def test_what_was_refused_is_told_to_nobody(served: Served, client: httpx.Client) -> None:
    with watch(served) as page:
        assert client.post("/api/notes", json={"title": ""}).status_code == 422
        assert client.delete("/api/notes/7").status_code == 404
        note = client.post("/api/notes", json={"title": "a"}).json()
        assert client.delete(f"/api/notes/{note['id']}", headers={"If-Match": '"other"'}).status_code == 412
        client.put(f"/api/notes/{note['id']}", json={"title": "b"})
        assert [told(page)["kind"], told(page)["kind"]] == ["created", "replaced"]


def test_the_revision_says_whether_the_list_is_older_than_a_change(served: Served, client: httpx.Client) -> None:
    """So that a page which reads the list while it is told of changes misses none and takes none twice."""
    with watch(served) as page:
        for number in range(1, 4):
            client.post("/api/notes", json={"title": str(number)})
            assert client.get("/api/notes").headers["ETag"] == f'"{told(page)["revision"]}"' == f'"{number}"'


def test_changes_by_several_writers_come_in_the_order_in_which_they_were_kept(served: Served) -> None:
    with ExitStack() as stack:
        pages = [stack.enter_context(watch(served)) for _ in range(3)]
        writers = [stack.enter_context(served.connect()) for _ in range(8)]
        body = b'{"title": "a"}'
        for writer in writers:  # pipelined, and at once
            writer.sendall(
                b"POST /api/notes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
                * 5
            )
        for page in pages:
            changes = [told(page) for _ in range(40)]
            assert [change["revision"] for change in changes] == list(range(1, 41))
            assert [change["id"] for change in changes] == list(range(1, 41))


@contextmanager
def page_that_does_not_listen(served: Served) -> Iterator[ClientConnection]:
    """Its buffers are small, and it reads no more than one message until it is asked for them."""
    with closing(socket.socket()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.connect((served.host, served.port))
        with watch(served, sock=sock, compression=None, max_queue=1, ping_interval=None) as page:
            yield page


def write_until_behind(client: httpx.Client, app: web.Application, others: list[ClientConnection]) -> int:
    """Write until one page is dropped; returns how many notes that took, all of which the others were told of."""
    watching = len(app[HUB])
    for count in range(1, 2000):
        client.post("/api/notes", json={"title": str(count), "text": secrets.token_hex(10_000)})
        for other in others:
            assert told(other)["note"]["title"] == str(count)
        if len(app[HUB]) < watching:
            return count
    raise AssertionError("no page ever fell behind")


def test_a_page_that_does_not_listen_delays_nobody_and_is_dropped(
    served: Served, client: httpx.Client, app: web.Application
) -> None:
    with watch(served) as ada, watch(served) as grace, page_that_does_not_listen(served) as slow:
        begun = time.monotonic()
        written = write_until_behind(client, app, [ada, grace])
        assert written > MAX_BEHIND
        assert (time.monotonic() - begun) / written < 0.1  # seconds for one write, and for telling two pages

        assert ending(slow) == (1013, "fell behind")  # once it listens again
        assert len(app[HUB]) == 2


def test_a_page_that_went_without_a_word_is_forgotten(
    served: Served, client: httpx.Client, app: web.Application
) -> None:
    with watch(served) as ada:
        gone = watch(served, ping_interval=None)
        assert eventually(lambda: len(app[HUB]) == 2)
        gone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # ends with a reset
        gone.socket.shutdown(socket.SHUT_RD)
        gone.socket.close()
        client.post("/api/notes", json={"title": "a"})
        assert told(ada)["revision"] == 1
        assert eventually(lambda: len(app[HUB]) == 1)


def test_what_a_page_says_is_not_listened_to_and_may_not_be_long(served: Served, client: httpx.Client) -> None:
    with watch(served) as page:
        page.send("hello")
        client.post("/api/notes", json={"title": "a"})
        assert told(page)["revision"] == 1
        page.send("x" * 1025)
        assert ending(page)[0] == 1009


def test_the_servers_stop_closes_every_page_with_1001(app: web.Application, runtime: str) -> None:
    with ExitStack() as stack:
        with serving(app, runtime) as served:
            pages = [stack.enter_context(watch(served)) for _ in range(5)]
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        assert {ending(page)[0] for page in pages} == {1001}
        assert len(app[HUB]) == 0


def test_pages_of_other_sites_may_not_watch(served: Served, client: httpx.Client) -> None:
    with watch(served, origin=served.url) as page:
        client.post("/api/notes", json={"title": "a"})
        assert told(page)["revision"] == 1
    for origin in ("http://example.org", "null", f"http://{served.host}", f"{served.url}.example.org"):
        with pytest.raises(InvalidStatus) as refused:
            watch(served, origin=origin)
        assert refused.value.response.status_code == 403


def test_an_ordinary_request_is_told_what_to_send(client: httpx.Client) -> None:
    answer = client.get("/live")
    assert answer.status_code in (400, 426)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
