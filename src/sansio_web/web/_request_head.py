"""What is read from the head of a request, and from the transport it came on; computed when asked for.

Not here: what header fields mean (`_headers`), content and mapping (`request`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, NoReturn, TypeVar, cast, overload

from multidict import CIMultiDict, CIMultiDictProxy, MultiDictProxy
from yarl import URL

from sansio_web.http.events import RequestReceived
from sansio_web.http.fields import Fields

from ..exchange import ConnectionInfo, Exchange
from . import _headers
from ._headers import ETag, HttpVersion, HttpVersion10, HttpVersion11

T = TypeVar("T")


class cached(Generic[T]):  # noqa: N801 - used as a decorator
    """A read-only attribute of a request, computed at its first use."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, request: None, owner: type) -> "cached[T]": ...
    @overload
    def __get__(self, request: "RequestHead", owner: type) -> T: ...
    def __get__(self, request: "RequestHead | None", owner: type) -> "cached[T] | T":
        if request is None:
            return self
        cache = request._cache
        if cache is None:
            cache = request._cache = {}
        try:
            value: T = cache[self._name]
        except KeyError:
            value = cache[self._name] = self._compute(request)
        return value

    def __set__(self, request: "RequestHead", value: object) -> NoReturn:
        raise AttributeError(f"{self._name} of a request is read-only; request.clone() makes a changed copy")


