"""Status and header section of a response, and what an application keeps with it.

The header section is a multidict only if somebody asks for it: until then it is at most one Content-Type
line, ready to send. Not here: sending (`stream_response`), content (`response`).
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any, ClassVar, Final, TypeAlias, TypeVar, cast, overload

from multidict import CIMultiDict, istr

from ..http.commands import FieldLines
from ._content_type import DEFAULT_TYPE, split_type, type_lines, without_controls
from ._cookies import ResponseCookies
from ._headers import ETag, parse_http_date
from ._http_date import format_http_date
from ._reasons import REASONS
from .keys import ResponseKey, warn_of_plain_key

LooseHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

_T = TypeVar("_T")
_D = TypeVar("_D")

CONTENT_TYPE: Final = istr("Content-Type")
CONTENT_LENGTH: Final = istr("Content-Length")
_LAST_MODIFIED: Final = istr("Last-Modified")
_ETAG: Final = istr("ETag")

# RFC 9110 8.8.3: etagc = %x21 / %x23-7E / obs-text
_ETAGC: Final = re.compile(r"[\x21\x23-\x7e\x80-\xff]*")


class ResponseHead(MutableMapping[str | ResponseKey[Any], Any]):
    """Base of `StreamResponse`; attributes default on the class, so that making a response costs little."""

    _status: int = 200  # set_status
    _reason: str | None = None  # set_status; None: the usual one
    _headers: CIMultiDict[str] | None = None  # made by `headers`
    _lines: FieldLines = ()  # the Content-Type line or nothing; counts while `_headers` is None
    _cookies: ResponseCookies | None = None  # made by whoever sets or reads a cookie
    _state: dict[str | ResponseKey[Any], Any] | None = None  # made by the first item
    _plain: bool = False  # a Response that is neither prepared nor to be sent in a special way

    _head_is_out: ClassVar[bool | property] = False

    # -- status ----------------------------------------------------------------------------------------------

    @property
    def status(self) -> int:
        """Status code."""
        return self._status

    @property
    def reason(self) -> str:
        """Reason phrase; the usual one of the status unless another was set."""
        reason = self._reason
        return REASONS.get(self._status, "") if reason is None else reason

    def set_status(self, status: int, reason: str | None = None) -> None:
        """Set status and reason phrase; without `reason` the usual one.

        raises: RuntimeError after the head was sent; ValueError for a reason that could break out of its line
        """
        if self._head_is_out:
            raise RuntimeError(f"cannot change the status to {status}: the head with {self._status} was sent")
        self._status = int(status)
        self._reason = None if reason is None else without_controls("reason", reason)

    # -- fields ----------------------------------------------------------------------------------------------

    @property
    def headers(self) -> CIMultiDict[str]:
        """The header section; may be changed until it is sent."""
        headers = self._headers
        if headers is None:
            self._headers = headers = CIMultiDict[str]()
            for _, value in self._lines:
                headers[CONTENT_TYPE] = value.decode()
            length = self.content_length if self._head_is_out else None
            if length is not None:  # sent without a multidict; access logs want to see it
                headers[CONTENT_LENGTH] = str(length)
        return headers

    def _content_type_value(self) -> str:
        if self._headers is not None:
            return self._headers.get(CONTENT_TYPE, "")
        return self._lines[0][1].decode() if self._lines else ""

    def _set_content_type(self, content_type: str, charset: str | None) -> None:
        lines = type_lines(content_type, charset)
        if self._headers is None:
            self._lines = lines
        else:
            self._headers[CONTENT_TYPE] = lines[0][1].decode()

    @property
    def content_type(self) -> str:
        """Media type without parameters; `application/octet-stream` if none is set (RFC 9110 8.3)."""
        return split_type(self._content_type_value())[0]

    @content_type.setter
    def content_type(self, value: str) -> None:
        charset = split_type(self._content_type_value())[1]
        self._set_content_type(str(value), charset)

    @property
    def charset(self) -> str | None:
        """Charset parameter of Content-Type; None if it has none."""
        return split_type(self._content_type_value())[1]

    @charset.setter
    def charset(self, value: str | None) -> None:
        media_type, _, others = split_type(self._content_type_value())
        if media_type == DEFAULT_TYPE:
            raise RuntimeError(f"{DEFAULT_TYPE} has no charset; set content_type to a text type first")
        self._set_content_type(media_type + others, None if value is None else str(value).lower())

    @property
    def content_length(self) -> int | None:
        """Content-Length; None if it is not set."""
        value = None if self._headers is None else self._headers.get(CONTENT_LENGTH)
        return None if value is None else int(value)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        if value is None:
            self.headers.pop(CONTENT_LENGTH, None)
            return
        length = int(value)
        if length < 0:
            raise ValueError(f"content_length is {length}, but must not be negative (RFC 9110 8.6)")
        if self.chunked:
            raise RuntimeError("a chunked response has no Content-Length (RFC 9112 6.2)")
        self.headers[CONTENT_LENGTH] = str(length)

    @property
    def chunked(self) -> bool:
        """Whether chunked transfer coding was asked for."""
        return False

    @property
    def last_modified(self) -> datetime | None:
        """Last-Modified as an aware datetime; None if there is none or it cannot be read."""
        value = None if self._headers is None else self._headers.get(_LAST_MODIFIED)
        return None if value is None else parse_http_date(value, 2000)

    @last_modified.setter
    def last_modified(self, value: float | datetime | str | None) -> None:
        if value is None:
            self.headers.pop(_LAST_MODIFIED, None)
        else:
            self.headers[_LAST_MODIFIED] = _http_date(value)

    @property
    def etag(self) -> ETag | None:
        """The entity tag; None if there is none."""
        value = None if self._headers is None else self._headers.get(_ETAG)
        if value is None:
            return None
        weak = value.startswith("W/")
        return ETag(is_weak=weak, value=(value[2:] if weak else value).strip('"'))

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        if value is None:
            self.headers.pop(_ETAG, None)
        else:
            self.headers[_ETAG] = _entity_tag(value)

    # -- cookies ---------------------------------------------------------------------------------------------

    def _cookie_jar(self) -> ResponseCookies:
        cookies = self._cookies
        if cookies is None:
            self._cookies = cookies = ResponseCookies()
        return cookies

    @property
    def cookies(self) -> SimpleCookie:
        """Cookies to be set, by name."""
        return self._cookie_jar().named

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        expires: str | None = None,
        domain: str | None = None,
        max_age: int | str | None = None,
        path: str | None = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        version: str | None = None,
        samesite: str | None = None,
        partitioned: bool | None = None,
    ) -> None:
        """Set a cookie (RFC 6265 4.1); one with the same name but another domain or path stays.

        raises: http.cookies.CookieError for a name that is no token; ValueError for a control character
        """
        self._cookie_jar().set(
            name,
            value,
            expires=expires,
            domain=domain,
            max_age=max_age,
            path=path,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
            version=version,
        )

    def del_cookie(
        self,
        name: str,
        *,
        domain: str | None = None,
        path: str | None = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        samesite: str | None = None,
        partitioned: bool | None = None,
    ) -> None:
        """Make the client forget a cookie; domain and path must be those it was set with."""
        self._cookie_jar().delete(
            name,
            domain=domain,
            path=path,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    # -- what the application keeps here ---------------------------------------------------------------------

    @overload
    def __getitem__(self, key: ResponseKey[_T]) -> _T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | ResponseKey[Any]) -> Any:
        if self._state is None:
            raise KeyError(key)
        return self._state[key]

    @overload
    def __setitem__(self, key: ResponseKey[_T], value: _T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: str | ResponseKey[Any], value: Any) -> None:
        warn_of_plain_key(key, ResponseKey, 2)
        if self._state is None:
            self._state = {}
        self._state[key] = value

    def __delitem__(self, key: str | ResponseKey[Any]) -> None:
        if self._state is None:
            raise KeyError(key)
        del self._state[key]

    @overload  # type: ignore[override]  # Mapping.get knows one type of values, we know one for each key
    def get(self, key: ResponseKey[_T], default: None = ...) -> _T | None: ...
    @overload
    def get(self, key: ResponseKey[_T], default: _D) -> _T | _D: ...
    @overload
    def get(self, key: str, default: Any = ...) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self, key: str | ResponseKey[Any], default: Any = None
    ) -> Any:
        """The item, or `default`."""
        return default if self._state is None else self._state.get(key, default)

    def __len__(self) -> int:
        return 0 if self._state is None else len(self._state)

    def __iter__(self) -> Iterator[str | ResponseKey[Any]]:
        return iter(()) if self._state is None else iter(self._state)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return object.__hash__(self)


def _http_date(value: object) -> str:
    if isinstance(value, str):
        return without_controls("last_modified", value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return format_http_date(aware.astimezone(UTC))
    if isinstance(value, int | float):
        return format_http_date(datetime.fromtimestamp(math.ceil(value), UTC))
    kind = type(value).__name__
    raise TypeError(f"last_modified is a {kind}; allowed: datetime, seconds since 1970, str or None")


def _entity_tag(etag: object) -> str:
    if isinstance(etag, str):
        etag = ETag(etag)
    if not isinstance(etag, ETag):
        raise ValueError(f"etag is a {type(etag).__name__}; allowed: str, ETag or None")
    value = etag.value
    if value == "*":
        return "*"
    legal = _ETAGC.match(value)
    end = legal.end() if legal else 0
    if end != len(value):
        raise ValueError(f"etag {value!r} has {value[end]!r} at offset {end} (RFC 9110 8.8.3)")
    return f'W/"{value}"' if etag.is_weak else f'"{value}"'


def field_lines(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Header items as field lines; the writer refuses what could break out of its line.

    raises: TypeError for a value that is no str, naming the field
    """
    try:
        return [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in headers]
    except AttributeError:
        for name, value in cast("Iterable[tuple[str, object]]", headers):
            if not isinstance(value, str):
                kind = type(value).__name__
                raise TypeError(f"value of header {name!r} is {value!r}, a {kind}; it must be a str") from None
        raise
