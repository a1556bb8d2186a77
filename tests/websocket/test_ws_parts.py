"""The small parts: Close codes, limits, heartbeat, headers, the package's names."""

import doctest
import subprocess
import sys

import pytest

import sansio_web.websocket as websocket
from sansio_web.errors import LocalProtocolError, RemoteProtocolError
from sansio_web.websocket.codes import CloseCode, close_payload, cut_reason, may_be_on_wire, read_close
from sansio_web.websocket.connection import Role, WebSocket
from sansio_web.websocket.heartbeat import Beat, Heartbeat
from sansio_web.websocket.limits import WebSocketLimits
from sansio_web.websocket.outgoing import Progress
from sansio_web.websocket.writer import frame, heads


def test_the_codes_that_may_be_on_the_wire() -> None:
    """RFC 6455 7.4.1, 7.4.2 and IANA's registry."""
    allowed = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
    assert {code for code in range(70_000) if may_be_on_wire(code)} == allowed
    assert {code for code in CloseCode if not may_be_on_wire(code)} == {1005, 1006, 1015}


def test_a_close_is_read_as_it_was_written() -> None:
    for code, reason in ((1000, ""), (4999, "é" * 61), (None, "")):
        assert read_close(close_payload(code, reason)) == (1005 if code is None else code, reason)


def test_what_a_close_cannot_carry_is_cut_between_characters() -> None:
    assert cut_reason("a" * 124) == "a" * 123
    assert cut_reason("é" * 62) == "é" * 61
    assert cut_reason("€" * 42) == "€" * 41
    assert close_payload(1000, cut_reason("\ud800😀" * 99))


def test_a_wrong_close_says_how() -> None:
    for payload, code, what in (
        (b"\x03", 1002, "has 1 byte"),
        (b"\x03\xed", 1002, "Close code 1005 must not be sent"),
        (b"\x03\xe8\xff", 1007, "is not UTF-8"),
    ):
        with pytest.raises(RemoteProtocolError, match=what) as refused:
            read_close(payload)
        assert refused.value.close_code_hint == code
    with pytest.raises(LocalProtocolError, match="1000-1003, 1007-1014 and 3000-4999"):
        close_payload(1004, "")


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"WebSocketLimits\.close_timeout is -1"):
        WebSocketLimits(close_timeout=-1)
    with pytest.raises(ValueError, match="heartbeat is 0, but must be positive"):
        WebSocketLimits(heartbeat=0)
    WebSocketLimits(max_message_bytes=None, max_fragments=None, frame_timeout=None, close_timeout=None)


def test_a_heartbeat_sleeps_pings_and_despairs() -> None:
    heart = Heartbeat(10.0, None, 0.0)
    heart.heard = 4.0
    assert (heart.due(10.0, excused=False), heart.next_at) == (Beat.WAIT, 14.0)
    assert (heart.due(14.0, excused=False), heart.next_at) == (Beat.PING, 19.0)
    assert (heart.due(19.0, excused=True), heart.next_at) == (Beat.WAIT, 24.0)
    heart.heard = 23.0
    assert (heart.due(24.0, excused=False), heart.next_at) == (Beat.WAIT, 33.0)
    assert (heart.due(33.0, excused=False), heart.next_at) == (Beat.PING, 38.0)
    assert heart.due(38.0, excused=False) is Beat.DEAD
    assert heart.pings == 2


def test_a_pong_may_take_longer_than_the_interval() -> None:
    heart = Heartbeat(1.0, 5.0, 0.0)
    assert heart.due(1.0, excused=False) is Beat.PING
    heart.heard = 2.0
    assert (heart.due(6.0, excused=False), heart.next_at) == (Beat.PING, 11.0)


def test_headers_from_a_table_are_those_of_the_writer() -> None:
    for length, head in enumerate(heads(0x81)):
        assert frame(0x81, bytes(length), None) == head + bytes(length)


def test_progress_is_measured_in_spans() -> None:
    progress = Progress()
    progress.transmitted = 1_000
    progress.report(1_000)
    assert not progress.progressed(0), "a span without a minimum needs one byte"
    progress.report(900)
    assert progress.progressed(100)
    assert not progress.progressed(100)
    progress.report(0)
    assert progress.progressed(100)


# -- the package ---------------------------------------------------------------------------------------------


def test_the_example_is_true() -> None:
    result = doctest.testmod(websocket)
    assert (result.failed, result.attempted > 5) == (0, True)


def test_every_public_name_is_there() -> None:
    assert len(set(websocket.__all__)) == len(websocket.__all__)
    assert all(hasattr(websocket, name) for name in websocket.__all__)
    assert (websocket.WebSocket, websocket.Role) == (WebSocket, Role)


def test_an_unknown_name_is_an_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'sansio_web\.websocket' has no attribute 'Socket'"):
        _ = websocket.Socket


def test_the_nouns_do_not_import_wsproto() -> None:
    code = "import sys, sansio_web.websocket; sys.exit('wsproto' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
