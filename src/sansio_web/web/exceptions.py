"""Responses that one raises: the whole family of statuses as exceptions.

An instance is a response and lives once, as every response: raised for a second request it is refused with a
RuntimeError that names the first, because what middlewares and signals added for the first client, cookies
for instance, must not reach the next. Raise the class, or a new instance.
"""

import warnings
from collections.abc import Iterable
from typing import Any, ClassVar

from yarl import URL

from ._response_head import LooseHeaders
from .response import Response


class HTTPException(Response, Exception):
    """Base of all. `text` is "404: Not Found" and the like unless something else is given.

    body: deprecated; give `text`
    """

    status_code: ClassVar[int] = -1
    empty_body: ClassVar[bool] = False
    __http_exception__: ClassVar[bool] = True
    _levels_up: int = 2  # from the constructor to its caller, for warnings

    def __init__(
        self,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        if body is not None:
            warnings.warn(
                "the argument body of HTTP exceptions is deprecated, use text",
                DeprecationWarning,
                stacklevel=self._levels_up,
            )
        Response.__init__(
            self,
            status=self.status_code,
            headers=headers,
            reason=reason,
            body=body,
            text=text,
            content_type=content_type,
        )
        Exception.__init__(self, self.reason)
        if self._body is None and not self.empty_body:
            self.text = f"{self._status}: {self.reason}"

    def __str__(self) -> str:
        return self.reason

    def __reduce__(self) -> tuple[Any, ...]:
        unsent = {key: value for key, value in self.__dict__.items() if key not in _OF_ONE_REQUEST}
        return _rebuild, (type(self), self.reason, unsent)


_OF_ONE_REQUEST = ("_exchange", "_head", "_stage", "_keep_alive")


def _rebuild(kind: type[HTTPException], reason: str, state: dict[str, Any]) -> HTTPException:
    """Of a pickle or a copy: as it was before it was sent."""
    error = kind.__new__(kind, reason)
    error.__dict__.update(state)
    return error


class HTTPSuccessful(HTTPException):
    """2xx."""


class HTTPOk(HTTPSuccessful):
    """200."""

    status_code = 200


class HTTPCreated(HTTPSuccessful):
    """201."""

    status_code = 201


class HTTPAccepted(HTTPSuccessful):
    """202."""

    status_code = 202


class HTTPNonAuthoritativeInformation(HTTPSuccessful):
    """203."""

    status_code = 203


class HTTPNoContent(HTTPSuccessful):
    """204."""

    status_code = 204
    empty_body = True


class HTTPResetContent(HTTPSuccessful):
    """205."""

    status_code = 205
    empty_body = True


class HTTPPartialContent(HTTPSuccessful):
    """206."""

    status_code = 206


class HTTPRedirection(HTTPException):
    """3xx."""


class HTTPMove(HTTPRedirection):
    """A redirect to `location` (RFC 9110 10.2.2).

    raises: ValueError without a location
    """

    def __init__(
        self,
        location: str | URL,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        if not location:
            raise ValueError(f"{type(self).__name__} needs a location to redirect to, but got {location!r}")
        self._levels_up = 3
        super().__init__(headers=headers, reason=reason, body=body, text=text, content_type=content_type)
        self._location = location
        self.headers["Location"] = str(URL(location))

    @property
    def location(self) -> str | URL:
        """Where to, as it was given."""
        return self._location


class HTTPNotModified(HTTPRedirection):
    """304."""

    status_code = 304
    empty_body = True


class HTTPMultipleChoices(HTTPMove):
    """300."""

    status_code = 300


class HTTPMovedPermanently(HTTPMove):
    """301."""

    status_code = 301


class HTTPFound(HTTPMove):
    """302."""

    status_code = 302


class HTTPSeeOther(HTTPMove):
    """303."""

    status_code = 303


class HTTPUseProxy(HTTPMove):
    """305."""

    status_code = 305


class HTTPTemporaryRedirect(HTTPMove):
    """307."""

    status_code = 307


class HTTPPermanentRedirect(HTTPMove):
    """308."""

    status_code = 308


class HTTPError(HTTPException):
    """4xx and 5xx."""


class HTTPClientError(HTTPError):
    """4xx."""


class HTTPBadRequest(HTTPClientError):
    """400."""

    status_code = 400


class HTTPUnauthorized(HTTPClientError):
    """401."""

    status_code = 401


class HTTPPaymentRequired(HTTPClientError):
    """402."""

    status_code = 402


class HTTPForbidden(HTTPClientError):
    """403."""

    status_code = 403


class HTTPNotFound(HTTPClientError):
    """404."""

    status_code = 404


class HTTPMethodNotAllowed(HTTPClientError):
    """405, with Allow (RFC 9110 15.5.6)."""

    status_code = 405

    def __init__(
        self,
        method: str,
        allowed_methods: Iterable[str],
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        self._levels_up = 3
        super().__init__(headers=headers, reason=reason, body=body, text=text, content_type=content_type)
        self.method = method
        self.allowed_methods = set(allowed_methods)
        self.headers["Allow"] = ",".join(sorted(self.allowed_methods))


class HTTPNotAcceptable(HTTPClientError):
    """406."""

    status_code = 406


class HTTPProxyAuthenticationRequired(HTTPClientError):
    """407."""

    status_code = 407


class HTTPRequestTimeout(HTTPClientError):
    """408."""

    status_code = 408


class HTTPConflict(HTTPClientError):
    """409."""

    status_code = 409


class HTTPGone(HTTPClientError):
    """410."""

    status_code = 410


class HTTPLengthRequired(HTTPClientError):
    """411."""

    status_code = 411


class HTTPPreconditionFailed(HTTPClientError):
    """412."""

    status_code = 412


class HTTPRequestEntityTooLarge(HTTPClientError):
    """413, naming the limit."""

    status_code = 413

    def __init__(self, max_size: float, actual_size: float = 0, **kwargs: Any) -> None:
        self._levels_up = 3
        kwargs.setdefault("text", f"Maximum request body size {max_size} exceeded.")
        super().__init__(**kwargs)
        self.max_size = max_size
        self.actual_size = actual_size


class HTTPRequestURITooLong(HTTPClientError):
    """414."""

    status_code = 414


class HTTPUnsupportedMediaType(HTTPClientError):
    """415."""

    status_code = 415


class HTTPRequestRangeNotSatisfiable(HTTPClientError):
    """416."""

    status_code = 416


class HTTPExpectationFailed(HTTPClientError):
    """417."""

    status_code = 417


class HTTPMisdirectedRequest(HTTPClientError):
    """421."""

    status_code = 421


class HTTPUnprocessableEntity(HTTPClientError):
    """422."""

    status_code = 422


class HTTPFailedDependency(HTTPClientError):
    """424."""

    status_code = 424


class HTTPUpgradeRequired(HTTPClientError):
    """426."""

    status_code = 426


class HTTPPreconditionRequired(HTTPClientError):
    """428."""

    status_code = 428


class HTTPTooManyRequests(HTTPClientError):
    """429."""

    status_code = 429


class HTTPRequestHeaderFieldsTooLarge(HTTPClientError):
    """431."""

    status_code = 431


class HTTPUnavailableForLegalReasons(HTTPClientError):
    """451, with a link to who demanded it (RFC 7725)."""

    status_code = 451

    def __init__(
        self,
        link: str | URL | None,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        self._levels_up = 3
        super().__init__(headers=headers, reason=reason, body=body, text=text, content_type=content_type)
        self._link = URL(link) if link else None
        if self._link is not None:
            self.headers["Link"] = f'<{self._link}>; rel="blocked-by"'

    @property
    def link(self) -> URL | None:
        """Who demanded it."""
        return self._link


class HTTPServerError(HTTPError):
    """5xx."""


class HTTPInternalServerError(HTTPServerError):
    """500."""

    status_code = 500


class HTTPNotImplemented(HTTPServerError):
    """501."""

    status_code = 501


class HTTPBadGateway(HTTPServerError):
    """502."""

    status_code = 502


class HTTPServiceUnavailable(HTTPServerError):
    """503."""

    status_code = 503


class HTTPGatewayTimeout(HTTPServerError):
    """504."""

    status_code = 504


class HTTPVersionNotSupported(HTTPServerError):
    """505."""

    status_code = 505


class HTTPVariantAlsoNegotiates(HTTPServerError):
    """506."""

    status_code = 506


class HTTPInsufficientStorage(HTTPServerError):
    """507."""

    status_code = 507


class HTTPNotExtended(HTTPServerError):
    """510."""

    status_code = 510


class HTTPNetworkAuthenticationRequired(HTTPServerError):
    """511."""

    status_code = 511
