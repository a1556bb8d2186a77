"""`python -m benchmarks`: measure, print tables, say which targets are reached."""

import argparse
import dataclasses
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from benchmarks import load, measure, report
from benchmarks.contenders import CONTENDERS
from benchmarks.scenarios import ECHOES, SCENARIOS, Echo
from benchmarks.server import choose_cores, environment

_PACKAGES: Final = (
    *("sansio-web", "aiohttp", "uvicorn", "httptools", "h11", "starlette"),
    *("hypercorn", "wsproto", "websockets", "picows", "uvloop", "trio", "multidict", "yarl"),
)
_ASK_VERSIONS: Final = """
import importlib.metadata, json, platform, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = None
print(json.dumps({"implementation": platform.python_implementation(), "python": platform.python_version(),
                  "packages": found}))
"""


def _names(known: Mapping[str, object], what: str) -> Any:
    """A comma-separated list of known names, as an argparse type."""

    def parse(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        unknown = sorted(set(names) - set(known))
        if unknown or not names:
            raise argparse.ArgumentTypeError(f"no {what} {', '.join(unknown)!r}; known: {', '.join(known)}")
        return names

    return parse


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0.1 <= number <= 60:
        raise argparse.ArgumentTypeError(f"{number:g} is not between 0.1 and 60")
    return number


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=_positive, help="measurements of each contender and scenario (default 5, quick 2)")
    add("--seconds", type=_seconds, help="length of one measurement (default 1, quick 0.35)")
    add("--patience", type=float, help="seconds in all for repeating disturbed ones (default 90, quick 5)")
    add("--minutes", type=float, default=14.0, help="no round begins that would end later (default 14)")
    add("--quick", action="store_true", help="a first impression in about three minutes")
    add("--only", type=_names(SCENARIOS, "scenario"), help=f"some of: {','.join(SCENARIOS)}")
    add("--contenders", type=_names(CONTENDERS, "contender"), help=f"some of: {','.join(CONTENDERS)}")
    add("--connections", type=_positive, default=32, help="keep-alive connections of HTTP (default 32)")
    add("--python", default=sys.executable, help="the interpreter of the servers (default: this one)")
    add(
        "--load",
        choices=("auto", "wrk", "bundled"),
        default="auto",
        help="load generator of HTTP (default: wrk if found)",
    )
    add("--json", metavar="FILE", help="write the results there as JSON; - is standard output")
    options = parser.parse_args(argv)
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (0.35 if options.quick else 1.0)
    if options.patience is None:
        options.patience = 5.0 if options.quick else 90.0
    return options


def versions(python: str) -> dict[str, Any]:
    """What the servers' interpreter is and has, asked of itself."""
    asked = subprocess.run(
        [python, "-c", _ASK_VERSIONS, *_PACKAGES],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    found: dict[str, Any] = json.loads(asked.stdout)
    return found


def _describe(facts: Mapping[str, Any]) -> str:
    packages = facts["packages"]
    listed = ", ".join(f"{name} {version or '(not installed)'}" for name, version in packages.items())
    return (
        f"{facts['implementation']} {facts['python']} on {facts['machine']}\n"
        f"loops: asyncio {facts['python']}, uvloop {packages['uvloop']}, trio {packages['trio']}\n"
        f"{listed}\n"
        f"load: HTTP by {facts['load']}, {facts['connections']} connections; WebSockets by our own, {facts['echoes']}\n"
        f"{facts['rounds']} rounds of {facts['seconds']:g} s; "
        f"server on core {facts['server_core']}, load on core {facts['load_core']}"
    )


def _describe_echo(each: Echo) -> str:
    return f"{each.connections} connections × {each.depth} in flight, nobody compresses"


def _plan(options: argparse.Namespace, generator: load.HttpLoad) -> measure.Plan:
    cores = choose_cores(os.sched_getaffinity(0))
    if cores.load is None:
        print("one core only: server and load share it, believe CPU per request alone", file=sys.stderr)
    else:
        os.sched_setaffinity(0, {cores.load})
    return measure.Plan(
        scenarios=[SCENARIOS[name] for name in SCENARIOS if name in (options.only or SCENARIOS)],
        contenders=[CONTENDERS[name] for name in CONTENDERS if name in (options.contenders or CONTENDERS)],
        rounds=options.rounds,
        seconds=options.seconds,
        patience=options.patience,
        minutes=options.minutes,
        connections=options.connections,
        python=options.python,
        cores=cores,
        generator=generator,
    )


def _document(
    facts: Mapping[str, Any],
    results: measure.Results,
    rows: Sequence[report.Row],
    targets: Sequence[report.Target],
) -> str:
    as_dicts = {
        "rows": [dataclasses.asdict(row) for row in rows],
        "targets": [dataclasses.asdict(target) for target in targets],
        "skipped": [dataclasses.asdict(problem) for problem in results.problems],
        "measurements": [dataclasses.asdict(measurement) for measurement in results.measurements],
    }
    return json.dumps({**facts, "interrupted": results.interrupted, **as_dicts}, indent=1, ensure_ascii=False)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """returns: 0, or 1 if nothing was measured, or 130 if it was interrupted"""
    options = arguments(argv)
    if not Path("/proc/self/stat").exists():
        raise SystemExit("the servers' CPU time is read from /proc: this needs Linux")
    signal.signal(signal.SIGTERM, _stop)
    try:
        tool, generator = load.choose_generator(options.load)
        asked = versions(options.python)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(str(error)) from error
    plan = _plan(options, generator)
    facts = {
        **asked,
        "machine": f"{platform.system()} {platform.machine()}",
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load": tool,
        "connections": plan.connections,
        "echoes": ", ".join(sorted({_describe_echo(each) for each in ECHOES.values()})),
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "server_core": plan.cores.server,
        "load_core": plan.cores.load,
    }
    print(_describe(facts), file=sys.stderr, flush=True)
    results = measure.run(plan)
    rows, targets = report.rows(results.measurements), report.targets(results.measurements)
    parts = [_describe(facts), report.tables(rows), report.problem_lines(results.problems)]
    parts.append(report.target_lines(targets))
    text = "\n\n".join(part for part in parts if part)
    print(text, file=sys.stderr if options.json == "-" else sys.stdout)
    if options.json == "-":
        print(_document(facts, results, rows, targets))
    elif options.json:
        Path(options.json).write_text(_document(facts, results, rows, targets) + "\n", encoding="utf-8")
    if results.interrupted:
        return 130
    return 0 if results.measurements else 1


if __name__ == "__main__":
    sys.exit(main())
