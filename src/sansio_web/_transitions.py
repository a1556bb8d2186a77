"""Step a state table and check one.

A table maps (state, input) to the next state; a pair that is absent is illegal. Tables are written row by row in the
machines' own modules; here is only what all of them need.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TypeVar

from .errors import LocalProtocolError


class Member(Enum):
    """Base of states, inputs and names of deadlines: hashed by identity, at a fifth of the cost of Enum's own hash."""

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]  # Enum's is of the name


S = TypeVar("S", bound=Enum)
I = TypeVar("I", bound=Enum)  # noqa: E741  the two letters of a table: state and input


def step(table: Mapping[tuple[S, I], S], state: S, moved_by: I) -> S:
    """The next state, or a `LocalProtocolError` that says what would have been legal."""
    after = table.get((state, moved_by))
    if after is None:
        raise illegal(table, state, moved_by)
    return after


def column(table: Mapping[tuple[S, I], S], moved_by: I) -> Mapping[S, S]:
    """One input's column of a table, from state to state: the cheap way to step where the row is known to exist."""
    return {before: after for (before, each), after in table.items() if each is moved_by}


def illegal(table: Mapping[tuple[S, I], S], state: S, moved_by: I) -> LocalProtocolError:
    """The error for an absent row."""
    legal = legal_inputs(table, state)
    names = ", ".join(each.name for each in legal) if legal else "nothing: this state is final"
    return LocalProtocolError(f"cannot {moved_by.name} in {state.name}; legal here: {names}")


def legal_inputs(table: Mapping[tuple[S, I], S], state: S) -> tuple[I, ...]:
    """Inputs with a row for this state, in the table's order."""
    return tuple(moved_by for (before, moved_by) in table if before is state)


def reachable(table: Mapping[tuple[S, I], S], start: S) -> set[S]:
    """States that some sequence of inputs leads to from `start`, with `start` itself."""
    found = {start}
    frontier = [start]
    while frontier:
        state = frontier.pop()
        for (before, _), after in table.items():
            if before is state and after not in found:
                found.add(after)
                frontier.append(after)
    return found


def can_end(table: Mapping[tuple[S, I], S], finals: Iterable[S]) -> set[S]:
    """States from which some sequence of inputs leads to one of `finals`, with `finals` themselves."""
    found = set(finals)
    grew = True
    while grew:
        new = {before for (before, _), after in table.items() if after in found} - found
        grew = bool(new)
        found |= new
    return found
