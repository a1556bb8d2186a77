"""An ASGI application without a framework: what the ASGI servers are measured with."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from benchmarks.scenarios import LARGE_CONTENT, PLAIN_TEXT, dumps

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json; charset=utf-8"
OCTETS = b"application/octet-stream"


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """One `if` per path: no ASGI framework can be cheaper than this."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] == "websocket":
        await _echo_messages(receive, send)
        return
    path: str = scope["path"]
    status, content_type = 200, TEXT
    if path == "/plaintext":
        content = PLAIN_TEXT
    elif path.startswith("/user/"):
        content, content_type = dumps({"id": path[6:]}).encode(), JSON
    elif path == "/echo" and scope["method"] == "POST":
        content, content_type = await _content(receive), OCTETS
    elif path == "/large":
        content, content_type = LARGE_CONTENT, OCTETS
    else:
        status, content = 404, b"Not Found"
    headers = [(b"content-type", content_type), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _content(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _echo_messages(receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
