"""Who takes part. Each module of this package is one server program, started with `python -m`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.scenarios import ECHOES, HTTP

Loop = Literal["uvloop", "asyncio", "trio"]

_HTTP: Final = frozenset(HTTP)
_ECHO: Final = frozenset(ECHOES)
_EVERYTHING: Final = _HTTP | _ECHO
_NO_ROUTER: Final = _HTTP - {"routes200", "routes10000"}
_FLOOR: Final = frozenset({"plaintext", "pipelined16"})


@dataclass(frozen=True, slots=True)
class Contender:
    """One server program on one loop, and what it can be asked."""

    name: str
    title: str
    loop: Loop
    module: str
    options: tuple[str, ...]
    scenarios: frozenset[str]


_ALL: Final = (
    Contender(
        "ours-uvloop",
        "sansio_web on uvloop",
        "uvloop",
        "sansio_web_app",
        ("--loop", "uvloop"),
        _EVERYTHING,
    ),
    Contender(
        "aiohttp-uvloop",
        "aiohttp on uvloop",
        "uvloop",
        "aiohttp_app",
        ("--loop", "uvloop"),
        _EVERYTHING,
    ),
    Contender(
        "uvicorn-httptools",
        "raw ASGI, uvicorn+httptools, uvloop",
        "uvloop",
        "uvicorn_raw",
        ("--loop", "uvloop", "--http", "httptools"),
        _NO_ROUTER,
    ),
    Contender(
        "starlette",
        "Starlette, uvicorn+httptools, uvloop",
        "uvloop",
        "uvicorn_starlette",
        ("--loop", "uvloop"),
        _HTTP,
    ),
    Contender(
        "uvicorn-wsproto",
        "raw ASGI, uvicorn+wsproto, uvloop",
        "uvloop",
        "uvicorn_raw",
        ("--loop", "uvloop", "--http", "httptools", "--ws", "wsproto"),
        _ECHO,
    ),
    Contender(
        "picows",
        "picows (compiled) on uvloop",
        "uvloop",
        "picows_echo",
        (),
        _ECHO,
    ),
    Contender(
        "floor-uvloop",
        "fixed bytes on uvloop",
        "uvloop",
        "floor_protocol",
        ("--loop", "uvloop"),
        _FLOOR,
    ),
    Contender(
        "ours-asyncio",
        "sansio_web on asyncio",
        "asyncio",
        "sansio_web_app",
        ("--loop", "asyncio"),
        _EVERYTHING,
    ),
    Contender(
        "aiohttp-asyncio",
        "aiohttp on asyncio",
        "asyncio",
        "aiohttp_app",
        ("--loop", "asyncio"),
        _EVERYTHING,
    ),
    Contender(
        "uvicorn-h11",
        "raw ASGI, uvicorn+h11, asyncio",
        "asyncio",
        "uvicorn_raw",
        ("--loop", "asyncio", "--http", "h11"),
        _NO_ROUTER,
    ),
    Contender(
        "websockets",
        "websockets on asyncio",
        "asyncio",
        "websockets_echo",
        (),
        _ECHO,
    ),
    Contender(
        "floor-asyncio",
        "fixed bytes on asyncio",
        "asyncio",
        "floor_protocol",
        ("--loop", "asyncio"),
        _FLOOR,
    ),
    Contender(
        "ours-trio",
        "sansio_web on trio",
        "trio",
        "sansio_web_app",
        ("--loop", "trio"),
        _EVERYTHING,
    ),
    Contender(
        "hypercorn-trio",
        "raw ASGI, hypercorn on trio",
        "trio",
        "hypercorn_trio",
        (),
        _NO_ROUTER | _ECHO,
    ),
    Contender(
        "floor-trio",
        "fixed bytes on trio",
        "trio",
        "floor_trio",
        (),
        _FLOOR,
    ),
)
CONTENDERS: Final[Mapping[str, Contender]] = {contender.name: contender for contender in _ALL}
