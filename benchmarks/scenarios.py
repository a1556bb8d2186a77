"""The work every contender is given, and the answers it must give.

Nothing here imports a contender's library: the servers and the load generators both read this module.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PLAIN_TEXT: Final = b"Hello, World!"
USER_ID: Final = "4711"
ROUTE_NAME: Final = "alice"
POST_CONTENT: Final = bytes(range(256)) * 40  # 10 KiB, every octet
LARGE_CONTENT: Final = b"x" * 2**20
ECHO_PATH: Final = "/ws"

dumps: Final = json.JSONEncoder(separators=(",", ":")).encode
"""The one JSON encoder of all contenders, so that bodies are equal and nobody pays for a slower one."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request.

    routes: how many routes the server registers besides its own
    depth: requests a client sends before it reads the first answer
    """

    name: str
    title: str
    path: str
    answer: bytes
    method: str = "GET"
    content: bytes = b""
    routes: int = 0
    depth: int = 1

    def request(self, host: str) -> bytes:
        """The bytes of one request; `depth` of them make one flight."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\n"
        if self.content:
            head += f"Content-Length: {len(self.content)}\r\n"
        return head.encode("ascii") + b"\r\n" + self.content


@dataclass(frozen=True, slots=True)
class Echo:
    """One kind of WebSocket message, sent back by the server as it came; no compression for anybody.

    text: whether the messages are texts (RFC 6455 5.6), else binary
    depth: messages a client sends before it reads the first echo
    """

    name: str
    title: str
    size: int
    text: bool
    path: str = ECHO_PATH
    connections: int = 16
    depth: int = 4
    routes: int = 0

    @property
    def messages(self) -> list[bytes]:
        """The messages of one flight: of the same size, each different."""
        if self.text:
            return [_chat_line(index, self.size) for index in range(self.depth)]
        octets = bytes(range(256)) * (self.size // 256 + 2)
        return [octets[index : index + self.size] for index in range(self.depth)]


def _chat_line(index: int, size: int) -> bytes:
    line = dumps({"room": "lobby", "from": ROUTE_NAME, "id": index, "text": "Hello, World!"})
    return line[:-2].ljust(size - 2, "!").encode() + b'"}'


Work = Scenario | Echo


def route_path(index: int) -> str:
    """The pattern of filler route `index`: even ones are static, odd ones are dynamic."""
    return f"/r{index}/{{name}}" if index % 2 else f"/r{index}"


def _routes(count: int) -> Scenario:
    middle = count // 2 + 1  # odd for even halves, so a dynamic one
    return Scenario(
        name=f"routes{count}",
        title=f"a dynamic route in the middle of {count:,}",
        path=route_path(middle).replace("{name}", ROUTE_NAME),
        answer=ROUTE_NAME.encode(),
        routes=count,
    )


_REQUESTS: Final = (
    Scenario("plaintext", "plain text", "/plaintext", PLAIN_TEXT),
    Scenario("json", "JSON with a path parameter", f"/user/{USER_ID}", dumps({"id": USER_ID}).encode()),
    _routes(200),
    _routes(10_000),
    Scenario("post10k", "10 KiB POST echo", "/echo", POST_CONTENT, method="POST", content=POST_CONTENT),
    Scenario("response1m", "1 MiB response", "/large", LARGE_CONTENT),
    Scenario("pipelined16", "plain text, pipelined 16", "/plaintext", PLAIN_TEXT, depth=16),
)
_ECHOES: Final = (
    Echo("echo64", "WebSocket echo of 64 B texts", 64, text=True),
    Echo("echo64k", "WebSocket echo of 64 KiB binary messages", 64 * 1024, text=False),
)
HTTP: Final[Mapping[str, Scenario]] = {scenario.name: scenario for scenario in _REQUESTS}
ECHOES: Final[Mapping[str, Echo]] = {echo.name: echo for echo in _ECHOES}
SCENARIOS: Final[Mapping[str, Work]] = {**HTTP, **ECHOES}
