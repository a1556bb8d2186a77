"""A request as its handler sees it: everything one reads from it.

In: an `Exchange`. Out: aiohttp's `BaseRequest` and `Request`. Not here: the head (`_request_head`), the
content as a stream (`streams`), which handler it goes to (`dispatcher`), and answering.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, overload

from multidict import CIMultiDict, CIMultiDictProxy, MultiDictProxy
from yarl import URL

from sansio_web.http.events import RequestReceived
from sansio_web.http.fields import Fields
from sansio_web.http.framing import Chunked, Length, NoContent
from sansio_web.streams import EMPTY_PAYLOAD, StreamReader

from ..exchange import Exchange
from . import _body
from ._request_head import RequestHead, encoded, multidict_of
from .keys import RequestKey, warn_of_plain_key

if TYPE_CHECKING:
    from .application import Application
    from .config_dict import ChainMapProxy
    from .dispatcher import UrlMappingMatchInfo
    from .stream_response import StreamResponse

T = TypeVar("T")
D = TypeVar("D")

LooseHeaders = Mapping[str, str] | Iterable[tuple[str, str]]

DEFAULT_CLIENT_MAX_SIZE: Final = 1024**2
DEFAULT_CLIENT_MAX_FIELDS: Final = 1000


class BaseRequest(RequestHead, MutableMapping[str | RequestKey[Any], Any]):
    """One request; also a mapping, in which middlewares leave things for handlers."""

    # what exists for few requests only has its default here, so that making one stays cheap
    _client_max_size: int = DEFAULT_CLIENT_MAX_SIZE
    _client_max_fields: int = DEFAULT_CLIENT_MAX_FIELDS
    _match_info: "UrlMappingMatchInfo | None" = None  # set by the application
    _sent: "StreamResponse | None" = None  # see `_response`
    _origin: "BaseRequest | None" = None  # what this is a clone of
    _state: dict[str | RequestKey[Any], Any] | None = None  # the mapping, once something was stored
    _stream: StreamReader | None = None  # `content`, once asked for
    _read_bytes: bytes | None = None  # set by `read`
    _form: MultiDictProxy[str] | None = None  # set by `post`

    def __init__(
        self,
        exchange: Exchange,
        *,
        client_max_size: int = DEFAULT_CLIENT_MAX_SIZE,
        client_max_fields: int = DEFAULT_CLIENT_MAX_FIELDS,
    ) -> None:
        self._exchange = exchange
        self._head: RequestReceived = exchange.head
        if client_max_size != DEFAULT_CLIENT_MAX_SIZE:
            self._client_max_size = client_max_size
        if client_max_fields != DEFAULT_CLIENT_MAX_FIELDS:
            self._client_max_fields = client_max_fields

    def clone(
        self,
        *,
        method: str | None = None,
        rel_url: str | URL | None = None,
        headers: LooseHeaders | None = None,
        scheme: str | None = None,
        host: str | None = None,
        remote: str | None = None,
        client_max_size: int | None = None,
        client_max_fields: int | None = None,
    ) -> "BaseRequest":
        """A copy with some things replaced; it shares the content, and has its own copy of the mapping.

        client_max_size: 0 for no limit
        raises: RuntimeError once `read` has taken the content
        """
        if self._read_bytes is not None:
            raise RuntimeError("cannot clone a request after its content was read; clone it before")
        changes: dict[str, Any] = {}
        if method is not None:
            changes["method"] = encoded(method)
        if rel_url is not None:
            changes["target"] = encoded(str(URL(rel_url)))
        if headers is not None:
            lines = CIMultiDict(headers).items()
            changes["fields"] = Fields([(encoded(name), encoded(value)) for name, value in lines])
        copy = type(self)(
            self._exchange,
            client_max_size=self._client_max_size if client_max_size is None else client_max_size,
            client_max_fields=self._client_max_fields if client_max_fields is None else client_max_fields,
        )
        copy._head = replace(self._head, **changes)
        copy._stream = self.content
        copy._state = None if self._state is None else self._state.copy()
        copy._match_info = self._match_info
        copy._origin = self
        copy._scheme = self._scheme if scheme is None else scheme
        copy._host = self._host if host is None else host
        copy._remote = self._remote if remote is None else remote
        return copy

    @property
    def _response(self) -> "StreamResponse | None":
        """The response that was prepared for this request, or for a clone of it."""
        return self._sent if self._origin is None else self._origin._response

    @_response.setter
    def _response(self, response: "StreamResponse | None") -> None:
        if self._origin is None:
            self._sent = response
        else:
            self._origin._response = response

    # ---- mapping

    @overload
    def __getitem__(self, key: RequestKey[T]) -> T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | RequestKey[T]) -> Any:
        if self._state is None:
            raise KeyError(key)
        return self._state[key]

    @overload
    def __setitem__(self, key: RequestKey[T], value: T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: str | RequestKey[T], value: Any) -> None:
        warn_of_plain_key(key, RequestKey, 2)
        if self._state is None:
            self._state = {}
        self._state[key] = value

    def __delitem__(self, key: str | RequestKey[Any]) -> None:
        if self._state is None:
            raise KeyError(key)
        del self._state[key]

    @overload  # type: ignore[override]  # Mapping.get knows one type of values, we know one for each key
    def get(self, key: RequestKey[T], default: None = ...) -> T | None: ...
    @overload
    def get(self, key: RequestKey[T], default: D) -> T | D: ...
    @overload
    def get(self, key: str, default: Any = ...) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self, key: str | RequestKey[Any], default: Any = None
    ) -> Any:
        return default if self._state is None else self._state.get(key, default)

    def __len__(self) -> int:
        return len(self._state or ())

    def __iter__(self) -> Iterator[str | RequestKey[Any]]:
        return iter(self._state or ())

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        path = self.path.encode("ascii", "backslashreplace").decode("ascii")
        return f"<{type(self).__name__} {self.method} {path} >"

    # ---- content

    def limit_content(self, max_bytes: int | None) -> None:
        """From now on the content may have `max_bytes` in all, read whole or as a stream; None: any number.

        A middleware or handler gives a route its own limit so; beyond it reading raises, and the client gets 413.
        """
        self._client_max_size = max_bytes or 0  # where 0 is aiohttp's word for no limit
        self._exchange.limit_content(max_bytes)

    @property
    def client_max_size(self) -> int:
        """Most bytes that `read` takes; 0 for any number."""
        return self._client_max_size

    @property
    def client_max_fields(self) -> int:
        """Most fields that `post` takes; 0 for any number."""
        return self._client_max_fields

    @property
    def body_exists(self) -> bool:
        """Whether content was announced that is not empty, read or not."""
        framing = self._head.framing
        return not (isinstance(framing, NoContent) or (isinstance(framing, Length) and framing.bytes == 0))

    @property
    def can_read_body(self) -> bool:
        """Whether some content is still unread."""
        return self.body_exists and not self.content.at_eof()

    @property
    def content(self) -> StreamReader:
        """The content as a stream."""
        stream = self._stream
        if stream is None:
            self._stream = stream = _stream_of(self._exchange, self._head)
        return stream

    @property
    def trailers(self) -> CIMultiDictProxy[str]:
        """The trailer section: empty before the content was read to its end (RFC 9110 6.5)."""
        return multidict_of(self.content.trailers)

    async def read(self) -> bytes:
        """The content, or what `content` has left of it; the same again at the next call.

        raises: HTTPRequestEntityTooLarge beyond `client_max_size`, at once if Content-Length says so;
            RequestPayloadError if the content is broken
        """
        body = self._read_bytes
        if body is None:
            self._read_bytes = body = await self._read_content()
        return body

    async def _read_content(self) -> bytes:
        framing = self._head.framing
        limit = self._client_max_size
        if isinstance(framing, Length) and limit and framing.bytes > limit:
            raise _too_large(limit, framing.bytes)
        content = self.content
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := await content.readany():
                pieces.append(piece)
                size += len(piece)
                if limit and size > limit:
                    raise _too_large(limit, size)
        except BaseException:
            content.unread_data(b"".join(pieces))  # so that nothing seems complete that is not
            raise
        return b"".join(pieces)

    async def text(self) -> str:
        """The content decoded by its charset, by default UTF-8.

        raises: as `read`; HTTPUnsupportedMediaType if the charset is unknown; UnicodeDecodeError
        """
        body = await self.read()
        charset = self.charset or "utf-8"
        try:
            return body.decode(charset)
        except LookupError:
            raise _unsupported(f"charset {charset[:32]!r} is unknown") from None

    async def json(self, *, loads: Callable[[str], Any] = json.loads) -> Any:
        """The content decoded by `loads`.

        raises: as `text`, and what `loads` raises
        """
        return loads(await self.text())

    async def post(self) -> MultiDictProxy[str]:
        """Fields of a form; empty for methods but POST, PUT, PATCH, TRACE, DELETE, and for other content.

        raises: as `text`; HTTPRequestEntityTooLarge beyond `client_max_fields`
        """
        if self._form is None:
            self._form = await self._read_form()
        return self._form

    async def _read_form(self) -> MultiDictProxy[str]:
        if self.method not in _body.FORM_METHODS:
            return _body.EMPTY_FORM
        if self.content_type == _body.MULTIPART_FORM:
            raise _unsupported(f"{_body.MULTIPART_FORM} is not read here, send {_body.URLENCODED}")
        if self.content_type != _body.URLENCODED:
            return _body.EMPTY_FORM
        body = await self.read()
        limit = self._client_max_fields
        count = body.count(b"&") + 1
        if limit and count > limit:
            raise _too_large(limit, count, f"Maximum number of form fields {limit} exceeded.")
        charset = self.charset or "utf-8"
        try:
            return _body.parse_form(body, charset)
        except LookupError:
            raise _unsupported(f"charset {charset[:32]!r} is unknown") from None

    async def release(self) -> None:
        """Read what is unread, and forget it."""
        while await self.content.readany():
            pass


class Request(BaseRequest):
    """A request inside an application."""

    def clone(
        self,
        *,
        method: str | None = None,
        rel_url: str | URL | None = None,
        headers: LooseHeaders | None = None,
        scheme: str | None = None,
        host: str | None = None,
        remote: str | None = None,
        client_max_size: int | None = None,
        client_max_fields: int | None = None,
    ) -> "Request":
        """See `BaseRequest.clone`."""
        copy = super().clone(
            method=method,
            rel_url=rel_url,
            headers=headers,
            scheme=scheme,
            host=host,
            remote=remote,
            client_max_size=client_max_size,
            client_max_fields=client_max_fields,
        )
        return cast("Request", copy)

    @property
    def match_info(self) -> "UrlMappingMatchInfo":
        """Which route was found, and the variable parts of the path."""
        match_info = self._match_info
        if match_info is None:
            raise RuntimeError("the request has not been routed yet")
        return match_info

    @property
    def app(self) -> "Application":
        """The application that handles the request, the innermost one."""
        return self.match_info.current_app

    @property
    def config_dict(self) -> "ChainMapProxy":
        """What `app` holds, then what the applications around it hold."""
        from .config_dict import ChainMapProxy

        apps = self.match_info.apps
        index = apps.index(self.app)
        return ChainMapProxy(list(reversed(apps[: index + 1])))


def _stream_of(exchange: Exchange, head: RequestReceived) -> StreamReader:
    framing = head.framing
    if isinstance(framing, NoContent):
        return EMPTY_PAYLOAD
    return StreamReader(
        exchange.receive,
        length=framing.bytes if isinstance(framing, Length) else None,
        chunked=isinstance(framing, Chunked),
        translate=_body.payload_error,
    )


def _too_large(limit: int, actual: int, text: str | None = None) -> Exception:
    from .exceptions import HTTPRequestEntityTooLarge

    if text is not None:
        return HTTPRequestEntityTooLarge(limit, actual, text=text)
    return HTTPRequestEntityTooLarge(limit, actual)


def _unsupported(text: str) -> Exception:
    from .exceptions import HTTPUnsupportedMediaType

    return HTTPUnsupportedMediaType(text=f"415: Unsupported Media Type: {text}")
