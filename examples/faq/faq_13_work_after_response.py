"""How can a handler go on working after its response was sent?

Send it yourself: `await response.prepare(request)`, `await response.write_eof()`. From there on the client
has the whole response and waits for nothing. Do the rest, and return that same response at the end, which
is not sent a second time.

The connection is free from then on, and so is the client: neither its next request nor its departure does
anything to the work. A server that stops waits for the work to end, as long as `shutdown_timeout` allows.

Run it: python -m examples.faq.faq_13_work_after_response [RUNTIME PORT]
"""

import sys

import anyio

from sansio_web import web


class Mailer:
    """Something slow."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, article: str) -> None:
        """Write a mail about an order."""
        await anyio.sleep(3)
        self.sent.append(article)


MAILER = web.AppKey("MAILER", Mailer)


async def order(request: web.Request) -> web.StreamResponse:
    """Confirm the order at once, then send the mail that takes its time."""
    article = await request.text()

    response = web.Response(status=202, text=f"{article} is ordered\n")
    await response.prepare(request)
    await response.write_eof()  # the client has it all

    await request.app[MAILER].send(article)
    return response


async def sent(request: web.Request) -> web.Response:
    """The orders whose mail has gone out."""
    return web.json_response(request.app[MAILER].sent)


def make_app(mailer: Mailer | None = None) -> web.Application:
    """The application; its mailer may be another one."""
    app = web.Application()
    app[MAILER] = mailer or Mailer()
    app.add_routes([web.post("/orders", order), web.get("/sent", sent)])
    return app


if __name__ == "__main__":
    runtime, port = sys.argv[1:] or ("asyncio", "8080")
    web.run_app(make_app(), host="127.0.0.1", port=int(port), runtime=runtime)
