"""permessage-deflate: what is agreed (RFC 7692 5, 7.1), and how little a bomb may make."""

import zlib

import pytest

from sansio_web.errors import RemoteProtocolError
from sansio_web.websocket.deflate import (
    DeflateParameters,
    Deflater,
    Inflater,
    accept,
    agreed,
    deflater,
    extensions,
    inflater,
    offer,
)

ANY = DeflateParameters()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"", []),
        (b" , ,", []),
        (b"a", [(b"a", [])]),
        (b"a,b , c", [(b"a", []), (b"b", []), (b"c", [])]),
        (b'a;b ; c=1;d="2" ,e', [(b"a", [(b"b", None), (b"c", b"1"), (b"d", b"2")]), (b"e", [])]),
        (b'a; b = "1\\5"', [(b"a", [(b"b", b"15")])]),
    ],
)
def test_a_list_of_extensions_is_read(value: bytes, found: list[object]) -> None:
    """RFC 6455 9.1."""
    assert extensions(value) == found


@pytest.mark.parametrize(
    "value", [b"a b", b";", b"a;", b"a;=", b"a; b=", b'a; b="', b'a; b=""', b'a; b="(c)"', b"a, ;b"]
)
def test_what_is_no_list_of_extensions_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="Sec-WebSocket-Extensions"):
        extensions(value)


def test_a_long_list_is_read_in_no_time() -> None:
    assert len(extensions(b"a; b=1, " * 20_000)) == 20_000
    with pytest.raises(ValueError, match="grammar"):
        extensions(b"a" + b" ;b" * 20_000 + b";")


P = b"permessage-deflate"
ACCEPTED = [
    (P, ANY, ANY, P),
    (P + b"; client_max_window_bits", ANY, ANY, P),
    (
        P + b"; client_max_window_bits=10",
        ANY,
        DeflateParameters(False, False, 15, 10),
        P + b"; client_max_window_bits=10",
    ),
    (
        P + b"; client_max_window_bits",
        DeflateParameters(client_max_window_bits=11),
        DeflateParameters(False, False, 15, 11),
        P + b"; client_max_window_bits=11",
    ),
    (P, DeflateParameters(client_max_window_bits=11), ANY, P),
    (
        P + b"; server_max_window_bits=12",
        DeflateParameters(server_max_window_bits=10),
        DeflateParameters(False, False, 10, 15),
        P + b"; server_max_window_bits=10",
    ),
    (P + b"; server_max_window_bits=15", ANY, ANY, P + b"; server_max_window_bits=15"),
    (
        P,
        DeflateParameters(server_max_window_bits=10),
        DeflateParameters(False, False, 10),
        P + b"; server_max_window_bits=10",
    ),
    (P + b"; server_no_context_takeover", ANY, DeflateParameters(True), P + b"; server_no_context_takeover"),
    (P + b"; client_no_context_takeover", ANY, DeflateParameters(False, True), P + b"; client_no_context_takeover"),
    (
        P,
        DeflateParameters(True, True),
        DeflateParameters(True, True),
        P + b"; server_no_context_takeover; client_no_context_takeover",
    ),
    (b"x, " + P + b"; y, " + P, ANY, ANY, P),
    (
        P + b"; server_max_window_bits=16, " + P + b'; server_max_window_bits="9"',
        ANY,
        DeflateParameters(False, False, 9),
        P + b"; server_max_window_bits=9",
    ),
]


@pytest.mark.parametrize(("value", "wish", "parameters", "answer"), ACCEPTED)
def test_a_server_takes_the_first_offer_that_it_can(
    value: bytes, wish: DeflateParameters, parameters: DeflateParameters, answer: bytes
) -> None:
    """RFC 7692 5.1, 7.1."""
    assert accept(value, wish) == (parameters, answer)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"x-webkit-deflate-frame",
        P + b"; unknown",
        P + b"; server_no_context_takeover=1",
        P + b"; server_max_window_bits",
        P + b"; server_max_window_bits=7",
        P + b"; server_max_window_bits=010",
        P + b"; client_max_window_bits=16",
        P + b"; client_max_window_bits; client_max_window_bits",
        b"Permessage-Deflate",
    ],
)
def test_an_offer_with_what_it_does_not_know_is_declined(value: bytes) -> None:
    assert accept(value, ANY) is None


