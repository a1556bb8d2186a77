"""The live page's WebSocket.

    GET     /live                   each change of the notebook from now on, in order

Messages are JSON: {"revision": 8, "kind": "created", "id": 3, "note": {...}}. The kinds are `created`, `replaced`,
`deleted` (its note is null) and `added`: many at once, with neither id nor note. `revision` is that of the list's ETag,
and grows by one with each: so a page knows whether what it holds is the state before this change. What a page says is
not listened to.

A page that falls behind by more than `hub.MAX_BEHIND` changes is closed with 1013 (Try Again Later); it then connects
anew, and reads the list anew. At the server's stop all are closed with 1001, by the server.
"""

from contextlib import suppress
from typing import Final

from sansio_web import web

from .hub import FellBehindError
from .keys import HUB

HEARTBEAT: Final = 20.0  # seconds after which a silent page is asked for a sign of life
MAX_MESSAGE_BYTES: Final = 1024  # of what is not listened to

routes = web.RouteTableDef()


@routes.get("/live")
async def live(request: web.Request) -> web.WebSocketResponse:
    """Tell a page of changes until it goes."""
    refuse_other_origins(request)
    ws = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MAX_MESSAGE_BYTES)
    with request.app[HUB].watching() as changes:  # before the page hears that it is connected: no change is missed
        await ws.prepare(request)
        with suppress(ConnectionResetError):  # it went while it was told something
            try:
                async with web.merged(ws, changes) as items:
                    async for _, item in items:
                        if isinstance(item, str):  # else it is what the page says
                            await ws.send_str(item)
            except FellBehindError:
                await ws.close(code=web.WSCloseCode.TRY_AGAIN_LATER, message="fell behind")
    return ws


def refuse_other_origins(request: web.Request) -> None:
    """A browser lets any page of any site connect here, and says which (RFC 6455 10.2); only ours may read along.

    raises: HTTPForbidden
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2].lower() != request.host.lower():
        raise web.HTTPForbidden(text=f"pages of {origin[:80]} may not watch this notebook")
