"""Rounds of measurements: every contender in turn, the server's CPU time beside the answered requests."""

import contextlib
import os
import resource
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import echo
from benchmarks.contenders import Contender
from benchmarks.flights import LoadResult
from benchmarks.load import HttpLoad, verify
from benchmarks.scenarios import Echo, Work
from benchmarks.server import ContenderError, Cores, Server, StartError

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
WARM_UP: Final = 0.25
"""Seconds of load before a measurement: caches filled, specialised bytecode, sockets opened once."""

MAX_FOREIGN: Final = 0.1
"""The share of one core that others may use during a measurement that counts as quiet."""

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One contender under one scenario's load, once."""

    scenario: str
    contender: str
    round: int
    requests: int
    seconds: float
    cpu_seconds: float
    foreign: float
    """CPU time that others used meanwhile, in cores: neighbours slow a server even from another core."""

    @property
    def quiet(self) -> bool:
        return self.foreign <= MAX_FOREIGN

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """User and system time of the server for one request."""
        return self.cpu_seconds / self.requests * 1e6

    @property
    def busy(self) -> float:
        """How much of its core the server used; far below 1 the load generator was the slower one."""
        return self.cpu_seconds / self.seconds


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a contender has no figure; `scenario` is None if it has none in any further scenario."""

    scenario: str | None
    contender: str
    text: str


@dataclass(slots=True)
class Results:
    """All that a run has found so far."""

    measurements: list[Measurement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    repeating: float = 0.0
    """Seconds spent so far on repeating disturbed measurements."""
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, and how."""

    scenarios: Sequence[Work]
    contenders: Sequence[Contender]
    rounds: int
    seconds: float
    patience: float
    """Seconds in all that may go into repeating disturbed measurements."""
    minutes: float
    """In all: no round begins that would probably end later."""
    connections: int
    """Of the HTTP load; an echo has its own."""
    python: str
    cores: Cores
    generator: HttpLoad

    def pairs(self) -> Iterator[tuple[Work, Contender]]:
        """One round: within a scenario, everybody who can do it, in turn."""
        for scenario in self.scenarios:
            for contender in self.contenders:
                if scenario.name in contender.scenarios:
                    yield scenario, contender


# --- CPU time -----------------------------------------------------------------------------------------------


def cpu_seconds(pid: int, proc: Path = _PROC) -> float:
    """User and system time so far of a process, all its threads and living descendants.

    From schedstat (nanoseconds) where the kernel has it, else from stat (ticks of 10 ms).
    raises: OSError if the process is gone
    """
    total = 0.0
    for thread in sorted((proc / str(pid) / "task").iterdir()):
        try:
            total += parse_schedstat((thread / "schedstat").read_text())
        except (OSError, ValueError):
            total = parse_stat((proc / str(pid) / "stat").read_text())
            break
    return total + sum(cpu_seconds(child, proc) for child in children(pid, proc))


def parse_schedstat(text: str) -> float:
    """Seconds on a CPU: the first of three numbers, in nanoseconds (proc(5), sched-stats)."""
    running, _waiting, _slices = text.split()
    return int(running) / 1e9


def parse_stat(text: str, ticks_per_second: int = TICKS_PER_SECOND) -> float:
    """utime + stime, fields 14 and 15; the name in field 2 may hold spaces and parentheses (proc(5))."""
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks_per_second


def children(pid: int, proc: Path = _PROC) -> list[int]:
    """The pids of the living children; none where the kernel does not list them."""
    found: list[int] = []
    for listing in sorted((proc / str(pid) / "task").glob("*/children")):
        try:
            found += map(int, listing.read_text().split())
        except OSError:
            continue
    return found


def machine_seconds(proc: Path = _PROC) -> float:
    """CPU time used on the whole machine so far: all of /proc/stat but idle and iowait (proc(5))."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, (proc / "stat").read_text().split(None, 9)[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def own_seconds() -> float:
    """CPU time of the harness and of the load generators that it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


# --- rounds -------------------------------------------------------------------------------------------------


