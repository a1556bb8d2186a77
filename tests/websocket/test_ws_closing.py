"""The closing table, and two machines that go through it in every order there is."""

import pickle
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from typing import Any

import pytest
from endpoint import fixed_mask

from sansio_web._deadlines import Deadlines
from sansio_web._transitions import can_end, reachable, step
from sansio_web.effects import AbortTransport, CloseTransport, ShutdownWrite, Transmit
from sansio_web.errors import LocalProtocolError
from sansio_web.websocket import ABORT, RECEIVE_MESSAGE, Role, SendText, SocketClosed, StartClose, State, WebSocket
from sansio_web.websocket.closing import TRANSITIONS, Ended, Input


def test_every_state_is_reachable_and_can_end() -> None:
    assert reachable(TRANSITIONS, State.OPEN) == set(State)
    assert can_end(TRANSITIONS, {State.CLOSED}) == set(State)
    assert {state for state in State if not any(before is state for before, _ in TRANSITIONS)} == {State.CLOSED}


def test_every_input_moves_something_and_every_absent_row_is_illegal() -> None:
    assert {moved_by for _, moved_by in TRANSITIONS} == set(Input)
    for state, moved_by in product(State, Input):
        if (state, moved_by) in TRANSITIONS:
            assert step(TRANSITIONS, state, moved_by) in State
            continue
        with pytest.raises(LocalProtocolError, match=f"cannot {moved_by.name} in {state.name}; legal here: "):
            step(TRANSITIONS, state, moved_by)


def test_nothing_but_the_end_follows_our_close() -> None:
    """RFC 6455 5.5.1."""
    for after in (State.LOCAL_CLOSING, State.DRAINING, State.CLOSED):
        for another in (Input.SEND_DATA, Input.SEND_CONTROL, Input.SEND_CLOSE):
            assert (after, another) not in TRANSITIONS


def test_no_way_leads_back() -> None:
    order = [State.OPEN, State.LOCAL_CLOSING, State.REMOTE_CLOSING, State.DRAINING, State.CLOSED]
    assert all(order.index(after) >= order.index(before) for (before, _), after in TRANSITIONS.items())


def test_every_end_says_something_of_its_own() -> None:
    assert len({ended.value for ended in Ended}) == len(Ended)


# -- two machines, every order -------------------------------------------------------------------------------

GARBAGE = b"\xff\xff"
COUNTERS = {"_marks", "transmitted", "_mark", "frames", "received"}


@dataclass
class Way:
    """What is on its way to one end: pieces, then perhaps the end of the stream."""

    pieces: deque[bytes] = field(default_factory=lambda: deque[bytes]())
    ended: bool = False
    told: bool = False  # the end of the stream was delivered
    deaf: bool = False  # the receiver has closed its transport


@dataclass
class World:
    """Two ends, two ways, a clock; what the ends may still do of their own accord."""

    ends: tuple[WebSocket, WebSocket]
    ways: tuple[Way, Way]
    texts: list[int]
    faults: int
    now: float = 0.0
    closed: list[int] = field(default_factory=lambda: [0, 0])
    lost: bool = False

    @staticmethod
    def new(*, texts: int, faults: int, can_half_close: bool) -> "World":
        server = WebSocket(Role.SERVER, now=0.0, can_half_close=can_half_close)
        client = WebSocket(Role.CLIENT, now=0.0, mask=fixed_mask, can_half_close=can_half_close)
        return World((client, server), (Way(), Way()), [texts, texts], faults)

    def users(self) -> Iterator[tuple[str, int]]:
        """What the applications and the weather may do."""
        for me, end in enumerate(self.ends):
            if end.state is State.CLOSED:
                continue
            if end.state in (State.OPEN, State.REMOTE_CLOSING):
                if self.texts[me]:
                    yield "text", me
                yield "close", me
            if not end._wanted and end.state is not State.DRAINING:
                yield "ask", me
            if self.faults:
                yield "abort", me
                if not self.ways[me].ended:
                    yield "garbage", me
                    yield "cut", me
                yield "lose", me

    def system(self) -> Iterator[tuple[str, int]]:
        """What happens by itself."""
        for me, (end, way) in enumerate(zip(self.ends, self.ways, strict=True)):
            if end.wants_data() and (way.pieces or (way.ended and not way.told)):
                yield "deliver", me
            if (at := end.next_deadline()) is not None and at == self.next_deadline():
                yield "timeout", me

    def next_deadline(self) -> float | None:
        return min((at for end in self.ends if (at := end.next_deadline()) is not None), default=None)

    def act(self, what: str, me: int) -> None:
        end, way, now = self.ends[me], self.ways[me], self.now
        if what == "text":
            self.texts[me] -= 1
            end.send(SendText("x"), now)
        elif what == "close":
            end.send(StartClose(4000 + me), now)
        elif what == "ask":
            end.send(RECEIVE_MESSAGE, now)
        elif what == "deliver":
            if way.pieces:
                end.receive_data(way.pieces.popleft(), now)
            else:
                way.told = True
                end.receive_eof(now)
        elif what == "timeout":
            at = end.next_deadline()
            assert at is not None
            self.now = max(now, at)
            before = freeze(end, self.now)
            end.handle_timeout(self.now)
            assert freeze(end, self.now) != before, "a due deadline was handled without progress"
        else:
            self.faults -= 1
            if what == "abort":
                end.send(ABORT, now)
            elif what == "garbage":
                way.pieces.append(GARBAGE)
            elif what == "cut":
                way.pieces.clear()
                way.ended = True
            elif what == "lose":
                end.transport_lost(now)
                self.lost = True
        self.settle()

    def settle(self) -> None:
        for me, end in enumerate(self.ends):
            into, out = self.ways[me], self.ways[1 - me]
            while (effect := end.next_effect()) is not None:
                if isinstance(effect, Transmit):
                    assert not out.ended or self.lost or out.told or not out.pieces
                    if not out.ended and not out.deaf:
                        out.pieces.append(effect.data)
                elif isinstance(effect, (ShutdownWrite, CloseTransport, AbortTransport)):
                    out.ended = True
                    if isinstance(effect, AbortTransport):
                        out.pieces.clear()
                    if not isinstance(effect, ShutdownWrite):
                        into.deaf = True
                        into.pieces.clear()
            while (event := end.next_event()) is not None:
                assert not self.closed[me], f"{event} after SocketClosed"
                self.closed[me] += isinstance(event, SocketClosed)
            if end.state is State.CLOSED:
                out.ended = True
            assert self.closed[me] == (end.state is State.CLOSED)

    def over(self) -> bool:
        return self.closed == [1, 1]


