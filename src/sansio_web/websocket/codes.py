"""Close codes and the payload of a Close frame (RFC 6455 5.5.1, 7.4, IANA WebSocket Close Code Number Registry).

Not here: when a Close goes out or counts (`closing`).
"""

from enum import IntEnum
from typing import Final

from ..errors import LocalProtocolError, RemoteProtocolError, shown

MAX_CONTROL_BYTES: Final = 125
"""Payload of a control frame (RFC 6455 5.5)."""
MAX_REASON_BYTES: Final = MAX_CONTROL_BYTES - 2
"""Reason of a Close, in UTF-8."""


class CloseCode(IntEnum):
    """Registered codes below 3000; 1004 is reserved without a meaning."""

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005  # never on the wire: a Close came without a code
    ABNORMAL = 1006  # never on the wire: no Close came
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015  # never on the wire


_NEVER_ON_THE_WIRE: Final = frozenset({1004, 1005, 1006, 1015})


def may_be_on_wire(code: int) -> bool:
    """Whether a Close frame may carry it, in either direction (RFC 6455 7.4.1, 7.4.2)."""
    return (1000 <= code <= 1014 and code not in _NEVER_ON_THE_WIRE) or 3000 <= code <= 4999


def close_payload(code: int | None, reason: str) -> bytes:
    """The payload of our Close; empty without a code.

    raises: LocalProtocolError for a code that must not be sent, a reason without a code, over 123 bytes, or not UTF-8
    """
    if code is None:
        if reason:
            raise LocalProtocolError(f"Close reason {reason!r} without a code (RFC 6455 5.5.1)")
        return b""
    if not may_be_on_wire(code):
        allowed = "1000-1003, 1007-1014 and 3000-4999 are allowed"
        raise LocalProtocolError(f"Close code {code} must not be sent; {allowed} (RFC 6455 7.4)")
    try:
        text = reason.encode()
    except UnicodeEncodeError as error:
        raise LocalProtocolError(
            f"Close reason has a lone surrogate at offset {error.start} (RFC 6455 5.5.1)"
        ) from None
    if len(text) > MAX_REASON_BYTES:
        raise LocalProtocolError(f"Close reason exceeds {MAX_REASON_BYTES} bytes of UTF-8: {len(text)} (RFC 6455 5.5)")
    return code.to_bytes(2, "big") + text


def cut_reason(text: str) -> str:
    """As much of a text as a Close can carry, no character cut in half."""
    return text.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")


def read_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of the peer's Close; (1005, "") for one without a code (RFC 6455 7.1.5, 7.1.6).

    raises: RemoteProtocolError with hint 1002 for half a code or one that must not be sent, 1007 for
        a reason not in UTF-8
    """
    if not payload:
        return CloseCode.NO_STATUS, ""
    if len(payload) == 1:
        raise RemoteProtocolError("Close has 1 byte, but a code takes 2 (RFC 6455 5.5.1)")
    code = int.from_bytes(payload[:2], "big")
    if not may_be_on_wire(code):
        raise RemoteProtocolError(f"Close code {code} must not be sent (RFC 6455 7.4)")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError:
        what = f"Close reason {shown(payload[2:])} is not UTF-8 (RFC 6455 5.5.1)"
        raise RemoteProtocolError(what, close_code_hint=CloseCode.INVALID_TEXT) from None
