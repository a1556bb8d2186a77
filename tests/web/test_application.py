"""`Application`: a mapping, frozen after its start, made of routes, middlewares and signals."""

import warnings
from typing import Any

import pytest
from fake_exchange import FakeExchange, run

from sansio_web import web
from sansio_web.web.signals import FrozenList

KEY = web.AppKey("key", int)


async def ok(request: web.Request) -> web.Response:
    return web.Response(text="ok")


def test_an_application_is_a_mapping_and_equal_to_itself_only() -> None:
    app = web.Application()
    app[KEY] = 1
    assert (app[KEY], app.get(KEY), len(app), list(app), KEY in app, bool(web.Application())) == (
        1,
        1,
        1,
        [KEY],
        True,
        True,
    )
    assert app.get("nothing", 5) == 5
    assert app.setdefault(KEY, 2) == 1
    del app[KEY]
    assert app.setdefault(KEY, 2) == 2
    assert app == app
    assert app != web.Application()
    assert len({app, app}) == 1
    assert repr(app).startswith("<Application 0x")
    assert app() is app


def test_a_string_key_works_and_warns_at_the_line_that_used_it() -> None:
    app = web.Application()
    for use in (lambda: app.__setitem__("key", 1), lambda: app.setdefault("other", 2)):
        with pytest.warns(web.NotAppKeyWarning) as caught:
            use()
        assert caught[0].filename == __file__
    assert (app["key"], app["other"]) == (1, 2)


def test_after_the_start_changed_state_warns_at_the_line_that_changed_it() -> None:
    app = web.Application()
    app.freeze()
    for change in (
        lambda: app.__setitem__(KEY, 1),
        lambda: app.__delitem__(KEY),
        lambda: app.setdefault(KEY, 1),
    ):
        with pytest.warns(DeprecationWarning, match="after its start") as caught:
            change()
        assert caught[0].filename == __file__
    assert app[KEY] == 1


def test_after_the_start_routes_middlewares_signals_and_contexts_refuse_changes() -> None:
    app = web.Application()
    assert not app.frozen
    app.pre_freeze()
    app.freeze()
    assert app.frozen
    assert app.pre_frozen

    async def anything(*_: Any) -> None: ...

    for change in (
        lambda: app.router.add_get("/", ok),
        lambda: app.middlewares.append(anything),
        lambda: app.on_startup.append(anything),
        lambda: app.on_shutdown.append(anything),
        lambda: app.on_cleanup.append(anything),
        lambda: app.on_response_prepare.append(anything),
        lambda: app.cleanup_ctx.append(anything),  # type: ignore[arg-type]
    ):
        with pytest.raises(RuntimeError):
            change()


def test_state_and_routes_can_be_added_while_it_starts() -> None:
    app = web.Application()

    async def start(app: web.Application) -> None:
        app[KEY] = 1
        app.router.add_get("/", ok)

    app.on_startup.append(start)

    async def scenario() -> None:
        async with app.lifespan() as started:
            assert started is app
            assert app.frozen
            await app.handle(exchange)

    exchange = FakeExchange()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(scenario())
    assert exchange.answer == b"ok"


def test_subclassing_and_own_attributes_warn_at_the_callers_line() -> None:
    with pytest.warns(DeprecationWarning, match="Mine inherits") as caught:

        class Mine(web.Application):
            pass

    assert caught[0].filename == __file__
    app = Mine()
    with pytest.warns(DeprecationWarning, match="attribute 'database'") as caught:
        app.database = 1  # type: ignore[attr-defined]
    assert caught[0].filename == __file__
    assert app.database == 1  # type: ignore[attr-defined]


def test_deprecated_arguments_warn() -> None:
    router = web.UrlDispatcher()
    with pytest.warns(DeprecationWarning, match="router"):
        assert web.Application(router=router).router is router
    with pytest.warns(DeprecationWarning, match="loop"):
        web.Application(loop=object())
    with pytest.warns(DeprecationWarning, match="debug"):
        web.Application(debug=True)
    with pytest.warns(DeprecationWarning, match="router"), pytest.raises(TypeError, match="UrlDispatcher"):
        web.Application(router=5)  # type: ignore[arg-type]


def test_what_it_was_made_of_can_be_read() -> None:
    logger = object()

    @web.middleware
    async def middleware(request: web.Request, handler: Any) -> Any: ...

    app = web.Application(logger=logger, middlewares=[middleware])
    assert app.logger is logger
    assert app.middlewares == [middleware]
    assert isinstance(app.middlewares, FrozenList)
    routes = app.add_routes([web.get("/a", ok), web.post("/a", ok)])
    assert [route.method for route in routes] == ["GET", "POST"]


def test_limits_of_content_are_those_of_the_application() -> None:
    seen: list[int] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.client_max_size)
        seen.append(request.client_max_fields)
        await request.read()
        return web.Response()

    app = web.Application(client_max_size=3, client_max_fields=7)
    app.router.add_post("/", handler)
    exchange = FakeExchange("POST", content=[b"12345"])
    run(app.handle(exchange))
    assert seen == [3, 7]
    assert exchange.status == 413


def test_config_dict_looks_into_the_application() -> None:
    app = web.Application()
    app[KEY] = 1

    async def handler(request: web.Request) -> web.Response:
        assert request.app is app
        return web.Response(text=str(request.config_dict[KEY]))

    app.router.add_get("/", handler)
    exchange = FakeExchange()
    run(app.handle(exchange))
    assert exchange.answer == b"1"


def test_a_chain_of_mappings_gives_the_first_value() -> None:
    other = web.AppKey("other", int)
    chain = web.ChainMapProxy([{KEY: 1}, {KEY: 2, other: 3}])
    assert (chain[KEY], chain[other], chain.get(other), chain.get("no"), chain.get("no", 9)) == (
        1,
        3,
        3,
        None,
        9,
    )
    assert (len(chain), list(chain), KEY in chain, "no" in chain) == (2, [KEY, other], True, False)
    assert dict(chain) == {KEY: 1, other: 3}
    assert bool(chain)
    assert not web.ChainMapProxy([{}, {}])
    assert chain == {KEY: 1, other: 3}
    assert repr(web.ChainMapProxy([{}])) == "ChainMapProxy({})"
    with pytest.raises(KeyError):
        chain["no"]
    with pytest.raises(TypeError, match="cannot inherit"):
        type("Mine", (web.ChainMapProxy,), {})
