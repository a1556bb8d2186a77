"""Each example runs on each runtime."""

import pytest


@pytest.fixture(params=["asyncio", "uvloop", "trio"])
def runtime(request: pytest.FixtureRequest) -> str:
    """The name of a runtime."""
    return str(request.param)
