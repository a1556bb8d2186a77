"""One end of a WebSocket connection after its opening handshake (RFC 6455 5 to 7), in either role.

In: bytes, end of stream, what the transport holds, commands, time. Out: effects, events, the next deadline.
Not here: the opening handshake (`opening`), frames (`intake`, `outgoing`), the table (`closing`).
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from .._transitions import illegal, step
from ..errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError
from .closing import TRANSITIONS, Ended, Input, State
from .codes import CloseCode, close_payload, cut_reason, read_close
from .commands import (
    Abort,
    ReceiveMessage,
    SendBytes,
    SendFrame,
    SendPing,
    SendPong,
    SendText,
    StartClose,
    WebSocketCommand,
)
from .deflate import DeflateParameters, deflater, inflater
from .ending import Deadline, Ending, Role
from .events import (
    CloseReceived,
    ConnectionFailed,
    MessageReceived,
    PingReceived,
    PongReceived,
)
from .fast_lane import small_message
from .heartbeat import Beat, Heartbeat
from .intake import Intake
from .limits import DEFAULT_WEBSOCKET_LIMITS, WebSocketLimits
from .opcodes import FIN, Opcode
from .outgoing import Outgoing, utf8
from .writer import Mask, heads

_Unread: TypeAlias = MessageReceived | PingReceived | PongReceived | CloseReceived | ConnectionFailed
_SENDS: Final = frozenset(state for state, moved_by in TRANSITIONS if moved_by is Input.SEND_DATA)
_TEXT_HEADS: Final = heads(FIN | Opcode.TEXT)
_SHORT: Final = len(_TEXT_HEADS)
_PING: Final = int(Opcode.PING)
_CLOSE: Final = int(Opcode.CLOSE)


class WebSocket(Ending):
    """A connection; the shape of every connection machine.

    After each call *in*, drain `next_effect`, then `next_event`, then read `next_deadline` and `wants_data`. Messages
    are told on demand, one for each `ReceiveMessage`, so that what is held is bounded and seen here, and so that the
    peer's last word waits for the answer to the message before it. Everything else is told when it happens.

    state: of `closing`, moved by its table only
    peer_ended: no more bytes will come
    effects, events: the queues, for a driver that wants to see that one is empty without a call
    """

    __slots__ = (
        *("_autoclose", "_autoping", "_heartbeat", "_inbox", "_inbox_size", "_intake", "_marks", "_outgoing"),
        *("_owed_pong", "_paused", "_plain", "_wanted", "_working"),
    )  # fmt: skip

    def __init__(
        self,
        role: Role,
        limits: WebSocketLimits = DEFAULT_WEBSOCKET_LIMITS,
        *,
        now: float,
        mask: Mask | None = None,
        deflate: DeflateParameters | None = None,
        autoping: bool = True,
        autoclose: bool = True,
        can_half_close: bool = True,
    ) -> None:
        """mask: a client's source of masking keys, 4 bytes that cannot be predicted each time (RFC 6455 5.3)

        deflate: as the opening handshake agreed; None for no permessage-deflate
        autoping: Pings are answered here, and neither Ping nor Pong is told
        autoclose: the peer's Close is answered here
        can_half_close: whether the transport can end our half alone (TLS in many runtimes cannot)
        raises: LocalProtocolError for a client without `mask`, or a server with one
        """
        server = role is Role.SERVER
        if server is (mask is not None):
            raise LocalProtocolError(
                "a client masks its frames and a server does not: `mask` is for the client (RFC 6455 5.1)"
            )
        super().__init__(role, limits, can_half_close=can_half_close)
        self._autoping = autoping
        self._autoclose = autoclose
        self._intake = Intake(limits, masked=server, inflater=inflater(deflate, server=server) if deflate else None)
        self._outgoing = Outgoing(mask, deflater(deflate, server=server) if deflate else None)
        self._plain = server and deflate is None  # short text goes out with a header from a table
        self._inbox: deque[_Unread] = deque()  # not told yet: nobody asked
        self._inbox_size = 0  # payload in it
        self._paused = False  # it was full, and what came behind it is not read
        self._wanted = False  # a message was asked for and not told
        self._working = False  # one was told, and no other asked for since
        self._marks = (0, 0)  # frames read and bytes received when FRAME was set
        self._owed_pong: bytes | None = None  # the answer to the last Ping, while the peer takes nothing
        self._heartbeat: Heartbeat | None = None
        if limits.heartbeat is not None:
            self._heartbeat = Heartbeat(limits.heartbeat, limits.pong_timeout, now)
            self._deadlines.set(Deadline.HEARTBEAT, now, limits.heartbeat)

    # -- out ---------------------------------------------------------------------------------------------

    def wants_data(self) -> bool:
        """Whether the adapter should read from the transport now."""
        if self.peer_ended or self.state is State.CLOSED:
            return False
        return self.state is not State.OPEN or not self._full()

    def buffered(self) -> int:
        """Bytes that came in and are held here; bounded by `WebSocketLimits`."""
        return self._intake.held + self._inbox_size

    # -- in ----------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes came. An empty string is nothing, not the end (`receive_eof`).

        What comes after the peer's last word, or after the end, is discarded.
        """
        if self.state is not State.OPEN and self.state is not State.LOCAL_CLOSING:
            return
        if self._heartbeat is not None:
            self._heartbeat.heard = now
        if self._wanted and self._intake.at_rest:  # the hot path: somebody waits, and this is all of it
            message = small_message(data)
            if message is not None:
                self._wanted = False
                self._working = True
                self.events.append(MessageReceived(message))
                return
        if data:
            self._intake.feed(data)
            self._read(now)

    def receive_eof(self, now: float) -> None:
        """The peer ended its half of the stream. Idempotent."""
        if self.peer_ended or self.state is State.CLOSED:
            return
        self.peer_ended = True
        if self.state is State.OPEN and self._full():  # what it sent before is still to be read
            self._deadlines.set(Deadline.ANSWER, now, self.limits.answer_timeout)
        else:
            self._end_of_stream()

    def transmitted(self, unsent: int, now: float) -> None:
        """See `Ending`. Answers the last Ping, if that had to wait."""
        super().transmitted(unsent, now)
        if self._owed_pong is not None and unsent <= self.limits.max_unsent_bytes:
            payload, self._owed_pong = self._owed_pong, None
            self._pong(payload)

    def handle_timeout(self, now: float) -> None:
        """Time has passed. Handles every deadline that is due, and is harmless when none is."""
        for name in self._deadlines.due(now):
            if name is Deadline.WRITE:
                self._write_due(now)
            elif self.state is State.CLOSED:  # by what was due before it
                continue
            elif name is Deadline.HEARTBEAT:
                self._heartbeat_due(now)
            elif name is Deadline.FRAME:
                self._frame_due(now)
            elif name is Deadline.ANSWER:
                self._answer_due(now)
            elif name is Deadline.DRAIN:
                self._drain_due(now)
            else:
                self._expire()

    def send(self, command: WebSocketCommand, now: float) -> None:
        """Do what is asked for.

        raises: LocalProtocolError if it is not legal now or malformed; then nothing of it was done
        """
        _COMMANDS[type(command)](self, command, now)

    # -- frames coming in --------------------------------------------------------------------------------

    def _full(self) -> bool:
        """Whether so much waits for the application that the peer must."""
        limits = self.limits
        unread = len(self._inbox)
        return unread > 0 and (unread >= limits.max_unread_messages or self._inbox_size >= limits.max_unread_bytes)

    def _read(self, now: float) -> None:
        """Go through what was fed, as far as there is room for messages that nobody asked for."""
        intake = self._intake
        inbox = self._inbox
        try:
            while not inbox or self.state is not State.OPEN or not self._full():
                item = intake.next()
                if item is None:
                    break
                opcode, data = item
                if opcode:
                    assert isinstance(data, bytes)
                    self._control_came(opcode, data, now)
                    if opcode == _CLOSE:
                        return
                elif self._wanted:
                    self._wanted = False
                    self._working = True
                    self.events.append(MessageReceived(data))
                elif self.state is State.OPEN or not self._full():  # else it is dropped: rule 3
                    inbox.append(MessageReceived(data))
                    self._inbox_size += len(data)
            else:
                self._paused = True
                self._deadlines.drop(Deadline.FRAME)  # it is we who do not read
                return
        except RemoteProtocolError as error:
            self._broken(error, now)
            return
        if self.peer_ended:
            self._end_of_stream()
        elif intake.unfinished and self.state is State.OPEN and self._deadlines.at(Deadline.FRAME) is None:
            self._mark_frame(now)

    def _control_came(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == _CLOSE:
            code, reason = read_close(payload)
            self._received = CloseReceived(code, reason)
            self._last_word(Input.RECV_CLOSE, Ended.REMOTE, self._received, now)
        elif not self._autoping:
            if self.state is State.OPEN or not self._full():
                self._inbox.append(PingReceived(payload) if opcode == _PING else PongReceived(payload))
                self._inbox_size += len(payload)
                self._offer()
        elif opcode == _PING:
            self._pong(payload)

    def _pong(self, payload: bytes) -> None:
        if self.state not in _SENDS:
            return  # after our Close nothing follows, though RFC 6455 5.5.1 forbids data only
        if self._written.unsent > self.limits.max_unsent_bytes:
            self._owed_pong = payload  # RFC 6455 5.5.3: the last one may be answered alone
        else:
            self._transmit(self._outgoing.control(Opcode.PONG, payload))

    def _broken(self, error: RemoteProtocolError, now: float) -> None:
        """What came breaks the protocol or a limit: fail the connection (RFC 6455 7.1.7)."""
        self._error = error
        self._last_word(Input.BREAK, Ended.FAILED, ConnectionFailed(error), now)

    def _last_word(self, moved_by: Input, by: Ended, event: CloseReceived | ConnectionFailed, now: float) -> None:
        """The peer will say nothing more that counts."""
        closing = self.state is State.LOCAL_CLOSING
        self._leave_open(by)
        self.state = step(TRANSITIONS, self.state, moved_by)
        self._inbox.append(event)
        if closing:
            self._drain(now)
            return
        self._deadlines.clear(Deadline.FRAME, Deadline.HEARTBEAT)
        waits = self._autoclose or self._error is not None
        self._deadlines.set(Deadline.ANSWER, now, self.limits.answer_timeout if waits else self.limits.close_timeout)
        self._offer()
        self._answer_if_due(now)

    # -- telling -----------------------------------------------------------------------------------------

    def _receive_message(self, _command: ReceiveMessage, now: float) -> None:
        """One more is wanted; harmless where none can come any more, since everything was told then."""
        if self._wanted:
            raise LocalProtocolError(
                "cannot ReceiveMessage: one is asked for already, and one connection has one reader"
            )
        if self.state is State.CLOSED or self.state is State.DRAINING:
            return
        self._wanted = True
        self._working = False
        if self._inbox:
            self._offer()
            if self._paused and not self._full():
                self._paused = False
                if self._heartbeat is not None:
                    self._heartbeat.heard = now  # what the peer said may be waiting unread
                self._read(now)
                return
        if self.state is State.REMOTE_CLOSING:
            self._answer_if_due(now)

    def _offer(self) -> None:
        """Tell what is wanted, and the peer's last word as soon as nothing is before it."""
        inbox = self._inbox
        while inbox:
            event = inbox[0]
            if not isinstance(event, (CloseReceived, ConnectionFailed)):
                if not self._wanted:
                    return
                self._wanted = False
                self._working = True
                self._inbox_size -= len(event.data if isinstance(event, MessageReceived) else event.payload)
            self.events.append(inbox.popleft())

    def _settle(self) -> None:
        self.events.extend(self._inbox)
        self._inbox.clear()
        self._inbox_size = 0
        self._owed_pong = None
        self._intake.close()

    # -- closing -----------------------------------------------------------------------------------------

    def _answer_if_due(self, now: float) -> None:
        """Rule 1."""
        if self.state is not State.REMOTE_CLOSING or self._inbox or self._working:
            return
        if self._autoclose or self._error is not None:
            self._answer(now)

    def _answer(self, now: float, payload: bytes | None = None) -> None:
        """Our Close after the peer's last word: the application's own, or the peer's echoed, or what it broke."""
        received = self._received
        if received is None:
            payload = self._failure()
        elif payload is None:
            code = None if received.code == CloseCode.NO_STATUS else received.code
            payload = close_payload(code, received.reason)
        self._transmit_close(payload)
        self._drain(now)

    def _failure(self) -> bytes:
        error = self._error
        assert error is not None
        return close_payload(error.close_code_hint, cut_reason(str(error)))

    def _transmit_close(self, payload: bytes) -> None:
        self.state = step(TRANSITIONS, self.state, Input.SEND_CLOSE)
        self._sent_close = True
        self._owed_pong = None
        self._transmit(self._outgoing.control(Opcode.CLOSE, payload))

    def _start_close(self, command: StartClose, now: float) -> None:
        payload = close_payload(command.code, command.reason)
        begins = self.state is State.OPEN
        if begins:
            self._leave_open(Ended.LOCAL)
            self._transmit_close(payload)
            self._paused = False
            self._deadlines.clear(Deadline.FRAME, Deadline.HEARTBEAT, Deadline.ANSWER)
        elif self.state is State.REMOTE_CLOSING:
            self._answer(now, payload)
        if self.state is not State.CLOSED and self._deadlines.at(Deadline.CLOSE) is None:
            timeout = self.limits.close_timeout if command.timeout is None else command.timeout
            self._deadlines.set(Deadline.CLOSE, now, timeout)
        if begins:
            self._read(now)

    # -- time --------------------------------------------------------------------------------------------

    def _heartbeat_due(self, now: float) -> None:
        heartbeat = self._heartbeat
        assert heartbeat is not None
        unsent = self._written.unsent and self.limits.write_timeout is not None  # WRITE guards this wait
        beat = heartbeat.due(now, excused=bool(unsent) or not self.wants_data())
        if beat is Beat.DEAD:
            self._error = PeerDisconnected(heartbeat.overdue, close_code_hint=CloseCode.INTERNAL_ERROR)
            if not self._written.unsent:
                self._transmit(self._outgoing.control(Opcode.CLOSE, self._failure()))
            self._expire()
            return
        if beat is Beat.PING:
            self._transmit(self._outgoing.control(Opcode.PING, b"%d" % heartbeat.pings))
        self._deadlines.set(Deadline.HEARTBEAT, now, heartbeat.next_at - now)

    def _mark_frame(self, now: float) -> None:
        self._marks = (self._intake.frames, self._intake.received)
        self._deadlines.set(Deadline.FRAME, now, self.limits.frame_timeout)

    def _frame_due(self, now: float) -> None:
        """A frame that was begun must go on, while we read."""
        if not self._intake.unfinished:
            return
        frames, received = self._marks
        enough = self._intake.received - received >= max(1, self.limits.min_frame_bytes)
        if enough or self._intake.frames > frames:
            self._mark_frame(now)
            return
        limits = self.limits
        what = f"fewer than {limits.min_frame_bytes} bytes of a frame within {limits.frame_timeout} s"
        self._broken(
            RemoteProtocolError(
                f"{what} (WebSocketLimits.frame_timeout, min_frame_bytes)",
                close_code_hint=CloseCode.POLICY_VIOLATION,
            ),
            now,
        )

    def _answer_due(self, now: float) -> None:
        if self.state is State.REMOTE_CLOSING:
            self._answer(now)
        else:  # the peer's stream ended behind messages that nobody asks for
            self._end_of_stream()

    # -- going out ---------------------------------------------------------------------------------------

    def _check(self, moved_by: Input) -> None:
        if self.state not in _SENDS:
            raise illegal(TRANSITIONS, self.state, moved_by)

    def _send_text(self, command: SendText, now: float) -> None:
        self._check(Input.SEND_DATA)
        if self._plain and self._outgoing.message is None and not command.compress:
            data = utf8(command.data)
            if len(data) < _SHORT:
                self._transmit(_TEXT_HEADS[len(data)] + data)
                return
        self._transmit(self._outgoing.text(command.data, command.compress))

    def _send_bytes(self, command: SendBytes, now: float) -> None:
        self._check(Input.SEND_DATA)
        self._transmit(self._outgoing.binary(command.data, command.compress))

    def _send_frame(self, command: SendFrame, now: float) -> None:
        self._check(Input.SEND_DATA)
        self._transmit(self._outgoing.fragment(command.opcode, command.payload, command.compress, fin=command.fin))

    def _send_ping(self, command: SendPing, now: float) -> None:
        self._check(Input.SEND_CONTROL)
        self._transmit(self._outgoing.control(Opcode.PING, command.payload))

    def _send_pong(self, command: SendPong, now: float) -> None:
        self._check(Input.SEND_CONTROL)
        self._transmit(self._outgoing.control(Opcode.PONG, command.payload))


_COMMANDS: Final[dict[type, Callable[[WebSocket, Any, float], None]]] = {
    ReceiveMessage: WebSocket._receive_message,
    SendText: WebSocket._send_text,
    SendBytes: WebSocket._send_bytes,
    SendFrame: WebSocket._send_frame,
    SendPing: WebSocket._send_ping,
    SendPong: WebSocket._send_pong,
    StartClose: WebSocket._start_close,
    Abort: WebSocket._abort,
}
