"""`merged`: a WebSocket and other sources in one loop; whoever ends, everything is left clean."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support import ws_frames as wsf
from tests.support.host import Cancelled, FakeEvent
from tests.support.ws_frames import frame, text
from ws_served import WSServed

from sansio_web import web
from sansio_web.host import OnDisconnect


class Source:
    """Items as the test pushes them; an exception among them is raised, None is the end."""

    def __init__(self, *items: Any) -> None:
        self.items: list[Any] = list(items)
        self.pushed = FakeEvent()
        self.log: list[str] = []

    def push(self, *items: Any) -> None:
        self.items += items
        self.pushed.set()

    async def __aiter__(self) -> AsyncIterator[Any]:
        self.log.append("begun")
        try:
            while True:
                while not self.items:
                    self.pushed = FakeEvent()
                    await self.pushed.wait()
                item = self.items.pop(0)
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        except Cancelled:
            self.log.append("cancelled")
            raise
        except GeneratorExit:
            self.log.append("closed")
            raise
        finally:
            self.log.append("left")


class Merging:
    """A handler that merges; what it gets is in `got`: what came from the WebSocket as its data."""

    def __init__(self, *sources: Any, most: int = 99, raises: Exception | None = None, **options: Any) -> None:
        self.got: list[Any] = []
        self.ws = web.WebSocketResponse(timeout=3.0)
        self.sources = sources
        self.most = most
        self.raises = raises
        self.after: list[Any] = []
        self.served = WSServed(self.handler, **options)
        self.served.open()

    async def handler(self, request: web.Request) -> web.StreamResponse:
        await self.ws.prepare(request)
        try:
            async with web.merged(self.ws, *self.sources) as items:
                async for origin, item in items:
                    self.got.append(item.data if origin is self.ws else (self.sources.index(origin), item))
                    if len(self.got) == self.most:
                        if self.raises is not None:
                            raise self.raises
                        break
        except BaseException as error:
            self.after.append(error)
            raise
        self.after.append("left the block")
        if not self.ws.closed:
            self.after.append((await self.ws.receive()).data)
        return self.ws

    @property
    def tasks(self) -> int:
        return len(self.served.host.tasks)

    def push(self, source: Source, *items: Any) -> None:
        source.push(*items)
        self.served.host.run()


def test_both_are_heard_as_they_speak() -> None:
    generator = (source := Source()).__aiter__()
    talk = Merging(generator)
    talk.served.say(text("a"))
    talk.push(source, 1)
    talk.served.say(text("b"), frame(wsf.BINARY, b"c"))
    talk.push(source, 2, 3)
    assert talk.got == ["a", (0, 1), "b", b"c", (0, 2), (0, 3)]


def test_a_source_that_spoke_meanwhile_is_heard_before_more_of_the_websocket() -> None:
    ws, source, busy, got = web.WebSocketResponse(), Source(), FakeEvent(), list[Any]()

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        async with web.merged(ws, source) as items:
            async for origin, item in items:
                got.append(item.data if origin is ws else item)
                await busy.wait()
        return ws

    served = WSServed(handler)
    served.open()
    served.say(text("a") + text("b") + text("c"))
    source.push(1)
    served.host.run()
    assert got == ["a"]
    busy.set()
    served.host.run()
    assert got == ["a", 1, "b", "c"]


def test_receiving_within_the_block_is_not_disturbed_by_a_source() -> None:
    ws, source, other, got = web.WebSocketResponse(), Source(), Source(), list[Any]()

    async def handler(request: web.Request) -> web.StreamResponse:
        await ws.prepare(request)
        async with web.merged(ws, source, other) as items:
            async for _ in items:
                got.append((await ws.receive()).data)
                async for message in ws:
                    got.append(message.data)
                    break
        return ws

    served = WSServed(handler)
    served.open()
    served.say(text("begin"))
    source.push(1)
    served.host.run()
    assert got == []
    served.say(text("a"))
    other.push(2)
    served.host.run()
    served.say(text("b"))
    assert got == ["a", "b"]


def test_several_sources() -> None:
    one, two = Source(), Source()
    talk = Merging(one, two)
    talk.push(two, "x")
    talk.push(one, "y")
    assert talk.got == [(1, "x"), (0, "y")]


def test_they_take_turns_when_both_have_much_to_say() -> None:
    source = Source(*range(100))
    talk = Merging(source, most=200)
    talk.served.say(b"".join(text(str(each)) for each in range(40)))
    both = talk.got[-80:] if len(talk.got) > 80 else talk.got
    heard = [index for index, item in enumerate(both) if isinstance(item, str)]
    assert len(heard) == 40
    assert sum(isinstance(item, tuple) for item in talk.got) == 100


def test_when_the_websocket_ends_the_source_is_cancelled_and_waited_for() -> None:
    for end in (lambda served: served.say(wsf.close()), WSServed.lose, WSServed.eof):
        source = Source()
        talk = Merging(source.__aiter__())
        end(talk.served)
        assert source.log == ["begun", "cancelled", "left"]
        assert talk.after == ["left the block"]


def test_when_a_source_ends_the_websocket_goes_on() -> None:
    source = Source(1, None)
    talk = Merging(source)
    talk.served.say(text("still here"))
    assert talk.got == [(0, 1), "still here"]
    assert talk.after == []


def test_what_a_source_raises_is_raised_in_the_loop_after_its_items() -> None:
    source, other = Source(1, ValueError("broken")), Source()
    talk = Merging(source, other.__aiter__())
    assert talk.got == [(0, 1)]
    assert [str(each) for each in talk.after] == ["broken"]
    assert other.log == ["begun", "cancelled", "left"]
    assert [str(error) for _, error in talk.served.reports] == ["broken"]
    assert [each.code for each in wsf.frames(talk.served.rest)] == [1011]


def test_leaving_the_block_early_loses_no_message_of_the_websocket() -> None:
    source = Source()
    talk = Merging(source.__aiter__(), most=1)
    talk.served.say(text("a") + text("b"))
    assert talk.got == ["a"]
    assert talk.after == ["left the block", "b"]
    assert source.log == ["begun", "cancelled", "left"]


def test_a_generator_that_waits_with_an_item_is_closed_in_its_own_task() -> None:
    source = Source(1, 2, 3)
    Merging(source.__aiter__(), most=1)
    assert source.log == ["begun", "closed", "left"]


def test_a_source_that_is_no_generator_is_left_open() -> None:
    class Lasting:
        def __init__(self) -> None:
            self.closed = False
            self.left = [1, 2, 3]

        def __aiter__(self) -> "Lasting":
            return self

        async def __anext__(self) -> int:
            return self.left.pop(0)

        async def aclose(self) -> None:
            self.closed = True

    source = Lasting()
    talk = Merging(source, most=1)
    assert not source.closed
    assert talk.got == [(0, 1)]
    assert source.left == [2, 3]


def test_an_error_of_the_body_ends_the_sources_and_stays_the_error() -> None:
    source = Source(1)
    talk = Merging(source.__aiter__(), most=1, raises=KeyError("mine"))
    assert [repr(each) for each in talk.after] == ["KeyError('mine')"]
    assert source.log == ["begun", "closed", "left"]


def test_an_error_while_a_source_ends_is_raised_at_the_end_of_the_block() -> None:
    class Grumbling(Source):
        async def __aiter__(self) -> AsyncIterator[Any]:
            try:
                yield 1
                await FakeEvent().wait()
            finally:
                raise ValueError("cannot unsubscribe")

    talk = Merging(Grumbling().__aiter__(), most=1)
    assert [str(each) for each in talk.after] == ["cannot unsubscribe"]


def test_a_cancelled_handler_takes_its_sources_along() -> None:
    source = Source()
    talk = Merging(source.__aiter__())
    talk.served.driver.cancel()
    talk.served.host.run()
    assert source.log == ["begun", "cancelled", "left"]
    assert isinstance(talk.after[0], Cancelled)
    assert talk.tasks == 0


def test_a_handler_cancelled_before_the_sources_have_begun() -> None:
    source = Source()
    talk = Merging.__new__(Merging)
    talk.got, talk.after, talk.sources, talk.most, talk.raises = [], [], (source.__aiter__(),), 9, None
    talk.ws = web.WebSocketResponse()
    talk.served = WSServed(talk.handler, eager=False)
    talk.served.driver.receive_data(wsf.opening())
    (task,) = talk.served.host.tasks
    task.step()  # up to the block's beginning
    talk.served.driver.cancel()
    talk.served.host.run()
    assert isinstance(talk.after[0], Cancelled)
    assert source.log == []
    assert talk.tasks == 0


def test_with_the_policy_cancel_the_loop_ends_by_itself() -> None:
    source = Source()
    talk = Merging(source.__aiter__(), on_disconnect=OnDisconnect.CANCEL)
    talk.served.lose()
    assert talk.after == ["left the block"]


def test_another_task_in_receive_meanwhile_is_an_error() -> None:
    talk = Merging(Source())
    (error,) = talk.served.task(talk.ws.receive())
    assert isinstance(error, RuntimeError)


def test_an_error_of_the_websocket_is_heard_before_the_end() -> None:
    talk = Merging(Source())
    talk.served.say(frame(wsf.TEXT, b"x", masked=False))
    talk.served.leave()
    assert [type(each) for each in talk.got] == [web.WebSocketError]
    assert talk.after == ["left the block"]


def test_it_needs_a_prepared_websocket() -> None:
    with pytest.raises(RuntimeError, match=r"cannot call merged\(\) before prepare\(\)"):
        web.merged(web.WebSocketResponse())._ws._open_exchange("merged")
