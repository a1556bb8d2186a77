"""Route tables: routes described before there is an application, in any module.

Out: `RouteDef`s, which an application registers with `add_routes`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._handlers import RouteHandler
from .view import AbstractView

if TYPE_CHECKING:
    from .dispatcher import UrlDispatcher
    from .resources import AbstractRoute

H = TypeVar("H", bound=RouteHandler)


class AbstractRouteDef(ABC):
    """A description of routes."""

    @abstractmethod
    def register(self, router: "UrlDispatcher") -> "list[AbstractRoute]":
        """Add the routes."""


@dataclass(frozen=True, repr=False)
class RouteDef(AbstractRouteDef):
    """One method of one path; kwargs: name, expect_handler, and allow_head for GET."""

    method: str
    path: str
    handler: RouteHandler
    kwargs: dict[str, Any]

    def __repr__(self) -> str:
        shown = "".join(f", {name}={value!r}" for name, value in sorted(self.kwargs.items()))
        handler = getattr(self.handler, "__name__", self.handler)
        return f"<RouteDef {self.method} {self.path} -> {handler!r}{shown}>"

    def register(self, router: "UrlDispatcher") -> "list[AbstractRoute]":
        if self.method == "GET":
            return [router.add_get(self.path, self.handler, **self.kwargs)]
        return [router.add_route(self.method, self.path, self.handler, **self.kwargs)]


def route(method: str, path: str, handler: RouteHandler, **kwargs: Any) -> RouteDef:
    """Serve a method; "*" for every one, "GET" with HEAD."""
    return RouteDef(method, path, handler, kwargs)


def head(path: str, handler: RouteHandler, **kwargs: Any) -> RouteDef:
    """Serve HEAD."""
    return route("HEAD", path, handler, **kwargs)


def options(path: str, handler: RouteHandler, **kwargs: Any) -> RouteDef:
    """Serve OPTIONS."""
    return route("OPTIONS", path, handler, **kwargs)


def get(
    path: str, handler: RouteHandler, *, name: str | None = None, allow_head: bool = True, **kwargs: Any
) -> RouteDef:
    """Serve GET, and HEAD too if allowed."""
    return route("GET", path, handler, name=name, allow_head=allow_head, **kwargs)


def post(path: str, handler: RouteHandler, **kwargs: Any) -> RouteDef:
    """Serve POST."""
    return route("POST", path, handler, **kwargs)


def put(path: str, handler: RouteHandler, **kwargs: Any) -> RouteDef:
    """Serve PUT."""
    return route("PUT", path, handler, **kwargs)


def patch(path: str, handler: RouteHandler, **kwargs: Any) -> RouteDef:
    """Serve PATCH."""
    return route("PATCH", path, handler, **kwargs)


def delete(path: str, handler: RouteHandler, **kwargs: Any) -> RouteDef:
    """Serve DELETE."""
    return route("DELETE", path, handler, **kwargs)


def view(path: str, handler: type[AbstractView], **kwargs: Any) -> RouteDef:
    """Serve every method with a class."""
    return route("*", path, handler, **kwargs)


class RouteTableDef(Sequence[AbstractRouteDef]):
    """A list of route definitions that decorators fill: `@routes.get("/path")`."""

    def __init__(self) -> None:
        self._items: list[AbstractRouteDef] = []

    def __repr__(self) -> str:
        return f"<RouteTableDef count={len(self._items)}>"

    @overload
    def __getitem__(self, index: int) -> AbstractRouteDef: ...
    @overload
    def __getitem__(self, index: slice) -> list[AbstractRouteDef]: ...
    def __getitem__(self, index: int | slice) -> AbstractRouteDef | list[AbstractRouteDef]:
        return self._items[index]

    def __iter__(self) -> Iterator[AbstractRouteDef]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def route(self, method: str, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve a method of the path with what is decorated."""

        def add(handler: H) -> H:
            self._items.append(RouteDef(method, path, handler, kwargs))
            return handler

        return add

    def head(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve HEAD."""
        return self.route("HEAD", path, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve GET, and HEAD unless `allow_head=False`."""
        return self.route("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve POST."""
        return self.route("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve PUT."""
        return self.route("PUT", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve PATCH."""
        return self.route("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve DELETE."""
        return self.route("DELETE", path, **kwargs)

    def options(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve OPTIONS."""
        return self.route("OPTIONS", path, **kwargs)

    def view(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Serve every method with the class that is decorated."""
        return self.route("*", path, **kwargs)
