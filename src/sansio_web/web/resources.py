"""Resources and routes by aiohttp's names, over `sansio_web.routing`.

A resource is a path, a route one method of it with its handler. Not here: the table of them (`dispatcher`).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict

from yarl import URL

from sansio_web.routing import Matched, MethodNotAllowed, Router
from sansio_web.routing import Resource as RoutingResource
from sansio_web.routing.template import Literal, Template

from ._handlers import RouteHandler, checked, where_called, where_defined

if TYPE_CHECKING:
    from .dispatcher import UrlMappingMatchInfo
    from .exceptions import HTTPException
    from .request import Request
    from .stream_response import StreamResponse

ExpectHandler: TypeAlias = Callable[["Request"], Awaitable["StreamResponse | None"]]


class InfoDict(TypedDict, total=False):
    """What `get_info` tells."""

    path: str
    formatter: str
    pattern: re.Pattern[str]
    http_exception: "HTTPException"


class AbstractRoute(ABC):
    """A method and its handler."""

    def __init__(
        self,
        method: str,
        handler: RouteHandler,
        *,
        expect_handler: ExpectHandler | None = None,
        resource: "Resource | None" = None,
    ) -> None:
        self._method = method
        self._handler = handler
        self._expect_handler = expect_handler
        self._resource = resource

    @property
    def method(self) -> str:
        """In upper case; "*" for any."""
        return self._method

    @property
    def handler(self) -> Any:
        """What serves it: called with the request it gives an awaitable of the response."""
        return self._handler

    @property
    def resource(self) -> "Resource | None":
        """Whose route it is."""
        return self._resource

    @property
    @abstractmethod
    def name(self) -> str | None:
        """Of the resource."""

    @abstractmethod
    def get_info(self) -> InfoDict:
        """About the path."""

    @abstractmethod
    def url_for(self, *args: str, **parts: str) -> URL:
        """The URL with these parts, percent-encoded where needed."""

    async def handle_expect_header(self, request: "Request") -> "StreamResponse | None":
        """Answer an Expect field (RFC 9110 10.1.1); 100 (Continue) goes out by itself when content is read.

        returns: a final response instead of the handler's, or None
        raises: HTTPExpectationFailed for other expectations than 100-continue
        """
        if self._expect_handler is not None:
            return await self._expect_handler(request)
        expected = request.headers.get("Expect", "100-continue")
        if expected.lower() != "100-continue":
            from .exceptions import HTTPExpectationFailed

            raise HTTPExpectationFailed(text=f"417: Expectation Failed: Expect is {expected[:32]!r}")
        return None


class ResourceRoute(AbstractRoute):
    """A route of a resource."""

    _resource: "Resource"

    def __init__(
        self,
        method: str,
        handler: RouteHandler,
        resource: "Resource",
        *,
        expect_handler: ExpectHandler | None = None,
    ) -> None:
        super().__init__(method, handler, expect_handler=expect_handler, resource=resource)

    def __repr__(self) -> str:
        return f"<ResourceRoute [{self.method}] {self._resource!r} -> {self.handler!r}>"

    @property
    def name(self) -> str | None:
        return self._resource.name

    def get_info(self) -> InfoDict:
        return self._resource.get_info()

    def url_for(self, *args: str, **parts: str) -> URL:
        return self._resource.url_for(*args, **parts)


class Owner(Protocol):
    """What a resource tells the dispatcher it belongs to."""

    def route_added(self) -> None: ...


class AbstractResource(ABC):
    """A path, with a name or without, and its routes; sized, iterable."""

    def __init__(self, *, name: str | None = None) -> None:
        self._name = name

    @property
    def name(self) -> str | None:
        return self._name

    @property
    @abstractmethod
    def canonical(self) -> str:
        """The path without regexes, as `/users/{id}`."""

    @abstractmethod
    def url_for(self, **parts: str) -> URL:
        """The URL with these parts."""

    @abstractmethod
    def get_info(self) -> InfoDict:
        """About the path."""

    @abstractmethod
    async def resolve(self, request: "Request") -> tuple["UrlMappingMatchInfo | None", set[str]]:
        """The match of this resource alone, and the methods it has if the path is its own."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[AbstractRoute]: ...


