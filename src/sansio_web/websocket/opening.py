"""Opening handshake (RFC 6455 4): what a server answers to a request, what a client asks for and checks.

In: heads, as the HTTP machine tells them. Out: decisions and field lines; whoever owns the HTTP
connection sends them.
Not here: Origin, cookies, authentication, which are the application's; the parameters of
permessage-deflate (`deflate`).
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Final, Protocol, TypeAlias

from ..errors import LocalProtocolError, RemoteProtocolError, shown
from . import deflate as _deflate
from .deflate import DeflateParameters

FieldLines: TypeAlias = list[tuple[bytes, bytes]]

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION: Final = b"13"
_KEY_BYTES: Final = 16
_TOKEN_BYTES: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class HeadFields(Protocol):
    """The field lines of a head, as `http.fields.Fields` has them."""

    def get(self, lower_name: bytes, /) -> bytes | None:
        """The value, several lines joined with a comma."""
        ...

    def get_all(self, lower_name: bytes, /) -> Sequence[bytes]:
        """The value of each line."""
        ...


class UpgradeRequest(Protocol):
    """The head of a request, as `http.events.RequestReceived` is."""

    @property
    def method(self) -> bytes: ...
    @property
    def version(self) -> bytes: ...
    @property
    def fields(self) -> HeadFields: ...


@dataclass(slots=True)
class Accept:
    """The server agrees: 101 with these field lines, then `WebSocket` with `deflate`.

    protocol: the subprotocol that was chosen, or None
    """

    protocol: str | None
    deflate: DeflateParameters | None
    fields: FieldLines


@dataclass(slots=True)
class Refuse:
    """No opening handshake for this server: a response with this status and these field lines; `reason` says why."""

    status: int
    reason: str
    fields: FieldLines


@dataclass(slots=True)
class Opened:
    """The client's handshake is complete."""

    protocol: str | None
    deflate: DeflateParameters | None


# -- server ----------------------------------------------------------------------------------------------


def answer(
    request: UpgradeRequest, *, protocols: Sequence[str] = (), deflate: DeflateParameters | None = None
) -> Accept | Refuse:
    """Decide what a server answers to a request for a WebSocket (RFC 6455 4.2).

    protocols: subprotocols it speaks; of those the client's first is chosen (RFC 6455 11.3.4)
    deflate: what it wishes of permessage-deflate; None to do without
    returns: Accept or Refuse; never raises
    """
    fields = request.fields
    refused = _refusal(request.method, request.version, fields)
    if refused is not None:
        return refused
    key = fields.get_all(b"sec-websocket-key")[0]
    lines = [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Accept", accept_value(key)),
    ]
    protocol = _chosen(fields.get(b"sec-websocket-protocol"), protocols)
    if protocol is not None:
        lines.append((b"Sec-WebSocket-Protocol", protocol.encode()))
    try:
        offers = fields.get(b"sec-websocket-extensions") or b""
        taken = _deflate.accept(offers, deflate or DeflateParameters())
    except ValueError as error:
        return Refuse(400, f"{error} (RFC 6455 9.1)", [])
    if deflate is None or taken is None:
        return Accept(protocol, None, lines)
    lines.append((b"Sec-WebSocket-Extensions", taken[1]))
    return Accept(protocol, taken[0], lines)