def test_what_a_client_offers() -> None:
    assert offer(ANY) == P + b"; client_max_window_bits"
    assert offer(DeflateParameters(True, True, 10, 11)) == (
        P
        + b"; server_no_context_takeover; client_no_context_takeover"
        + b"; server_max_window_bits=10; client_max_window_bits=11"
    )


@pytest.mark.parametrize(
    ("value", "wish", "parameters"),
    [
        (b"", ANY, None),
        (b"", None, None),
        (P, ANY, ANY),
        (P, DeflateParameters(False, True, 15, 10), DeflateParameters(False, True, 15, 10)),
        (P + b"; server_no_context_takeover; client_no_context_takeover", ANY, DeflateParameters(True, True)),
        (P + b"; server_max_window_bits=9; client_max_window_bits=8", ANY, DeflateParameters(False, False, 9, 8)),
    ],
)
def test_a_client_takes_what_fits_its_offer(
    value: bytes, wish: DeflateParameters | None, parameters: DeflateParameters | None
) -> None:
    assert agreed(value, wish) == parameters


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        (P, None),
        (b"x", ANY),
        (P + b", x", ANY),
        (P + b"; x", ANY),
        (P + b"; client_max_window_bits", ANY),
        (P + b";", ANY),
        (P, DeflateParameters(server_no_context_takeover=True)),
        (P, DeflateParameters(server_max_window_bits=10)),
        (P + b"; server_max_window_bits=11", DeflateParameters(server_max_window_bits=10)),
        (P + b"; client_max_window_bits=11", DeflateParameters(client_max_window_bits=10)),
    ],
)
def test_a_client_refuses_what_does_not(value: bytes, wish: DeflateParameters | None) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        agreed(value, wish)
    assert refused.value.close_code_hint == 1010


def test_a_window_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="server_max_window_bits is 16, but must be 8 to 15"):
        DeflateParameters(server_max_window_bits=16)
    with pytest.raises(ValueError, match="client_max_window_bits is 7"):
        DeflateParameters(client_max_window_bits=7)


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("bits", [9, 15])
def test_messages_come_back_as_they_went(keeps: bool, bits: int) -> None:
    there, back = Deflater(bits, keeps=keeps), Inflater(bits, keeps=keeps)
    for data in (b"", b"", b"Hello", b"Hello", bytes(100_000), b"", bytes(range(256)) * 300):
        assert back.inflate(there.deflate(data, fin=True), None) + back.end(None) == data


def test_the_window_lives_on_or_does_not() -> None:
    """RFC 7692 7.1.1."""
    data = bytes(range(256))
    keeping, forgetting = Deflater(15, keeps=True), Deflater(15, keeps=False)
    assert len(keeping.deflate(data, fin=True)) > len(keeping.deflate(data, fin=True)) + 200
    assert forgetting.deflate(data, fin=True) == forgetting.deflate(data, fin=True)


def test_a_bomb_makes_one_byte_more_than_there_is_room() -> None:
    squeeze = zlib.compressobj(9, wbits=-15)
    bomb = squeeze.compress(bytes(50_000_000)) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    assert len(Inflater(15, keeps=True).inflate(bomb, 1_000)) == 1_001
    assert len(Inflater(15, keeps=True).inflate(bomb, 0)) == 1


def test_final_blocks_count_against_the_room_together() -> None:
    one = zlib.compressobj(9, wbits=-15)
    block = one.compress(bytes(1_000)) + one.flush(zlib.Z_FINISH)
    assert len(Inflater(15, keeps=True).inflate(block * 10, 5_500)) == 5_501
    with pytest.raises(zlib.error, match="more than 64 final blocks"):
        Inflater(15, keeps=True).inflate(block * 66, None)


def test_each_end_has_its_own_parameters() -> None:
    parameters = DeflateParameters(True, False, 9, 8)
    server = deflater(parameters, server=True)
    assert server is not None
    assert (server._bits, server._keeps) == (9, False)
    assert deflater(parameters, server=False) is None, "zlib cannot deflate with 8: the client sends as it is"
    assert (inflater(parameters, server=True)._bits, inflater(parameters, server=True)._keeps) == (8, True)
    assert (inflater(parameters, server=False)._bits, inflater(parameters, server=False)._keeps) == (9, False)
