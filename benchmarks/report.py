"""Medians over rounds, ratios between contenders, the targets, and the tables that show them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.measure import MAX_FOREIGN, Measurement, Problem
from benchmarks.scenarios import SCENARIOS

MAX_ROUTES_RATIO: Final = 1.10
"""What counts as 'no more': the noise between two scenarios is a few per cent."""


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
    """One contender in one scenario.

    ratios: requests per CPU second over those of "aiohttp" or "hypercorn"; those of "floor" over its own
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

    text: str
    ratio: Ratio | None
    reached: bool

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return "not measured"
        reached = "reached" if self.reached else "NOT reached"
        return reached if self.ratio.sure else f"{reached}, but the machine was not quiet: measure again"


def peers(contender: Contender) -> dict[str, str]:
    """Whom a contender is compared with: column → contender's name, itself left out."""
    compared = {"floor": f"floor-{contender.loop}"}
    if contender.loop == "trio":
        compared["hypercorn"] = "hypercorn-trio"
    else:
        compared["aiohttp"] = f"aiohttp-{contender.loop}"
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
    for column, peer in peers(contender).items():
        better, worse = (peer, contender.name) if column == "floor" else (contender.name, peer)
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
    """What issue 2 promises, by CPU per request of plain text, and the price of many routes."""
    plain = [m for m in measurements if m.scenario == "plaintext"]

    def at_least(least: float, contender: str, peer: str, text: str) -> Target:
        ratio = cpu_ratio(plain, contender, peer)
        return Target(text, ratio, ratio is not None and ratio.value >= least)

    def at_most(most: float, ratio: Ratio | None, text: str) -> Target:
        return Target(text, ratio, ratio is not None and ratio.value <= most)

    return [
        at_least(1.6, "ours-uvloop", "aiohttp-uvloop", "uvloop: ≥ 1.6 × aiohttp on uvloop"),
        at_least(1.0, "ours-uvloop", "uvicorn-httptools", "uvloop: ahead of raw ASGI under uvicorn+httptools"),
        at_least(1.6, "ours-asyncio", "aiohttp-asyncio", "asyncio: ≥ 1.6 × aiohttp on asyncio"),
        at_least(8.0, "ours-trio", "hypercorn-trio", "trio: ≥ 8 × hypercorn on trio"),
        at_most(2.5, cpu_ratio(plain, "floor-trio", "ours-trio"), "trio: within 2.5 × of trio's floor"),
        *(
            at_most(
                MAX_ROUTES_RATIO,
                _routes_ratio(measurements, f"ours-{loop}"),
                f"{loop}: 10,000 routes cost ≤ {MAX_ROUTES_RATIO:.2f} × 200 routes",
            )
            for loop in ("uvloop", "asyncio", "trio")
        ),
    ]


def _routes_ratio(measurements: Sequence[Measurement], contender: str) -> Ratio | None:
    few, many = (
        [m for m in measurements if (m.contender, m.scenario) == (contender, name)]
        for name in ("routes200", "routes10000")
    )
    return cost_ratio(many, few)


# --- text ---------------------------------------------------------------------------------------------------

_HEADER: Final = (
    "contender",
    "req/s",
    "±",
    "CPU µs/req",
    "±",
    "busy",
    "quiet",
    "× aiohttp",
    "× hypercorn",
    "÷ floor",
)


def tables(found: Sequence[Row]) -> str:
    """A table for each scenario."""
    parts = [
        "× aiohttp, × hypercorn: how many times the requests per CPU second of aiohttp on the same loop, of",
        "hypercorn on trio. ÷ floor: how many times the CPU of fixed bytes on the same loop.",
        "±: half the distance between the extreme rounds. busy: the share of its core that the server used.",
        f"quiet: rounds in which others used at most {MAX_FOREIGN:.0%} of a core; only these count, if any.",
        "~: one of the two had no quiet round, all rounds of both count.",
    ]
    for scenario in SCENARIOS.values():
        here = [_cells(row) for row in found if row.scenario == scenario.name]
        if here:
            parts += ["", f"{scenario.name}: {scenario.title}", *_columns([_HEADER, *here])]
    return "\n".join(parts)


def _cells(row: Row) -> tuple[str, ...]:
    rate, cpu = row.requests_per_second, row.cpu_microseconds
    ratios = (row.ratios.get(column) for column in ("aiohttp", "hypercorn", "floor"))
    return (
        CONTENDERS[row.contender].title,
        f"{rate.median:,.0f}",
        f"{rate.spread:.0%}",
        f"{cpu.median:,.1f}",
        f"{cpu.spread:.0%}",
        f"{row.busy:.0%}",
        f"{row.quiet}/{row.rounds}",
        *(_show(ratio) for ratio in ratios),
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
    """One line for each target: its figure, and whether it is reached."""
    width = max(len(target.text) for target in found)
    lines = [f"{target.text:{width}}  {_show(target.ratio):>6}  {target.verdict}" for target in found]
    return "\n".join(["targets of issue 2, on plain text unless it says otherwise", *lines])


def problem_lines(problems: Sequence[Problem]) -> str:
    """Who was skipped where, with the first and the last line of why (JSON has all)."""
    lines: list[str] = []
    for problem in problems:
        first, *rest = problem.text.splitlines()
        why = first + (f": {rest[-1].strip(' |')}" if rest else "")
        lines.append(f"skipped: {problem.contender} in {problem.scenario or 'everything'}: {why}")
    return "\n".join(lines)
