"""The opening handshake of both roles (RFC 6455 4), on heads as the HTTP machine tells them."""

from base64 import b64encode
from typing import Any

import pytest
from wsproto import WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, Request
from wsproto.extensions import PerMessageDeflate

from sansio_web.errors import LocalProtocolError, RemoteProtocolError
from sansio_web.http import SendHead, ServerRole
from sansio_web.http.events import RequestReceived
from sansio_web.http.fields import Fields
from sansio_web.websocket import Accept, ClientOpening, DeflateParameters, Opened, Refuse, answer
from sansio_web.websocket.opening import accept_value

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""RFC 6455 1.3."""
PLAIN = {
    b"Host": b"server.example.com",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Key": KEY,
    b"Sec-WebSocket-Version": b"13",
}


def request(method: bytes = b"GET", version: bytes = b"1.1", **changes: bytes | None) -> RequestReceived:
    """The request of RFC 6455 1.2 with some field lines changed, added or left out."""
    lines = dict(PLAIN)
    for name, value in changes.items():
        field = name.replace("_", "-").encode()
        if value is None:
            del lines[field]
        else:
            lines[field] = value
    machine = ServerRole(now=0.0)
    head = b"".join(b"%b: %b\r\n" % line for line in lines.items())
    machine.receive_data(method + b" /chat HTTP/" + version + b"\r\n" + head + b"\r\n", 0.0)
    event = machine.next_event()
    assert isinstance(event, RequestReceived)
    return event


def test_the_example_of_the_rfc() -> None:
    assert accept_value(KEY) == ACCEPT
    accepted = answer(request(Sec_WebSocket_Protocol=b"chat, superchat"), protocols=["superchat", "chat"])
    assert accepted == Accept(
        "chat",
        None,
        [
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
            (b"Sec-WebSocket-Accept", ACCEPT),
            (b"Sec-WebSocket-Protocol", b"chat"),
        ],
    )


def test_the_http_machine_takes_the_answer() -> None:
    machine = ServerRole(now=0.0)
    lines = b"".join(b"%b: %b\r\n" % line for line in PLAIN.items())
    machine.receive_data(b"GET / HTTP/1.1\r\n" + lines + b"\r\n\x81\x80abcd", 0.0)
    event = machine.next_event()
    assert isinstance(event, RequestReceived)
    accepted = answer(event)
    assert isinstance(accepted, Accept)
    machine.send(SendHead(101, b"Switching Protocols", accepted.fields), 0.0)
    switched: Any = machine.next_event()
    assert (switched.protocol, switched.data) == (b"websocket", b"\x81\x80abcd")


@pytest.mark.parametrize(
    "changes",
    [
        {"Upgrade": b"WebSocket"},
        {"Upgrade": b"h2c, websocket"},
        {"Connection": b"keep-alive, Upgrade"},
        {"Connection": b"UPGRADE"},
    ],
)
def test_names_of_protocols_and_options_are_found_in_any_case_and_place(changes: dict[str, bytes]) -> None:
    assert isinstance(answer(request(**changes)), Accept)


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"method": b"POST"}, 400, "method b'POST'"),
    ({"version": b"1.0"}, 400, "HTTP/1.0"),
    ({"Upgrade": None}, 400, "Upgrade is missing"),
    ({"Upgrade": b"h2c"}, 400, "Upgrade is b'h2c'"),
    ({"Upgrade": b"websockets"}, 400, "Upgrade is b'websockets'"),
    ({"Connection": None}, 400, "Connection is missing"),
    ({"Connection": b"close"}, 400, "Connection is b'close'"),
    ({"Sec_WebSocket_Version": None}, 426, "Sec-WebSocket-Version is missing"),
    ({"Sec_WebSocket_Version": b"8"}, 426, "Sec-WebSocket-Version is b'8'"),
    ({"Sec_WebSocket_Version": b"13, 8"}, 426, "Sec-WebSocket-Version is b'13, 8'"),
    ({"Sec_WebSocket_Key": None}, 400, "Sec-WebSocket-Key is missing"),
    ({"Sec_WebSocket_Key": b""}, 400, "Sec-WebSocket-Key is b''"),
    ({"Sec_WebSocket_Key": b"dGhlIHNhbXBsZSBub25jZQ"}, 400, "16 bytes in base64"),
    ({"Sec_WebSocket_Key": b"dGhlIHNhbXBsZSBub25jZ*=="}, 400, "16 bytes in base64"),
    ({"Sec_WebSocket_Key": b64encode(bytes(15))}, 400, "16 bytes in base64"),
    ({"Sec_WebSocket_Extensions": b"permessage-deflate; ="}, 400, "breaks its grammar at offset 18"),
    ({"Sec_WebSocket_Extensions": b"(x)"}, 400, "has no extension at offset 0"),
]


@pytest.mark.parametrize(("changes", "status", "why"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_is_no_opening_handshake_is_refused(changes: dict[str, Any], status: int, why: str) -> None:
    """RFC 6455 4.2.1; a version we do not speak gets those we do (4.4)."""
    refused = answer(request(**changes))
    assert isinstance(refused, Refuse)
    assert refused.status == status
    assert why in refused.reason
    assert ((b"Sec-WebSocket-Version", b"13") in refused.fields) is (status == 426)


@pytest.mark.parametrize("name", [b"Sec-WebSocket-Key", b"Sec-WebSocket-Version"])
def test_a_key_or_version_that_comes_twice_is_refused(name: bytes) -> None:
    lines = [*PLAIN.items(), (name.lower(), PLAIN[name])]
    refused = answer(RequestReceived(b"GET", b"/", b"1.1", Fields(lines), None))  # type: ignore[arg-type]
    assert isinstance(refused, Refuse)
    assert name.decode() in refused.reason


@pytest.mark.parametrize(
    ("asked", "spoken", "chosen"),
    [
        (None, ["a"], None),
        (b"a, b", [], None),
        (b"a, b", ["c"], None),
        (b"a, b", ["b", "a"], "a"),
        (b"A , b", ["a", "b"], "b"),
        (b"", [""], None),
    ],
)
def test_of_the_subprotocols_spoken_here_the_clients_first_is_chosen(
    asked: bytes | None, spoken: list[str], chosen: str | None
) -> None:
    changes = {} if asked is None else {"Sec_WebSocket_Protocol": asked}
    accepted = answer(request(**changes), protocols=[name for name in spoken if name])
    assert isinstance(accepted, Accept)
    assert accepted.protocol == chosen
    assert (b"sec-websocket-protocol" in Fields((n.lower(), v) for n, v in accepted.fields)) is (chosen is not None)


def test_extensions_are_taken_only_where_they_are_wished_for() -> None:
    offer = {"Sec_WebSocket_Extensions": b"permessage-deflate; client_max_window_bits"}
    accepted = answer(request(**offer))
    assert isinstance(accepted, Accept)
    assert accepted.deflate is None
    accepted = answer(request(**offer), deflate=DeflateParameters())
    assert isinstance(accepted, Accept)
    assert accepted.deflate == DeflateParameters()
    assert accepted.fields[-1] == (b"Sec-WebSocket-Extensions", b"permessage-deflate")
    accepted = answer(request(Sec_WebSocket_Extensions=b"x-other"), deflate=DeflateParameters())
    assert isinstance(accepted, Accept)
    assert accepted.deflate is None


# -- client --------------------------------------------------------------------------------------------------


def opening(**how: Any) -> ClientOpening:
    return ClientOpening(lambda: b"the sample nonce", **how)


def accepted(*more: tuple[bytes, bytes], **changes: bytes | None) -> Fields:
    lines: dict[bytes, bytes | None] = {
        b"Upgrade": b"websocket",
        b"Connection": b"Upgrade",
        b"Sec-WebSocket-Accept": ACCEPT,
    }
    lines.update({name.replace("_", "-").encode(): value for name, value in changes.items()})
    return Fields([*((name, value) for name, value in lines.items() if value is not None), *more])


def test_a_client_asks_as_the_rfc_does() -> None:
    asked = opening(protocols=["chat", "superchat"], deflate=DeflateParameters())
    assert asked.fields == [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Key", KEY),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Sec-WebSocket-Protocol", b"chat, superchat"),
        (b"Sec-WebSocket-Extensions", b"permessage-deflate; client_max_window_bits"),
    ]
    assert len(opening().fields) == 4


def test_a_client_takes_what_it_asked_for() -> None:
    asked = opening(protocols=["chat"], deflate=DeflateParameters())
    assert asked.check(accepted()) == Opened(None, None)
    lines = [(b"sec-websocket-protocol", b"chat"), (b"sec-websocket-extensions", b"permessage-deflate")]
    assert asked.check(accepted(*lines, Upgrade=b"WebSocket", Connection=b"a, upgrade")) == Opened(
        "chat", DeflateParameters()
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (accepted(Upgrade=None), "Upgrade is missing"),
        (accepted(Upgrade=b"h2c"), "must name websocket"),
        (accepted(Connection=b"close"), "must name upgrade"),
        (accepted(Sec_WebSocket_Accept=None), "Sec-WebSocket-Accept is missing"),
        (accepted(Sec_WebSocket_Accept=KEY), "must be s3pPLMBiTxaQ9kYGzzhZRbK"),
        (accepted((b"Sec-WebSocket-Accept", ACCEPT)), "Sec-WebSocket-Accept"),
        (accepted((b"Sec-WebSocket-Protocol", b"other")), "but chat was asked for"),
        (accepted((b"Sec-WebSocket-Protocol", b"chat, chat")), "but chat was asked for"),
        (accepted((b"Sec-WebSocket-Extensions", b"x")), "was not offered"),
        (accepted((b"Sec-WebSocket-Extensions", b"permessage-deflate; x")), "unknown parameters"),
    ],
)
def test_a_client_takes_nothing_else(fields: Fields, why: str) -> None:
    """RFC 6455 4.1."""
    with pytest.raises(RemoteProtocolError) as refused:
        opening(protocols=["chat"], deflate=DeflateParameters()).check(fields)
    assert why in str(refused.value)


def test_a_client_that_asked_for_no_subprotocol_takes_none() -> None:
    with pytest.raises(RemoteProtocolError, match="none was asked for"):
        opening().check(accepted((b"Sec-WebSocket-Protocol", b"chat")))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"protocols": ["a b"]}, "not a token"),
        ({"protocols": [""]}, "not a token"),
        ({"protocols": ["ä"]}, "not a token"),
        ({"protocols": ["a", "a"]}, "not all different"),
    ],
)
def test_what_a_client_cannot_ask_for(how: dict[str, Any], why: str) -> None:
    with pytest.raises(LocalProtocolError, match=why):
        opening(**how)


def test_a_key_source_must_give_16_bytes() -> None:
    with pytest.raises(LocalProtocolError, match="gave 15 bytes, but 16 are needed"):
        ClientOpening(lambda: bytes(15))


# -- wsproto on the other side -------------------------------------------------------------------------------


def test_wsproto_as_the_client_is_content() -> None:
    client = WSConnection(ConnectionType.CLIENT)
    head = client.send(Request(host="h", target="/", subprotocols=["a", "b"], extensions=[PerMessageDeflate()]))
    machine = ServerRole(now=0.0)
    machine.receive_data(head, 0.0)
    event = machine.next_event()
    assert isinstance(event, RequestReceived)
    agreed = answer(event, protocols=["b"], deflate=DeflateParameters(True, False, 12, 11))
    assert isinstance(agreed, Accept)
    assert agreed.deflate == DeflateParameters(True, False, 12, 11)
    machine.send(SendHead(101, b"Switching Protocols", agreed.fields), 0.0)
    client.receive_data(machine.next_effect().data)  # type: ignore[union-attr]
    (told,) = client.events()
    assert isinstance(told, AcceptConnection)
    assert told.subprotocol == "b"
    assert isinstance(told.extensions[0], PerMessageDeflate)


def test_wsproto_as_the_server_is_content() -> None:
    asked = opening(protocols=["a", "b"], deflate=DeflateParameters())
    server = WSConnection(ConnectionType.SERVER)
    lines = b"".join(b"%b: %b\r\n" % line for line in [(b"Host", b"h"), *asked.fields])
    server.receive_data(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
    (told,) = server.events()
    assert isinstance(told, Request)
    assert told.subprotocols == ["a", "b"]
    head = server.send(AcceptConnection(subprotocol="b", extensions=[PerMessageDeflate()]))
    pairs = [tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")[1:-2]]
    assert asked.check(Fields(pairs)) == Opened("b", DeflateParameters())  # type: ignore[arg-type]