def run(plan: Plan, progress: Callable[[str], None] | None = None) -> Results:
    """Measure everything; Ctrl-C ends it early and keeps what was measured."""
    say = progress or (lambda text: print(text, file=sys.stderr, flush=True))
    results = Results()
    try:
        began = time.monotonic()
        for number in range(1, plan.rounds + 1):
            round_began = time.monotonic()
            _round(plan, number, results, say)
            now = time.monotonic()
            if number < plan.rounds and now - began + (now - round_began) > plan.minutes * 60:
                say(f"another round would take longer than {plan.minutes:g} minutes in all; stopped after {number}")
                break
    except KeyboardInterrupt:
        results.interrupted = True
        say("interrupted; what was measured so far follows")
    return results


def _round(plan: Plan, number: int, results: Results, say: Callable[[str], None]) -> None:
    current = ""
    for scenario, contender in plan.pairs():
        if gave_up(results.problems, scenario, contender):
            continue
        if scenario.name != current:
            current = scenario.name
            say(f"round {number} of {plan.rounds}: {scenario.title}")
        try:
            measurement = _measure_patiently(plan, scenario, contender, number, results)
        except ContenderError as error:
            hopeless = isinstance(error, StartError) and not scenario.routes
            where = None if hopeless else scenario.name
            results.problems.append(Problem(where, contender.name, str(error)))
            say(f"  {contender.name:18} skipped: {error}")
            continue
        results.measurements.append(measurement)
        unit = "msg" if isinstance(scenario, Echo) else "req"
        say(
            f"  {contender.name:18} {measurement.requests_per_second:10,.0f} {unit}/s"
            f" {measurement.cpu_microseconds:10.1f} µs CPU/{unit}"
            f"{'' if measurement.quiet else f'   others used {measurement.foreign:.0%} of a core'}"
        )


def gave_up(problems: Iterable[Problem], scenario: Work, contender: Contender) -> bool:
    """Who failed once in a scenario is not asked again there; who cannot start, nowhere."""
    return any(p.contender == contender.name and p.scenario in (None, scenario.name) for p in problems)


def _measure_patiently(plan: Plan, scenario: Work, contender: Contender, number: int, results: Results) -> Measurement:
    """Repeat a disturbed measurement once, while patience lasts; the quieter one counts."""
    first = _measure(plan, scenario, contender, number)
    if first.quiet or results.repeating >= plan.patience:
        return first
    began = time.monotonic()
    second = _measure(plan, scenario, contender, number)
    results.repeating += time.monotonic() - began
    return min(first, second, key=lambda each: each.foreign)


def _measure(plan: Plan, scenario: Work, contender: Contender, number: int) -> Measurement:
    """A fresh process each time, so that neither memory layout nor history is the same in all rounds."""
    routes, core = scenario.routes, plan.cores.server
    with Server(contender, routes=routes, python=plan.python, core=core) as server:
        try:
            with _load_on(server.port, plan, scenario) as put_load:
                put_load(WARM_UP)
                began, others, before = time.monotonic(), machine_seconds() - own_seconds(), cpu_seconds(server.pid)
                load = put_load(plan.seconds)
                used = cpu_seconds(server.pid) - before
                others = machine_seconds() - own_seconds() - others - used
                foreign = max(others, 0.0) / (time.monotonic() - began)
        except (ContenderError, OSError) as error:
            server.check_alive()
            raise ContenderError(str(error)) from error
    return measurement(scenario, contender, number, load, used, foreign)


@contextlib.contextmanager
def _load_on(port: int, plan: Plan, scenario: Work) -> Generator[Callable[[float], LoadResult], None, None]:
    """Look whether answers are right, then give what puts load on the port for some seconds."""
    if isinstance(scenario, Echo):
        with echo.fleet(port, scenario) as fleet:
            yield fleet.run  # compares all that comes back, from the first flight of the warm-up on
    else:
        verify(port, scenario)
        yield lambda seconds: plan.generator(port, scenario, plan.connections, seconds)


def measurement(
    scenario: Work, contender: Contender, number: int, load: LoadResult, used: float, foreign: float
) -> Measurement:
    """raises: ContenderError if any answer under load was wrong, or none came"""
    if load.errors:
        raise ContenderError(f"{load.errors} of {load.requests} requests under load failed")
    if not load.requests:
        raise ContenderError(f"no request was answered in {load.seconds:.1f} s")
    return Measurement(scenario.name, contender.name, number, load.requests, load.seconds, used, foreign)
