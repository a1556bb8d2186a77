"""The pure parts of the benchmark harness: no peer is needed, no server is started."""

import re
from pathlib import Path

import pytest
from benchmarks import __main__ as command_line
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.fixed_answer import ANSWER, answers
from benchmarks.load import AnswerReader, LoadResult, parse_head, parse_wrk
from benchmarks.measure import (
    TICKS_PER_SECOND,
    Measurement,
    Problem,
    children,
    cpu_seconds,
    gave_up,
    machine_seconds,
    measurement,
    parse_schedstat,
    parse_stat,
)
from benchmarks.report import (
    Figure,
    Ratio,
    counted,
    cpu_ratio,
    problem_lines,
    rows,
    tables,
    target_lines,
    targets,
)
from benchmarks.scenarios import SCENARIOS, route_path
from benchmarks.server import ContenderError, choose_cores


def measured(
    contender: str, *cpu_microseconds: float, scenario: str = "plaintext", foreign: float = 0.0
) -> list[Measurement]:
    """One measurement a round: 1000 requests in 2 s at the given CPU time each."""
    return [
        Measurement(scenario, contender, number, 1000, 2.0, cost / 1e6 * 1000, foreign)
        for number, cost in enumerate(cpu_microseconds, start=1)
    ]


def rounded(ratio: Ratio | None) -> Ratio | None:
    return ratio and Ratio(round(ratio.value, 9), ratio.sure)


# --- scenarios and contenders


def test_scenarios_are_those_of_the_issue() -> None:
    assert list(SCENARIOS) == [
        *("plaintext", "json", "routes200", "routes10000"),
        *("post10k", "response1m", "pipelined16"),
    ]
    assert len(SCENARIOS["post10k"].content) == 10 * 1024
    assert len(SCENARIOS["response1m"].answer) == 1024 * 1024
    assert SCENARIOS["pipelined16"].depth == 16


@pytest.mark.parametrize(("name", "count"), [("routes200", 200), ("routes10000", 10_000)])
def test_route_that_is_asked_for_is_dynamic_and_in_the_middle(name: str, count: int) -> None:
    patterns = [re.escape(route_path(i)).replace(r"\{name\}", "[^/]+") for i in range(count)]
    hits = [i for i, pattern in enumerate(patterns) if re.fullmatch(pattern, SCENARIOS[name].path)]
    assert SCENARIOS[name].routes == count
    assert hits == [count // 2 + 1]
    assert sum("{name}" in route_path(i) for i in range(count)) == count // 2


def test_request_of_a_scenario_declares_its_content() -> None:
    head, _, content = SCENARIOS["post10k"].request("h:1").partition(b"\r\n\r\n")
    assert head.splitlines() == [b"POST /echo HTTP/1.1", b"Host: h:1", b"Content-Length: 10240"]
    assert content == SCENARIOS["post10k"].answer
    assert SCENARIOS["plaintext"].request("h:1") == b"GET /plaintext HTTP/1.1\r\nHost: h:1\r\n\r\n"


def test_every_contender_is_a_program_and_does_plaintext() -> None:
    folder = Path(command_line.__file__).parent / "contenders"
    for contender in CONTENDERS.values():
        assert (folder / f"{contender.module}.py").is_file()
        assert "plaintext" in contender.scenarios
        assert contender.scenarios <= set(SCENARIOS)


def test_servers_without_a_router_are_not_asked_for_routes() -> None:
    routed = {name for name, contender in CONTENDERS.items() if "routes200" in contender.scenarios}
    assert routed == {
        *("ours-uvloop", "ours-asyncio", "ours-trio"),
        *("aiohttp-uvloop", "aiohttp-asyncio", "starlette"),
    }


@pytest.mark.parametrize(
    ("data", "count", "rest"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 1, b""),
        (b"a\r\n\r\nb\r\n\r\nc\r", 2, b"c\r"),
        (b"a\r\n", 0, b"a\r\n"),
    ],
)
def test_floor_answers_each_head_end_and_keeps_the_rest(data: bytes, count: int, rest: bytes) -> None:
    assert answers(data) == (ANSWER * count, rest)


# --- CPU time


def test_schedstat_is_nanoseconds() -> None:
    assert parse_schedstat("1500000000 250 9\n") == 1.5


