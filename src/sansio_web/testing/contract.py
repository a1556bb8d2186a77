"""The contract that every adapter keeps, as checks over real sockets.

For an adapter that `web.run_app(runtime=...)` finds:

    @pytest.mark.parametrize("check", CHECKS, ids=name)
    def test_contract(check):
        check(Subject.named("trio"))

For any other, make a `Subject` from a function that serves. Without pytest, `check_all(subject)` prints what
is not kept. Each check is a function whose docstring says the rule; it raises what is wrong. The client's
side is blocking sockets, so nothing of the runtime under examination judges itself.

Needs the package `trustme` for the checks of TLS.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from inspect import getdoc
from typing import Final

from . import _contract_departure, _contract_exchange, _contract_flow, _contract_life, _contract_tls
from ._subject import Check, Serving, Subject

__all__ = ["CHECKS", "Check", "Failure", "Report", "Serving", "Subject", "check_all", "name", "rule"]

CHECKS: Final[tuple[Check, ...]] = (
    *_contract_exchange.CHECKS,
    *_contract_departure.CHECKS,
    *_contract_flow.CHECKS,
    *_contract_tls.CHECKS,
    *_contract_life.CHECKS,
)
"""All of them; they share nothing and may run in any order."""


def name(check: Check) -> str:
    """The check's name, as a test's id."""
    return str(getattr(check, "__name__", check))


def rule(check: Check) -> str:
    """What it checks, in words."""
    return " ".join((getdoc(check) or "").split())


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that was not kept, and how that showed."""

    check: Check
    error: Exception

    def __str__(self) -> str:
        error = f"{type(self.error).__name__}: {self.error}".rstrip(": ")
        return f"{name(self.check)}: {rule(self.check)}\n    {error}"


@dataclass(slots=True)
class Report:
    """What an adapter keeps and what not."""

    kept: list[Check] = field(default_factory=list[Check])
    failures: list[Failure] = field(default_factory=list[Failure])
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether all is kept."""
        return not self.failures

    def __str__(self) -> str:
        total = len(self.kept) + len(self.failures)
        lines = [f"{len(self.kept)} of {total} rules kept, in {self.seconds:.1f} s"]
        return "\n".join([*lines, *(str(failure) for failure in self.failures)])


def check_all(
    subject: Subject,
    *,
    checks: Iterable[Check] = CHECKS,
    print: Callable[[str], object] | None = print,
) -> Report:
    """Run the checks one after the other.

    print: told of the result; None for silence
    """
    report = Report()
    began = time.monotonic()
    for check in checks:
        try:
            check(subject)
        except Exception as error:
            report.failures.append(Failure(check, error))
        else:
            report.kept.append(check)
    report.seconds = time.monotonic() - began
    if print is not None:
        print(str(report))
    return report
