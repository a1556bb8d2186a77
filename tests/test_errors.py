import copy
import pickle

import pytest

from sansio_web.errors import LocalProtocolError, PeerDisconnected, ProtocolError, RemoteProtocolError, shown


def test_the_two_sides_of_a_fault_are_apart() -> None:
    assert issubclass(LocalProtocolError, ProtocolError)
    assert issubclass(RemoteProtocolError, ProtocolError)
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    assert issubclass(PeerDisconnected, RemoteProtocolError)


def test_a_peers_fault_hints_at_a_status_and_a_close_code() -> None:
    error = RemoteProtocolError("too large", status_hint=413, close_code_hint=1009)
    assert (str(error), error.status_hint, error.close_code_hint) == ("too large", 413, 1009)
    plain = RemoteProtocolError("malformed")
    assert (plain.status_hint, plain.close_code_hint) == (400, 1002)


@pytest.mark.parametrize("kind", [RemoteProtocolError, PeerDisconnected])
@pytest.mark.parametrize("through", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_copies_and_pickles_keep_the_hints(kind: type[RemoteProtocolError], through: object) -> None:
    error = through(kind("m", status_hint=431, close_code_hint=1009))  # type: ignore[operator]
    assert type(error) is kind
    assert (str(error), error.status_hint, error.close_code_hint) == ("m", 431, 1009)


def test_a_peers_bytes_are_shown_as_their_repr_cut_to_32() -> None:
    assert shown(b"a\r\n") == r"b'a\r\n'"
    assert shown(b"x" * 32) == repr(b"x" * 32)
    assert shown(b"x" * 33) == repr(b"x" * 32) + "…"
    assert shown(bytearray(b"ab")) == "b'ab'"
    assert shown(memoryview(b"ab")) == "b'ab'"
