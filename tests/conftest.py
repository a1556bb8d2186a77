"""Fixtures of every test module."""

import pytest

RUNTIMES = ("asyncio", "uvloop", "trio")


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """The name of a runtime; a test that asks for it runs on each."""
    return str(request.param)
