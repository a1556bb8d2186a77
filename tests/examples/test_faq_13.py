"""FAQ 13: work after the response."""

import threading

import anyio
import httpx
from examples.faq import faq_13_work_after_response as faq
from tests.support.raw_http import request, response
from tests.support.serving import serving


class HeldMailer(faq.Mailer):
    """Its work goes on until the test lets it end."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.ended = threading.Event()

    async def send(self, article: str) -> None:
        self.begun.set()
        while not self.may_end.is_set():
            await anyio.sleep(0.005)
        self.sent.append(article)
        self.ended.set()


def test_the_client_has_the_whole_response_before_the_work_ends(runtime: str) -> None:
    mailer = HeldMailer()
    with serving(faq.make_app(mailer), runtime) as served, served.connect() as sock:
        request(sock, "POST", "/orders", b"a lamp")
        answer = response(sock)  # reads to the end that Content-Length tells, no further
        assert (answer.status, answer.content) == (202, b"a lamp is ordered\n")
        assert mailer.begun.wait(10)
        assert mailer.sent == []

        mailer.may_end.set()
        assert mailer.ended.wait(10)
        assert mailer.sent == ["a lamp"]


def test_others_are_served_while_the_work_goes_on(runtime: str) -> None:
    mailer = HeldMailer()
    with serving(faq.make_app(mailer), runtime) as served, served.connect() as sock:
        request(sock, "POST", "/orders", b"a lamp")
        response(sock)
        assert httpx.get(f"{served.url}/sent").json() == []
        mailer.may_end.set()
        assert mailer.ended.wait(10)
        assert httpx.get(f"{served.url}/sent").json() == ["a lamp"]


def test_the_next_request_on_the_connection_does_not_wait_for_the_work(runtime: str) -> None:
    mailer = HeldMailer()
    with serving(faq.make_app(mailer), runtime) as served, served.connect() as sock:
        request(sock, "POST", "/orders", b"a lamp")
        assert response(sock).status == 202
        request(sock, "GET", "/sent")
        assert response(sock).content == b"[]"
        mailer.may_end.set()
        assert mailer.ended.wait(10)
        request(sock, "GET", "/sent")
        assert response(sock).content == b'["a lamp"]'  # and nothing was sent twice in between


def test_a_client_that_leaves_does_not_end_the_work(runtime: str) -> None:
    mailer = HeldMailer()
    with serving(faq.make_app(mailer), runtime) as served:
        with served.connect() as sock:
            request(sock, "POST", "/orders", b"a lamp")
            response(sock)
        assert mailer.begun.wait(10)
        httpx.get(f"{served.url}/sent")  # the server has turned its loop since the client left
        mailer.may_end.set()
        assert mailer.ended.wait(10)


def test_a_server_that_stops_waits_for_the_work(runtime: str) -> None:
    mailer = HeldMailer()
    with serving(faq.make_app(mailer), runtime) as served:
        httpx.post(f"{served.url}/orders", content=b"a lamp")
        assert mailer.begun.wait(10)
        later = threading.Timer(0.3, mailer.may_end.set)
        later.start()
    assert mailer.sent == ["a lamp"]
    later.join()