class Resource(AbstractResource):
    """A path by a template."""

    def __init__(self, path: str, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self._template = Template(path)
        self._routes: list[ResourceRoute] = []  # grows by `add_route`
        self._core: RoutingResource[ResourceRoute] | None = None  # both set by `join`
        self._owner: Owner | None = None

    def join(self, router: Router[ResourceRoute], owner: Owner) -> None:
        """Become part of a router, with the routes that are there already."""
        if self._core is not None:
            raise RuntimeError(f"{self!r} belongs to a router already")
        core = router.add_resource(self._template.source, name=self.name, where=where_called())
        self._core = core
        self._owner = owner
        for route in self._routes:
            core.add(route.method, route, where=_where(route.handler))

    def is_same(self, path: str, name: str | None) -> bool:
        """Whether this is the resource of that path and name."""
        return self._template.source == path and self.name == name

    def add_route(
        self,
        method: str,
        handler: RouteHandler,
        *,
        expect_handler: ExpectHandler | None = None,
    ) -> ResourceRoute:
        """Serve a method; "*" serves each that is not served yet.

        raises: RuntimeError if the method is served already or the router frozen, ValueError if it is none
        """
        route = self.new_route(method, handler, expect_handler)
        if self._owner is not None:
            self._owner.route_added()
        return route

    def new_route(self, method: str, handler: RouteHandler, expect_handler: ExpectHandler | None) -> ResourceRoute:
        """`add_route` without telling the dispatcher."""
        function = checked(handler)
        route = ResourceRoute(method.upper(), function, self, expect_handler=expect_handler)
        if self._core is not None:
            self._core.add(method, route, where=_where(handler))
        self._routes.append(route)
        return route

    @property
    def canonical(self) -> str:
        return self._template.canonical

    def url_for(self, **parts: str) -> URL:
        """The URL with these parts, which are not percent-encoded yet.

        raises: KeyError naming a part that is missing, TypeError if one is no str
        """
        return URL.build(path=self._template.build(parts), encoded=True)

    async def resolve(self, request: "Request") -> tuple["UrlMappingMatchInfo | None", set[str]]:
        from .dispatcher import UrlMappingMatchInfo

        alone = Router[ResourceRoute]()
        core = alone.add_resource(self._template.source)
        for route in self._routes:
            core.add(route.method, route)
        result = alone.match(request.method, request._routed_path())
        methods = {route.method for route in self._routes}
        if isinstance(result, Matched):
            return UrlMappingMatchInfo(result.variables, result.endpoint), methods
        return None, methods if isinstance(result, MethodNotAllowed) else set()

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter(self._routes)

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name is not None else ""
        return f"<{type(self).__name__}{named}  {self.canonical}>"


class PlainResource(Resource):
    """A path without variables."""

    def get_info(self) -> InfoDict:
        return {"path": self._template.source}

    def url_for(self) -> URL:  # type: ignore[override]  # a plain path has no parts
        return super().url_for()


class DynamicResource(Resource):
    """A path with variables."""

    def get_info(self) -> InfoDict:
        pattern = "".join(
            re.escape(part.text) if isinstance(part, Literal) else f"(?P<{part.name}>{part.regex})"
            for part in self._template.parts
        )
        return {"formatter": self.canonical, "pattern": re.compile(pattern)}


def new_resource(path: str, name: str | None) -> Resource:
    """A PlainResource or DynamicResource.

    raises: ValueError if the path is no template
    """
    return (PlainResource if Template(path).is_plain else DynamicResource)(path, name=name)


def _where(handler: Any) -> str:
    return where_defined(handler) or where_called()
