"""FAQ 7: WebSockets that another handler closes."""

import time
from contextlib import ExitStack
from threading import Thread

import httpx
import pytest
from examples.faq import faq_07_close_from_elsewhere as faq
from tests.support import ws_frames as wsf
from tests.support.serving import Served, serving
from tests.support.ws_peer import ws_peer
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect


def talking(served: Served, user: str, stack: ExitStack) -> ClientConnection:
    """A client whose socket is in the registry."""
    client = stack.enter_context(connect(f"{served.url.replace('http', 'ws', 1)}/news/{user}"))
    client.send("hello")
    assert client.recv(timeout=10) == f"{user} said hello"
    return client


def test_logout_closes_all_sockets_of_one_user(runtime: str) -> None:
    app = faq.make_app()
    with serving(app, runtime, access_log=None) as served, ExitStack() as stack:
        mine = [talking(served, "me", stack) for _ in range(3)]
        other = talking(served, "other", stack)
        ends = httpx.post(served.url + "/logout/me").json()
        assert ends == [{"code": 4001, "clean": True, "by": "LOCAL"}] * 3
        for client in mine:
            with pytest.raises(ConnectionClosed):
                client.recv(timeout=10)
            assert (client.close_code, client.close_reason) == (4001, "logged out")
        other.send("still here")
        assert other.recv(timeout=10) == "other said still here"
        assert [ws[faq.USER] for ws in app[faq.SOCKETS]] == ["other"]
        assert httpx.post(served.url + "/logout/nobody").json() == []


def test_a_dead_client_delays_neither_the_others_nor_the_answer_beyond_the_timeout(runtime: str) -> None:
    with serving(faq.make_app(), runtime, access_log=None) as served, ExitStack() as stack:
        dead = [stack.enter_context(ws_peer(served, "/news/me")) for _ in range(3)]
        for each in dead:
            each.send(wsf.text("x"))
            assert each.text() == "me said x"
        alive = talking(served, "me", stack)
        began = time.monotonic()
        told: list[float] = []

        def hear() -> None:
            with pytest.raises(ConnectionClosed):
                alive.recv(timeout=10)
            told.append(time.monotonic() - began)

        thread = Thread(target=hear)
        thread.start()
        ends = httpx.post(served.url + "/logout/me", timeout=10).json()
        took = time.monotonic() - began
        thread.join(10)
    assert told[0] < 1.0
    assert 2.0 <= took < 3.5
    assert sorted(end["code"] for end in ends) == [1006, 1006, 1006, 4001]
    assert sorted(end["clean"] for end in ends) == [False, False, False, True]


def test_the_readers_loop_ends_by_itself(runtime: str) -> None:
    app = faq.make_app()
    with serving(app, runtime, access_log=None) as served, ExitStack() as stack:
        talking(served, "me", stack)
        assert len(httpx.post(served.url + "/logout/me").json()) == 1
        assert httpx.post(served.url + "/logout/me").json() == []
