"""Medians over rounds, ratios between contenders, the targets, and the tables that show them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.measure import MAX_FOREIGN, Measurement, Problem
from benchmarks.scenarios import ECHOES, SCENARIOS

MAX_ROUTES_RATIO: Final = 1.10
"""What counts as 'no more': the noise between two scenarios is a few per cent."""

BOUNDS: Final = ("floor", "picows")
"""The columns of what nobody can reach: by how many times more CPU, not less."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over rounds; `spread` is half the distance of the extremes, as a share of the median."""

    median: float
    spread: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure":
        middle = statistics.median(values)
        return cls(middle, (max(values) - min(values)) / 2 / middle if middle else 0.0)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Between two medians; `sure` if both come from quiet rounds."""

    value: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One contender in one scenario; its requests are messages where it echoes them.

    ratios: requests per CPU second over those of a peer; those of a bound, "floor" or "picows", over its own
    """

    scenario: str
    contender: str
    rounds: int
    quiet: int
    requests_per_second: Figure
    cpu_microseconds: Figure
    busy: float
    ratios: Mapping[str, Ratio]


@dataclass(frozen=True, slots=True)
class Target:
    """One promise; `ratio` is None if something it needs was not measured."""

    issue: int
    text: str
    ratio: Ratio | None
    reached: bool

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return "not measured"
        reached = "reached" if self.reached else "NOT reached"
        return reached if self.ratio.sure else f"{reached}, but the machine was not quiet: measure again"


def peers(contender: Contender, scenario: str) -> dict[str, str]:
    """Whom a contender is compared with: column → contender's name, itself left out."""
    trio = contender.loop == "trio"
    compared = {"hypercorn": "hypercorn-trio"} if trio else {"aiohttp": f"aiohttp-{contender.loop}"}
    if scenario not in ECHOES:
        compared["floor"] = f"floor-{contender.loop}"
    elif contender.loop == "uvloop":
        compared |= {"uvicorn": "uvicorn-wsproto", "picows": "picows"}
    return {column: name for column, name in compared.items() if name != contender.name}


def counted(measurements: Sequence[Measurement]) -> Sequence[Measurement]:
    """The quiet ones; all if none was quiet."""
    return [m for m in measurements if m.quiet] or measurements


def cost_ratio(above: Sequence[Measurement], below: Sequence[Measurement]) -> Ratio | None:
    """CPU per request of the first over the second, medians; None if either was not measured.

    Quiet rounds of one are never held against disturbed ones of the other: then all rounds of both count.
    """
    if not above or not below:
        return None
    sure = any(m.quiet for m in above) and any(m.quiet for m in below)
    costs = (
        statistics.median([m.cpu_microseconds for m in (counted(side) if sure else side)]) for side in (above, below)
    )
    return Ratio(next(costs) / next(costs), sure)


def cpu_ratio(measurements: Sequence[Measurement], contender: str, peer: str) -> Ratio | None:
    """Requests per CPU second of `contender` over those of `peer`, in one scenario."""
    own, other = ([m for m in measurements if m.contender == name] for name in (contender, peer))
    return cost_ratio(other, own)


def _cpu(measurements: Sequence[Measurement]) -> Figure:
    return Figure.of([m.cpu_microseconds for m in counted(measurements)])


def rows(measurements: Sequence[Measurement]) -> list[Row]:
    """One row for each contender and scenario that was measured, in the catalogues' order."""
    found: list[Row] = []
    for scenario in SCENARIOS:
        here = [m for m in measurements if m.scenario == scenario]
        for contender in CONTENDERS.values():
            own = [m for m in here if m.contender == contender.name]
            if own:
                found.append(_row(contender, own, here))
    return found


def _row(contender: Contender, own: Sequence[Measurement], here: Sequence[Measurement]) -> Row:
    ratios: dict[str, Ratio | None] = {}
    for column, peer in peers(contender, own[0].scenario).items():
        better, worse = (peer, contender.name) if column in BOUNDS else (contender.name, peer)
        ratios[column] = cpu_ratio(here, better, worse)
    return Row(
        scenario=own[0].scenario,
        contender=contender.name,
        rounds=len(own),
        quiet=sum(m.quiet for m in own),
        requests_per_second=Figure.of([m.requests_per_second for m in counted(own)]),
        cpu_microseconds=_cpu(own),
        busy=statistics.median([m.busy for m in counted(own)]),
        ratios={column: ratio for column, ratio in ratios.items() if ratio is not None},
    )


# --- targets ------------------------------------------------------------------------------------------------


