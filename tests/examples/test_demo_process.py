"""The demo as its users start it: a process of its own."""

import re
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from tests.support.process import Program, program

NDJSON = {"Content-Type": "application/x-ndjson"}


def demo(runtime: str, folder: Path) -> AbstractContextManager[Program]:
    options = ["--runtime", runtime, "--port", "0", "--database", "notes.sqlite3"]
    return program("examples.demo", *options, folder=folder)


def test_it_says_where_it_serves_and_ends_with_ctrl_c(runtime: str, tmp_path: Path) -> None:
    with demo(runtime, tmp_path) as running, httpx.Client(base_url=running.url) as client:
        assert "Shared notebook" in client.get("/").text
        assert client.post("/api/notes", json={"title": "a"}).status_code == 201
        code, said = running.interrupt()  # a connection that stays open does not hold it up
    assert code == 0
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["notes.sqlite3"]  # closed: its log is gone


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel's own figures are needed")
def test_memory_does_not_grow_with_the_size_of_what_goes_through(runtime: str, tmp_path: Path) -> None:
    with demo(runtime, tmp_path) as running, httpx.Client(base_url=running.url, timeout=60) as client:
        client.post("/api/seed?n=1000")
        client.put("/api/import", content=client.get("/export").content, headers=NDJSON)
        before = peak_memory(running.process.pid)

        client.post("/api/seed?n=100000")
        with client.stream("GET", "/export") as answer:
            file = b"".join(answer.iter_raw())
        imported = client.put("/api/import", content=file, headers=NDJSON)
        assert imported.json()["imported"] == 102_000

        assert len(file) > 20_000_000
        assert peak_memory(running.process.pid) - before < 8_000_000


def peak_memory(pid: int) -> int:
    """The most bytes a process has ever held (VmHWM)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024
