"""Laws 5 to 7: under arbitrary bytes, commands and time a machine never breaks and never lies."""

import h11
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.machine import CHUNKED_POST, GET, READ, Server, post

from sansio_web.effects import AbortTransport, CloseTransport, ShutdownWrite
from sansio_web.errors import LocalProtocolError
from sansio_web.http.commands import (
    ABORT,
    STOP_PERSISTING,
    LimitContent,
    SendContent,
    SendEnd,
    SendHead,
    SendInterim,
    SendResponse,
    ServerCommand,
)
from sansio_web.http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentReceived,
    RequestReceived,
    RequestRefused,
)
from sansio_web.http.lifecycle import Phase, Receive, Send
from sansio_web.limits import Limits

LIMITS = Limits(
    max_head_bytes=400,
    max_content_bytes=500,
    max_buffered_content_bytes=100,
    max_pipelined_bytes=200,
    max_drained_bytes=300,
    max_linger_bytes=500,
    max_unsent_bytes=300,
    max_chunk_line_bytes=16,
    max_trailer_bytes=50,
)
LARGEST_PIECE = 120

COMMANDS: list[ServerCommand] = [
    READ,
    READ,
    SendResponse(200, b"OK", [], b"whole"),
    SendResponse(204, b"", [], b""),
    SendResponse(204, b"", [], b"x"),
    SendResponse(200, b"OK", [(b"X", b"\r\n")], b""),
    SendResponse(200, b"OK", [(b"Connection", b"close")], b"last"),
    SendResponse(99, b"", [], b""),
    SendHead(200, b"OK", []),
    SendHead(200, b"OK", [(b"Content-Length", b"3")]),
    SendHead(200, b"OK", [(b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked")]),
    SendHead(304, b"", []),
    SendHead(101, b"", [(b"Upgrade", b"x")]),
    SendContent(b"abc"),
    SendContent(b""),
    SendEnd(),
    SendEnd([(b"A", b"b")]),
    SendInterim(103, b"", []),
    SendInterim(100, b"", []),
    LimitContent(10),
    LimitContent(None),
    STOP_PERSISTING,
]
BYTES = st.one_of(
    st.sampled_from(
        [
            GET,
            GET + GET,
            b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
            post(b"abc"),
            post(b"ab", length=50),
            post(b"", b"Expect: 100-continue", length=3),
            CHUNKED_POST,
            b"5\r\nabcde\r\n",
            b"0\r\n\r\n",
            b"\r\n",
            b"x" * 60,
        ]
    ),
    st.binary(min_size=1, max_size=20),
)


class ServerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.methods: list[bytes] = []
        self.asked = 0
        self.closed = False
        self.ended = False
        self.wire = bytearray()

    @initialize(can_half_close=st.booleans())
    def begin(self, can_half_close: bool) -> None:
        self.server = Server(LIMITS, role=True, can_half_close=can_half_close)

    def observe(self) -> None:
        events = self.server.took_events()
        for event in events:
            assert not self.closed or isinstance(event, ContentReceived | ContentEnded | ContentBroken), event
            if isinstance(event, RequestReceived):
                self.methods.append(event.method)
            self.asked += isinstance(event, RequestReceived | RequestRefused)
            self.closed = self.closed or isinstance(event, ConnectionClosed)
        new = self.server.took()
        assert not new or not self.ended, "nothing is sent after our half has ended"
        self.wire += new
        self.ended = any(isinstance(e, ShutdownWrite | CloseTransport | AbortTransport) for e in self.server.effects)

    @precondition(lambda self: self.server.machine.wants_data())
    @rule(data=BYTES)
    def bytes_come(self, data: bytes) -> None:
        for at in range(0, len(data), LARGEST_PIECE):
            if self.server.machine.wants_data():
                self.server.feed(data[at : at + LARGEST_PIECE])
        self.observe()

    @rule(command=st.sampled_from(COMMANDS))
    def application_acts(self, command: ServerCommand) -> None:
        before = (self.server.http.receive, self.server.http.sending, self.server.phase, self.server.reason)
        wire = len(self.wire)
        try:
            self.server.send(command)
        except LocalProtocolError:
            self.observe()
            after = (
                self.server.http.receive,
                self.server.http.sending,
                self.server.phase,
                self.server.reason,
            )
            assert (before, wire) == (after, len(self.wire)), "a refused command was done in part"
        self.observe()

    @rule(seconds=st.floats(0.0, 100.0))
    def time_passes(self, seconds: float) -> None:
        self.server.wait(seconds)
        self.observe()

    @rule(unsent=st.integers(0, 1000))
    def transport_reports(self, unsent: int) -> None:
        self.server.unsent(min(unsent, len(self.wire)))
        self.observe()

    @precondition(lambda self: self.server.phase is not Phase.SWITCHED)
    @rule(which=st.sampled_from(["eof", "lose", "abort", *["nothing"] * 5]))
    def it_ends(self, which: str) -> None:
        if which == "eof":
            self.server.eof()
        elif which == "lose":
            self.server.lose()
        elif which == "abort":
            self.server.send(ABORT)
        self.observe()

    @invariant()
    def what_is_held_is_bounded(self) -> None:
        held = self.server.machine.buffered()
        assert (
            held
            <= LIMITS.max_buffered_content_bytes
            + LIMITS.max_pipelined_bytes
            + LIMITS.max_head_bytes
            + 2 * LARGEST_PIECE
        )

    @invariant()
    def whoever_waits_for_the_peer_has_a_deadline(self) -> None:
        http = self.server.http
        if http.phase is Phase.PERSISTENT and http.receive in (Receive.IDLE, Receive.HEAD):
            assert http.next_deadline() is not None
        if http.phase is Phase.LINGERING or (http.receive is Receive.CONTENT and http.sending is Send.COMPLETE):
            assert http.next_deadline() is not None or http.phase is Phase.CLOSED

    @invariant()
    def states_agree(self) -> None:
        http = self.server.http
        assert self.closed is (http.phase is Phase.CLOSED)
        assert (http.phase is Phase.SWITCHED) is (http.sending is Send.SWITCHED) is (http.receive is Receive.SWITCHED)
        assert (http.close_reason is None) is (http.phase is Phase.PERSISTENT)

    def teardown(self) -> None:
        """What went out is a sequence of responses, whole but for the last of them."""
        if not hasattr(self, "server"):
            return
        http = self.server.http
        data = bytes(self.wire)
        complete = 0
        for method in [*self.methods, b"GET"]:
            if not data:
                break
            ended, data = read_one(data, method)
            complete += ended
        assert not data
        open_ = http.sending in (Send.OWED, Send.CONTENT, Send.CUT)
        assert self.asked - open_ <= complete <= self.asked


def read_one(data: bytes, method: bytes) -> tuple[bool, bytes]:
    """Whether h11 finds a whole response, and what follows it; asserts that it finds nothing wrong."""
    client = h11.Connection(h11.CLIENT)
    fields = [(b"Host", b"a:1")]
    if method == b"GET":
        fields += [(b"Connection", b"upgrade"), (b"Upgrade", b"x")]
    client.send(h11.Request(method=method, target=b"a:1" if method == b"CONNECT" else b"/", headers=fields))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    while True:
        event = client.next_event()
        if event is h11.PAUSED:
            return True, b""
        if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            return False, b""
        if isinstance(event, h11.EndOfMessage):
            return True, client.trailing_data[0]


TestServerMachine = ServerMachine.TestCase
TestServerMachine.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