def freeze(value: Any, now: float) -> Any:
    """What tells one state from another; moments relative to now, counters left out."""
    if value is None or isinstance(value, (str, bytes, int, float, Enum)):
        return value
    if isinstance(value, (list, tuple, deque)):
        return tuple(freeze(each, now) for each in value)
    if isinstance(value, Deadlines):
        return tuple(sorted((name.name, at - now) for name, at in value._moments.items()))
    if isinstance(value, bytearray):
        return bytes(value)
    if callable(value) or isinstance(value, (frozenset, dict)):
        return None
    names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    names += list(getattr(value, "__dict__", ()))
    return tuple(freeze(getattr(value, name), now) for name in names if name not in COUNTERS and name != "limits")


def key(world: World) -> Any:
    return tuple(
        freeze(each, world.now)
        for each in (world.ends, world.ways, world.texts, world.faults, world.closed, world.lost)
    )


def explore(start: World) -> tuple[int, int]:
    """Go every way; how many states there are, and in how many both ends are CLOSED."""
    states = {key(start): 0}
    system: list[list[int]] = [[]]
    over = [False]
    quiet = [False]
    todo = deque([(0, pickle.dumps(start))])
    while todo:
        index, saved = todo.popleft()
        world: World = pickle.loads(saved)
        by_itself = list(world.system())
        over[index] = world.over()
        quiet[index] = not by_itself
        if quiet[index] and not over[index]:
            states_now = [end.state for end in world.ends]
            assert states_now == [State.OPEN, State.OPEN] or world_waits_for_reader(world), states_now
        for what, me in [*by_itself, *world.users()]:
            after: World = pickle.loads(saved)
            after.act(what, me)
            found = key(after)
            if found not in states:
                states[found] = len(states)
                system.append([])
                over.append(False)
                quiet.append(False)
                todo.append((states[found], pickle.dumps(after)))
            if (what, me) in by_itself:
                system[index].append(states[found])
    assert_no_cycle(system)
    return len(states), sum(over)


def world_waits_for_reader(world: World) -> bool:
    """An end that is OPEN may wait for its application, which does not read."""
    return any(end.state is State.OPEN and not end.wants_data() for end in world.ends)


def assert_no_cycle(edges: list[list[int]]) -> None:
    """Left to itself, every state comes to rest."""
    unseen, open_, done = 0, 1, 2
    colour = [unseen] * len(edges)
    for root in range(len(edges)):
        stack = [(root, iter(edges[root]))] if colour[root] == unseen else []
        colour[root] = colour[root] or open_
        while stack:
            at, ways = stack[-1]
            for after in ways:
                assert colour[after] != open_, "time passes without an end"
                if colour[after] == unseen:
                    colour[after] = open_
                    stack.append((after, iter(edges[after])))
                    break
            else:
                colour[at] = done
                stack.pop()


@pytest.mark.parametrize(("texts", "faults", "can_half_close"), [(1, 0, True), (0, 2, True), (1, 1, False)], ids=str)
def test_two_ends_close_in_every_order_and_each_tells_it_once(texts: int, faults: int, can_half_close: bool) -> None:
    states, over = explore(World.new(texts=texts, faults=faults, can_half_close=can_half_close))
    assert states > 2_000
    assert over > 500
