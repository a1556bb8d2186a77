"""Closing handshake of one WebSocket connection (RFC 6455 7): the table and its rules.

OPEN has sent no Close and understood none. LOCAL_CLOSING has sent ours and waits for the peer's. REMOTE_CLOSING has
the peer's last word, a Close or bytes that broke the protocol, and owes ours; what the application still wants to say
goes out before it. DRAINING has sent ours and has the peer's last word; it discards what still comes and waits for
the end of the stream, so that no reset swallows what we sent. CLOSED is the end; `SocketClosed` was told.

BREAK is bytes that broke the protocol or a limit; EXPIRE a peer that was silent or took nothing for too long.

Rules that are not rows:

1. Events keep the order of the bytes. The peer's last word is told after the messages before it, and ours answers it
   when the application has taken them and asks for more, when it closes by itself, or after
   `WebSocketLimits.answer_timeout`; at once where no message waits and none is being worked on.
2. Without `autoclose` only the application, or `WebSocketLimits.close_timeout`, answers the peer's Close. A broken
   protocol is always answered.
3. In LOCAL_CLOSING messages are told to whoever asks for them; those that nobody asks for are kept up to the bound of
   unread messages and dropped beyond it, so that the peer's Close is always found.
4. Who has ended its half in DRAINING: the server always, and a client that fails the connection (RFC 6455 7.1.1,
   7.1.7). After a complete handshake a client waits for the server to end the stream first. An end of stream that
   came before makes DRAINING pass at once. A server that cannot end one half alone closes both after a complete
   handshake, and drains first otherwise.
5. StartClose where our Close went out changes nothing but that it bounds what is left, if nothing did: any task may
   close, and several may.
6. `SocketClosed.clean`: both Close frames were exchanged, whatever became of the transport afterwards; its `by` is
   whoever made the connection leave OPEN. Its code is that of the peer's Close (RFC 6455 7.1.5), 1005 for one without
   a code; else the one with which we failed the connection; else 1006.
7. What ended LOCAL_CLOSING late, or broke in it, leaves `by` LOCAL: we had closed.
8. A peer that counts as dead is sent a Close (1011) that says so, and the transport is closed without waiting.
9. In OPEN nothing is read while unread messages are at their bound, so that neither a Close nor a Pong behind them is
   seen: the heartbeat does not count that silence, and its clock begins anew when reading goes on.
10. After our Close no Pong follows, though RFC 6455 5.5.1 forbids data frames only: wsproto refuses it as well.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from .._transitions import Member


class State(Member):
    """The connection."""

    OPEN = auto()
    LOCAL_CLOSING = auto()
    REMOTE_CLOSING = auto()
    DRAINING = auto()
    CLOSED = auto()


class Input(Member):
    """What moves it."""

    SEND_DATA = auto()  # a data frame, whole message or fragment
    SEND_CONTROL = auto()  # Ping or Pong
    SEND_CLOSE = auto()
    RECV_FRAME = auto()  # any frame but Close
    RECV_CLOSE = auto()
    BREAK = auto()
    RECV_EOF = auto()
    LOSE = auto()  # the transport broke in both directions
    EXPIRE = auto()
    ABORT = auto()
    END = auto()  # nothing to wait for: the transport cannot end one half, and the handshake is complete


class Ended(Enum):
    """Who ended a connection (`SocketClosed.by`)."""

    LOCAL = "we closed or aborted"
    REMOTE = "the peer sent its Close first"
    FAILED = "the peer broke the protocol or a limit, and we failed the connection"
    TRANSPORT = "the transport ended without a Close"
    TIMEOUT = "the peer was silent or took nothing for too long"


# fmt: off
TRANSITIONS: Final[Mapping[tuple[State, Input], State]] = {
    # state                 input                next state
    (State.OPEN,            Input.SEND_DATA):    State.OPEN,
    (State.OPEN,            Input.SEND_CONTROL): State.OPEN,
    (State.OPEN,            Input.SEND_CLOSE):   State.LOCAL_CLOSING,   # RFC 6455 7.1.2
    (State.OPEN,            Input.RECV_FRAME):   State.OPEN,
    (State.OPEN,            Input.RECV_CLOSE):   State.REMOTE_CLOSING,  # RFC 6455 7.1.3
    (State.OPEN,            Input.BREAK):        State.REMOTE_CLOSING,  # RFC 6455 7.1.7
    (State.OPEN,            Input.RECV_EOF):     State.CLOSED,          # RFC 6455 7.1.5: 1006
    (State.OPEN,            Input.LOSE):         State.CLOSED,
    (State.OPEN,            Input.EXPIRE):       State.CLOSED,
    (State.OPEN,            Input.ABORT):        State.CLOSED,
    (State.LOCAL_CLOSING,   Input.RECV_FRAME):   State.LOCAL_CLOSING,   # RFC 6455 1.4
    (State.LOCAL_CLOSING,   Input.RECV_CLOSE):   State.DRAINING,        # RFC 6455 7.1.4
    (State.LOCAL_CLOSING,   Input.BREAK):        State.DRAINING,
    (State.LOCAL_CLOSING,   Input.RECV_EOF):     State.CLOSED,
    (State.LOCAL_CLOSING,   Input.LOSE):         State.CLOSED,
    (State.LOCAL_CLOSING,   Input.EXPIRE):       State.CLOSED,
    (State.LOCAL_CLOSING,   Input.ABORT):        State.CLOSED,
    (State.REMOTE_CLOSING,  Input.SEND_DATA):    State.REMOTE_CLOSING,  # RFC 6455 5.5.1: until ours
    (State.REMOTE_CLOSING,  Input.SEND_CONTROL): State.REMOTE_CLOSING,
    (State.REMOTE_CLOSING,  Input.SEND_CLOSE):   State.DRAINING,        # RFC 6455 5.5.1
    (State.REMOTE_CLOSING,  Input.RECV_EOF):     State.REMOTE_CLOSING,  # rule 4
    (State.REMOTE_CLOSING,  Input.LOSE):         State.CLOSED,
    (State.REMOTE_CLOSING,  Input.EXPIRE):       State.CLOSED,
    (State.REMOTE_CLOSING,  Input.ABORT):        State.CLOSED,
    (State.DRAINING,        Input.RECV_EOF):     State.CLOSED,          # RFC 6455 7.1.1
    (State.DRAINING,        Input.LOSE):         State.CLOSED,          # a reset after the handshake is an end
    (State.DRAINING,        Input.EXPIRE):       State.CLOSED,
    (State.DRAINING,        Input.ABORT):        State.CLOSED,
    (State.DRAINING,        Input.END):          State.CLOSED,          # rule 4
}
# fmt: on