class RequestHead:
    """The readable half of `BaseRequest`."""

    # what exists for few requests only has its default here, so that making one stays cheap
    _scheme: str | None = None  # these three are set by `clone`
    _host: str | None = None
    _remote: str | None = None

    _exchange: Exchange  # these two are set when it is made
    _head: RequestReceived
    _cache: dict[str, Any] | None = None  # grows by `cached`

    # ---- request line

    @cached
    def version(self) -> HttpVersion:
        """HTTP version; 1.1 for every higher minor version."""
        return HttpVersion10 if self._head.version == b"1.0" else HttpVersion11

    @property
    def method(self) -> str:
        """As sent; methods are case-sensitive."""
        return self._head.method.decode("utf-8", "surrogateescape")

    @cached
    def raw_path(self) -> str:
        """The target as sent, percent-encoded, with its query."""
        return decoded(self._head.target)

    def _routed_path(self) -> str:
        """The path of the target as sent, for the router."""
        target = self._head.target
        if target[:1] == b"/":
            return target.partition(b"?")[0].decode("utf-8", "surrogateescape")
        return self.rel_url.raw_path

    @cached
    def _message_url(self) -> URL:
        """What the target says and no more: relative in origin-form, absolute in absolute-form."""
        target: str = self.raw_path
        if target.startswith("/"):
            path, _, query = target.partition("?")
            return URL.build(path=path, query_string=query, encoded=True)
        if self.method == "CONNECT":
            return URL.build(authority=target, encoded=True)
        return URL(target, encoded=True)

    @cached
    def rel_url(self) -> URL:
        """Path and query, without scheme and host."""
        url: URL = self._message_url
        if not url.absolute:
            return url
        path = "" if self.method == "CONNECT" else url.raw_path or "/"
        return URL.build(path=path, query_string=url.raw_query_string, encoded=True)

    @cached
    def url(self) -> URL:
        """The target URI (RFC 9110 7.1).

        raises: ValueError if the host is none that a URL can have
        """
        url: URL = self._message_url
        if url.absolute:
            return url
        path = "" if url.raw_path == "*" else url.raw_path
        return URL.build(
            scheme=self.scheme,
            authority=self.host,
            path=path,
            query_string=url.raw_query_string,
            encoded=True,
        )

    @cached
    def path(self) -> str:
        """The path, percent-decoded."""
        routed = self._routed_path()
        return self.rel_url.path if "%" in routed else routed

    @cached
    def path_qs(self) -> str:
        """Path and query, percent-encoded."""
        return self.rel_url.raw_path_qs

    @property
    def query(self) -> MultiDictProxy[str]:
        """Parameters of the query."""
        return self.rel_url.query

    @property
    def query_string(self) -> str:
        """The query, percent-decoded."""
        return self.rel_url.query_string

    # ---- where it came from

    @property
    def scheme(self) -> str:
        """What `clone` said; else "https" where TLS is spoken, "http" otherwise."""
        if self._scheme is not None:
            return self._scheme
        return "https" if self._exchange.connection.secure else "http"

    @property
    def secure(self) -> bool:
        """Whether `scheme` is "https"."""
        return self.scheme == "https"

    @cached
    def host(self) -> str:
        """Host and port: of `clone`, an absolute-form target (RFC 9112 3.2.2), Host, or our own address."""
        if self._host is not None:
            return self._host
        if not self.raw_path.startswith("/"):
            authority = self._message_url.host_port_subcomponent
            if authority is not None:
                return authority
        value = self._field(b"host")
        return value if value is not None else _own_host(self._exchange.connection)

    @property
    def remote(self) -> str | None:
        """What `clone` said, or the address of the peer."""
        return self._remote if self._remote is not None else self._exchange.connection.remote

    @property
    def transport(self) -> ConnectionInfo:
        """What is known of the connection, by `get_extra_info`."""
        return self._exchange.connection

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """About the transport, by asyncio's names: peername, sockname, ssl_object, …"""
        return self._exchange.connection.get_extra_info(name, default)

    @property
    def keep_alive(self) -> bool:
        """Whether the client lets the connection persist."""
        return self._head.persistent

    # ---- header fields

    def _field(self, lower_name: bytes) -> str | None:
        value = self._head.fields.get(lower_name)
        return None if value is None else decoded(value)

    @cached
    def headers(self) -> CIMultiDictProxy[str]:
        """Field lines; names in any case."""
        return multidict_of(self._head.fields)

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Field lines as they were sent."""
        return self._head.fields.items()

    @cached
    def _media_type(self) -> tuple[str, str | None]:
        return _headers.parse_content_type(self._field(b"content-type"))

    @property
    def content_type(self) -> str:
        """Media type without parameters; "application/octet-stream" where none was sent."""
        return self._media_type[0]

    @property
    def charset(self) -> str | None:
        """The charset parameter of the media type."""
        return self._media_type[1]

    @cached
    def content_length(self) -> int | None:
        """What Content-Length says."""
        value = self._field(b"content-length")
        return None if value is None else int(value)

    @cached
    def cookies(self) -> Mapping[str, str]:
        """Cookies by name."""
        lines = map(decoded, self._head.fields.get_all(b"cookie"))
        return MappingProxyType(_headers.parse_cookies(lines))

    @cached
    def forwarded(self) -> tuple[Mapping[str, str], ...]:
        """Forwarded (RFC 7239), one mapping for each proxy, the client's side first; anybody can send it."""
        return _headers.parse_forwarded(map(decoded, self._head.fields.get_all(b"forwarded")))

    def _date(self, lower_name: bytes) -> datetime | None:
        this_year = int(self._exchange.date()[12:16])  # of an IMF-fixdate
        return _headers.parse_http_date(self._field(lower_name), this_year)

    @cached
    def if_modified_since(self) -> datetime | None:
        """None if absent or no HTTP-date."""
        return self._date(b"if-modified-since")

    @cached
    def if_unmodified_since(self) -> datetime | None:
        """None if absent or no HTTP-date."""
        return self._date(b"if-unmodified-since")

    @cached
    def if_range(self) -> datetime | None:
        """None if absent or no HTTP-date."""
        return self._date(b"if-range")

    @cached
    def if_match(self) -> tuple[ETag, ...] | None:
        """Tags of If-Match; None if absent."""
        return _headers.parse_etags(self._field(b"if-match"))

    @cached
    def if_none_match(self) -> tuple[ETag, ...] | None:
        """Tags of If-None-Match; None if absent."""
        return _headers.parse_etags(self._field(b"if-none-match"))

    @cached
    def http_range(self) -> slice:
        """Range as a slice of the content.

        raises: ValueError if it is not one satisfiable-looking range of bytes
        """
        return _headers.parse_range(self._field(b"range"))


def _own_host(connection: ConnectionInfo) -> str:
    """For HTTP/1.0 without Host."""
    address = connection.get_extra_info("sockname")
    if not isinstance(address, tuple):
        return "localhost"
    host, port = cast("tuple[str, int]", address)[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def multidict_of(fields: Fields) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict([(decoded(name), decoded(value)) for name, value in fields]))


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
