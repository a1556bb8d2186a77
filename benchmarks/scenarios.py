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


_ALL: Final = (
    Scenario("plaintext", "plain text", "/plaintext", PLAIN_TEXT),
    Scenario("json", "JSON with a path parameter", f"/user/{USER_ID}", dumps({"id": USER_ID}).encode()),
    _routes(200),
    _routes(10_000),
    Scenario("post10k", "10 KiB POST echo", "/echo", POST_CONTENT, method="POST", content=POST_CONTENT),
    Scenario("response1m", "1 MiB response", "/large", LARGE_CONTENT),
    Scenario("pipelined16", "plain text, pipelined 16", "/plaintext", PLAIN_TEXT, depth=16),
)
SCENARIOS: Final[Mapping[str, Scenario]] = {scenario.name: scenario for scenario in _ALL}
