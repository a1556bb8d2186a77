"""Access log lines, compared with aiohttp's."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aiohttp.web_log
import pytest
from aiohttp.test_utils import make_mocked_request
from fake_exchange import FakeExchange, run

from sansio_web import web

NOON = datetime(2026, 3, 5, 12, 0, 7, tzinfo=timezone(timedelta(hours=-5)))


class Logger:
    """Keeps what it is told."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.enabled = enabled

    def info(self, message: str, *, extra: dict[str, Any]) -> None:
        self.lines.append((message, extra))

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802
        assert level == 20
        return self.enabled


def line(log_format: str, seconds: float = 1.23456, **options: Any) -> tuple[str, dict[str, Any]]:
    logger = Logger()
    exchange = FakeExchange(target="/p?q=1", fields=[("User-Agent", "ua"), ("X", "1")])
    request, response = web.Request(exchange), web.Response(text="abc", headers={"Y": "2"})
    run(response.prepare(request))
    run(response.write_eof())
    web.AccessLogger(logger, log_format, **options).log(request, response, seconds)
    return logger.lines[0]


@pytest.mark.parametrize(
    ("log_format", "expected"),
    [
        ("%a", "192.0.2.7"),
        ("%r", "GET /p?q=1 HTTP/1.1"),
        ("%s %b", "200 3"),
        ("%T %Tf %D", "1 1.234560 1234560"),
        ("%%a 100%%", "%a 100%"),
        ("%{X}i %{nope}i %{y}o %{Content-Length}o", "1 - 2 3"),
        ("%t", "[05/Mar/2026:12:00:05 -0500]"),
        ("%P", "<42>"),
        ("%Tx é", "1x é"),
    ],
)
def test_each_directive(log_format: str, expected: str) -> None:
    assert line(log_format, wall_clock=lambda: NOON, pid=42)[0] == expected


def test_without_clock_and_pid_there_is_a_dash() -> None:
    assert line("%t %P")[0] == "- -"


@pytest.mark.parametrize("log_format", ["%s %T %Tf %D", "%r", "%{X}i %{Nope}i %{Y}o", "%{User-Agent}i"])
def test_lines_and_extras_are_aiohttps(log_format: str) -> None:
    theirs = Logger()
    request = make_mocked_request("GET", "/p?q=1", headers={"User-Agent": "ua", "X": "1"})
    response = aiohttp.web.Response(text="abc", headers={"Y": "2"})
    aiohttp.web_log.AccessLogger(theirs, log_format).log(request, response, 0.6)  # type: ignore[arg-type]
    assert line(log_format, 0.6) == theirs.lines[0]


@pytest.mark.parametrize("log_format", ["%q", "%", "%{X}e", "%{}i", "%s %", "%{A b}i"])
def test_an_unknown_directive_is_refused_and_the_known_ones_named(log_format: str) -> None:
    with pytest.raises(ValueError, match=r"log_format has .* at offset \d; allowed: %% %a"):
        web.AccessLogger(Logger(), log_format)


def test_what_a_peer_sends_cannot_make_a_second_line_or_a_broken_encoding() -> None:
    logger = Logger()
    request = web.Request(FakeExchange(target="/\x1b[2J", fields=[("User-Agent", "a\x07é\udcff")]))
    web.AccessLogger(logger, "%r %{User-Agent}i").log(request, web.Response(), 0)
    assert logger.lines[0][0] == r"GET /\x1b[2J HTTP/1.1 a\x07\xe9\udcff"


def test_a_logger_that_takes_no_info_is_not_enabled() -> None:
    assert web.AccessLogger(Logger()).enabled
    assert not web.AccessLogger(Logger(enabled=False)).enabled
    assert web.AccessLogger(object()).enabled


def test_access_loggers_of_ones_own() -> None:
    class Mine(web.AbstractAccessLogger):
        def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
            self.logger.append((request.path, response.status, time))

    lines: list[Any] = []
    mine = Mine(lines, "format")
    assert mine.enabled
    assert mine.log_format == "format"
    exchange = FakeExchange(target="/x")
    exchange.access_logger = mine
    run(web.Application().handle(exchange))
    assert lines == [("/x", 404, 0.0)]


def test_a_broken_access_logger_is_reported_and_breaks_nothing_else() -> None:
    class Broken:
        def log(self, request: Any, response: Any, time: float) -> None:
            raise ValueError("no")

    exchange = FakeExchange()
    exchange.access_logger = Broken()
    run(web.Application().handle(exchange))
    assert exchange.complete
    assert [message for message, _ in exchange.reports] == ["error in the access logger"]


def test_the_default_format_is_aiohttps() -> None:
    assert web.AccessLogger.LOG_FORMAT == aiohttp.web_log.AccessLogger.LOG_FORMAT
    assert line(web.AccessLogger.LOG_FORMAT, wall_clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))[0] == (
        '192.0.2.7 [02/Jan/2026:03:04:03 +0000] "GET /p?q=1 HTTP/1.1" 200 3 "-" "ua"'
    )
