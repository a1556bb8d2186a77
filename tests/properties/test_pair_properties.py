"""A client's and a server's machine, and a link that splits, delays and cuts: what both must agree on."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from sansio_web.errors import LocalProtocolError
from sansio_web.http.commands import (
    ABORT,
    READ_CONTENT,
    ClientCommand,
    SendContent,
    SendEnd,
    SendHead,
    SendInterim,
    SendRequest,
    SendResponse,
)
from sansio_web.http.events import (
    ConnectionClosed,
    ContentBroken,
    ContentEnded,
    ContentReceived,
    ExchangeEnded,
    InterimReceived,
    RequestReceived,
    ResponseBroken,
    ResponseReceived,
)
from sansio_web.http.framing import NO_CONTENT, UNTIL_CLOSE
from sansio_web.http.lifecycle import Phase
from sansio_web.limits import Limits
from sansio_web.testing.pair import Pair

Lines = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Request:
    """What a client shall say."""

    method: bytes
    target: bytes
    version: bytes
    fields: Lines
    content: tuple[bytes, ...] | None
    chunked: bool
    trailers: Lines

    def commands(self) -> list[ClientCommand]:
        commands: list[ClientCommand] = [SendRequest(self.method, self.target, self.all_fields(), self.version)]
        if self.content is not None and (self.chunked or self.whole):
            commands += [SendContent(piece) for piece in self.content]
            commands.append(SendEnd(self.trailers if self.chunked else ()))
        return commands

    def all_fields(self) -> Lines:
        framing: Lines = ()
        if self.content is not None:
            coded = (b"Transfer-Encoding", b"chunked")
            framing = (coded if self.chunked else (b"Content-Length", b"%d" % len(self.whole)),)
        return ((b"Host", b"h"), *self.fields, *framing)

    @property
    def whole(self) -> bytes:
        return b"".join(self.content or ())


@dataclass(frozen=True)
class Answer:
    """What a server shall say, and whether it reads the request's content before."""

    status: int
    fields: Lines
    content: tuple[bytes, ...]
    how: str  # at once, with its length, or without (chunked in HTTP/1.1, until close in HTTP/1.0)
    trailers: Lines
    interims: int
    reads: bool

    @property
    def whole(self) -> bytes:
        return b"".join(self.content)


@dataclass
class Heard:
    """A message as the other end heard it."""

    head: Any
    content: bytes = b""
    end: Any = None

    @property
    def complete(self) -> bool:
        return isinstance(self.end, ContentEnded)


