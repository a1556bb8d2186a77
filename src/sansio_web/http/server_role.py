"""The server's end of an HTTP/1.1 connection (RFC 9112): requests in, responses out.

In: bytes, time, `ServerCommand`. Out: `ServerEvent`, effects. One exchange is open at a time; bytes of later requests
wait, bounded, until it is over.
Not here: what an application does with a request, the bytes of heads (`writer`), their meaning (`fast_lane`,
`h11_reader`).
"""

from collections.abc import Callable
from typing import Final, assert_never

from .._transitions import column, illegal, step
from ..effects import Transmit
from ..errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError
from ..limits import DEFAULT_LIMITS, Limits
from . import fast_lane, h11_reader
from .commands import (
    Abort,
    LimitContent,
    ReadContent,
    SendContent,
    SendEnd,
    SendHead,
    SendInterim,
    SendResponse,
    ServerCommand,
    StopPersisting,
)
from .connection import Connection, Deadline, join
from .events import PeerEnded, ProtocolSwitched, RequestReceived, RequestRefused, ServerEvent
from .framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Framing
from .heads import RequestHead
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
from .writer import (
    Stamp,
    content_bytes,
    end_bytes,
    interim_head,
    plain_head,
    response_head,
    switching_head,
)

# the columns of the hot path
_ASKED: Final = column(SEND, SendInput.ASKED)
_WHOLE_REQUEST: Final = column(RECEIVE, ReceiveInput.WHOLE)
_WHOLE_RESPONSE: Final = column(SEND, SendInput.WHOLE)
_NEXT_REQUEST: Final = column(RECEIVE, ReceiveInput.NEXT)
_NEXT_RESPONSE: Final = column(SEND, SendInput.NEXT)

_SPECIAL_METHODS: Final = (b"HEAD", b"CONNECT")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_BLANK: Final = (b"\r", b"\r\n")
"""What may stand before a request (RFC 9112 2.2) and does not begin one."""


def no_date() -> bytes:
    """A date for machines that are given no clock."""
    return b"Thu, 01 Jan 1970 00:00:00 GMT"


