"""Every adapter keeps the contract, and the contract notices who does not."""

import threading
from contextlib import AbstractContextManager
from typing import Any

import pytest

from sansio_web import web
from sansio_web.testing.contract import CHECKS, Check, Serving, Subject, check_all, name, rule


@pytest.mark.parametrize("check", CHECKS, ids=name)
def test_the_adapter_keeps_the_contract(check: Check, runtime: str) -> None:
    before = threading.active_count()
    check(Subject.named(runtime))
    assert threading.active_count() <= before


def test_each_check_says_its_rule() -> None:
    assert len({name(check) for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert rule(check).endswith("."), name(check)


def test_a_report_names_the_rules_that_are_not_kept() -> None:
    kept = Subject.named("asyncio")

    def on_tcp_only(app: web.Application, **options: Any) -> AbstractContextManager[Serving]:
        options.pop("path", None)
        return kept.serve(app, **options)

    chosen = [check for check in CHECKS if name(check) in ("a_unix_socket", "byte_by_byte")]
    said: list[str] = []
    report = check_all(Subject(on_tcp_only, kept.sleep), checks=chosen, print=said.append)
    assert not report.ok
    assert [name(check) for check in report.kept] == ["byte_by_byte"]
    assert [name(failure.check) for failure in report.failures] == ["a_unix_socket"]
    assert said == [str(report)]
    assert said[0].startswith("1 of 2 rules kept")
    assert "the file is gone after the stop" in said[0]