def _refusal(method: bytes, version: bytes, fields: HeadFields) -> Refuse | None:
    """Why a request does not open a WebSocket, in the order of RFC 6455 4.2.1."""
    if method != b"GET":
        return Refuse(400, f"method {shown(method)} cannot open a WebSocket: GET can (RFC 6455 4.2.1)", [])
    if version < b"1.1":
        return Refuse(400, f"HTTP/{version.decode()} cannot open a WebSocket: HTTP/1.1 can (RFC 6455 4.2.1)", [])
    upgrade = fields.get(b"upgrade")
    if b"websocket" not in _tokens(upgrade):
        return Refuse(400, f"Upgrade is {_told(upgrade)}, but must name websocket (RFC 6455 4.2.1)", [])
    connection = fields.get(b"connection")
    if b"upgrade" not in _tokens(connection):
        return Refuse(400, f"Connection is {_told(connection)}, but must name upgrade (RFC 6455 4.2.1)", [])
    spoken = fields.get_all(b"sec-websocket-version")
    if tuple(spoken) != (_VERSION,):
        lines = [
            (b"Sec-WebSocket-Version", _VERSION),
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
        ]
        what = _told(b", ".join(spoken) if spoken else None)
        return Refuse(426, f"Sec-WebSocket-Version is {what}, but must be 13 (RFC 6455 4.2.2, 4.4)", lines)
    keys = fields.get_all(b"sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        what = _told(b", ".join(keys) if keys else None)
        return Refuse(400, f"Sec-WebSocket-Key is {what}, but must be 16 bytes in base64 (RFC 6455 4.2.1)", [])
    return None


def accept_value(key: bytes) -> bytes:
    """The value of Sec-WebSocket-Accept for a key (RFC 6455 4.2.2)."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def _is_key(value: bytes) -> bool:
    try:
        return len(b64decode(value, validate=True)) == _KEY_BYTES
    except Base64Error:
        return False


def _chosen(asked: bytes | None, spoken: Sequence[str]) -> str | None:
    """The first of the client's subprotocols that is spoken here; names are compared as they are (RFC 6455 4.2.2)."""
    for element in (asked or b"").split(b","):
        name = element.strip(b" \t").decode("latin-1")
        if name in spoken:
            return name
    return None


# -- client ----------------------------------------------------------------------------------------------


class ClientOpening:
    """One attempt of a client: `fields` go into a GET request, `check` reads the 101 that answers it."""

    __slots__ = ("_accept", "_deflate", "_protocols", "fields")

    def __init__(
        self,
        key: Callable[[], bytes],
        *,
        protocols: Sequence[str] = (),
        deflate: DeflateParameters | None = None,
    ) -> None:
        """key: gives 16 fresh random bytes; protocols: by preference; deflate: what is offered, None for nothing.

        raises: LocalProtocolError for a subprotocol that is no token, or comes twice (RFC 6455 4.1)
        """
        nonce = b64encode(key())
        if not _is_key(nonce):
            raise LocalProtocolError(f"key source gave {len(b64decode(nonce))} bytes, but 16 are needed (RFC 6455 4.1)")
        for name in protocols:
            if not name.isascii() or not name or not _TOKEN_BYTES.issuperset(name.encode()):
                raise LocalProtocolError(f"subprotocol {name!r} is not a token (RFC 6455 4.1)")
        if len(set(protocols)) < len(protocols):
            raise LocalProtocolError(f"subprotocols {list(protocols)!r} are not all different (RFC 6455 4.1)")
        self._accept = accept_value(nonce)
        self._protocols = tuple(protocols)
        self._deflate = deflate
        self.fields: FieldLines = [
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
            (b"Sec-WebSocket-Key", nonce),
            (b"Sec-WebSocket-Version", _VERSION),
        ]
        if protocols:
            self.fields.append((b"Sec-WebSocket-Protocol", ", ".join(protocols).encode()))
        if deflate is not None:
            self.fields.append((b"Sec-WebSocket-Extensions", _deflate.offer(deflate)))

    def check(self, fields: HeadFields) -> Opened:
        """Whether the 101 with these field lines opens the WebSocket that was asked for (RFC 6455 4.1).

        raises: RemoteProtocolError if not; the connection is to be dropped then
        """
        for name, must_name in ((b"upgrade", b"websocket"), (b"connection", b"upgrade")):
            value = fields.get(name)
            if must_name not in _tokens(value):
                what = f"{name.decode().title()} is {_told(value)}, but must name {must_name.decode()}"
                raise RemoteProtocolError(f"101 whose {what} (RFC 6455 4.1)")
        accept = fields.get_all(b"sec-websocket-accept")
        if tuple(accept) != (self._accept,):
            what = _told(b", ".join(accept) if accept else None)
            expected = self._accept.decode()
            raise RemoteProtocolError(f"Sec-WebSocket-Accept is {what}, but must be {expected} (RFC 6455 4.1)")
        extensions = fields.get(b"sec-websocket-extensions") or b""
        return Opened(self._protocol(fields), _deflate.agreed(extensions, self._deflate))

    def _protocol(self, fields: HeadFields) -> str | None:
        lines = fields.get_all(b"sec-websocket-protocol")
        if not lines:
            return None
        name = b", ".join(lines)
        for asked in self._protocols:
            if name == asked.encode():
                return asked
        asked_for = ", ".join(self._protocols) or "none"
        raise RemoteProtocolError(
            f"Sec-WebSocket-Protocol is {shown(name)}, but {asked_for} was asked for (RFC 6455 4.1)"
        )


# -- helpers ---------------------------------------------------------------------------------------------


def _tokens(value: bytes | None) -> list[bytes]:
    return [element.strip(b" \t") for element in (value or b"").lower().split(b",")]


def _told(value: bytes | None) -> str:
    return "missing" if value is None else shown(value)
