"""The client's end of an HTTP/1.1 connection (RFC 9112): requests out, responses in.

In: bytes, time, `ClientCommand`. Out: `ClientEvent`, effects. One exchange is open at a time; requests are
not pipelined.
Not here: which connection a request takes (the pool's), the bytes of heads (`writer`), their meaning
(`fast_lane`, `h11_reader`).

An exchange ends once: in `ExchangeEnded`, after its content was told to the end; or in `ConnectionClosed`,
after `ResponseBroken` or `ContentBroken` if the response was not whole. What came in before the connection
ended can be read afterwards; `ConnectionClosed` waits for that and is the last event all the same.
"""

from typing import Final, assert_never

from .._transitions import illegal, step
from ..errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError
from ..limits import DEFAULT_LIMITS, Limits
from . import fast_lane, h11_reader
from .commands import (
    Abort,
    ClientCommand,
    FieldLines,
    LimitContent,
    ReadContent,
    SendContent,
    SendEnd,
    SendRequest,
    StopPersisting,
)
from .connection import Connection, Deadline, join
from .events import (
    ClientEvent,
    ContentBroken,
    ContentEnded,
    ExchangeEnded,
    InterimReceived,
    ProtocolSwitched,
    ResponseBroken,
    ResponseReceived,
)
from .fields import tokens
from .framing import NO_CONTENT, UNTIL_CLOSE
from .heads import ResponseHead
from .incoming import Incoming
from .lifecycle import (
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
from .writer import content_bytes, end_bytes, request_head

_OPEN: Final = (Phase.PERSISTENT, Phase.LAST)
_CONTINUE_TIMEOUT: Final = 1.0  # RFC 9110 10.1.1: a client must not wait for 100 (Continue) indefinitely


class ClientRole(Connection[ClientEvent]):
    """Writes requests and reads responses.

    request: of the open exchange, None between exchanges; set by SendRequest
    response: the final response to it, once its head came
    interims: how many interim responses came before that
    awaits_continue: the request said `Expect: 100-continue`; its content should wait until this is False: 100
        or a final response came, or the time for that is over (`continue_timeout`). Sending earlier is legal
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        *,
        now: float,
        can_half_close: bool = True,
        continue_timeout: float | None = _CONTINUE_TIMEOUT,
    ) -> None:
        """now: when the connection was made.

        continue_timeout: how long `awaits_continue` lasts at most; None: as long as it takes
        """
        super().__init__(limits, can_half_close=can_half_close)
        self.continue_timeout = continue_timeout
        self.request: SendRequest | None = None
        self.response: ResponseReceived | None = None
        self.interims = 0
        self.awaits_continue = False
        self._after_content: list[ClientEvent] = []
        self.deadlines.set(Deadline.IDLE, now, limits.idle_timeout)

    # -- asking ------------------------------------------------------------------------------------------

    def wants_data(self) -> bool:
        """Whether the adapter should read from the transport now.

        While idle too, so that the server's end is noticed before a reuse.
        """
        if self.peer_ended or self.phase not in _OPEN:
            return False
        if self.receive is Receive.CONTENT and self._incoming is not None:
            return self._incoming.held < self.limits.max_buffered_content_bytes
        return self.receive is not Receive.SWITCHED or len(self._input) < self.limits.max_pipelined_bytes

    # -- bytes in ----------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes came; see `Connection`."""
        if self.phase not in _OPEN or not data:
            return
        if self.receive is Receive.CONTENT:
            self._receive_content(data, now)
        elif self.request is None or self.receive is Receive.COMPLETE:
            self._unasked(len(data), now)
        else:
            self._input = join(self._input, data)
            self._read_heads(now)

    def _read_heads(self, now: float) -> None:
        """Read interim responses and the head of the final one, as far as they have come."""
        assert self.request is not None
        method = self.request.method
        while self._input and self.receive in (Receive.IDLE, Receive.HEAD):
            try:
                head = fast_lane.read_response(self._input, self.limits, request_method=method)
                head = head or h11_reader.read_response(self._input, self.limits, request_method=method)
            except RemoteProtocolError as error:
                self._break(error)
                return
            if head is None:
                if self.receive is Receive.IDLE:
                    self.receive = step(RECEIVE, self.receive, ReceiveInput.SOME_BYTES)
                self._time_head(now)
                return
            data, self._input = self._input, b""
            self.deadlines.clear(Deadline.HEAD)
            rest = bytes(data[head.consumed :]) if head.consumed < len(data) else b""
            if isinstance(head.event, InterimReceived):
                self._interim(head.event, rest, now)
            else:
                self._begin(head, head.event, rest, now)

    def _interim(self, event: InterimReceived, rest: bytes, now: float) -> None:
        self.interims += 1
        most = self.limits.max_interim_responses
        if self.interims > most:
            many = f"more than {most} interim responses (Limits.max_interim_responses)"
            self._break(RemoteProtocolError(many))
            return
        self.receive = step(RECEIVE, self.receive, ReceiveInput.INTERIM)
        if event.status == 100:
            self._continued()
        self.events.append(event)
        self._input = rest
        self._time_head(now)

    def _begin(self, head: ResponseHead, event: ResponseReceived, rest: bytes, now: float) -> None:
        """A final response's head is complete."""
        request = self.request
        assert request is not None
        self._continued()
        if event.status == 101 or (request.method == b"CONNECT" and 200 <= event.status <= 299):
            self._begin_switch(request, event, rest)
            return
        self.response = event
        if not event.persistent:
            self._must_close(_why_not_persistent(event))
        self.events.append(event)
        if head.reader is None:
            self.receive = step(RECEIVE, self.receive, ReceiveInput.WHOLE)
            self._input = rest
            self._exchange_over(now)
            return
        self.receive = step(RECEIVE, self.receive, ReceiveInput.HEAD)
        self._incoming = Incoming(head.reader, self.limits)
        if rest:
            self._receive_content(rest, now)

    def _begin_switch(self, request: SendRequest, event: ResponseReceived, rest: bytes) -> None:
        """The server switches protocols; we do when our request is complete (RFC 9110 7.8)."""
        if event.status == 101:
            offered = _protocols(request.fields)
            chosen = tokens(event.fields.get(b"upgrade"))
            if not chosen or not set(chosen) <= set(offered):
                what = f"101 to {b', '.join(chosen)!r}, asked for was {b', '.join(offered)!r} (RFC 9110 7.8)"
                self._break(RemoteProtocolError(what))
                return
        self.response = event
        self.receive = step(RECEIVE, self.receive, ReceiveInput.SWITCH)
        self.events.append(event)
        self._input = rest
        if self.sending is Send.COMPLETE:
            self._switch(event)

    def _switch(self, event: ResponseReceived) -> None:
        """Both sides are done with HTTP."""
        self.sending = step(SEND, self.sending, SendInput.SWITCH)
        self.phase = step(PHASE, self.phase, PhaseInput.SWITCH)
        self.close_reason = CloseReason.SWITCHED
        received, self._input = bytes(self._input), b""
        protocol = (event.fields.get(b"upgrade") or b"") if event.status == 101 else b"CONNECT"
        self.events.append(ProtocolSwitched(protocol, received))

    def _unasked(self, count: int, now: float) -> None:
        """Bytes that belong to no request: nothing that follows can be believed (RFC 9112 6.3)."""
        self._must_close(CloseReason.UNASKED)
        if self.request is None:
            error = RemoteProtocolError(f"{count} bytes came although no request was open (RFC 9112 6.3)")
            self._close(error)
        else:
            self._exchange_over(now)

    def _break(self, error: RemoteProtocolError) -> None:
        """There will be no final response."""
        self._must_close(CloseReason.RESPONSE_BROKEN)
        self._close(error)

    def _peer_ended(self, now: float) -> None:
        if self.receive is Receive.CONTENT and self._incoming is not None:
            self._incoming.eof()
            self._settle_content(now)
            self._offer_content(now)
        elif self.request is None:
            self._must_close(CloseReason.PEER_ENDED)
            self._close()
        elif self.receive is Receive.COMPLETE:
            self._must_close(CloseReason.PEER_ENDED)
            self._exchange_over(now)
        else:
            self._must_close(CloseReason.PEER_ENDED)
            where = "within the head of a response" if self.receive is Receive.HEAD else "before a response"
            self._break(PeerDisconnected(f"the peer ended its stream {where} (RFC 9112 8)"))

    def _resume(self, now: float) -> None:
        """Nothing waits for the peer to take bytes: the response is read all the while."""

    # -- content in --------------------------------------------------------------------------------------

    def _content_settled(self, now: float) -> None:
        self.deadlines.clear(Deadline.CONTENT)
        if self.receive is Receive.BROKEN:
            assert self._incoming is not None
            self._close(self._incoming.error)
        else:
            self._exchange_over(now)

    def _offer_content(self, now: float) -> None:
        super()._offer_content(now)
        if self._told() and self.phase in _OPEN:
            self._exchange_over(now)

    def _break_content(self, error: RemoteProtocolError) -> None:
        super()._break_content(error)
        self._told()

    def _told(self) -> bool:
        """Whether the end of the content has just been told; what had to come after it comes then."""
        if self._incoming is None or not self.events:
            return False
        if not isinstance(self.events[-1], (ContentEnded, ContentBroken)):
            return False
        self._forget_content()
        return True

    def _forget_content(self) -> None:
        self._incoming = None
        self.events.extend(self._after_content)
        self._after_content.clear()

    # -- time --------------------------------------------------------------------------------------------

    def _time_head(self, now: float) -> None:
        """A head may take its time from its first byte on, or since our request was complete."""
        waits = self.sending is Send.COMPLETE or self.receive is Receive.HEAD
        if waits and self.deadlines.at(Deadline.HEAD) is None:
            self.deadlines.set(Deadline.HEAD, now, self.limits.head_timeout)

    def _continued(self) -> None:
        self.awaits_continue = False
        self.deadlines.clear(Deadline.CONTINUE)

    def _due(self, name: Deadline, now: float) -> None:
        limits = self.limits
        if name is Deadline.IDLE:
            self._must_close(CloseReason.IDLE_TIMEOUT)
            self._close()
        elif name is Deadline.CONTINUE:
            self._continued()
        elif name is Deadline.CONTENT:
            few = f"fewer than {limits.min_content_bytes} bytes of content within {limits.content_timeout} s"
            error = RemoteProtocolError(f"{few} (Limits.content_timeout, min_content_bytes)", status_hint=408)
            self._must_close(CloseReason.CONTENT_BROKEN)
            self._break_content(error)
            self._close(error)
        elif self._written.unsent and limits.write_timeout is not None:
            self._time_head(now)  # the request has not left yet, and WRITE guards that
        else:
            message = f"no complete head of a response within {limits.head_timeout} s (Limits.head_timeout)"
            self._break(RemoteProtocolError(message, status_hint=408))

    # -- commands ----------------------------------------------------------------------------------------

    def send(self, command: ClientCommand, now: float) -> None:
        """Do what is asked for.

        Abort gives up the response, too, even what came of it. To stop sending after an early final response
        and still read that: send no more, read to ContentEnded, then Abort.

        raises: LocalProtocolError if it is not legal now or malformed; then nothing of it was done
        """
        match command:
            case SendRequest():
                self._check_open(command)
                self._send_request(command, now)
            case SendContent():
                self._check_open(command)
                self._send_content(command)
            case SendEnd():
                self._check_open(command)
                self._send_end(command, now)
            case ReadContent():
                self._command_read(now)
            case LimitContent():
                self._limit_content(command, now)
                self._offer_content(now)
            case StopPersisting():
                self._stop_persisting(now)
            case Abort():
                self._command_abort()
            case _:
                assert_never(command)

    def _send_request(self, command: SendRequest, now: float) -> None:
        if self.sending is not Send.IDLE:
            error = illegal(SEND, self.sending, SendInput.WHOLE)
            raise LocalProtocolError(f"{error}; one request at a time, no pipelining (RFC 9112 9.3.2)")
        head = request_head(command.method, command.target, command.version, command.fields)
        whole = head.framing is NO_CONTENT
        self.sending = step(SEND, self.sending, SendInput.WHOLE if whole else SendInput.HEAD)
        self.request = command
        if head.closes:
            self._must_close(CloseReason.VERSION if command.version == b"1.0" else CloseReason.APPLICATION)
        self.deadlines.clear(Deadline.IDLE)
        self._outgoing.start(head.framing, suppressed=False)
        self._transmit(head.data)
        if not whole and _expects_continue(command):
            self.awaits_continue = True
            self.deadlines.set(Deadline.CONTINUE, now, self.continue_timeout)
        self._time_head(now)

    def _send_content(self, command: SendContent) -> None:
        if self.sending is not Send.CONTENT:
            raise illegal(SEND, self.sending, SendInput.DATA)
        self._outgoing.sent(len(command.data))
        self._continued()
        self._transmit(content_bytes(self._outgoing.framing, command.data))

    def _send_end(self, command: SendEnd, now: float) -> None:
        if self.sending is not Send.CONTENT:
            raise illegal(SEND, self.sending, SendInput.END)
        self._outgoing.check_complete()
        last = end_bytes(self._outgoing.framing, command.trailers)
        self.sending = step(SEND, self.sending, SendInput.END)
        self._continued()
        self._transmit(last)
        if self.receive is Receive.SWITCHED:
            assert self.response is not None
            self._switch(self.response)
        elif self.receive is Receive.COMPLETE:
            self._exchange_over(now)
        elif self.receive is not Receive.CONTENT:
            self._time_head(now)

    def _command_read(self, now: float) -> None:
        if self._incoming is None:
            why = "it has none, or its end was told" if self.response else "no final response has come"
            raise LocalProtocolError(f"cannot read the content of the response: {why} (RFC 9112 6.3)")
        self._read_content(now)

    def _stop_persisting(self, now: float) -> None:
        if self.phase is not Phase.PERSISTENT:
            return
        self._must_close(CloseReason.STOPPING)
        if self.request is None:
            self._close()
        elif self.receive is Receive.COMPLETE:
            self._exchange_over(now)

    def _command_abort(self) -> None:
        if self.phase in _OPEN:
            self._abort(CloseReason.CUT if self.sending is Send.CONTENT else CloseReason.ABORTED)
        self._forget_content()

    # -- the end of an exchange --------------------------------------------------------------------------

    def _exchange_over(self, now: float) -> None:
        """The response is COMPLETE: go on as far as the request allows (lifecycle, rules 1 and 5)."""
        if self._input:
            self._must_close(CloseReason.UNASKED)
        if self.sending is Send.CONTENT:
            response = self.response
            assert response is not None
            if self.peer_ended or not response.persistent or self.close_reason is CloseReason.UNASKED:
                self._close()
        elif self.phase is Phase.LAST:
            self._after(ExchangeEnded(persistent=False))
            self._close()
        elif self._incoming is None:
            self._next(now)

    def _next(self, now: float) -> None:
        self.sending = step(SEND, self.sending, SendInput.NEXT)
        self.receive = step(RECEIVE, self.receive, ReceiveInput.NEXT)
        self.request = None
        self.response = None
        self.interims = 0
        self.deadlines.set(Deadline.IDLE, now, self.limits.idle_timeout)
        self.events.append(ExchangeEnded(persistent=True))

    def _after(self, event: ClientEvent) -> None:
        """Tell it after the content, if that was not told to its end."""
        (self.events if self._incoming is None else self._after_content).append(event)

    def _closed(self, error: RemoteProtocolError | None) -> None:
        if self.sending is Send.CONTENT:
            self.sending = step(SEND, self.sending, SendInput.CUT)
        if self.request is not None and self.receive in (Receive.IDLE, Receive.HEAD, Receive.SWITCHED):
            why = self.close_reason.value if self.close_reason else ""
            error = error or PeerDisconnected(f"the connection ended before a response: {why}")
            if self.receive is not Receive.SWITCHED:
                self.receive = step(RECEIVE, self.receive, ReceiveInput.FAIL)
            self.events.append(ResponseBroken(error))
        super()._closed(error)
        self._after(self.events.pop())


def _why_not_persistent(event: ResponseReceived) -> CloseReason:
    if event.framing is UNTIL_CLOSE:
        return CloseReason.UNTIL_CLOSE
    return CloseReason.VERSION if event.version == b"1.0" else CloseReason.PEER_ASKED


def _value(fields: FieldLines, lower_name: bytes) -> bytes:
    return b", ".join([value for name, value in fields if name.lower() == lower_name])


def _expects_continue(command: SendRequest) -> bool:
    """Whether 100 (Continue) may come; in HTTP/1.0 the expectation is ignored (RFC 9110 10.1.1)."""
    return command.version != b"1.0" and b"100-continue" in tokens(_value(command.fields, b"expect"))


def _protocols(fields: FieldLines) -> list[bytes]:
    """What a request offers to switch to; nothing unless the connection option says so (RFC 9110 7.8)."""
    return tokens(_value(fields, b"upgrade")) if b"upgrade" in tokens(_value(fields, b"connection")) else []
