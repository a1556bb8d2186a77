"""The demo as its users start it: a process of its own."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


@contextmanager
def demo(runtime: str, database: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running demo, and the address that it printed."""
    command = [
        sys.executable,
        "-m",
        "examples.demo",
        "--runtime",
        runtime,
        "--port",
        "0",
        "--database",
        str(database),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        try:
            said = ""
            while (address := re.search(r"http://127\.0\.0\.1:[1-9]\d*", said)) is None:
                line = process.stdout.readline()
                assert line, f"it ended and said: {said}"
                said += line
            yield process, address[0]
        finally:
            process.kill()


def test_it_says_where_it_serves_and_ends_with_ctrl_c(runtime: str, tmp_path: Path) -> None:
    with demo(runtime, tmp_path / "notes.sqlite3") as (process, url):
        with httpx.Client(base_url=url) as client:  # a connection that stays open must not hold it up
            assert "Shared notebook" in client.get("/").text
            assert client.post("/api/notes", json={"title": "a"}).status_code == 201
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=5) == 0
        assert process.stdout is not None
        assert "Traceback" not in process.stdout.read()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.sqlite3"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel's own figures are needed")
def test_the_memory_of_an_export_and_an_import_does_not_grow_with_their_size(
    runtime: str, tmp_path: Path
) -> None:
    with (
        demo(runtime, tmp_path / "notes.sqlite3") as (process, url),
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        client.post("/api/seed?n=1000")
        client.put(
            "/api/import",
            content=client.get("/export").content,
            headers={"Content-Type": "application/x-ndjson"},
        )
        before = peak_memory(process.pid)

        client.post("/api/seed?n=100000")
        with client.stream("GET", "/export") as answer:
            file = b"".join(answer.iter_raw())
        imported = client.put("/api/import", content=file, headers={"Content-Type": "application/x-ndjson"})
        assert imported.json()["imported"] == 102_000

        assert len(file) > 20_000_000
        assert peak_memory(process.pid) - before < 8_000_000


def peak_memory(pid: int) -> int:
    """The most bytes a process has ever held (VmHWM)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024
