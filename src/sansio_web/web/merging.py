"""Messages of a WebSocket and items of other sources, in one loop of one task.

Each source is iterated in a task of its own, which the block owns: it begins when the block is entered, and has ended
when the block is left. The WebSocket needs none: the loop itself receives.
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any, cast

from ..exchange import Exchange, Running
from ..ws_types import LAST_TYPES
from .websocket import WebSocketResponse


class Merged:
    """See `merged`."""

    def __init__(self, ws: WebSocketResponse, sources: tuple[AsyncIterable[Any], ...]) -> None:
        self._ws = ws
        self._sources = sources
        self._feeds: list[_Feed] = []
        self._waiting: deque[_Feed] = deque()  # those with an item, or an error, that was not taken yet
        self._socket_was_last = False

    async def __aenter__(self) -> "Merged":
        exchange = self._ws._open_exchange("merged")
        try:
            for source in self._sources:
                self._feeds.append(_Feed(source, exchange, self))
            for feed in self._feeds:
                await feed.begun.wait()  # a task that is cancelled before it began never would
        except BaseException:
            self._cancel()
            raise
        return self

    def _cancel(self) -> None:
        for feed in self._feeds:
            feed.task.cancel()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._cancel()
        for feed in self._feeds:
            await feed.ended.wait()
        left = [feed.error for feed in self._feeds if feed.error is not None and feed.error is not error]
        if left and error is None:
            raise left[0]

    def __aiter__(self) -> "Merged":
        return self

    async def __anext__(self) -> tuple[object, Any]:
        ws = self._ws
        if not (self._waiting and self._socket_was_last):
            message = await ws._receive(wait=not self._waiting)
            if message is not None:
                if message.type in LAST_TYPES:
                    raise StopAsyncIteration
                self._socket_was_last = True
                return ws, message
        self._socket_was_last = False
        feed = self._waiting.popleft()
        return feed.source, feed.take()

    def _offered(self, feed: "_Feed") -> None:
        """A feed has an item or an error."""
        self._waiting.append(feed)
        self._ws._wake()


class _Feed:
    """One source and its task.

    It holds one item; the source is asked for the next when that was taken.
    """

    def __init__(self, source: AsyncIterable[Any], exchange: Exchange, merged: Merged) -> None:
        self.source = source
        self.begun = exchange.event()
        self.ended = exchange.event()
        self.error: Exception | None = None
        self._exchange = exchange
        self._merged = merged
        self._taken = exchange.event()
        self._item: list[Any] = []
        self.task: Running = exchange.spawn(self._run())

    async def _run(self) -> None:
        self.begun.set()
        try:
            try:
                async for item in self.source:
                    self._taken = self._exchange.event()
                    self._item.append(item)
                    self._merged._offered(self)
                    await self._taken.wait()
            finally:
                source: Any = self.source
                if isinstance(source, AsyncGenerator):
                    await cast("AsyncGenerator[Any, None]", source).aclose()
        except Exception as error:
            self.error = error
            self._merged._offered(self)
        finally:
            self.ended.set()

    def take(self) -> Any:
        """What it has to give.

        raises: what the source raised
        """
        if not self._item:
            assert self.error is not None
            raise self.error
        self._taken.set()
        return self._item.pop()


def merged(ws: WebSocketResponse, *sources: AsyncIterable[Any]) -> Merged:
    """Receive from a WebSocket and from other sources at once.

        async with web.merged(ws, subscription) as items:
            async for origin, item in items:
                if origin is ws: ...

    Gives pairs: where it came from, `ws` or a source, and what came. It ends where `async for` over the WebSocket
    would; a source that ends before leaves the others. What a source raises is raised in the loop. Whoever has most to
    say does not keep the others from being heard: the WebSocket and the sources take turns.

    Leaving the block, by whatever way, cancels the sources' tasks the runtime's way and waits until they have ended;
    asynchronous generators are closed in the task that iterated them. No message of the WebSocket is lost, so that
    `receive` may go on after the block; of each source the one item that was not taken yet is dropped. If the handler
    itself is cancelled, so are they; on trio they are then waited for by the connection's nursery.

    raises: RuntimeError before `prepare`
    """
    return Merged(ws, sources)