@dataclass
class Conversation:
    """Scripted applications on both ends of a pair."""

    requests: list[Request]
    answers: list[Answer]
    pair: Any
    pending: list[ClientCommand] = field(default_factory=list)
    asked: int = 0
    heard_requests: list[Heard] = field(default_factory=list)
    heard_responses: list[Heard] = field(default_factory=list)
    interims: int = 0
    ends: list[ExchangeEnded] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pair.on_server_event(self.serve)
        self.pair.on_client_event(self.hear)
        self.ask()

    # -- the client's application

    def ask(self) -> None:
        self.pending = self.requests[self.asked].commands()
        self.asked += 1

    def say(self) -> bool:
        """One command, if it is time for one."""
        client = self.pair.client
        if client.phase not in (Phase.PERSISTENT, Phase.LAST):
            self.pending.clear()
        if not self.pending or client.awaits_continue:
            return False
        client.send(self.pending.pop(0), self.pair.now)
        return True

    def hear(self, happened: Any) -> None:
        assert not (self.ends and not self.ends[-1].persistent and not isinstance(happened, ConnectionClosed))
        match happened:
            case InterimReceived():
                self.interims += 1
            case ResponseReceived():
                ended = ContentEnded() if happened.framing is NO_CONTENT else None
                self.heard_responses.append(Heard(happened, end=ended))
                if ended is None:
                    self.pair.client.send(READ_CONTENT, self.pair.now)
            case ContentReceived():
                self.heard_responses[-1].content += happened.data
                self.pair.client.send(READ_CONTENT, self.pair.now)
            case ContentEnded() | ContentBroken():
                assert self.heard_responses[-1].end is None
                self.heard_responses[-1].end = happened
            case ExchangeEnded():
                self.ends.append(happened)
                if happened.persistent and self.asked < len(self.requests):
                    self.ask()
            case _:
                assert isinstance(happened, (ConnectionClosed, ResponseBroken)), happened

    # -- the server's application

    def serve(self, happened: Any) -> None:
        match happened:
            case RequestReceived():
                whole = happened.framing is NO_CONTENT
                self.heard_requests.append(Heard(happened, end=ContentEnded() if whole else None))
                if whole or not self.answer.reads:
                    self.respond()
                else:
                    self.pair.server.send(READ_CONTENT, self.pair.now)
            case ContentReceived():
                self.heard_requests[-1].content += happened.data
                self.pair.server.send(READ_CONTENT, self.pair.now)
            case ContentEnded():
                self.heard_requests[-1].end = happened
                self.respond()
            case ContentBroken():
                self.heard_requests[-1].end = happened
                self.pair.server.send(ABORT, self.pair.now)
            case _:
                pass

    @property
    def answer(self) -> Answer:
        return self.answers[len(self.heard_requests) - 1]

    def respond(self) -> None:
        answer, now, send = self.answer, self.pair.now, self.pair.server.send
        bare = answer.status in (204, 304)
        try:
            for _ in range(answer.interims):
                send(SendInterim(103, b"Early Hints"), now)
            if answer.how == "at once":
                send(SendResponse(answer.status, b"R", answer.fields, b"" if bare else answer.whole), now)
                return
            length: Lines = ((b"Content-Length", b"%d" % len(answer.whole)),)
            with_length = answer.how == "with its length" and not bare
            send(SendHead(answer.status, b"R", answer.fields + (length if with_length else ())), now)
            for piece in () if bare else answer.content:
                send(SendContent(piece), now)
            send(SendEnd(() if bare or with_length else answer.trailers), now)
        except LocalProtocolError as error:
            if "the connection has ended" not in str(error):
                raise

    # -- what happens around them

    def step(self, action: tuple[str, int]) -> None:
        what, number = action
        if what == "say":
            self.say()
        elif what == "to server":
            self.pair.deliver_to_server(number)
        elif what == "to client":
            self.pair.deliver_to_client(number)
        else:
            self.pair.advance(number / 100)

    def finish(self) -> None:
        """Let everybody say and hear everything."""
        while True:
            before = len(self.pair.trace)
            while self.say():
                pass
            self.pair.run()
            if len(self.pair.trace) == before:
                return

    def wait_for_the_end(self) -> None:
        """Let time pass until nothing is due."""
        for _ in range(100):
            self.finish()
            if self.pair.next_deadline() is None:
                break
            self.pair.advance(10.0)


# ---- what is said

names = st.from_regex(rb"X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}", fullmatch=True)
values = st.from_regex(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,10}[!-~\x80-\xff])?)?", fullmatch=True)
lines = st.lists(st.tuples(names, values), max_size=3).map(tuple)
pieces = st.lists(st.binary(max_size=40), max_size=4).map(tuple)
targets = st.from_regex(rb"/[A-Za-z0-9._~!$&'()*+,;=:@/?%-]{0,20}", fullmatch=True)
persistence = st.sampled_from([(), (), ((b"Connection", b"close"),), ((b"Connection", b"keep-alive"),)])


@st.composite
def drawn_requests(draw: st.DrawFn) -> Request:
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    content = draw(st.none() | pieces)
    expects = ((b"Expect", b"100-continue"),) if content and draw(st.booleans()) else ()
    return Request(
        method=draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"BREW"])),
        target=draw(targets),
        version=version,
        fields=draw(lines) + draw(persistence) + expects,
        content=content,
        chunked=version == b"1.1" and draw(st.booleans()),
        trailers=draw(lines),
    )


