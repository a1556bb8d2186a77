"""The route table of an application: aiohttp's `UrlDispatcher` over `sansio_web.routing`.

In: paths, methods, handlers; then requests. Out: `UrlMappingMatchInfo`, which for 404 and 405 holds the
exception. Routes that no request can reach are reported when they are added. Not here: matching (`routing`),
middlewares (`application`).
"""

import warnings
from collections.abc import Container, Iterable, Iterator, Mapping, Sized
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from yarl import URL

from sansio_web.routing import Matched, MethodNotAllowed, Router

from ._handlers import RouteHandler, caller_level
from .resources import (
    AbstractResource,
    AbstractRoute,
    ExpectHandler,
    InfoDict,
    Resource,
    ResourceRoute,
    new_resource,
)
from .view import AbstractView

if TYPE_CHECKING:
    from ..http.events import RequestReceived
    from .application import Application
    from .exceptions import HTTPException
    from .request import Request
    from .routedef import AbstractRouteDef
    from .stream_response import StreamResponse


_NO_VARIABLES: Final[dict[str, str]] = {}
_REMEMBERED: Final = 4_096  # request lines of plain routes
_LONGEST_METHOD: Final = 16


class UnreachableRouteWarning(UserWarning):
    """A route was added that no request can reach, because an earlier one takes all of its URLs."""


class UrlMappingMatchInfo(dict[str, str]):
    """Which route serves a request; as a mapping, the variable parts of the path, percent-decoded once."""

    __slots__ = ("_apps", "_current_app", "_frozen", "_route")

    def __init__(self, match_dict: dict[str, str], route: AbstractRoute, apps: "tuple[Application, ...]" = ()) -> None:
        if match_dict:
            self.update(match_dict)
        self._route = route
        self._apps = apps  # grows by `add_app`
        self._current_app: Application | None = apps[-1] if apps else None
        self._frozen = bool(apps)  # set by `freeze`

    @property
    def handler(self) -> Any:
        """Of the route."""
        return self._route.handler

    @property
    def route(self) -> AbstractRoute:
        """The route found; one that raises `http_exception` if none was."""
        return self._route

    @property
    def expect_handler(self) -> ExpectHandler:
        """Of the route."""
        return self._route.handle_expect_header

    @property
    def http_exception(self) -> "HTTPException | None":
        """HTTPNotFound or HTTPMethodNotAllowed if no route was found."""
        return None

    def get_info(self) -> InfoDict:
        """About the path of the route."""
        return self._route.get_info()

    @property
    def apps(self) -> tuple["Application", ...]:
        """The applications that the request goes through, outermost first."""
        return self._apps

    def add_app(self, app: "Application") -> None:
        """Put an application around those that are there.

        raises: RuntimeError once frozen
        """
        if self._frozen:
            raise RuntimeError("cannot add an application to a match that is frozen")
        if self._current_app is None:
            self._current_app = app
        self._apps = (app, *self._apps)

    @property
    def current_app(self) -> "Application":
        """The innermost application, or the one whose middlewares are running."""
        app = self._current_app
        if app is None:
            raise RuntimeError("the match belongs to no application yet")
        return app

    @current_app.setter
    def current_app(self, app: "Application") -> None:
        if app not in self._apps:
            raise RuntimeError(f"{app!r} is none of the applications of this match: {self._apps!r}")
        self._current_app = app

    def freeze(self) -> None:
        """From now on `add_app` raises RuntimeError."""
        self._frozen = True

    def __repr__(self) -> str:
        return f"<MatchInfo {super().__repr__()}: {self._route!r}>"


class MatchInfoError(UrlMappingMatchInfo):
    """No route serves the request; the handler raises `http_exception`."""

    __slots__ = ("_exception",)

    def __init__(self, http_exception: "HTTPException", apps: "tuple[Application, ...]" = ()) -> None:
        super().__init__(_NO_VARIABLES, SystemRoute(http_exception), apps)
        self._exception = http_exception

    @property
    def http_exception(self) -> "HTTPException":
        return self._exception

    def __repr__(self) -> str:
        return f"<MatchInfoError {self._exception.status}: {self._exception.reason}>"