def test_stat_is_read_behind_a_name_with_spaces_and_parentheses() -> None:
    text = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 1 0 1000 1 1"
    assert parse_stat(text, ticks_per_second=100) == 3.0


def fake_process(proc: Path, pid: int, threads: dict[int, str | None], descendants: str = "") -> None:
    for thread, schedstat in threads.items():
        folder = proc / str(pid) / "task" / str(thread)
        folder.mkdir(parents=True)
        (folder / "children").write_text(descendants)
        if schedstat is not None:
            (folder / "schedstat").write_text(schedstat)
        descendants = ""
    (proc / str(pid) / "stat").write_text(f"{pid} (x) S 1 1 1 0 -1 0 0 0 0 0 400 100 0 0 20 0 1 0 1 1 1")


def test_cpu_time_sums_threads_and_descendants(tmp_path: Path) -> None:
    fake_process(tmp_path, 10, {10: "1000000000 0 1", 11: "500000000 0 1"}, descendants="20 ")
    fake_process(tmp_path, 20, {20: "250000000 0 1"})
    assert children(10, tmp_path) == [20]
    assert cpu_seconds(10, tmp_path) == 1.75


def test_cpu_time_comes_from_stat_without_schedstat(tmp_path: Path) -> None:
    fake_process(tmp_path, 10, {10: None, 11: None})
    assert cpu_seconds(10, tmp_path) == 500 / TICKS_PER_SECOND


