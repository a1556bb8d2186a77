"""The floor of uvloop and asyncio: a Protocol that answers fixed bytes and parses nothing."""

import asyncio
from typing import cast

from benchmarks.contenders import process
from benchmarks.contenders.fixed_answer import answers


class Floor(asyncio.Protocol):
    __slots__ = ("rest", "transport")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of asyncio's
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        answer, self.rest = answers(self.rest + data)
        self.transport.write(answer)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Floor, "127.0.0.1", port, backlog=128)
    async with server:
        await server.serve_forever()


def main() -> None:
    options = process.start()
    if options.loop == "uvloop":
        import uvloop

        uvloop.run(serve(options.port))
    else:
        asyncio.run(serve(options.port))


if __name__ == "__main__":
    main()
