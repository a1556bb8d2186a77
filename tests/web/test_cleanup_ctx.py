"""Start-up and clean-up: what is opened is closed, in reverse order, whatever fails."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from fake_exchange import run

from sansio_web import web


class Log(list[str]):
    """What happened."""

    def context(
        self, name: str, *, fail_in: BaseException | None = None, fail_out: BaseException | None = None
    ) -> Callable[[web.Application], AsyncIterator[None]]:
        async def context(app: web.Application) -> AsyncIterator[None]:
            if fail_in:
                raise fail_in
            self.append(f"{name} in")
            yield
            self.append(f"{name} out")
            if fail_out:
                raise fail_out

        return context

    def receiver(self, name: str, error: BaseException | None = None) -> Callable[[web.Application], Any]:
        async def receiver(app: web.Application) -> None:
            self.append(name)
            if error:
                raise error

        return receiver


async def live(app: web.Application, log: Log, error: BaseException | None = None) -> None:
    async with app.lifespan():
        log.append("body")
        if error:
            raise error


def test_contexts_are_entered_in_order_before_on_startup_and_left_in_reverse_before_on_cleanup() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.extend([log.context("a"), log.context("b")])
    app.on_startup.append(log.receiver("startup"))
    app.on_shutdown.append(log.receiver("shutdown"))
    app.on_cleanup.append(log.receiver("cleanup"))
    run(live(app, log))
    assert log == ["a in", "b in", "startup", "body", "shutdown", "b out", "a out", "cleanup"]


def test_functions_made_by_asynccontextmanager_are_contexts_too() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.extend([asynccontextmanager(log.context("a")), log.context("b")])
    run(live(app, log))
    assert log == ["a in", "b in", "body", "b out", "a out"]


def test_those_entered_are_left_when_start_up_fails_half_way() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.extend([log.context("a"), log.context("b", fail_in=ValueError("b")), log.context("c")])
    app.on_cleanup.append(log.receiver("cleanup"))
    with pytest.raises(ValueError, match="b"):
        run(live(app, log))
    assert log == ["a in", "a out"]


def test_a_failing_on_startup_leaves_the_contexts() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.append(log.context("a"))
    app.on_startup.append(log.receiver("startup", ValueError("startup")))
    with pytest.raises(ValueError, match="startup"):
        run(live(app, log))
    assert log == ["a in", "startup", "a out"]


@pytest.mark.parametrize("error", [ValueError("body"), KeyboardInterrupt(), GeneratorExit()])
def test_contexts_without_try_are_left_when_the_body_fails(error: BaseException) -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.append(log.context("a"))
    app.on_shutdown.append(log.receiver("shutdown"))
    with pytest.raises(type(error)):
        run(live(app, log, error))
    assert log == ["a in", "body", "shutdown", "a out"]


def test_a_failing_on_shutdown_leaves_the_contexts() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.append(log.context("a"))
    app.on_shutdown.append(log.receiver("shutdown", ValueError("shutdown")))
    with pytest.raises(ValueError, match="shutdown"):
        run(live(app, log))
    assert log[-1] == "a out"


def test_one_failure_at_the_end_is_raised_and_the_others_are_left_all_the_same() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.extend([log.context("a"), log.context("b", fail_out=ValueError("b")), log.context("c")])
    app.on_cleanup.append(log.receiver("cleanup"))
    with pytest.raises(ValueError, match="b"):
        run(live(app, log))
    assert log[-4:] == ["c out", "b out", "a out", "cleanup"]


def test_several_failures_at_the_end_become_one_error() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.extend([log.context("a", fail_out=ValueError("a")), log.context("b", fail_out=KeyError("b"))])
    app.on_cleanup.append(log.receiver("cleanup", OSError("cleanup")))
    with pytest.raises(web.CleanupError) as caught:
        run(live(app, log))
    assert [type(error) for error in caught.value.exceptions] == [KeyError, ValueError, OSError]
    assert isinstance(caught.value, RuntimeError)


def test_a_cancellation_at_the_end_is_raised_after_everything_was_left() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.extend([log.context("a", fail_out=ValueError()), log.context("b", fail_out=KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        run(live(app, log))
    assert log[-2:] == ["b out", "a out"]


def test_a_context_yields_exactly_once() -> None:
    async def twice(app: web.Application) -> AsyncIterator[None]:
        yield
        yield

    async def never(app: web.Application) -> AsyncIterator[None]:
        return
        yield

    for context, message in ((twice, "more than one 'yield'"), (never, "without a 'yield'")):
        app = web.Application()
        app.cleanup_ctx.append(context)
        with pytest.raises(RuntimeError, match=rf"{context.__name__}' \(test_cleanup_ctx.py:\d+\) .*{message}"):
            run(live(app, Log()))


def test_what_is_no_context_is_refused_and_named() -> None:
    async def coroutine(app: web.Application) -> None: ...

    for function in (coroutine, lambda app: 5):
        app = web.Application()
        app.cleanup_ctx.append(function)  # type: ignore[arg-type]
        with pytest.raises(
            TypeError, match=r"test_cleanup_ctx.py:\d+\) returned a (coroutine|int); allowed: an async gen"
        ):
            run(live(app, Log()))


def test_the_steps_can_be_taken_one_by_one_as_aiohttps_tests_do() -> None:
    app, log = web.Application(), Log()
    app.cleanup_ctx.append(log.context("a"))
    app.on_startup.append(log.receiver("startup"))
    app.on_shutdown.append(log.receiver("shutdown"))
    app.on_cleanup.append(log.receiver("cleanup"))
    app.freeze()
    run(app.startup())
    run(app.shutdown())
    run(app.cleanup())
    run(app.cleanup())
    assert log == ["a in", "startup", "shutdown", "a out", "cleanup", "cleanup"]


def test_a_trio_nursery_lives_across_the_yield() -> None:
    app, log = web.Application(), Log()

    async def background(app: web.Application) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            yield
            nursery.cancel_scope.cancel()

    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append("work ended")

    async def scenario() -> None:
        async with app.lifespan():
            await trio.lowlevel.checkpoint()
            log.append("body")

    app.cleanup_ctx.extend([log.context("a"), background])
    trio.run(scenario)
    assert log == ["a in", "body", "work ended", "a out"]


def test_an_error_in_a_trio_nursery_of_a_context_ends_the_application_with_it() -> None:
    app, log = web.Application(), Log()

    async def background(app: web.Application) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            yield

    async def work() -> None:
        raise ValueError("work")

    async def scenario() -> None:
        async with app.lifespan():
            await trio.sleep_forever()

    app.cleanup_ctx.extend([log.context("a"), background])
    with pytest.raises(ExceptionGroup) as caught:
        trio.run(scenario)
    assert caught.group_contains(ValueError, match="work")
    assert log == ["a in", "a out"]


def test_a_cancelled_trio_server_cleans_up_behind_a_shield() -> None:
    app, log = web.Application(), Log()

    async def slow(app: web.Application) -> AsyncIterator[None]:
        yield
        await trio.lowlevel.checkpoint()
        log.append("slow out")

    async def scenario() -> None:
        with trio.CancelScope() as outer, trio.CancelScope() as scope:
            async with app.lifespan():
                outer.cancel()
                try:
                    await trio.sleep_forever()
                finally:
                    scope.shield = True

    app.cleanup_ctx.append(slow)
    trio.run(scenario)
    assert log == ["slow out"]
