"""The request target: which form fits which method (RFC 9112 3.2); and what is a host (RFC 3986 3.2.2).

Not here: decoding and splitting a path, which is the router's and the user API's.
"""

import re
from typing import Final

from ..errors import RemoteProtocolError, shown

# h16 = 1*4HEXDIG     ls32 = ( h16 ":" h16 ) / IPv4address
_H16: Final = rb"[0-9A-Fa-f]{1,4}"
_DEC_OCTET: Final = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LS32: Final = rb"(?:%b:%b|(?:%b\.){3}%b)" % (_H16, _H16, _DEC_OCTET, _DEC_OCTET)

# IPv6address, RFC 3986 3.2.2, row by row: groups that may stand before "::", groups that must follow it
_IPV6: Final = rb"(?:(?:%b:){6}%b|%b)" % (
    _H16,
    _LS32,
    b"|".join(
        rb"(?:(?:%b:){0,%d}%b)?::%b" % (_H16, before, _H16, after) if before >= 0 else rb"::%b" % after
        for before, after in [
            (-1, rb"(?:%b:){5}%b" % (_H16, _LS32)),
            (0, rb"(?:%b:){4}%b" % (_H16, _LS32)),
            (1, rb"(?:%b:){3}%b" % (_H16, _LS32)),
            (2, rb"(?:%b:){2}%b" % (_H16, _LS32)),
            (3, rb"%b:%b" % (_H16, _LS32)),
            (4, _LS32),
            (5, _H16),
            (6, b""),
        ]
    ),
)
# IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
_IPVFUTURE: Final = rb"[vV][0-9A-Fa-f]+\.[-A-Za-z0-9._~!$&'()*+,;=:]+"
# reg-name = *( unreserved / pct-encoded / sub-delims ), here not empty; an IPv4address is one too
_REG_NAME: Final = rb"(?:[-A-Za-z0-9._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
# port = *DIGIT, here at most 65535
PORT: Final = rb"0*+(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})?"
# IP-literal = "[" ( IPv6address / IPvFuture  ) "]"
IP_LITERAL: Final = rb"\[(?:%b|%b)\]" % (_IPV6, _IPVFUTURE)
_HOST: Final = rb"(?:%b|%b)" % (_REG_NAME, IP_LITERAL)

# Host = uri-host [ ":" port ]                                    (RFC 9110 7.2)
_match_host = re.compile(rb"(?:%b(?::%b)?)?" % (_HOST, PORT)).fullmatch
# origin-form = absolute-path [ "?" query ]                       any visible ASCII but "#" is taken
_match_origin = re.compile(rb'/[!-"$-~]*').fullmatch
# absolute-form = absolute-URI, here of http and https, without userinfo (RFC 9110 4.2.4)
_match_absolute = re.compile(rb'[hH][tT][tT][pP][sS]?://(%b(?::%b)?)([/?][!-"$-~]*)?' % (_HOST, PORT)).fullmatch
# authority-form = uri-host ":" port
_match_authority = re.compile(rb"%b:(?=0*[1-9])%b" % (_HOST, PORT)).fullmatch


def check_target(method: bytes, target: bytes) -> None:
    """Decide whether the target's form fits the method (RFC 9112 3.2).

    method: case-sensitive; only CONNECT and OPTIONS have forms of their own
    raises: RemoteProtocolError, status 400
    """
    if method == b"CONNECT":
        fits, wanted = _match_authority(target) is not None, "host:port (RFC 9112 3.2.3)"
    elif target[:1] == b"/":
        fits, wanted = _match_origin(target) is not None, "visible ASCII without '#' (RFC 9112 3.2.1)"
    elif target == b"*":
        fits, wanted = method == b"OPTIONS", "a path; '*' is for OPTIONS (RFC 9112 3.2.4)"
    else:
        fits = _match_absolute(target) is not None
        wanted = "a path, or http(s)://host without userinfo (RFC 9112 3.2)"
    if not fits:
        raise RemoteProtocolError(f"target {shown(target)} of {shown(method)} is not {wanted}")


def check_host(value: bytes) -> None:
    """Decide whether this is a Host field's value (RFC 9112 3.2, RFC 3986 3.2.2).

    Empty is one: the target URI has no authority then. A port alone, a zone identifier, a port above
    65535 are not.

    raises: RemoteProtocolError, status 400
    """
    if _match_host(value) is None:
        raise RemoteProtocolError(f"Host {shown(value)} is not a host with an optional port (RFC 9112 3.2)")


def split_absolute(target: bytes) -> tuple[bytes, bytes] | None:
    """Authority and origin-form of an absolute-form target; None for the other forms.

    The authority replaces the Host field (RFC 9112 3.2.2); an empty path becomes "/" (RFC 9110 4.2.3).
    """
    match = _match_absolute(target)
    if match is None:
        return None
    authority, rest = match.groups(b"")
    return authority, rest if rest[:1] == b"/" else b"/" + rest
