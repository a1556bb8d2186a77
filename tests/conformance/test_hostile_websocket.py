"""What nobody should send over a WebSocket: each ends with the right code in time, and the server goes on."""

import os
import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support import ws_frames as wsf
from tests.support.serving import Served, serving
from tests.support.ws_frames import KEY, Frame, frame, text
from tests.support.ws_peer import WSPeer, ws_peer

from sansio_web import web
from sansio_web.testing._peer import until

MEBIBYTE = 1024**2
LIMITS = web.WebSocketLimits(frame_timeout=0.4, write_timeout=0.6, drain_timeout=0.3, max_fragments=1000)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


class Heard:
    """What the handlers saw: messages, and how each socket ended."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.ends: list[web.SocketClosed] = []


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def served(runtime: str, heard: Heard) -> Iterator[Served]:
    async def handler(request: web.Request) -> web.StreamResponse:
        heartbeat = float(request.query.get("heartbeat", "0")) or None
        ws = web.WebSocketResponse(timeout=0.5, max_msg_size=MEBIBYTE, heartbeat=heartbeat, limits=LIMITS)
        await ws.prepare(request)
        try:
            async for message in ws:
                heard.messages.append(message.data)
                if message.data == "flood me":
                    while True:
                        await ws.send_bytes(b"x" * 65_536)
                if message.type is web.WSMsgType.TEXT:
                    await ws.send_str(f"got {len(message.data)}")
        finally:
            await ws.close()
            assert ws.ended is not None
            heard.ends.append(ws.ended)
        return ws

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="alive")

    app = web.Application()
    app.add_routes([web.get("/ws", handler), web.get("/alive", alive)])
    with serving(app, runtime, access_log=None) as server:
        yield server
        assert httpx.get(server.url + "/alive").text == "alive"


def ended(client: WSPeer, within: float) -> tuple[int | None, float]:
    """The code of the Close that comes, and the seconds until the stream is over."""
    began = time.monotonic()
    code = None
    try:
        code = client.last()
        client.sock.shutdown(1)
        client.gone(within)
    except OSError:
        pass  # it is over
    return code, time.monotonic() - began


def bomb() -> bytes:
    """64 MiB of zeros, deflated to 64 KiB, in one text message."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflater.compress(b"\0" * 64 * MEBIBYTE) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return frame(wsf.TEXT, data[:-4], rsv=4)


def head(first: int, second: int, rest: bytes = b"") -> bytes:
    return bytes((first, second)) + rest + KEY


HOSTILE = {
    "unmasked": (frame(wsf.TEXT, b"x", masked=False), 1002),
    "reserved bit": (frame(wsf.TEXT, b"x", rsv=2), 1002),
    "RSV1 without an extension": (frame(wsf.TEXT, b"x", rsv=4), 1002),
    "reserved opcode": (frame(0x3, b"x"), 1002),
    "reserved control opcode": (frame(0xB, b"x"), 1002),
    "length not in its shortest form": (head(0x81, 0xFF, (5).to_bytes(8, "big")) + b"hello", 1002),
    "length 2^63": (head(0x81, 0xFF, (1 << 63).to_bytes(8, "big")), 1002),
    "length 2^62": (head(0x81, 0xFF, (1 << 62).to_bytes(8, "big")), 1009),
    "a byte over the limit": (head(0x82, 0xFF, (MEBIBYTE + 1).to_bytes(8, "big")), 1009),
    "fragmented control frame": (frame(wsf.PING, b"x", fin=False), 1002),
    "control frame of 126 bytes": (frame(wsf.PING, b"x" * 126), 1002),
    "continuation of nothing": (frame(wsf.CONTINUATION, b"x"), 1002),
    "message within a message": (frame(wsf.TEXT, b"x", fin=False) + frame(wsf.TEXT, b"y"), 1002),
    "endless empty fragments": (frame(wsf.TEXT, fin=False) + frame(wsf.CONTINUATION, fin=False) * 1001, 1009),
    "endless fragments": (
        frame(wsf.BINARY, fin=False) + frame(wsf.CONTINUATION, b"x" * 2000, fin=False) * 600,
        1009,
    ),
    "not UTF-8": (frame(wsf.TEXT, b"\xff"), 1007),
    "half a character at the end": (frame(wsf.TEXT, b"\xc3"), 1007),
    "half a Close code": (frame(wsf.CLOSE, b"\x03"), 1002),
    "Close code that must not be sent": (wsf.close(1006), 1002),
    "Close reason not in UTF-8": (frame(wsf.CLOSE, b"\x03\xe8\xff"), 1007),
    "random bytes": (bytes((0xF7,)) + os.urandom(500), 1002),
}


