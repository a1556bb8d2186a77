"""Two WebSocket machines and a link that splits, delays and cuts at any byte: what both must agree on."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_web.errors import LocalProtocolError
from sansio_web.testing.pair import Pair
from sansio_web.websocket import (
    ABORT,
    RECEIVE_MESSAGE,
    CloseReceived,
    ConnectionFailed,
    DeflateParameters,
    Ended,
    MessageReceived,
    Opcode,
    Role,
    SendBytes,
    SendFrame,
    SendPing,
    SendPong,
    SendText,
    SocketClosed,
    StartClose,
    State,
    WebSocket,
    WebSocketCommand,
    WebSocketLimits,
)

LIMITS = WebSocketLimits(
    max_message_bytes=5_000, max_unread_messages=4, max_unread_bytes=2_000, max_unsent_bytes=500, heartbeat=20.0
)
LONGEST_SECONDS = 200.0

text = st.text(max_size=200).map(SendText)
binary = st.binary(max_size=1_500).map(SendBytes)
fragments = st.lists(st.binary(max_size=200), min_size=1, max_size=4).map(
    lambda pieces: [
        SendFrame(Opcode.CONTINUATION if at else Opcode.BINARY, piece, fin=at == len(pieces) - 1)
        for at, piece in enumerate(pieces)
    ]
)
speech = st.lists(
    st.one_of(
        text.map(lambda c: [c]),
        binary.map(lambda c: [c]),
        fragments,
        st.just([SendPing(b"p")]),
        st.just([SendPong(b"q")]),
    ),
    max_size=6,
).map(lambda parts: [command for part in parts for command in part])


def new_pair(deflate: DeflateParameters | None = None, *, window: int | None = None, **how: Any) -> Any:
    keys = count(0x0A0B0C0D, 0x01030507)
    client = WebSocket(
        Role.CLIENT,
        LIMITS,
        now=0.0,
        mask=lambda: (next(keys) & 0xFFFFFFFF).to_bytes(4, "big"),
        deflate=deflate,
        **how,
    )
    return Pair(client, WebSocket(Role.SERVER, LIMITS, now=0.0, deflate=deflate, **how), window=window)


def ask_forever(pair: Any) -> None:
    """Both applications read as long as there is something to read."""
    for machine, on_event in ((pair.client, pair.on_client_event), (pair.server, pair.on_server_event)):

        def again(event: Any, machine: WebSocket = machine) -> None:
            if isinstance(event, MessageReceived) and not machine._wanted:
                machine.send(RECEIVE_MESSAGE, pair.now)

        on_event(again)
        if not machine._wanted:
            machine.send(RECEIVE_MESSAGE, pair.now)


def messages(events: list[Any]) -> list[Any]:
    return [event.data for event in events if isinstance(event, MessageReceived)]


def said(commands: list[WebSocketCommand]) -> list[Any]:
    whole: list[Any] = []
    parts: list[bytes] = []
    for command in commands:
        if isinstance(command, SendText | SendBytes):
            whole.append(command.data)
        elif isinstance(command, SendFrame):
            parts.append(command.payload)
            if command.fin:
                whole.append(b"".join(parts))
                parts = []
    return whole


def assert_over(pair: Any) -> None:
    """Both ends are CLOSED and said so once, last."""
    for machine, events in ((pair.client, pair.client_events), (pair.server, pair.server_events)):
        assert machine.state is State.CLOSED
        assert [type(event) for event in events].count(SocketClosed) == 1
        assert isinstance(events[-1], SocketClosed)
        assert sum(isinstance(event, CloseReceived | ConnectionFailed) for event in events) <= 1
        assert machine.next_deadline() is None
        assert not machine.wants_data()
        assert machine.buffered() == 0


WINDOWS = [None, DeflateParameters(), DeflateParameters(True, True, 9, 10), DeflateParameters(False, True, 15, 9)]


@given(
    client_says=speech,
    server_says=speech,
    sizes=st.lists(st.integers(1, 300), max_size=30),
    deflate=st.sampled_from(WINDOWS),
    closer=st.sampled_from(["client", "server", "both"]),
)
@settings(max_examples=150, deadline=None)
def test_what_was_said_arrives_and_the_close_is_clean(
    client_says: list[WebSocketCommand],
    server_says: list[WebSocketCommand],
    sizes: list[int],
    deflate: DeflateParameters | None,
    closer: str,
) -> None:
    """With and without permessage-deflate, whatever the pieces."""
    pair = new_pair(deflate)
    ask_forever(pair)
    for command in client_says:
        pair.client.send(command, pair.now)
    for command in server_says:
        pair.server.send(command, pair.now)
    for size in sizes:
        pair.deliver_to_server(size)
        pair.deliver_to_client(size)
    pair.run()
    assert messages(pair.server_events) == said(client_says)
    assert messages(pair.client_events) == said(server_says)
    if closer != "server":
        pair.client.send(StartClose(4001, "client"), pair.now)
    if closer != "client":
        pair.server.send(StartClose(4002, "server"), pair.now)
    pair.run()
    assert_over(pair)
    by = {
        "client": (Ended.LOCAL, Ended.REMOTE),
        "server": (Ended.REMOTE, Ended.LOCAL),
        "both": (Ended.LOCAL, Ended.LOCAL),
    }
    codes = {"client": (4001, 4001), "server": (4002, 4002), "both": (4002, 4001)}
    ends = pair.client_events[-1], pair.server_events[-1]
    assert all(end.clean and end.error is None for end in ends)
    assert tuple(end.by for end in ends) == by[closer]
    assert tuple(end.code for end in ends) == codes[closer]


move = st.one_of(
    st.tuples(st.sampled_from(["client", "server"]), st.one_of(text, binary, st.just(SendPing(b"p")))),
    st.tuples(st.sampled_from(["client", "server"]), st.sampled_from([RECEIVE_MESSAGE, RECEIVE_MESSAGE])),
    st.tuples(st.sampled_from(["client", "server"]), st.sampled_from([StartClose(), StartClose(4000, "x"), ABORT])),
    st.tuples(st.sampled_from(["to_client", "to_server"]), st.integers(1, 500)),
    st.tuples(st.sampled_from(["to_client", "to_server"]), st.integers(1, 500)),
    st.tuples(st.sampled_from(["wait"]), st.floats(0.0, 30.0)),
    st.tuples(st.sampled_from(["cut_to_client", "cut_to_server"]), st.integers(0, 50)),
    st.tuples(st.sampled_from(["spoil"]), st.integers(0, 50)),
)


@given(
    moves=st.lists(move, max_size=40),
    last=st.sampled_from(["close", "cut", "lose", "spoil", "silence"]),
    window=st.sampled_from([None, 100]),
    deflate=st.sampled_from(WINDOWS[:2]),
    autoclose=st.booleans(),
    can_half_close=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_both_ends_close_whatever_happens(
    moves: list[Any],
    last: str,
    window: int | None,
    deflate: DeflateParameters | None,
    autoclose: bool,
    can_half_close: bool,
) -> None:
    """`Pair.advance` refuses a due deadline that makes no progress."""
    pair = new_pair(deflate, window=window, autoclose=autoclose, can_half_close=can_half_close)
    for what, how in moves:
        try:
            play(pair, what, how)
        except LocalProtocolError:
            pass
        for machine in (pair.client, pair.server):
            assert machine.buffered() <= 5_000 + 7_000 + 5_100 + 500
    if last == "close":
        pair.server.send(StartClose(1001), pair.now)
    elif last == "cut":
        pair.cut_to_server()
        pair.cut_to_client()
    elif last == "lose":
        pair.lose()
    elif last == "spoil":
        pair.to_server.data[:0] = b"\xff\xff"
    ask_forever(pair)
    waited = 0.0
    while waited < LONGEST_SECONDS and {pair.client.state, pair.server.state} != {State.CLOSED}:
        if last != "silence":
            pair.run()
        pair.advance(1.0)
        waited += 1.0
    if last == "silence":
        for machine in (pair.client, pair.server):
            assert machine.state is State.CLOSED or (machine.state is State.OPEN and not machine.wants_data())
    else:
        pair.advance(LONGEST_SECONDS)  # what a closed end has not got rid of is guarded by its write timeout
        assert_over(pair)


def play(pair: Any, what: str, how: Any) -> None:
    if what == "client":
        pair.client.send(how, pair.now)
    elif what == "server":
        pair.server.send(how, pair.now)
    elif what == "to_client":
        pair.deliver_to_client(how)
    elif what == "to_server":
        pair.deliver_to_server(how)
    elif what == "cut_to_client":
        pair.cut_to_client(how)
    elif what == "cut_to_server":
        pair.cut_to_server(how)
    elif what == "spoil":
        data = pair.to_server.data
        if data:
            data[how % len(data)] ^= 0xFF
    else:
        pair.advance(how)


@pytest.mark.parametrize("seconds", [10.5])
def test_a_close_returns_within_its_timeout_whatever_the_peer_does(seconds: float) -> None:
    pair = new_pair()
    pair.server.send(StartClose(1001), pair.now)
    pair.advance(seconds)
    end = pair.server_events[-1]
    assert isinstance(end, SocketClosed)
    assert (end.code, end.clean, end.by) == (1006, False, Ended.LOCAL)
