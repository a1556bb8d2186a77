"""Each answer is a program: what its docstring says under "Run it" works, and Ctrl-C ends it."""

from itertools import cycle
from pathlib import Path

import httpx
import pytest
from tests.support.process import ROOT, program

FILES = sorted((ROOT / "examples" / "faq").glob("faq_*.py"))


@pytest.mark.parametrize(
    ("file", "runtime"),
    list(zip(FILES, cycle(["asyncio", "trio", "uvloop"]), strict=False)),
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_an_answer_runs_as_it_says(file: Path, runtime: str, tmp_path: Path) -> None:
    command = f"examples.faq.{file.stem}"
    assert f"Run it: python -m {command} [RUNTIME PORT]" in file.read_text(encoding="utf-8")
    with program(command, runtime, "0", folder=tmp_path) as running:
        assert httpx.get(running.url).status_code < 500
        code, said = running.interrupt()
    assert code == 0
    assert "Traceback" not in said