drawn_answers = st.builds(
    Answer,
    status=st.sampled_from([200, 200, 201, 204, 206, 304, 404, 500]),
    fields=st.tuples(lines, persistence).map(lambda both: both[0] + both[1]),
    content=pieces,
    how=st.sampled_from(["at once", "with its length", "without"]),
    trailers=lines,
    interims=st.integers(0, 2),
    reads=st.sampled_from([True, True, False]),
)
exchanges = st.lists(st.tuples(drawn_requests(), drawn_answers), min_size=1, max_size=3)
deeds = st.sampled_from(["say", "to server", "to client", "wait"])
schedules = st.lists(st.tuples(deeds, st.integers(1, 60)), max_size=40)
windows = st.none() | st.integers(0, 60)
cuts = st.tuples(
    st.sampled_from(["to server", "to client", "both", "lost"]),
    st.none() | st.integers(0, 80),
    st.integers(0, 40),
)

LIMITS = Limits(max_buffered_content_bytes=30)


def converse(
    said: list[tuple[Request, Answer]],
    schedule: list[tuple[str, int]],
    window: int | None,
    cut: tuple[str, int | None, int] | None = None,
) -> Conversation:
    """Run the schedule, with the cut in it if there is one; then everything else."""
    pair = Pair.http(LIMITS, window=window)
    talk = Conversation([request for request, _ in said], [answer for _, answer in said], pair)
    for number, action in enumerate(schedule):
        if cut is not None and number == cut[2]:
            break
        talk.step(action)
    if cut is not None:
        what, after, _ = cut
        if what in ("to server", "both"):
            pair.cut_to_server(after)
        if what in ("to client", "both"):
            pair.cut_to_client(after)
        if what == "lost":
            pair.lose()
    talk.finish()
    return talk


def check_request(heard: Heard, request: Request, *, reads: bool) -> None:
    """A request that was heard whole is the one that was said."""
    head = heard.head
    assert (head.method, head.target, head.version) == (request.method, request.target, request.version)
    assert head.fields.items() == request.all_fields()
    if heard.complete and (reads or head.framing is NO_CONTENT):
        assert heard.content == request.whole
        assert heard.end.trailers.items() == (
            request.trailers if request.chunked and request.content is not None else ()
        )


def check_response(heard: Heard, answer: Answer, request: Request) -> None:
    """A response that was heard whole is the one that was said."""
    head = heard.head
    assert (head.status, head.reason) == (answer.status, b"R")
    said = [line for line in answer.fields if line[0].startswith(b"X-")]
    assert [line for line in head.fields if line[0].startswith(b"X-")] == said
    if not heard.complete:
        return
    bare = request.method == b"HEAD" or answer.status in (204, 304)
    assert heard.content == (b"" if bare else answer.whole)
    trailers = answer.how == "without" and request.version == b"1.1" and not bare
    assert heard.end.trailers.items() == (answer.trailers if trailers else ())


# ---- the properties


@settings(max_examples=150, deadline=None)
@given(exchanges, schedules, windows)
def test_both_ends_agree_on_what_was_said_when_nothing_is_cut(
    said: list[tuple[Request, Answer]], schedule: list[tuple[str, int]], window: int | None
) -> None:
    talk = converse(said, schedule, window)
    assert len(talk.heard_requests) == len(talk.heard_responses) == talk.asked
    for heard, (request, answer) in zip(talk.heard_requests, said, strict=False):
        assert heard.complete or not answer.reads
        check_request(heard, request, reads=answer.reads)
    for heard, (request, answer) in zip(talk.heard_responses, said, strict=False):
        assert heard.complete
        check_response(heard, answer, request)
    interims = [answer.interims for request, answer in said[: talk.asked] if request.version == b"1.1"]
    continued = sum(each.status == 100 for each in talk.pair.client_events if isinstance(each, InterimReceived))
    assert talk.interims == sum(interims) + continued
    if all(answer.reads for _, answer in said):
        assert len(talk.ends) == talk.asked
        assert [each.persistent for each in talk.ends[:-1]] == [True] * (talk.asked - 1)
        alive = talk.ends[-1].persistent
        assert not alive or talk.asked == len(said)
        assert (talk.pair.client.phase, talk.pair.server.http.phase) == (
            (Phase.PERSISTENT, Phase.PERSISTENT) if alive else (Phase.CLOSED, Phase.CLOSED)
        )
    event(f"{talk.asked} of {len(said)} exchanges")
    check_the_end(talk)


