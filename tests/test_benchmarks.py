"""The pure parts of the benchmark harness: no peer is needed, no server is started."""

import re
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from benchmarks import __main__ as command_line
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.fixed_answer import ANSWER, answers
from benchmarks.echo import ACCEPT, EchoReader, check_head, fleet, flight, frame, mask
from benchmarks.flights import LoadResult
from benchmarks.load import AnswerReader, parse_head, parse_wrk
from benchmarks.measure import (
    TICKS_PER_SECOND,
    Measurement,
    Plan,
    Problem,
    children,
    cpu_seconds,
    gave_up,
    machine_seconds,
    measurement,
    parse_schedstat,
    parse_stat,
    run,
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
from benchmarks.scenarios import ECHOES, HTTP, SCENARIOS, Echo, route_path
from benchmarks.server import ContenderError, Cores, choose_cores
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage
from wsproto.frame_protocol import FrameProtocol, Opcode


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


def test_scenarios_are_those_of_the_issues() -> None:
    assert list(SCENARIOS) == [
        *("plaintext", "json", "routes200", "routes10000"),
        *("post10k", "response1m", "pipelined16"),
        *("echo64", "echo64k"),
    ]
    assert len(HTTP["post10k"].content) == 10 * 1024
    assert len(HTTP["response1m"].answer) == 1024 * 1024
    assert HTTP["pipelined16"].depth == 16


@pytest.mark.parametrize(("name", "size"), [("echo64", 64), ("echo64k", 64 * 1024)])
def test_echoes_are_sixteen_connections_with_four_different_messages_in_flight(name: str, size: int) -> None:
    messages = ECHOES[name].messages
    assert [len(message) for message in messages] == [size] * 4
    assert len(set(messages)) == 4
    assert ECHOES[name].connections == 16


@pytest.mark.parametrize(("name", "count"), [("routes200", 200), ("routes10000", 10_000)])
def test_route_that_is_asked_for_is_dynamic_and_in_the_middle(name: str, count: int) -> None:
    patterns = [re.escape(route_path(i)).replace(r"\{name\}", "[^/]+") for i in range(count)]
    hits = [i for i, pattern in enumerate(patterns) if re.fullmatch(pattern, HTTP[name].path)]
    assert HTTP[name].routes == count
    assert hits == [count // 2 + 1]
    assert sum("{name}" in route_path(i) for i in range(count)) == count // 2


def test_request_of_a_scenario_declares_its_content() -> None:
    head, _, content = HTTP["post10k"].request("h:1").partition(b"\r\n\r\n")
    assert head.splitlines() == [b"POST /echo HTTP/1.1", b"Host: h:1", b"Content-Length: 10240"]
    assert content == HTTP["post10k"].answer
    assert HTTP["plaintext"].request("h:1") == b"GET /plaintext HTTP/1.1\r\nHost: h:1\r\n\r\n"


def test_every_contender_is_a_program_and_does_plaintext_or_both_echoes() -> None:
    folder = Path(command_line.__file__).parent / "contenders"
    for contender in CONTENDERS.values():
        assert (folder / f"{contender.module}.py").is_file()
        assert "plaintext" in contender.scenarios or contender.scenarios == set(ECHOES)
        assert contender.scenarios <= set(SCENARIOS)


def test_echoes_are_asked_of_those_the_issue_names() -> None:
    assert [name for name, contender in CONTENDERS.items() if "echo64" in contender.scenarios] == [
        *("ours-uvloop", "aiohttp-uvloop", "uvicorn-wsproto", "picows"),
        *("ours-asyncio", "aiohttp-asyncio", "websockets", "ours-trio", "hypercorn-trio"),
    ]


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


# --- echo


@pytest.mark.parametrize("size", [0, 1, 3, 64, 125, 126, 65535, 65536])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_frames_are_read_by_wsproto_as_one_message(size: int, opcode: Opcode) -> None:
    payload = bytes(range(0x20, 0x60)) * (size // 64 + 1)
    server = FrameProtocol(client=False, extensions=[])
    server.receive_bytes(frame(opcode, payload[:size], b"\x01\x02\xf3\x04"))
    received = list(server.received_frames())
    read: list[Any] = [part.payload for part in received]  # str or bytearray
    content = b"".join(part.encode() if isinstance(part, str) else part for part in read)
    assert (content, received[-1].message_finished, received[0].opcode) == (payload[:size], True, opcode)


def test_masking_is_that_of_the_example_in_rfc_6455() -> None:
    assert frame(0x1, b"Hello", b"\x37\xfa\x21\x3d") == bytes.fromhex("818537fa213d7f9f4d5158")  # 5.7
    assert frame(0x1, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert mask(mask(b"Hello", b"\x37\xfa\x21\x3d"), b"\x37\xfa\x21\x3d") == b"Hello"


SMALL = Echo("small", "small", size=64, text=True)


@pytest.mark.parametrize("size", [1, 7, 66, 100, 264])
def test_echoes_are_counted_however_they_are_split(size: int) -> None:
    _, echoed = flight(SMALL)
    reader = EchoReader(echoed, SMALL.depth)
    for _ in range(3):
        assert sum(reader.feed(echoed[i : i + size]) for i in range(0, len(echoed), size)) == 4
    assert reader.answers == 12


def test_echo_that_differs_in_one_octet_is_told_with_its_place() -> None:
    _, echoed = flight(SMALL)
    reader = EchoReader(echoed, SMALL.depth)
    reader.feed(echoed[:100])
    with pytest.raises(ContenderError, match="wrong echo at octet 103 of a flight of 264"):
        reader.feed(echoed[100:103] + b"?" + echoed[104:])


def test_more_than_was_sent_is_no_echo() -> None:
    _, echoed = flight(SMALL)
    with pytest.raises(ContenderError, match="wrong echo at octet 264"):
        EchoReader(echoed, SMALL.depth).feed(echoed + b"\x89\x00")


def test_opening_is_a_101_with_our_key_and_no_extension() -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSEC-WebSocket-Accept: %b\r\n"
    check_head(head % ACCEPT + b"\r\n")
    for wrong in (
        head % b"other" + b"\r\n",
        head % ACCEPT + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSec-WebSocket-Accept: %b\r\n\r\n" % ACCEPT,
        b"",
    ):
        with pytest.raises(ContenderError, match="no plain WebSocket"):
            check_head(wrong)


def echo_by_wsproto(listener: socket.socket) -> None:
    """An independent server for one connection: what it answers, and how it is cut, is wsproto's and the kernel's."""
    connection, _ = listener.accept()
    server = WSConnection(ConnectionType.SERVER)
    with connection:
        while data := connection.recv(1000):
            server.receive_data(data)
            for event in server.events():
                if isinstance(event, Request):
                    connection.sendall(server.send(AcceptConnection()))
                elif isinstance(event, TextMessage):
                    connection.sendall(server.send(TextMessage(event.data, message_finished=event.message_finished)))


def test_fleet_counts_what_a_server_echoes_and_goes_on_where_it_stopped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=echo_by_wsproto, args=(listener,))
        server.start()
        with fleet(listener.getsockname()[1], SMALL, connections=1) as clients:
            first, second = clients.run(0.05), clients.run(0.05)
        server.join(10)
    assert first.requests > 0
    assert second.requests > 0
    assert (first.errors, second.errors) == (0, 0)


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
    first = targets(ours + peer)[0]
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
    assert [target.verdict for target in targets(at_bound) if target.issue == 2] == [
        *("reached", "NOT reached", "not measured"),  # uvloop: aiohttp, uvicorn; asyncio: nothing measured
        *("NOT reached", "reached"),  # trio: hypercorn, floor
        *("not measured", "NOT reached", "not measured"),  # routes
    ]


def test_targets_of_echoes_are_held_against_the_same_loops_peers() -> None:
    found = (
        measured("ours-uvloop", 10.0, scenario="echo64")
        + measured("aiohttp-uvloop", 8.1, scenario="echo64")
        + measured("uvicorn-wsproto", 29.0, scenario="echo64")
        + measured("ours-trio", 10.0, scenario="echo64")
        + measured("hypercorn-trio", 61.0, scenario="echo64")
        + measured("ours-asyncio", 10.0, scenario="echo64k")
        + measured("aiohttp-asyncio", 7.9, scenario="echo64k")
    )
    assert [target.verdict for target in targets(found) if target.issue == 3] == [
        *("reached", "NOT reached", "reached", "not measured", "NOT reached")
    ]
    text = target_lines(targets(found))
    assert "issue 3" in text
    assert "issue 2" not in text


def test_echo_has_its_own_peers_and_counts_messages() -> None:
    found = [
        *measured("ours-uvloop", 12.0, scenario="echo64"),
        *measured("aiohttp-uvloop", 18.0, scenario="echo64"),
        *measured("uvicorn-wsproto", 36.0, scenario="echo64"),
        *measured("picows", 6.0, scenario="echo64"),
    ]
    row = next(row for row in rows(found) if row.contender == "ours-uvloop")
    assert {column: ratio.value for column, ratio in row.ratios.items()} == pytest.approx(
        {"aiohttp": 1.5, "uvicorn": 3.0, "picows": 2.0}
    )
    assert "CPU µs/msg" in tables(rows(found))
    assert "CPU µs/req" not in tables(rows(found))


def test_target_lines_say_what_was_not_measured() -> None:
    text = target_lines(targets(measured("ours-uvloop", 50.0) + measured("aiohttp-uvloop", 100.0)))
    assert re.search(r"≥ 1\.6 × aiohttp on uvloop +2\.00 +reached", text)
    assert text.count("not measured") == 7


def test_problem_is_shown_by_its_first_and_last_line() -> None:
    problem = Problem(None, "starlette", "starlette ended with status 1\n    | Traceback\n    | ImportError: x")
    expected = "skipped: starlette in everything: starlette ended with status 1: ImportError: x"
    assert problem_lines([problem]) == expected


# --- rounds


def test_no_round_begins_that_would_end_too_late() -> None:
    told: list[str] = []
    plan = Plan(
        scenarios=[],
        contenders=[],
        rounds=3,
        seconds=1.0,
        patience=0.0,
        minutes=0.0,
        connections=1,
        python="",
        cores=Cores(None, None),
        generator=lambda *_: LoadResult(0, 0.0, 0),
    )
    run(plan, told.append)
    assert told == ["another round would take longer than 0 minutes in all; stopped after 1"]


# --- command line


def test_quick_is_shorter_and_options_win_over_it() -> None:
    assert command_line.arguments(["--quick"]).rounds < command_line.arguments([]).rounds
    assert command_line.arguments(["--quick", "--rounds", "4"]).rounds == 4


def test_unknown_scenario_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.arguments(["--only", "plaintext,jsonn"])
    assert "no scenario 'jsonn'; known: plaintext, json" in capsys.readouterr().err
