"""FAQ 1: tables of routes."""

import sys
import warnings

import httpx
import pytest
from examples.faq import faq_01_route_tables as faq
from tests.support.serving import serving

from sansio_web import web


def test_routes_of_a_table_are_served_by_their_methods(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        assert client.get("/").text == "1 books"
        assert client.get("/books/1").text == "Middlemarch"
        assert client.get("/books/2").status_code == 404

        stored = client.post("/books/a%20b", content=b"Emma")  # one decorator of two
        assert (stored.status_code, stored.headers["Location"]) == (201, "/books/a%20b")
        assert client.put("/books/2", content=b"Ulysses").status_code == 201
        assert client.get("/books/a%20b").text == "Emma"
        assert client.get("/").text == "3 books"


def test_get_answers_head_with_the_same_fields_and_no_content(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        get, head = client.get("/"), client.head("/")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))
        assert head.headers["Content-Type"] == get.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_view_has_a_method_per_method_and_405_for_the_others(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served, httpx.Client(base_url=served.url) as client:
        assert client.get("/shelf").json() == {"Middlemarch": "/books/1"}
        deleted = client.delete("/shelf")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert client.get("/shelf").json() == {}

        refused = client.put("/shelf")
        assert refused.status_code == 405
        assert {method.strip() for method in refused.headers["Allow"].split(",")} == {"GET", "DELETE"}


def test_405_names_all_methods_of_a_path(runtime: str) -> None:
    with serving(faq.make_app(), runtime) as served:
        refused = httpx.delete(f"{served.url}/books/1")
        assert refused.status_code == 405
        assert refused.headers["Allow"].replace(" ", "") == "GET,HEAD,POST,PUT"


def test_one_table_serves_two_applications_apart() -> None:
    first, second = faq.make_app(), faq.make_app()
    first[faq.BOOKS]["9"] = "Nine"
    assert "9" not in second[faq.BOOKS]
    assert len(first.router.routes()) == len(second.router.routes())


def test_a_route_that_no_url_can_reach_warns_and_names_both_places() -> None:
    app = faq.make_app()
    table = web.RouteTableDef()
    here = sys._getframe().f_lineno + 2

    @table.get("/books/{title}")
    async def by_title(request: web.Request) -> web.Response:
        return web.Response()

    with pytest.warns(Warning, match="can never match") as caught:
        app.add_routes(table)

    (warning,) = caught
    message = str(warning.message)
    assert "'/books/{title}'" in message
    assert f"test_faq_01.py:{here}" in message
    assert "'/books/{id}'" in message
    assert "faq_01_route_tables.py:" in message
    assert "takes every URL of it" in message


def test_the_example_itself_adds_no_such_route() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faq.make_app()
