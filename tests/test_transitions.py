from enum import auto

import pytest

from sansio_web._transitions import Member, can_end, column, illegal, legal_inputs, reachable, step
from sansio_web.errors import LocalProtocolError


class State(Member):
    START = auto()
    MIDDLE = auto()
    END = auto()
    ISLAND = auto()


class Input(Member):
    GO = auto()
    BACK = auto()
    STOP = auto()


TABLE = {
    (State.START, Input.GO): State.MIDDLE,
    (State.MIDDLE, Input.BACK): State.START,
    (State.MIDDLE, Input.STOP): State.END,
    (State.ISLAND, Input.GO): State.ISLAND,
}


def test_a_row_leads_to_its_state() -> None:
    assert step(TABLE, State.START, Input.GO) is State.MIDDLE
    assert step(TABLE, State.MIDDLE, Input.STOP) is State.END


def test_an_absent_row_names_what_would_have_been_legal() -> None:
    with pytest.raises(LocalProtocolError, match=r"^cannot GO in MIDDLE; legal here: BACK, STOP$"):
        step(TABLE, State.MIDDLE, Input.GO)


def test_a_final_state_says_that_it_is_one() -> None:
    message = str(illegal(TABLE, State.END, Input.GO))
    assert message == "cannot GO in END; legal here: nothing: this state is final"


def test_legal_inputs_keep_the_order_of_the_table() -> None:
    assert legal_inputs(TABLE, State.MIDDLE) == (Input.BACK, Input.STOP)
    assert legal_inputs(TABLE, State.END) == ()


def test_a_column_is_the_table_for_one_input() -> None:
    assert column(TABLE, Input.GO) == {State.START: State.MIDDLE, State.ISLAND: State.ISLAND}


def test_reachable_follows_rows_and_has_the_start() -> None:
    assert reachable(TABLE, State.START) == {State.START, State.MIDDLE, State.END}
    assert reachable(TABLE, State.END) == {State.END}


def test_can_end_finds_the_state_that_never_does() -> None:
    assert can_end(TABLE, [State.END]) == {State.START, State.MIDDLE, State.END}


def test_members_are_distinct_keys_found_by_identity() -> None:
    assert {State.START: 1, Input.GO: 2}[State.START] == 1
    assert hash(State.START) == object.__hash__(State.START)
