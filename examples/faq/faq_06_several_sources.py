"""How does one handler react to events from several sources in parallel?

`web.merged(ws, source)` gives the messages of a WebSocket and the items of other sources in one loop of one task. When
the loop is left, by the client, by an error or by a server that stops, the source's task is cancelled and has ended.

Tasks of your own do it as well, see `chat_by_tasks`: one of them receives (a second one that tries is told so by a
RuntimeError), any number of them send. On trio a nursery is the same.

The source here is a channel that all clients share: within this process, or of a Redis server if its URL is given.

Run it: python -m examples.faq.faq_06_several_sources [RUNTIME PORT] [redis://HOST:PORT]
"""

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from sansio_web import web

CHANNEL = "chat"


class Channel(Protocol):
    """Where texts go, and come from."""

    async def publish(self, text: str) -> None:
        """Tell all subscribers."""

    def subscribed(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """What is published within the block."""
        ...


class LocalChannel:
    """Within this process."""

    def __init__(self) -> None:
        self._subscribers: set[MemoryObjectSendStream[str]] = set()

    async def publish(self, text: str) -> None:
        for subscriber in self._subscribers:
            with suppress(anyio.WouldBlock):  # one that is a thousand texts behind misses some
                subscriber.send_nowait(text)

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[AsyncIterator[str]]:
        send, receive = anyio.create_memory_object_stream[str](1000)
        with send, receive:
            self._subscribers.add(send)
            try:
                yield receive
            finally:
                self._subscribers.discard(send)


class RedisChannel:
    """Of a Redis server, over anyio and so on every runtime. (On asyncio alone the package `redis` does it as well.)"""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "127.0.0.1", parts.port or 6379

    async def publish(self, text: str) -> None:
        async with await anyio.connect_tcp(*self._address) as stream:
            await stream.send(command("PUBLISH", CHANNEL, text))
            await reply(BufferedByteReceiveStream(stream))

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[AsyncIterator[str]]:
        async with await anyio.connect_tcp(*self._address) as stream:
            replies = BufferedByteReceiveStream(stream)
            await stream.send(command("SUBSCRIBE", CHANNEL))
            await reply(replies)
            yield texts(replies)


async def texts(replies: BufferedByteReceiveStream) -> AsyncIterator[str]:
    """What a subscriber is told."""
    while True:
        _, _, text = await reply(replies)
        yield text.decode()


def command(*words: str) -> bytes:
    """In the language of Redis: an array of strings."""
    strings = [b"$%d\r\n%b\r\n" % (len(word), word) for word in map(str.encode, words)]
    return b"*%d\r\n%b" % (len(strings), b"".join(strings))


async def reply(stream: BufferedByteReceiveStream) -> Any:
    """The next reply: a string, a number, or a list of replies."""
    line = await stream.receive_until(b"\r\n", 65_536)
    kind, rest = line[:1], line[1:]
    match kind:
        case b"*":
            return [await reply(stream) for _ in range(int(rest))]
        case b"$":
            return (await stream.receive_exactly(int(rest) + 2))[:-2]
        case b":":
            return int(rest)
        case b"-":
            raise RuntimeError(f"Redis refuses: {rest.decode()}")
        case _:
            return rest


CHAT = web.AppKey("CHAT", Channel)


async def chat(request: web.Request) -> web.WebSocketResponse:
    """What this client says goes to all, and what any client says comes to this one."""
    channel = request.app[CHAT]
    ws = web.WebSocketResponse(heartbeat=30)
    async with channel.subscribed() as subscription:
        await ws.prepare(request)
        async with web.merged(ws, subscription) as items:
            async for origin, item in items:
                if origin is subscription:
                    await ws.send_str(item)
                elif item.type is web.WSMsgType.TEXT:
                    await channel.publish(item.data)
    return ws


async def chat_by_tasks(request: web.Request) -> web.WebSocketResponse:
    """The same by two tasks: one receives, the other one sends."""
    channel = request.app[CHAT]
    ws = web.WebSocketResponse(heartbeat=30)

    async def forward(subscription: AsyncIterator[str]) -> None:
        async for text in subscription:
            await ws.send_str(text)

    async with channel.subscribed() as subscription, anyio.create_task_group() as tasks:
        await ws.prepare(request)
        tasks.start_soon(forward, subscription)
        async for message in ws:
            if message.type is web.WSMsgType.TEXT:
                await channel.publish(message.data)
        tasks.cancel_scope.cancel()
    return ws


def make_app(channel: Channel | None = None) -> web.Application:
    """The application; its channel may be another one."""
    app = web.Application()
    app[CHAT] = channel or LocalChannel()
    app.add_routes([web.get("/chat", chat), web.get("/chat-by-tasks", chat_by_tasks)])
    return app


if __name__ == "__main__":
    runtime, port, *urls = sys.argv[1:] or ("asyncio", "8080")
    shared = RedisChannel(urls[0]) if urls else None
    web.run_app(make_app(shared), host="127.0.0.1", port=int(port), runtime=runtime)