class ServerRole(Connection[ServerEvent]):
    """Reads requests and writes responses.

    request: of the open exchange, None between exchanges and for a refused one
    refused_at: when the last `RequestRefused` arose, for an answer to it
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        *,
        now: float,
        date: Callable[[], bytes] = no_date,
        server: bytes = b"",
        can_half_close: bool = True,
    ) -> None:
        """now: when the connection was accepted; date: IMF-fixdate; server: value of the Server field, b"" for none."""
        super().__init__(limits, can_half_close=can_half_close)
        self.request: RequestReceived | None = None
        self.refused_at = now
        self._stamp = Stamp(date, server)
        self._awaits_continue = False
        self.deadlines.set(Deadline.IDLE, now, limits.idle_timeout)

    # -- bytes in ------------------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes came; see `Connection`."""
        if self.receive is Receive.IDLE and not self._input and self.phase is Phase.PERSISTENT:
            head = fast_lane.read_request(data, self.limits)
            if head is not None and not (self._written.unsent and self._congested()):
                self._begin(head, data, now)
                return
        if self.phase is Phase.LINGERING:
            self._discard(len(data))
        elif self.phase in (Phase.CLOSED, Phase.SWITCHED) or self.receive is Receive.BROKEN or not data:
            return
        elif self.receive is Receive.CONTENT:
            self._awaits_continue = False  # RFC 9110 10.1.1: content is on its way, 100 may be omitted
            self._receive_content(data, now)
            self._check_drained(now)
        else:
            self._input = join(self._input, data)
            if self.receive is not Receive.HEAD or b"\n" in data or len(self._input) > self.limits.max_head_bytes:
                self._read_head(now)  # else it is the same incomplete line as before

    def _read_head(self, now: float) -> None:
        """Look for a request in what waits, if one may begin now."""
        if self.receive not in (Receive.IDLE, Receive.HEAD) or not self._input:
            return
        if self.receive is Receive.IDLE and (self.phase is not Phase.PERSISTENT or self._congested()):
            return
        head = None
        try:
            head = fast_lane.read_request(self._input, self.limits)
            head = head or h11_reader.read_request(self._input, self.limits)
        except RemoteProtocolError as error:
            self._refuse(error, now)
        if head is not None:
            data, self._input = self._input, b""
            self._begin(head, data, now)
        elif self.receive is Receive.IDLE and self._input not in _BLANK:
            self.receive = step(RECEIVE, self.receive, ReceiveInput.SOME_BYTES)
            self.deadlines.clear(Deadline.IDLE)
            self.deadlines.set(Deadline.HEAD, now, self.limits.head_timeout)
        if self.peer_ended:
            self._peer_ended(now)

    def _begin(self, head: RequestHead, data: bytes | bytearray, now: float) -> None:
        """A request's head is complete."""
        event, consumed, reader = head.event, head.consumed, head.reader
        self.deadlines.drop(Deadline.IDLE if self.receive is Receive.IDLE else Deadline.HEAD)
        self.request = event
        self.sending = _ASKED[self.sending]
        if not event.persistent:
            self._must_close(CloseReason.VERSION if event.version == b"1.0" else CloseReason.PEER_ASKED)
        self.events.append(event)
        rest = bytes(data[consumed:]) if consumed < len(data) else b""
        if reader is None:
            self.receive = _WHOLE_REQUEST[self.receive]
            self._input = rest
            return
        self.receive = step(RECEIVE, self.receive, ReceiveInput.HEAD)
        self._incoming = Incoming(reader, self.limits)
        self._awaits_continue = event.expects_continue
        if rest:
            self._awaits_continue = False  # RFC 9110 10.1.1: content is on its way, 100 may be omitted
            self._receive_content(rest, now)

    def _refuse(self, error: RemoteProtocolError, now: float) -> None:
        """What came is no request: an answer is owed all the same."""
        self.receive = step(RECEIVE, self.receive, ReceiveInput.FAIL)
        self.request = None
        self.refused_at = now
        self._incoming = None
        self._input = b""
        self.deadlines.clear(Deadline.IDLE, Deadline.HEAD)
        self._must_close(CloseReason.REFUSED)
        self.sending = step(SEND, self.sending, SendInput.ASKED)
        self.events.append(RequestRefused(error))

    def _peer_ended(self, now: float) -> None:
        if self.receive is Receive.CONTENT and self._incoming is not None:
            self._incoming.eof()
            self._settle_content(now)
            self._offer_content(now)
        elif self.receive is Receive.HEAD:
            self._refuse(PeerDisconnected("the peer ended its stream within a head (RFC 9112 8)"), now)
        elif self.receive is Receive.IDLE:
            if not self._input or self._input in _BLANK:
                self.close_reason = self.close_reason or CloseReason.PEER_ENDED
                self._close()
            return
        if self.sending in (Send.OWED, Send.CONTENT):
            self.events.append(PeerEnded())

    def _resume(self, now: float) -> None:
        self._read_head(now)

    def _content_settled(self, now: float) -> None:
        self.deadlines.clear(Deadline.CONTENT)
        if self.sending is Send.COMPLETE:
            self._exchange_over(now)

    # -- time ----------------------------------------------------------------------------------------------------------

    def _due(self, name: Deadline, now: float) -> None:
        if name is Deadline.IDLE and self._written.unsent and self.limits.write_timeout is not None:
            self.deadlines.set(Deadline.IDLE, now, self.limits.idle_timeout)  # WRITE guards this wait
        elif name is Deadline.IDLE:
            self.close_reason = self.close_reason or CloseReason.IDLE_TIMEOUT
            self._close()
        elif name is Deadline.HEAD:
            timeout = self.limits.head_timeout
            message = f"no complete head within {timeout} s (Limits.head_timeout)"
            self._refuse(RemoteProtocolError(message, status_hint=408), now)
        elif name is Deadline.CONTENT:
            limits = self.limits
            message = f"fewer than {limits.min_content_bytes} bytes of content within {limits.content_timeout} s"
            error = RemoteProtocolError(f"{message} (Limits.content_timeout, min_content_bytes)", status_hint=408)
            self._break_content(error)
            self._must_close(CloseReason.CONTENT_BROKEN)
        else:  # DRAIN
            self._must_close(CloseReason.UNREAD_CONTENT)
            self._end_write(now)

    # -- commands ------------------------------------------------------------------------------------------------------

    def send(self, command: ServerCommand, now: float) -> None:
        """Do what is asked for.

        raises: LocalProtocolError if it is not legal now or malformed; then nothing of it was done
        """
        if isinstance(command, SendResponse):  # the hot path
            self._send_response(command, now)
            return
        match command:
            case ReadContent():
                self._command_read(now)
                return
            case LimitContent():
                self._limit_content(command, now)
                self._offer_content(now)
                return
            case StopPersisting():
                self._stop_persisting()
                return
            case Abort():
                self._command_abort(now)
                return
            case _:
                self._check_open(command)
        match command:
            case SendHead():
                self._send_head(command, now)
            case SendContent():
                self._send_content(command)
            case SendEnd():
                self._send_end(command, now)
            case SendInterim():
                self._send_interim(command)
            case _:
                assert_never(command)

    def _send_response(self, command: SendResponse, now: float) -> None:
        if self.sending is not Send.OWED or self.phase is Phase.CLOSED:
            self._check_open(command)
            raise self._illegal(SendInput.WHOLE)
        content = command.content
        request = self.request
        if (
            self.phase is Phase.PERSISTENT
            and self.receive is Receive.COMPLETE
            and not self.peer_ended
            and request is not None
            and request.version == b"1.1"
            and request.method not in _SPECIAL_METHODS
        ):
            stamp = None if command.complete else self._stamp
            self._stamp.now = now
            head = plain_head(command.status, command.reason, command.fields, len(content), stamp)
            if head is not None:
                self.sending = _WHOLE_RESPONSE[self.sending]
                data = head + content
                self._written.transmitted += len(data)
                self.effects.append(Transmit(data))
                self._exchange_over(now)
                return
        method, data, framing, why = self._head(command, len(content))
        if framing is NO_CONTENT:
            if content:
                what = f"a {command.status} response has no content, but {len(content)} bytes were given"
                raise LocalProtocolError(f"{what} (RFC 9110 6.4.1)")
        elif method != b"HEAD":
            if framing is CHUNKED:
                content = content_bytes(CHUNKED, content) + end_bytes(CHUNKED, ())
            data += content
        self.sending = _WHOLE_RESPONSE[self.sending]
        self._head_settled(why)
        self._transmit(data)
        self._response_complete(now)

    def _head(
        self, command: SendResponse | SendHead, length: int | None
    ) -> tuple[bytes, bytes, Framing, CloseReason | None]:
        """The method that is answered, the head's bytes, its framing, and why the connection shall not persist then.

        Changes nothing, because the command may still be refused; `_head_settled` does.
        """
        request = self.request
        method, version = (request.method, request.version) if request is not None else (b"GET", b"1.1")
        if method == b"CONNECT" and 200 <= command.status <= 299:
            raise LocalProtocolError("a 2xx to CONNECT opens a tunnel: send it with SendHead (RFC 9110 9.3.6)")
        why = self._why_last(whole=length is not None)
        self._stamp.now = None
        stamp = None if command.complete else self._stamp
        data, framing, close = response_head(
            method, version, command.status, command.reason, command.fields, length, stamp, why is not None
        )
        if close and why is None:
            why = CloseReason.UNTIL_CLOSE if framing is UNTIL_CLOSE else CloseReason.APPLICATION
        return method, data, framing, why

    def _head_settled(self, why: CloseReason | None) -> None:
        """The head of the final response goes out now."""
        self._awaits_continue = False
        if why is not None:
            self._must_close(why)

    def _why_last(self, *, whole: bool) -> CloseReason | None:
        """Why the response must say that the connection closes (RFC 9112 9.6), before its own fields are asked.

        whole: the response ends with this command, so that content which nobody has read will be discarded
        """
        if self.phase is not Phase.PERSISTENT:
            return self.close_reason
        if self.receive is Receive.CONTENT:
            if self._awaits_continue:
                return CloseReason.UNMET_EXPECTATION  # it may or may not send its content now
            if whole and self._unread() > self.limits.max_drained_bytes:
                return CloseReason.UNREAD_CONTENT
        return CloseReason.PEER_ENDED if self.peer_ended and not self._input else None

    def _unread(self) -> int:
        """Bytes of content that are known to come and will be discarded."""
        return (self._incoming.remaining() or 0) if self._incoming and self.receive is Receive.CONTENT else 0

    def _send_head(self, command: SendHead, now: float) -> None:
        tunnel = self.request is not None and self.request.method == b"CONNECT" and 200 <= command.status <= 299
        if command.status == 101 or tunnel:
            self._switch(command)
            return
        if self.sending is not Send.OWED:
            raise self._illegal(SendInput.HEAD)
        method, data, framing, why = self._head(command, None)
        self._head_settled(why)
        self._outgoing.start(framing, suppressed=method == b"HEAD")
        self.sending = step(SEND, self.sending, SendInput.HEAD)
        self._transmit(data)

    def _send_content(self, command: SendContent) -> None:
        if self.sending is not Send.CONTENT:
            raise self._illegal(SendInput.DATA)
        self._outgoing.sent(len(command.data))
        if not self._outgoing.suppressed:
            self._transmit(content_bytes(self._outgoing.framing, command.data))

    def _send_end(self, command: SendEnd, now: float) -> None:
        if self.sending is not Send.CONTENT:
            raise self._illegal(SendInput.END)
        self._outgoing.check_complete()
        last = end_bytes(self._outgoing.framing, command.trailers)
        self.sending = step(SEND, self.sending, SendInput.END)
        if not self._outgoing.suppressed:
            self._transmit(last)
        self._response_complete(now)

    def _send_interim(self, command: SendInterim) -> None:
        if self.sending is not Send.OWED:
            raise self._illegal(SendInput.INTERIM)
        data = interim_head(command.status, command.reason, command.fields)
        if command.status == 100:
            self._awaits_continue = False
        if self.request is not None and self.request.version != b"1.0":  # RFC 9110 15.2: none to an HTTP/1.0 client
            self._transmit(data)

    def _switch(self, command: SendHead) -> None:
        if self.sending is not Send.OWED:
            raise self._illegal(SendInput.SWITCH)
        request = self.request
        if request is None or self.receive is not Receive.COMPLETE:
            raise LocalProtocolError("protocols are switched after the whole request was received (RFC 9110 7.8)")
        if command.status == 101 and not request.upgrade:
            raise LocalProtocolError("101 without an Upgrade field in the request (RFC 9110 7.8)")
        self._stamp.now = None
        stamp = b"" if command.complete else self._stamp.both()
        data = switching_head(command.status, command.reason, command.fields, stamp)
        self.sending = step(SEND, self.sending, SendInput.SWITCH)
        self.receive = step(RECEIVE, self.receive, ReceiveInput.SWITCH)
        self.phase = step(PHASE, self.phase, PhaseInput.SWITCH)
        self.close_reason = CloseReason.SWITCHED
        self._transmit(data)
        received, self._input = bytes(self._input), b""
        self.events.append(ProtocolSwitched(request.upgrade or b"CONNECT", received))

    def _command_read(self, now: float) -> None:
        if self._awaits_continue and self.sending is Send.OWED and self._incoming is not None:
            self._incoming.judge()
            if self._incoming.error is None:
                self._transmit(_CONTINUE)
            self._awaits_continue = False
        self._read_content(now)

    def _stop_persisting(self) -> None:
        if self.phase is Phase.PERSISTENT:
            self._must_close(CloseReason.STOPPING)
            if self.receive is Receive.IDLE and self.sending is Send.IDLE:
                self._close()

    def _command_abort(self, now: float) -> None:
        if self.phase is Phase.LINGERING and self._written.unsent:
            self._abort(CloseReason.ABORTED)
        elif self.phase not in (Phase.PERSISTENT, Phase.LAST):
            if self._written.unsent:
                self._drop()
        elif self.sending in (Send.OWED, Send.CONTENT):
            self._abandon(now)
        else:
            self._abort(CloseReason.ABORTED)

    def _illegal(self, moved_by: SendInput) -> LocalProtocolError:
        error = illegal(SEND, self.sending, moved_by)
        if self.sending is Send.COMPLETE:
            return LocalProtocolError(f"{error}; the response to this request is complete: one request, one response")
        return error

    # -- the end of an exchange ----------------------------------------------------------------------------------------

    def _response_complete(self, now: float) -> None:
        """SEND has just become COMPLETE."""
        if self.receive is not Receive.CONTENT:
            self._exchange_over(now)
        elif self.phase is Phase.PERSISTENT:
            self._discard_content()
            self.deadlines.clear(Deadline.CONTENT)
            self.deadlines.set(Deadline.DRAIN, now, self.limits.drain_timeout)
            self._check_drained(now)
        else:
            self._end_write(now)

    def _check_drained(self, now: float) -> None:
        """Rule 2: content that nobody reads is worth only so much."""
        incoming = self._incoming
        if self.sending is not Send.COMPLETE or self.receive is not Receive.CONTENT or incoming is None:
            return
        if incoming.discarded + self._unread() > self.limits.max_drained_bytes:
            self._must_close(CloseReason.UNREAD_CONTENT)
            self._end_write(now)

    def _exchange_over(self, now: float) -> None:
        """Rule 1: both messages are settled."""
        if self.receive is not Receive.COMPLETE or (self.peer_ended and not self._input):
            self._must_close(CloseReason.PEER_ENDED)
        if self.phase is not Phase.PERSISTENT:
            self._end_write(now)
            return
        if self._incoming is not None:
            self._incoming = None
            self.deadlines.clear(Deadline.DRAIN, Deadline.CONTENT)
        self.sending = _NEXT_RESPONSE[self.sending]
        self.receive = _NEXT_REQUEST[self.receive]
        self.request = None
        self.deadlines.set(Deadline.IDLE, now, self.limits.idle_timeout)
        if self._input:
            self._read_head(now)