class SystemRoute(AbstractRoute):
    """The route of a request that no route serves."""

    def __init__(self, http_exception: "HTTPException") -> None:
        super().__init__("*", self._raise)
        self._exception = http_exception

    async def _raise(self, request: "Request") -> "StreamResponse":
        raise self._exception

    @property
    def status(self) -> int:
        """404 or 405."""
        return self._exception.status

    @property
    def reason(self) -> str:
        """Of the status."""
        return self._exception.reason

    @property
    def name(self) -> str | None:
        return None

    def get_info(self) -> InfoDict:
        return {"http_exception": self._exception}

    def url_for(self, *args: str, **parts: str) -> NoReturn:
        raise RuntimeError(f"nothing was found ({self.status}), so there is no URL of it")

    def __repr__(self) -> str:
        return f"<SystemRoute {self.status}: {self.reason}>"


class ResourcesView(Sized, Iterable[Resource], Container[Resource]):
    """All resources, in the order of their addition."""

    def __init__(self, resources: list[Resource]) -> None:
        self._resources = resources

    def __len__(self) -> int:
        return len(self._resources)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources)

    def __contains__(self, resource: object) -> bool:
        return resource in self._resources


class RoutesView(Sized, Iterable[AbstractRoute], Container[AbstractRoute]):
    """All routes, those of one resource together."""

    def __init__(self, resources: list[Resource]) -> None:
        self._resources = resources

    def __len__(self) -> int:
        return sum(map(len, self._resources))

    def __iter__(self) -> Iterator[AbstractRoute]:
        for resource in self._resources:
            yield from resource

    def __contains__(self, route: object) -> bool:
        return any(route is known for known in self)


