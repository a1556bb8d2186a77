from dataclasses import FrozenInstanceError, fields

import pytest

from sansio_web.limits import DEFAULT_LIMITS, Limits


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_a_negative_limit_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^Limits\.{name} is -1, but must not be negative$"):
        Limits(**{name: -1})
    assert getattr(Limits(**{name: 0}), name) == 0


def test_only_timeouts_and_the_content_may_be_unbounded() -> None:
    unbounded = {field.name for field in fields(Limits) if "None" in str(field.type)}
    assert unbounded == {name for name in (f.name for f in fields(Limits)) if name.endswith("_timeout")} | {
        "max_content_bytes"
    }
    for name in unbounded:
        assert getattr(Limits(**{name: None}), name) is None


def test_every_timeout_has_a_default_so_that_every_phase_has_a_deadline() -> None:
    for field in fields(Limits):
        if field.name.endswith("_timeout"):
            assert getattr(DEFAULT_LIMITS, field.name) > 0


def test_limits_are_values() -> None:
    assert Limits() == DEFAULT_LIMITS
    with pytest.raises(FrozenInstanceError):
        DEFAULT_LIMITS.max_head_bytes = 1  # type: ignore[misc]
