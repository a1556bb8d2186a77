"""The laws about what imports what, how large things are, and what a wheel holds."""

import ast
import subprocess
import sys
import tokenize
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
CORE = SOURCE / "sansio_web"
ADAPTERS = SOURCE / "adapters"

FORBIDDEN = {
    *(
        "asyncio",
        "trio",
        "anyio",
        "uvloop",
        "curio",
        "sniffio",
        "socket",
        "ssl",
        "select",
        "selectors",
        "threading",
    ),
    *("time", "random", "secrets", "os", "logging", "subprocess", "multiprocessing", "concurrent", "signal"),
}
MACHINES = ("errors", "effects", "limits", "_transitions", "_deadlines", "http", "routing", "websocket")
LARGEST_FILE = 500
LARGEST_ADAPTER = 720

CORE_FILES = sorted(path for path in CORE.rglob("*.py") if "testing" not in path.relative_to(CORE).parts)
MACHINE_FILES = [path for path in CORE_FILES if path.relative_to(CORE).with_suffix("").parts[0] in MACHINES]
ADAPTER_FILES = sorted(ADAPTERS.rglob("*.py"))
ALL_FILES = sorted(SOURCE.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def imports(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Modules that are imported when the code runs, with the names taken from them."""
    tree = ast.parse(path.read_text())
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), [alias.name for alias in node.names]


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


def absolute(path: Path, module: str) -> str:
    """The full name of a possibly relative import in a file of the core."""
    if not module.startswith("."):
        return module
    level = len(module) - len(module.lstrip("."))
    package = path.relative_to(SOURCE).with_suffix("").parts[:-level]
    return ".".join([*package, *([module.lstrip(".")] if module.lstrip(".") else [])])


@pytest.mark.parametrize("path", CORE_FILES, ids=named)
def test_the_core_does_no_io_and_owns_no_clock_and_no_randomness(path: Path) -> None:
    assert {module for module, _ in imports(path) if module.split(".")[0] in FORBIDDEN} == set()


def test_the_machines_bring_none_of_it_along() -> None:
    modules = [f"sansio_web.{name}" for name in ("http", "routing.router", "server", "driver", "streams")]
    code = f"import sys, {', '.join(modules)}; print(*sorted(set(sys.modules) & {FORBIDDEN - {'time', 'os'}!r}))"
    bare = [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]
    found = subprocess.run(bare, capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []


@pytest.mark.parametrize("path", MACHINE_FILES, ids=named)
def test_machines_do_not_know_what_stands_on_them_nor_one_another(path: Path) -> None:
    parts = path.relative_to(CORE).with_suffix("").parts
    allowed = {"errors", "effects", "limits", "_transitions", "_deadlines", parts[0]}
    known = [absolute(path, module).split(".") for module, _ in imports(path)]
    assert {name[1] for name in known if name[0] == "sansio_web" and len(name) > 1} <= allowed


@pytest.mark.parametrize("path", sorted((CORE / "web").glob("*.py")), ids=named)
def test_web_knows_neither_server_nor_adapters_and_awaits_only_what_it_is_given(path: Path) -> None:
    known = {absolute(path, module) for module, _ in imports(path)}
    assert not {name for name in known if name.startswith(("sansio_web.server", "sansio_web.driver", "sansio_web_"))}


def test_the_server_does_not_know_web() -> None:
    known = {absolute(CORE / "server.py", module) for module, _ in imports(CORE / "server.py")}
    assert not {name for name in known if f"{name}.".startswith(("sansio_web.web.", "sansio_web.driver."))}


@pytest.mark.parametrize("path", ADAPTER_FILES, ids=named)
def test_an_adapter_knows_the_public_core_and_no_protocol(path: Path) -> None:
    own = path.relative_to(ADAPTERS).parts[0]
    others = {"sansio_web_uvloop": {"sansio_web_asyncio"}}.get(own, set())
    for module, names in imports(path):
        top, *rest = module.split(".")
        if top.startswith("sansio_web_"):
            assert top == own or top in others, module
        if top == "sansio_web":
            assert not [name for name in [*rest, *names] if name.startswith("_")], module
            assert rest[:1] not in (["http"], ["routing"], ["server"]), f"{module} is a protocol's"


def code_lines(path: Path) -> int:
    """Lines with code: without empty ones, comments and docstrings."""
    lines: set[int] = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in (tokenize.NAME, tokenize.OP, tokenize.NUMBER):
                lines.add(token.start[0])
    return len(lines)


@pytest.mark.parametrize("adapter", sorted(path for path in ADAPTERS.iterdir() if list(path.glob("*.py"))), ids=named)
def test_an_adapter_is_small_enough_to_read_in_five_minutes(adapter: Path) -> None:
    assert sum(code_lines(path) for path in adapter.rglob("*.py")) < LARGEST_ADAPTER


@pytest.mark.parametrize("path", ALL_FILES, ids=named)
def test_a_file_holds_one_noun_and_no_promises(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LARGEST_FILE
    for promise in ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"):
        assert promise not in text


def test_the_shelf_of_adapters_is_no_package() -> None:
    assert not (ADAPTERS / "__init__.py").exists()


def test_a_wheel_holds_the_core_and_each_adapter_at_its_top_level(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if "hatchling" in done.stderr and "No matching distribution" in done.stderr:
        pytest.skip("the package index cannot be reached, and the build needs hatchling from it")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"sansio_web", *(path.name for path in ADAPTERS.iterdir() if list(path.glob("*.py")))}
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == packages
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    sources = {named(path).removeprefix("adapters/") for path in ALL_FILES}
    assert sources <= set(names)