@pytest.mark.parametrize(("data", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_broken_frame_ends_with_its_code_after_what_came_before(
    served: Served, heard: Heard, data: bytes, code: int
) -> None:
    with ws_peer(served) as client:
        client.send(text("before") + data)
        assert client.text() == "got 6"
        told, took = ended(client, 2.0)
        assert told == code
        assert took < 1.5
    assert heard.messages[0] == "before"
    assert until(lambda: heard.ends)
    assert (heard.ends[0].code, heard.ends[0].clean, heard.ends[0].by) == (code, False, web.Ended.FAILED)


def test_a_deflate_bomb_is_1009(served: Served, heard: Heard) -> None:
    with ws_peer(served, "/ws", DEFLATE) as client:
        client.send(bomb())
        told, took = ended(client, 2.0)
    assert (told, took < 1.5) == (1009, True)
    assert not any(isinstance(message, str) for message in heard.messages)


def test_a_silent_peer_is_found_by_the_heartbeat(served: Served, heard: Heard) -> None:
    with ws_peer(served, "/ws?heartbeat=0.4") as client:
        ping = client.frame()
        assert ping is not None
        assert ping.opcode == wsf.PING
        _, took = ended(client, 2.0)
        assert took < 1.5
    assert until(lambda: heard.ends)
    assert (heard.ends[0].code, heard.ends[0].by) == (1006, web.Ended.TIMEOUT)


def test_a_peer_that_drips_a_frame_byte_by_byte_is_1008(served: Served, heard: Heard) -> None:
    with ws_peer(served) as client:
        client.send(head(0x81, 0xFE, (10_000).to_bytes(2, "big")))
        for _ in range(8):
            client.send(b"x")
            time.sleep(0.1)
        told, took = ended(client, 2.0)
    assert (told, took < 1.0) == (1008, True)


def test_a_flood_of_closes_is_answered_once(served: Served, heard: Heard) -> None:
    with ws_peer(served) as client:
        client.send(wsf.close(4000) * 1000)
        assert client.frame() == Frame(wsf.CLOSE, b"\x0f\xa0")
        assert client.frame() is None


def test_what_comes_after_the_close_is_dropped(served: Served, heard: Heard) -> None:
    with ws_peer(served) as client:
        client.send(text("before") + wsf.close(4000) + text("after") + frame(0x3, b"broken"))
        assert client.text() == "got 6"
        assert client.frame() == Frame(wsf.CLOSE, b"\x0f\xa0")
        assert client.frame() is None
    assert until(lambda: heard.ends)
    assert heard.messages == ["before"]
    assert heard.ends[0].clean


def test_a_peer_that_goes_on_sending_after_the_close_does_not_hold_the_end_up(served: Served, heard: Heard) -> None:
    with ws_peer(served) as client:
        client.send(wsf.close(4000))
        began = time.monotonic()
        try:
            while time.monotonic() - began < 3.0:
                client.send(b"\0" * 65_536)
        except (ConnectionError, TimeoutError):
            pass
        assert time.monotonic() - began < 2.0
    assert until(lambda: heard.ends)


def test_a_peer_that_asks_for_much_and_takes_nothing_is_dropped(served: Served, heard: Heard) -> None:
    with ws_peer(served) as client:
        client.send(text("flood me"))
        assert until(lambda: heard.ends, 5.0)
    assert heard.ends[0].by is web.Ended.TIMEOUT


def test_pings_of_a_peer_that_takes_no_pongs_do_not_pile_up(served: Served, heard: Heard) -> None:
    with ws_peer(served) as client:
        client.sock.settimeout(1.0)
        ping = frame(wsf.PING, b"x" * 125) * 500
        try:
            for _ in range(400):
                client.send(ping)
        except (TimeoutError, ConnectionError):
            pass
        assert httpx.get(served.url + "/alive").text == "alive"


def test_half_an_opening_handshake_and_many_of_them(served: Served) -> None:
    whole = wsf.opening()
    with ws_peer(served) as client:
        client.send(text("one"))
        assert client.text() == "got 3"
    for cut in range(1, len(whole), 16):
        with ws_peer(served) as other:
            other.send(whole[:cut])
            other.sock.shutdown(1)
            assert other.last() in (1002, None)
