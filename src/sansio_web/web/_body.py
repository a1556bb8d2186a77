"""How the content of a request can fail, and how it becomes a form.

Out: exceptions by aiohttp's names, a multidict of form fields. Not here: reading (`streams`), multipart.
"""

from typing import Final
from urllib.parse import parse_qsl

from multidict import MultiDict, MultiDictProxy

from sansio_web.errors import LocalProtocolError, PeerDisconnected, RemoteProtocolError

FORM_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "TRACE", "DELETE"})
URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART_FORM: Final = "multipart/form-data"


class RequestPayloadError(Exception):
    """The content of a request will never be complete.

    status_hint: the status that tells the client why: 400 malformed, 408 too slow, 413 over a limit
    """

    def __init__(self, message: str = "", *, status_hint: int = 400) -> None:
        super().__init__(message)
        self.status_hint = status_hint


class RequestDisconnectedError(RequestPayloadError, ConnectionResetError):
    """The client left before its content was complete: nobody is there to be answered."""


class PayloadAccessError(Exception):
    """Content was read where nothing can be read any more: after the response was sent."""


def payload_error(error: LocalProtocolError | RemoteProtocolError) -> Exception:
    """What a handler sees for an error of `Exchange.receive`."""
    if isinstance(error, PeerDisconnected):
        return RequestDisconnectedError(str(error), status_hint=error.status_hint)
    if isinstance(error, RemoteProtocolError):
        return RequestPayloadError(str(error), status_hint=error.status_hint)
    return PayloadAccessError(str(error))


EMPTY_FORM: Final[MultiDictProxy[str]] = MultiDictProxy(MultiDict())


def parse_form(body: bytes, charset: str) -> MultiDictProxy[str]:
    """Fields of application/x-www-form-urlencoded; octets that the charset does not know become U+FFFD.

    raises: LookupError for an unknown charset
    """
    text = body.strip().decode(charset, "replace")
    return MultiDictProxy(MultiDict(parse_qsl(text, keep_blank_values=True, encoding=charset)))