def test_time_of_the_machine_is_all_but_idle_and_waiting(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 9 9 9 9 9 9 9 9 9 9\n")
    assert machine_seconds(tmp_path) == 63 / TICKS_PER_SECOND


def test_cores_differ_where_there_are_two() -> None:
    cores = choose_cores({0, 1, 5})
    assert (cores.load, cores.server) == (0, 5)
    assert choose_cores({3}).server is None


# --- load


ONE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nServer: s\r\n\r\nhello"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_answers_are_counted_however_they_are_split(size: int) -> None:
    reader = AnswerReader(expected=5)
    stream = ONE * 3
    assert sum(reader.feed(stream[i : i + size]) for i in range(0, len(stream), size)) == 3
    assert (reader.answers, reader.errors) == (3, 0)


def test_empty_answer_is_counted_with_its_head() -> None:
    reader = AnswerReader(expected=0)
    assert reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_wrong_answer_is_an_error(answer: bytes) -> None:
    reader = AnswerReader(expected=5)
    reader.feed(answer)
    assert reader.errors == 1


def test_head_without_content_length_is_refused() -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_figures_of_wrk_are_its_last_line() -> None:
    output = 'Running 2s test\n{"requests": 90, "microseconds": 1500000, "not_2xx": 2, "broken": 1}\n'
    assert parse_wrk(output) == LoadResult(requests=90, seconds=1.5, errors=3)
    with pytest.raises(ContenderError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_measurement_with_failed_requests_does_not_count() -> None:
    scenario, contender = SCENARIOS["plaintext"], CONTENDERS["floor-trio"]
    with pytest.raises(ContenderError, match="1 of 10 requests"):
        measurement(scenario, contender, 1, LoadResult(10, 1.0, 1), 0.5, 0.0)
    with pytest.raises(ContenderError, match="no request"):
        measurement(scenario, contender, 1, LoadResult(0, 1.0, 0), 0.5, 0.0)


def test_contender_that_cannot_start_is_left_out_everywhere() -> None:
    contender, other = CONTENDERS["starlette"], CONTENDERS["floor-trio"]
    here, elsewhere = SCENARIOS["plaintext"], SCENARIOS["json"]
    failed_here = [Problem("plaintext", "starlette", "why")]
    assert gave_up(failed_here, here, contender)
    assert not gave_up(failed_here, elsewhere, contender)
    assert not gave_up(failed_here, here, other)
    assert gave_up([Problem(None, "starlette", "why")], elsewhere, contender)


# --- report


def test_figure_is_median_and_half_the_distance_of_the_extremes() -> None:
    assert Figure.of([12.0, 8.0, 10.0]) == Figure(median=10.0, spread=0.2)
    assert Figure.of([7.0]) == Figure(median=7.0, spread=0.0)


def test_ratio_is_that_of_the_medians() -> None:
    found = measured("ours-uvloop", 10.0, 11.0, 30.0) + measured("aiohttp-uvloop", 22.0, 21.0, 60.0)
    assert rounded(cpu_ratio(found, "ours-uvloop", "aiohttp-uvloop")) == Ratio(2.0, sure=True)
    assert cpu_ratio(found, "ours-uvloop", "floor-uvloop") is None


def test_quiet_rounds_are_not_held_against_disturbed_ones() -> None:
    ours = measured("ours-uvloop", 10.0) + measured("ours-uvloop", 30.0, 30.0, foreign=0.5)
    peer = measured("aiohttp-uvloop", 60.0, foreign=0.5)
    assert rounded(cpu_ratio(ours + peer, "ours-uvloop", "aiohttp-uvloop")) == Ratio(2.0, sure=False)
    (first, *_) = targets(ours + peer)
    assert first.reached
    assert "measure again" in first.verdict


def test_disturbed_rounds_count_only_where_no_round_was_quiet() -> None:
    disturbed = measured("aiohttp-uvloop", 90.0, 110.0, foreign=0.4)
    quiet = measured("aiohttp-uvloop", 60.0)
    assert [m.cpu_microseconds for m in counted(disturbed + quiet)] == pytest.approx([60.0])
    assert counted(disturbed) == disturbed
    (row,) = rows(disturbed + quiet)
    assert (row.quiet, row.rounds) == (1, 3)
    assert row.cpu_microseconds.median == pytest.approx(60.0)


def test_row_has_cost_rate_and_ratios_to_its_loops_peers() -> None:
    found = measured("ours-trio", 50.0) + measured("hypercorn-trio", 500.0) + measured("floor-trio", 25.0)
    row = next(row for row in rows(found) if row.contender == "ours-trio")
    assert row.requests_per_second.median == 500.0
    assert row.cpu_microseconds.median == pytest.approx(50.0)
    assert row.busy == pytest.approx(0.025)
    assert {column: ratio.value for column, ratio in row.ratios.items()} == pytest.approx(
        {"hypercorn": 10.0, "floor": 2.0}
    )


def test_table_shows_each_measured_scenario_and_contender() -> None:
    text = tables(rows(measured("aiohttp-uvloop", 80.0) + measured("ours-uvloop", 35.0, scenario="json")))
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines()}
    assert lines["aiohttp on uvloop"][-6:] == ["500", "0%", "80.0", "0%", "4%", "1/1"]
    assert "plaintext: plain text" in text
    assert "json: JSON with a path parameter" in text
    assert "post10k" not in text


def test_targets_are_reached_at_their_bounds_and_missed_below() -> None:
    at_bound = (
        measured("ours-uvloop", 50.0)
        + measured("aiohttp-uvloop", 81.0)
        + measured("uvicorn-httptools", 49.0)
        + measured("ours-trio", 50.0)
        + measured("hypercorn-trio", 399.0)
        + measured("floor-trio", 21.0)
        + measured("ours-asyncio", 10.0, scenario="routes200")
        + measured("ours-asyncio", 12.0, scenario="routes10000")
    )
    assert [target.verdict for target in targets(at_bound)] == [
        *("reached", "NOT reached", "not measured"),  # uvloop: aiohttp, uvicorn; asyncio: nothing measured
        *("NOT reached", "reached"),  # trio: hypercorn, floor
        *("not measured", "NOT reached", "not measured"),  # routes
    ]


def test_target_lines_say_what_was_not_measured() -> None:
    text = target_lines(targets(measured("ours-uvloop", 50.0) + measured("aiohttp-uvloop", 100.0)))
    assert re.search(r"≥ 1\.6 × aiohttp on uvloop +2\.00 +reached", text)
    assert text.count("not measured") == 7


def test_problem_is_shown_by_its_first_and_last_line() -> None:
    problem = Problem(None, "starlette", "starlette ended with status 1\n    | Traceback\n    | ImportError: x")
    expected = "skipped: starlette in everything: starlette ended with status 1: ImportError: x"
    assert problem_lines([problem]) == expected


# --- command line


def test_quick_is_shorter_and_options_win_over_it() -> None:
    assert command_line.arguments(["--quick"]).rounds < command_line.arguments([]).rounds
    assert command_line.arguments(["--quick", "--rounds", "4"]).rounds == 4


def test_unknown_scenario_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.arguments(["--only", "plaintext,jsonn"])
    assert "no scenario 'jsonn'; known: plaintext, json" in capsys.readouterr().err
