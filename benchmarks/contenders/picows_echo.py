"""The compiled ceiling: picows, frames parsed and made in C, a callback for each message, no task, no UTF-8 check."""

import uvloop
from picows import WSFrame, WSListener, WSTransport, WSUpgradeRequest, ws_create_server

from benchmarks.contenders import process


class EchoMessages(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        transport.send(frame.msg_type, frame.get_payload_as_memoryview())


def listener(request: WSUpgradeRequest) -> EchoMessages:
    return EchoMessages()


async def serve(port: int) -> None:
    async with await ws_create_server(listener, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(process.start().port))