def targets(measurements: Sequence[Measurement]) -> list[Target]:
    """What the issues promise, by CPU per request or message."""

    def at_least(issue: int, scenario: str, contender: str, times: float, peer: str, text: str) -> Target:
        ratio = cpu_ratio([m for m in measurements if m.scenario == scenario], contender, peer)
        return Target(issue, text, ratio, ratio is not None and ratio.value >= times)

    def at_most(most: float, ratio: Ratio | None, text: str) -> Target:
        return Target(2, text, ratio, ratio is not None and ratio.value <= most)

    plain = [m for m in measurements if m.scenario == "plaintext"]
    return [
        at_least(2, "plaintext", "ours-uvloop", 1.6, "aiohttp-uvloop", "uvloop: ≥ 1.6 × aiohttp on uvloop"),
        at_least(
            *(2, "plaintext", "ours-uvloop", 1.0, "uvicorn-httptools"),
            "uvloop: ahead of raw ASGI under uvicorn+httptools",
        ),
        at_least(2, "plaintext", "ours-asyncio", 1.6, "aiohttp-asyncio", "asyncio: ≥ 1.6 × aiohttp on asyncio"),
        at_least(2, "plaintext", "ours-trio", 8.0, "hypercorn-trio", "trio: ≥ 8 × hypercorn on trio"),
        at_most(2.5, cpu_ratio(plain, "floor-trio", "ours-trio"), "trio: within 2.5 × of trio's floor"),
        *(
            at_most(
                MAX_ROUTES_RATIO,
                _routes_ratio(measurements, f"ours-{loop}"),
                f"{loop}: 10,000 routes cost ≤ {MAX_ROUTES_RATIO:.2f} × 200 routes",
            )
            for loop in ("uvloop", "asyncio", "trio")
        ),
        at_least(3, "echo64", "ours-uvloop", 0.8, "aiohttp-uvloop", "uvloop: ≥ 0.8 × aiohttp on uvloop"),
        at_least(3, "echo64", "ours-uvloop", 3.0, "uvicorn-wsproto", "uvloop: ≥ 3 × raw ASGI under uvicorn+wsproto"),
        at_least(3, "echo64", "ours-trio", 6.0, "hypercorn-trio", "trio: ≥ 6 × hypercorn on trio"),
        *(
            at_least(
                *(3, "echo64k", f"ours-{loop}", 0.8, f"aiohttp-{loop}"),
                f"{loop}, 64 KiB: ≥ 0.8 × aiohttp on {loop}",
            )
            for loop in ("uvloop", "asyncio")
        ),
    ]


def _routes_ratio(measurements: Sequence[Measurement], contender: str) -> Ratio | None:
    few, many = (
        [m for m in measurements if (m.contender, m.scenario) == (contender, name)]
        for name in ("routes200", "routes10000")
    )
    return cost_ratio(many, few)


# --- text ---------------------------------------------------------------------------------------------------

_COLUMNS_OF_REQUESTS: Final = ("aiohttp", "hypercorn", "floor")
_COLUMNS_OF_ECHOES: Final = ("aiohttp", "uvicorn", "hypercorn", "picows")


def tables(found: Sequence[Row]) -> str:
    """A table for each scenario."""
    parts = [
        "× aiohttp, × uvicorn, × hypercorn: how many times the requests or messages per CPU second of aiohttp on",
        "the same loop, of uvicorn+wsproto, of hypercorn on trio. ÷ floor, ÷ picows: how many times the CPU of",
        "fixed bytes on the same loop, of compiled frames. ±: half the distance between the extreme rounds.",
        "busy: the share of its core that the server used.",
        f"quiet: rounds in which others used at most {MAX_FOREIGN:.0%} of a core; only these count, if any.",
        "~: one of the two had no quiet round, all rounds of both count.",
    ]
    for scenario in SCENARIOS.values():
        unit, columns = ("msg", _COLUMNS_OF_ECHOES) if scenario.name in ECHOES else ("req", _COLUMNS_OF_REQUESTS)
        here = [_cells(row, columns) for row in found if row.scenario == scenario.name]
        if here:
            header = ("contender", f"{unit}/s", "±", f"CPU µs/{unit}", "±", "busy", "quiet")
            compared = (f"{'÷' if column in BOUNDS else '×'} {column}" for column in columns)
            parts += ["", f"{scenario.name}: {scenario.title}", *_columns([(*header, *compared), *here])]
    return "\n".join(parts)


def _cells(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    rate, cpu = row.requests_per_second, row.cpu_microseconds
    return (
        CONTENDERS[row.contender].title,
        f"{rate.median:,.0f}",
        f"{rate.spread:.0%}",
        f"{cpu.median:,.1f}",
        f"{cpu.spread:.0%}",
        f"{row.busy:.0%}",
        f"{row.quiet}/{row.rounds}",
        *(_show(row.ratios.get(column)) for column in columns),
    )


def _show(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"{'' if ratio.sure else '~'}{ratio.value:.2f}"


def _columns(table: Sequence[Sequence[str]]) -> list[str]:
    """Left-align the first column, right-align the others."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    ]


def target_lines(found: Sequence[Target]) -> str:
    """One line for each target: its figure, and whether it is reached; nothing of an issue that was not measured."""
    lines: list[str] = []
    for issue, what in ((2, "plain text"), (3, "echoes of 64 B")):
        here = [target for target in found if target.issue == issue]
        if any(target.ratio for target in here):
            width = max(len(target.text) for target in here)
            lines.append(f"targets of issue {issue}, by server CPU, on {what} unless it says otherwise")
            lines += [f"{target.text:{width}}  {_show(target.ratio):>6}  {target.verdict}" for target in here]
    return "\n".join(lines)


def problem_lines(problems: Sequence[Problem]) -> str:
    """Who was skipped where, with the first and the last line of why (JSON has all)."""
    lines: list[str] = []
    for problem in problems:
        first, *rest = problem.text.splitlines()
        why = first + (f": {rest[-1].strip(' |')}" if rest else "")
        lines.append(f"skipped: {problem.contender} in {problem.scenario or 'everything'}: {why}")
    return "\n".join(lines)
