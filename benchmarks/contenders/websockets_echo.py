"""The asyncio server of `websockets`, compression and keep-alive pings off."""

import asyncio

from websockets.asyncio.server import ServerConnection, serve

from benchmarks.contenders import process


async def echo_messages(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def main(port: int) -> None:
    async with serve(echo_messages, "127.0.0.1", port, compression=None, ping_interval=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(process.start().port))
