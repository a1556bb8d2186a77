"""The life of the messages on one HTTP/1.1 connection (RFC 9112): three tables and their rules.

RECEIVE is about the message that comes in, SEND about the one that goes out, PHASE about the connection under both.
The first two serve both roles: a server receives requests and sends responses, a client the other way round.

RECEIVE: IDLE and HEAD wait for a head, CONTENT for the content it announced; COMPLETE waits for the exchange to end.
BROKEN is the end of understanding: whatever still comes is not read as HTTP.

SEND: IDLE owes nothing. In OWED a server has a request (or its refusal) to answer, and may send interim responses
first; a client is never there. CONTENT owes the rest of a message whose head is out, COMPLETE waits for the exchange
to end. CUT means a message went out incompletely and nothing may follow it.

PHASE: PERSISTENT allows a next exchange; LAST does not, because of the first `CloseReason` that arose; LINGERING has
ended our half and discards what the peer still sends (9.6); SWITCHED belongs to another protocol; CLOSED is the end.

Rules that are not rows:

1. An exchange is over when both messages are COMPLETE, or when ours is COMPLETE and the other BROKEN. In PERSISTENT
   both then take NEXT; in LAST our half ends instead (END_WRITE).
2. A server whose response is COMPLETE while the request's content still comes discards it up to
   `Limits.max_drained_bytes` and `Limits.drain_timeout`; beyond either the connection moves to LAST with
   `UNREAD_CONTENT`, and rule 1's second half holds.
3. Events of bytes before an error are delivered before the error.
4. A response cut off in `UntilClose` framing is aborted, in any other framing merely ended: only a reset tells that
   client that something is missing.
5. A client whose response is COMPLETE before its request is may go on sending or abort. It is CUT and the connection
   closed where the server will not read on: it said so, ended its half, or sent what nobody asked for (RFC 9112 9.5,
   9.6). A client never lingers.
6. A client takes NEXT only after the content was told to its end; where the connection does not persist, it
   is closed before that.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from .._transitions import Member


class Receive(Member):
    """The message that comes in."""

    IDLE = auto()
    HEAD = auto()
    CONTENT = auto()
    COMPLETE = auto()
    BROKEN = auto()
    SWITCHED = auto()


class ReceiveInput(Member):
    """What moves it."""

    SOME_BYTES = auto()  # of a head that is not complete yet
    INTERIM = auto()  # the head of an interim response
    WHOLE = auto()  # a head that is the whole message
    HEAD = auto()  # a head that announces content
    END = auto()  # of the content
    NEXT = auto()  # the exchange is over, another may begin
    FAIL = auto()  # malformed, over a limit, too slow, or the peer left
    SWITCH = auto()  # 101


class Send(Member):
    """The message that goes out."""

    IDLE = auto()
    OWED = auto()
    CONTENT = auto()
    COMPLETE = auto()
    CUT = auto()
    SWITCHED = auto()


class SendInput(Member):
    """What moves it."""

    ASKED = auto()  # server: a request, or bytes to refuse, came in
    INTERIM = auto()
    WHOLE = auto()  # a message in one piece, or a head that is the whole message
    HEAD = auto()
    DATA = auto()
    END = auto()
    NEXT = auto()
    CUT = auto()
    SWITCH = auto()


class Phase(Member):
    """The connection."""

    PERSISTENT = auto()
    LAST = auto()
    LINGERING = auto()
    SWITCHED = auto()
    CLOSED = auto()


class PhaseInput(Member):
    """What moves it."""

    MUST_CLOSE = auto()  # after the open exchange, with a reason
    END_WRITE = auto()  # nothing more to send, the peer may be sending
    CLOSE = auto()  # nothing more to send or to wait for
    SWITCH = auto()


class CloseReason(Enum):
    """Why a connection does not persist; the first that arose is kept."""

    PEER_ASKED = "the peer sent Connection: close"
    VERSION = "HTTP/1.0 without Connection: keep-alive"
    APPLICATION = "the application sent Connection: close"
    UNTIL_CLOSE = "the content ends with the connection"
    UNREAD_CONTENT = "content that nobody read was longer or slower than the limits for discarding it"
    UNMET_EXPECTATION = "a final response went out instead of 100 (Continue)"
    REFUSED = "what came in was no request that could be served"
    CONTENT_BROKEN = "the content that came in was broken"
    RESPONSE_BROKEN = "what came in was no response that could be read, or none came in time"
    UNASKED = "bytes came that belong to no request"
    CUT = "the message going out could not be completed"
    PEER_ENDED = "the peer ended its half"
    PEER_LOST = "the transport broke"
    IDLE_TIMEOUT = "nothing came within Limits.idle_timeout"
    WRITE_TIMEOUT = "the peer took too little within Limits.write_timeout"
    STOPPING = "we are stopping"
    ABORTED = "the application aborted the connection"
    SWITCHED = "another protocol took over"


# fmt: off
RECEIVE: Final[Mapping[tuple[Receive, ReceiveInput], Receive]] = {
    # state                input                      next state
    (Receive.IDLE,         ReceiveInput.SOME_BYTES):  Receive.HEAD,      # RFC 9112 2.2
    (Receive.IDLE,         ReceiveInput.INTERIM):     Receive.IDLE,      # RFC 9110 15.2
    (Receive.IDLE,         ReceiveInput.WHOLE):       Receive.COMPLETE,  # RFC 9112 6.3
    (Receive.IDLE,         ReceiveInput.HEAD):        Receive.CONTENT,   # RFC 9112 6.3
    (Receive.IDLE,         ReceiveInput.FAIL):        Receive.BROKEN,
    (Receive.IDLE,         ReceiveInput.SWITCH):      Receive.SWITCHED,  # RFC 9110 7.8
    (Receive.HEAD,         ReceiveInput.INTERIM):     Receive.IDLE,
    (Receive.HEAD,         ReceiveInput.WHOLE):       Receive.COMPLETE,
    (Receive.HEAD,         ReceiveInput.HEAD):        Receive.CONTENT,
    (Receive.HEAD,         ReceiveInput.FAIL):        Receive.BROKEN,    # RFC 9112 2.2, 8
    (Receive.HEAD,         ReceiveInput.SWITCH):      Receive.SWITCHED,
    (Receive.CONTENT,      ReceiveInput.END):         Receive.COMPLETE,  # RFC 9112 6.3
    (Receive.CONTENT,      ReceiveInput.FAIL):        Receive.BROKEN,    # RFC 9112 8
    (Receive.COMPLETE,     ReceiveInput.NEXT):        Receive.IDLE,      # RFC 9112 9.3
    (Receive.COMPLETE,     ReceiveInput.FAIL):        Receive.BROKEN,
    (Receive.COMPLETE,     ReceiveInput.SWITCH):      Receive.SWITCHED,  # RFC 9110 7.8
}

SEND: Final[Mapping[tuple[Send, SendInput], Send]] = {
    # state                input                      next state
    (Send.IDLE,            SendInput.ASKED):          Send.OWED,         # server: RFC 9112 9.3.2
    (Send.IDLE,            SendInput.WHOLE):          Send.COMPLETE,     # client
    (Send.IDLE,            SendInput.HEAD):           Send.CONTENT,      # client
    (Send.OWED,            SendInput.INTERIM):        Send.OWED,         # RFC 9110 15.2
    (Send.OWED,            SendInput.WHOLE):          Send.COMPLETE,
    (Send.OWED,            SendInput.HEAD):           Send.CONTENT,
    (Send.OWED,            SendInput.SWITCH):         Send.SWITCHED,     # RFC 9110 7.8
    (Send.OWED,            SendInput.CUT):            Send.CUT,
    (Send.CONTENT,         SendInput.DATA):           Send.CONTENT,
    (Send.CONTENT,         SendInput.END):            Send.COMPLETE,
    (Send.CONTENT,         SendInput.CUT):            Send.CUT,
    (Send.COMPLETE,        SendInput.NEXT):           Send.IDLE,         # RFC 9112 9.3
    (Send.COMPLETE,        SendInput.SWITCH):         Send.SWITCHED,     # client: 101 came
}

PHASE: Final[Mapping[tuple[Phase, PhaseInput], Phase]] = {
    # state                input                      next state
    (Phase.PERSISTENT,     PhaseInput.MUST_CLOSE):    Phase.LAST,        # RFC 9112 9.6
    (Phase.PERSISTENT,     PhaseInput.SWITCH):        Phase.SWITCHED,    # RFC 9110 7.8
    (Phase.PERSISTENT,     PhaseInput.CLOSE):         Phase.CLOSED,
    (Phase.LAST,           PhaseInput.MUST_CLOSE):    Phase.LAST,
    (Phase.LAST,           PhaseInput.END_WRITE):     Phase.LINGERING,   # RFC 9112 9.6
    (Phase.LAST,           PhaseInput.SWITCH):        Phase.SWITCHED,
    (Phase.LAST,           PhaseInput.CLOSE):         Phase.CLOSED,
    (Phase.LINGERING,      PhaseInput.CLOSE):         Phase.CLOSED,
}
# fmt: on
