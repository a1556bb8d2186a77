"""Signals and lists that freeze."""

import pytest
from fake_exchange import run

from sansio_web.web.signals import FrozenList, Signal


def test_receivers_are_called_in_order_with_the_arguments() -> None:
    calls: list[tuple[str, int]] = []
    signal: Signal[[int]] = Signal(None)

    async def first(number: int) -> None:
        calls.append(("first", number))

    async def second(number: int) -> None:
        calls.append(("second", number))

    signal.append(first)
    signal.append(second)
    signal.freeze()
    run(signal.send(7))
    assert calls == [("first", 7), ("second", 7)]


def test_a_signal_is_sent_only_once_it_is_frozen() -> None:
    with pytest.raises(RuntimeError, match="freeze it first"):
        run(Signal("owner").send())


def test_a_frozen_list_refuses_every_change() -> None:
    items = FrozenList([1, 2])
    items.append(3)
    items[0] = 0
    del items[1]
    items.insert(0, 9)
    assert (items, len(items), items[1], items[1:]) == ([9, 0, 3], 3, 0, [0, 3])
    with pytest.raises(RuntimeError, match="cannot hash"):
        hash(items)
    items.freeze()
    assert items.frozen
    assert hash(items) == hash((9, 0, 3))
    for change in (
        lambda: items.append(1),
        lambda: items.insert(0, 1),
        lambda: items.extend([1]),
        lambda: items.remove(9),
        lambda: items.__setitem__(0, 1),
        lambda: items.__delitem__(0),
        items.clear,
    ):
        with pytest.raises(RuntimeError, match="frozen"):
            change()
    assert items == FrozenList([9, 0, 3])
    assert items != (9, 0, 3)
    assert repr(items) == "<FrozenList(frozen=True, [9, 0, 3])>"