@settings(max_examples=250, deadline=None)
@given(exchanges, schedules, windows, cuts)
def test_what_is_cut_off_is_not_taken_for_complete_and_both_end(
    said: list[tuple[Request, Answer]],
    schedule: list[tuple[str, int]],
    window: int | None,
    cut: tuple[str, int | None, int],
) -> None:
    talk = converse(said, schedule, window, cut)
    check_the_end(talk)
    for heard, (request, answer) in zip(talk.heard_requests, said, strict=False):
        check_request(heard, request, reads=answer.reads)
    answered = talk.heard_responses[: len(talk.heard_requests)]  # one more refuses a head that was cut off
    assert all(heard.head.status == 400 for heard in talk.heard_responses[len(answered) :])
    for heard, (request, answer) in zip(answered, said, strict=False):
        if heard.head.framing is UNTIL_CLOSE and heard.complete:  # an end is an end (RFC 9112 8)
            assert answer.whole.startswith(heard.content)
        else:
            check_response(heard, answer, request)


def check_the_end(talk: Conversation) -> None:
    """Both ends get there by themselves, tell it once and last, and leave nothing behind."""
    talk.wait_for_the_end()
    pair = talk.pair
    assert pair.next_deadline() is None
    assert (pair.client.phase, pair.server.http.phase) == (Phase.CLOSED, Phase.CLOSED)
    for events in (pair.client_events, pair.server_events):
        assert [type(each) for each in events].count(ConnectionClosed) == 1
    assert isinstance(pair.client_events[-1], ConnectionClosed)
    assert (pair.client.wants_data(), pair.server.wants_data()) == (False, False)
    assert pair.client.buffered() == 0
    broken = sum(isinstance(each, ResponseBroken) for each in pair.client_events)
    assert len(talk.heard_responses) + broken <= talk.asked
    assert len(talk.ends) <= len([heard for heard in talk.heard_responses if heard.complete])


@settings(max_examples=60, deadline=None)
@given(exchanges, schedules, windows, st.none() | cuts)
def test_the_same_calls_give_the_same_trace(
    said: list[tuple[Request, Answer]],
    schedule: list[tuple[str, int]],
    window: int | None,
    cut: tuple[str, int | None, int] | None,
) -> None:
    traces = []
    for _ in range(2):
        talk = converse(said, schedule, window, cut)
        talk.wait_for_the_end()
        traces.append([repr(entry) for entry in talk.pair.trace])
    assert traces[0] == traces[1]


# ---- one row for each cell, so that every framing is met in each run


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
@pytest.mark.parametrize("how", ["at once", "with its length", "without"])
@pytest.mark.parametrize("status", [200, 204, 304])
def test_every_framing_byte_by_byte(version: bytes, chunked: bool, method: bytes, how: str, status: int) -> None:
    content = None if method != b"POST" else (b"ab", b"", b"c")
    request = Request(method, b"/x", version, (), content, chunked and version == b"1.1", ((b"X-T", b"1"),))
    answer = Answer(status, ((b"X-A", b"b"),), (b"hello", b"world"), how, ((b"X-U", b"2"),), 1, True)
    pair = Pair.http(LIMITS)
    talk = Conversation([request], [answer], pair)
    for _ in range(10):
        while talk.say():
            pass
        pair.deliver_bytewise_to_server()
        pair.deliver_bytewise_to_client()
    talk.finish()
    check_request(talk.heard_requests[0], request, reads=True)
    check_response(talk.heard_responses[0], answer, request)
    assert talk.heard_requests[0].complete
    assert talk.heard_responses[0].complete
    assert len(talk.ends) == 1
