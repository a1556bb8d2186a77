from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import product

import pytest

from sansio_web._transitions import can_end, illegal, reachable, step
from sansio_web.errors import LocalProtocolError
from sansio_web.http.lifecycle import (
    PHASE,
    RECEIVE,
    SEND,
    CloseReason,
    Phase,
    PhaseInput,
    Receive,
    ReceiveInput,
    Send,
    SendInput,
)

TABLES = [
    pytest.param(RECEIVE, Receive, ReceiveInput, Receive.IDLE, {Receive.BROKEN, Receive.SWITCHED}, id="receive"),
    pytest.param(SEND, Send, SendInput, Send.IDLE, {Send.CUT, Send.SWITCHED}, id="send"),
    pytest.param(PHASE, Phase, PhaseInput, Phase.PERSISTENT, {Phase.CLOSED, Phase.SWITCHED}, id="phase"),
]
Table = Mapping[tuple[Enum, Enum], Enum]


@pytest.mark.parametrize(("table", "states", "inputs", "start", "finals"), TABLES)
def test_every_state_is_reachable_and_can_end(
    table: Table, states: Iterable[Enum], inputs: Iterable[Enum], start: Enum, finals: set[Enum]
) -> None:
    assert reachable(table, start) == set(states)
    assert can_end(table, finals) == set(states)
    assert {state for state in states if not any(before is state for before, _ in table)} == finals


@pytest.mark.parametrize(("table", "states", "inputs", "start", "finals"), TABLES)
def test_every_input_moves_something_and_every_absent_row_is_illegal(
    table: Table, states: Iterable[Enum], inputs: Iterable[Enum], start: Enum, finals: set[Enum]
) -> None:
    assert {moved_by for _, moved_by in table} == set(inputs)
    for state, moved_by in product(states, inputs):
        if (state, moved_by) in table:
            assert step(table, state, moved_by) in set(states)
            continue
        with pytest.raises(LocalProtocolError) as caught:
            step(table, state, moved_by)
        assert str(caught.value).startswith(f"cannot {moved_by.name} in {state.name}; legal here: ")
        for other in inputs:
            assert (other.name in str(caught.value).split("here: ")[1].split(", ")) is ((state, other) in table)


def test_one_request_one_response() -> None:
    assert str(illegal(SEND, Send.OWED, SendInput.DATA)).endswith("INTERIM, WHOLE, HEAD, SWITCH, CUT")
    for after in (Send.COMPLETE, Send.CUT, Send.SWITCHED):
        for another in (SendInput.WHOLE, SendInput.HEAD, SendInput.DATA, SendInput.END, SendInput.INTERIM):
            assert (after, another) not in SEND


def test_nothing_leads_out_of_the_end() -> None:
    for state in (Phase.CLOSED, Phase.SWITCHED):
        assert not [row for row in PHASE if row[0] is state]


def test_every_reason_says_something_of_its_own() -> None:
    assert len({reason.value for reason in CloseReason}) == len(CloseReason)