class UrlDispatcher(Mapping[str, AbstractResource]):
    """Routes of an application; a mapping of the names of resources to them.

    strict: a route that no request can reach is an error, not a warning
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._router: Router[ResourceRoute] = Router()
        self._resources: list[Resource] = []  # both grow by `register_resource`
        self._named: dict[str, Resource] = {}
        self._strict = strict
        self._exact: dict[tuple[bytes, bytes], ResourceRoute] = {}  # what `match` found for fixed targets, once frozen
        self._reported = 0  # how many of the router's unreachable routes `route_added` has seen

    # ---- looking up

    def match(self, request: "Request", apps: "tuple[Application, ...]" = ()) -> UrlMappingMatchInfo:
        """The route of a request; a `MatchInfoError` if there is none.

        apps: those that the match belongs to, outermost first; without them it is open for `add_app`
        """
        head = request._head
        route = self._exact.get((head.method, head.target))
        if route is not None:
            return UrlMappingMatchInfo(_NO_VARIABLES, route, apps)
        found = self._router.match(request.method, request._routed_path())
        if isinstance(found, Matched):
            if found.resource.is_plain and self.frozen:
                self._remember(head, found.endpoint)
            return UrlMappingMatchInfo(found.variables, found.endpoint, apps)
        from .exceptions import HTTPMethodNotAllowed, HTTPNotFound

        if isinstance(found, MethodNotAllowed):
            return MatchInfoError(HTTPMethodNotAllowed(request.method, found.allowed), apps)
        return MatchInfoError(HTTPNotFound(), apps)

    def _remember(self, head: "RequestReceived", route: ResourceRoute) -> None:
        """Spare the next request with the same line the search; bounded in number and size, whatever clients send."""
        plain = b"?" not in head.target and b"%" not in head.target
        if plain and len(head.method) <= _LONGEST_METHOD and len(self._exact) < _REMEMBERED:
            self._exact[head.method, head.target] = route

    async def resolve(self, request: "Request") -> UrlMappingMatchInfo:
        """`match`, as aiohttp's routers have it."""
        return self.match(request)

    def __getitem__(self, name: str) -> AbstractResource:
        return self._named[name]

    def __len__(self) -> int:
        return len(self._named)

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __bool__(self) -> bool:
        return True

    def named_resources(self) -> Mapping[str, AbstractResource]:
        """The resources that have a name."""
        return MappingProxyType(self._named)

    def resources(self) -> ResourcesView:
        """All resources."""
        return ResourcesView(self._resources)

    def routes(self) -> RoutesView:
        """All routes."""
        return RoutesView(self._resources)

    def url_for(self, name: str, **parts: str) -> URL:
        """`router[name].url_for(**parts)`."""
        return self._named[name].url_for(**parts)

    @property
    def frozen(self) -> bool:
        return self._router.frozen

    def freeze(self) -> None:
        """From now on, additions raise RuntimeError."""
        self._router.freeze()

    # ---- adding

    def add_resource(self, path: str, *, name: str | None = None) -> Resource:
        """A resource of this path, or the last one added if path and name are its own.

        raises: ValueError if the path is no template or the name none or taken, RuntimeError once frozen
        """
        if self._resources and self._resources[-1].is_same(path, name):
            return self._resources[-1]
        resource = new_resource(path, name)
        self.register_resource(resource)
        return resource

    def register_resource(self, resource: Resource) -> None:
        """Add a resource that was made elsewhere, with its routes."""
        resource.join(self._router, self)
        self._resources.append(resource)
        if resource.name is not None:
            self._named[resource.name] = resource
        self.route_added()

    def add_route(
        self,
        method: str,
        path: str,
        handler: RouteHandler,
        *,
        name: str | None = None,
        expect_handler: ExpectHandler | None = None,
    ) -> AbstractRoute:
        """Serve a method of a path; "*" serves every method."""
        return self.add_resource(path, name=name).add_route(method, handler, expect_handler=expect_handler)

    def add_get(
        self,
        path: str,
        handler: RouteHandler,
        *,
        name: str | None = None,
        allow_head: bool = True,
        expect_handler: ExpectHandler | None = None,
    ) -> AbstractRoute:
        """Serve GET, and HEAD too if allowed."""
        resource = self.add_resource(path, name=name)
        if allow_head:
            resource.new_route("HEAD", handler, expect_handler)
        return resource.add_route("GET", handler, expect_handler=expect_handler)

    def add_head(self, path: str, handler: RouteHandler, **kwargs: Any) -> AbstractRoute:
        """Serve HEAD."""
        return self.add_route("HEAD", path, handler, **kwargs)

    def add_post(self, path: str, handler: RouteHandler, **kwargs: Any) -> AbstractRoute:
        """Serve POST."""
        return self.add_route("POST", path, handler, **kwargs)

    def add_put(self, path: str, handler: RouteHandler, **kwargs: Any) -> AbstractRoute:
        """Serve PUT."""
        return self.add_route("PUT", path, handler, **kwargs)

    def add_patch(self, path: str, handler: RouteHandler, **kwargs: Any) -> AbstractRoute:
        """Serve PATCH."""
        return self.add_route("PATCH", path, handler, **kwargs)

    def add_delete(self, path: str, handler: RouteHandler, **kwargs: Any) -> AbstractRoute:
        """Serve DELETE."""
        return self.add_route("DELETE", path, handler, **kwargs)

    def add_options(self, path: str, handler: RouteHandler, **kwargs: Any) -> AbstractRoute:
        """Serve OPTIONS."""
        return self.add_route("OPTIONS", path, handler, **kwargs)

    def add_view(self, path: str, handler: type[AbstractView], **kwargs: Any) -> AbstractRoute:
        """Serve every method with a class."""
        return self.add_route("*", path, handler, **kwargs)

    def add_routes(self, routes: "Iterable[AbstractRouteDef]") -> list[AbstractRoute]:
        """Add what `web.get`, `web.RouteTableDef` and the like have described."""
        added: list[AbstractRoute] = []
        for definition in routes:
            added.extend(definition.register(self))
        return added

    def route_added(self) -> None:
        """Report the routes that became unreachable since the last call.

        raises: RuntimeError if strict
        """
        unreachable = self._router.unreachable
        if len(unreachable) == self._reported:
            return
        messages = dict.fromkeys(map(str, unreachable[self._reported :]))  # one for HEAD and GET
        self._reported = len(unreachable)
        for message in messages:
            if self._strict:
                raise RuntimeError(message)
            warnings.warn(message, UnreachableRouteWarning, stacklevel=caller_level())
