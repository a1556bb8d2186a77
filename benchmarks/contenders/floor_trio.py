"""The floor of trio: a task per connection that answers fixed bytes and parses nothing."""

from functools import partial

import trio

from benchmarks.contenders import process
from benchmarks.contenders.fixed_answer import answers


async def converse(stream: trio.SocketStream) -> None:
    rest = b""
    try:
        while data := await stream.receive_some():
            answer, rest = answers(rest + data)
            await stream.send_all(answer)
    except trio.BrokenResourceError:
        pass  # the client is gone; only its own connection ends


def main() -> None:
    options = process.start()
    trio.run(partial(trio.serve_tcp, converse, options.port, host="127.0.0.1"))


if __name__ == "__main__":
    main()
