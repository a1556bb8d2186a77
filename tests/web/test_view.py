"""`web.view`: handlers as classes; `web.middlewares`: the mark."""

import pytest
from fake_exchange import FakeExchange, run

from sansio_web import web


class Notes(web.View):
    async def get(self) -> web.Response:
        return web.Response(text=f"get {self.request.path}")

    async def delete(self) -> web.Response:
        return web.Response(status=204)

    async def brew(self) -> web.Response:
        raise AssertionError("not an HTTP method of views")


async def answer(method: str) -> web.StreamResponse:
    return await Notes(web.Request(FakeExchange(method, "/notes")))


def test_view_answers_with_the_method_of_that_name() -> None:
    response = run(answer("GET"))
    assert isinstance(response, web.Response)
    assert response.text == "get /notes"
    assert run(answer("DELETE")).status == 204


@pytest.mark.parametrize("method", ["PUT", "HEAD", "BREW", "get", "REQUEST"])
def test_view_allows_what_it_has(method: str) -> None:
    with pytest.raises(web.HTTPMethodNotAllowed) as caught:
        run(answer(method))
    assert caught.value.headers["Allow"] == "DELETE,GET"
    assert caught.value.method == method


def test_middleware_is_marked_and_stays_itself() -> None:
    async def wrap(request: web.Request, handler: object) -> web.StreamResponse:
        return web.Response()

    assert web.middleware(wrap) is wrap
    assert wrap.__middleware_version__ == 1  # type: ignore[attr-defined]
