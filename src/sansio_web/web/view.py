"""Handlers as classes: one method for each HTTP method."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from .request import Request
    from .stream_response import StreamResponse

METHODS: Final = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")


class AbstractView(ABC):
    """Awaited, it handles the request it was made with."""

    def __init__(self, request: "Request") -> None:
        self._request = request

    @property
    def request(self) -> "Request":
        """The request to be handled."""
        return self._request

    @abstractmethod
    def __await__(self) -> Generator[Any, None, "StreamResponse"]:
        """Handle the request."""


class View(AbstractView):
    """Coroutine methods `get`, `post`, … answer the HTTP methods of their names; all others get 405."""

    async def _handle(self) -> "StreamResponse":
        method = self.request.method
        handler: Callable[[], Awaitable[StreamResponse]] | None = None
        if method in METHODS:
            handler = getattr(self, method.lower(), None)
        if handler is None:
            self._raise_allowed_methods()
        return await handler()

    def __await__(self) -> Generator[Any, None, "StreamResponse"]:
        return self._handle().__await__()

    def _raise_allowed_methods(self) -> NoReturn:
        from .exceptions import HTTPMethodNotAllowed

        allowed = [method for method in METHODS if hasattr(self, method.lower())]
        raise HTTPMethodNotAllowed(self.request.method, allowed)
