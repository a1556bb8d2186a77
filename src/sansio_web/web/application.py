"""An application: routes, middlewares, signals, cleanup contexts, and what its handlers share.

In: an `Exchange` for each request. Out: a response to each. It awaits nothing else, so it runs wherever a
driver makes exchanges, and it may be created anywhere, at import time too.

Its life: it is filled, then `startup` (contexts entered, `on_startup`; state may still be added), then
frozen; requests; `shutdown`, `cleanup`. `lifespan` is that whole order in one place.
"""

import warnings
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast, overload

from ..exchange import Exchange
from . import _answering
from ._middleware_chain import Handler, chain, check
from .cleanup import CleanupContext, CleanupError, raise_errors
from .config_dict import ChainMapProxy
from .dispatcher import UrlDispatcher, UrlMappingMatchInfo
from .exceptions import HTTPException
from .keys import AppKey, warn_of_plain_key
from .request import DEFAULT_CLIENT_MAX_FIELDS, DEFAULT_CLIENT_MAX_SIZE, Request
from .response import Response
from .signals import FrozenList, Signal
from .stream_response import StreamResponse

if TYPE_CHECKING:
    from .resources import AbstractRoute
    from .routedef import AbstractRouteDef

__all__ = ["Application", "ChainMapProxy", "CleanupContext", "CleanupError"]

_T = TypeVar("_T")
_D = TypeVar("_D")
_Key: TypeAlias = "str | AppKey[Any]"


class Application(MutableMapping[str | AppKey[Any], Any]):
    """Routes requests to handlers; also a mapping of what the handlers share.

    logger: whoever wants to log for the application finds it here; the library does not use it
    client_max_size: most bytes that `request.read()` takes; 0 for any number
    handler_args: for the runner
    router, loop, debug: deprecated
    """

    _OWN: ClassVar[frozenset[str]] = frozenset(
        {
            *(
                "logger",
                "_router",
                "_middlewares",
                "_handler_args",
                "_client_max_size",
                "_client_max_fields",
                "_default_limits",
                "_state",
            ),
            *(
                "_frozen",
                "_on_startup",
                "_on_shutdown",
                "_on_cleanup",
                "_on_response_prepare",
                "_cleanup_ctx",
            ),
            *("_chains", "_apps"),
        }
    )

    def __init__(
        self,
        *,
        logger: Any = None,
        router: UrlDispatcher | None = None,
        middlewares: Iterable[Callable[..., Any]] = (),
        handler_args: Mapping[str, Any] | None = None,
        client_max_size: int = 1024**2,
        client_max_fields: int = 1000,
        loop: Any = None,
        debug: Any = ...,
    ) -> None:
        for name, value, unset in (("router", router, None), ("loop", loop, None), ("debug", debug, ...)):
            if value is not unset:
                warnings.warn(f"the argument {name} of Application is deprecated", DeprecationWarning, stacklevel=2)
        if not (router is None or isinstance(router, UrlDispatcher)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"router is a {type(router).__name__}; it must be a UrlDispatcher")
        self.logger = logger
        self._router = UrlDispatcher() if router is None else router
        self._middlewares: FrozenList[Callable[..., Any]] = FrozenList(middlewares)
        self._handler_args = handler_args
        self._client_max_size = client_max_size
        self._client_max_fields = client_max_fields
        self._default_limits = (client_max_size, client_max_fields) == (
            DEFAULT_CLIENT_MAX_SIZE,
            DEFAULT_CLIENT_MAX_FIELDS,
        )
        self._state: dict[str | AppKey[Any], Any] = {}
        self._frozen = False  # freeze
        self._on_startup: Signal[[Application]] = Signal(self)
        self._on_shutdown: Signal[[Application]] = Signal(self)
        self._on_cleanup: Signal[[Application]] = Signal(self)
        self._on_response_prepare: Signal[[Request, StreamResponse]] = Signal(self)
        self._cleanup_ctx = CleanupContext()
        self._chains: dict[AbstractRoute, Handler] = {}  # handlers with middlewares, made when first needed
        self._apps: tuple[Application, ...] = (self,)

    def __init_subclass__(cls) -> None:
        warnings.warn(
            f"{cls.__name__} inherits from web.Application; better keep things in it as in a mapping",
            DeprecationWarning,
            stacklevel=3,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._OWN:
            warnings.warn(
                f"attribute {name!r} is set on a web.Application; better app[web.AppKey({name!r}, ...)]",
                DeprecationWarning,
                stacklevel=2,
            )
        super().__setattr__(name, value)

    # -- what handlers share ---------------------------------------------------------------------------------

    def _check(self, stacklevel: int) -> None:
        if self._frozen:
            warnings.warn(
                "an application is changed after its start; better do it in on_startup or cleanup_ctx",
                DeprecationWarning,
                stacklevel=stacklevel + 1,
            )

    @overload
    def __getitem__(self, key: AppKey[_T]) -> _T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | AppKey[Any]) -> Any:
        return self._state[key]

    @overload
    def __setitem__(self, key: AppKey[_T], value: _T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: str | AppKey[Any], value: Any) -> None:
        self._check(2)
        warn_of_plain_key(key, AppKey, 2)
        self._state[key] = value

    def __delitem__(self, key: str | AppKey[Any]) -> None:
        self._check(2)
        del self._state[key]

    @overload  # type: ignore[override]  # Mapping.get knows one type of values, we know one for each key
    def get(self, key: AppKey[_T], default: None = ...) -> _T | None: ...
    @overload
    def get(self, key: AppKey[_T], default: _D) -> _T | _D: ...
    @overload
    def get(self, key: str, default: Any = ...) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self, key: str | AppKey[Any], default: Any = None
    ) -> Any:
        """The item, or `default`."""
        return self._state.get(key, default)

    @overload  # type: ignore[override]  # as above
    def setdefault(self, key: AppKey[_T], default: _T) -> _T: ...
    @overload
    def setdefault(self, key: str, default: Any = ...) -> Any: ...
    def setdefault(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self, key: str | AppKey[Any], default: Any = None
    ) -> Any:
        """The item; `default` is set if there is none."""
        if key not in self._state:
            self._check(2)
            warn_of_plain_key(key, AppKey, 2)
            self._state[key] = default
        return self._state[key]

    def __len__(self) -> int:
        return len(self._state)

    def __iter__(self) -> Iterator[str | AppKey[Any]]:
        return iter(self._state)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __repr__(self) -> str:
        return f"<Application 0x{id(self):x}>"

    # -- what it is made of ----------------------------------------------------------------------------------

    @property
    def router(self) -> UrlDispatcher:
        """Its routes."""
        return self._router

    def add_routes(self, routes: "Iterable[AbstractRouteDef]") -> "list[AbstractRoute]":
        """Add routes of a `RouteTableDef`, or a list of `web.get(...)` and the like.

        returns: the routes
        raises: RuntimeError after the start
        """
        return self._router.add_routes(routes)

    @property
    def middlewares(self) -> FrozenList[Callable[..., Any]]:
        """`async def (request, handler)`, the first is the outermost."""
        return self._middlewares

    @property
    def on_startup(self) -> "Signal[[Application]]":
        """Called with the application after its cleanup contexts were entered, before it takes requests."""
        return self._on_startup

    @property
    def on_shutdown(self) -> "Signal[[Application]]":
        """Called with the application when it stops taking requests, while some may still be handled."""
        return self._on_shutdown

    @property
    def on_cleanup(self) -> "Signal[[Application]]":
        """Called with the application at the end, after its cleanup contexts were left."""
        return self._on_cleanup

    @property
    def on_response_prepare(self) -> "Signal[[Request, StreamResponse]]":
        """Called with request and response before the head is sent; may change headers."""
        return self._on_response_prepare

    @property
    def cleanup_ctx(self) -> CleanupContext:
        """Cleanup contexts, see `cleanup`."""
        return self._cleanup_ctx

    # -- its life --------------------------------------------------------------------------------------------

    @property
    def frozen(self) -> bool:
        """Whether it can no longer change."""
        return self._frozen

    @property
    def pre_frozen(self) -> bool:
        """As `frozen`."""
        return self._frozen

    def pre_freeze(self) -> None:
        """As `freeze`."""
        self.freeze()

    def freeze(self) -> None:
        """From now on routes, middlewares and signals refuse changes with RuntimeError; the state warns."""
        if self._frozen:
            return
        for middleware in self._middlewares:
            check(middleware)
        self._router.freeze()
        self._middlewares.freeze()
        self._cleanup_ctx.freeze()
        for signal in (self._on_startup, self._on_shutdown, self._on_cleanup):
            signal.freeze()
        self._on_response_prepare.freeze()
        self._frozen = True

    async def startup(self) -> None:
        """Enter the cleanup contexts, then send `on_startup`. If it fails, call `cleanup`."""
        self._cleanup_ctx.freeze()
        self._on_startup.freeze()
        await self._cleanup_ctx.enter(self)
        await self._on_startup.send(self)

    async def shutdown(self) -> None:
        """Send `on_shutdown`."""
        self._on_shutdown.freeze()
        await self._on_shutdown.send(self)

    async def cleanup(self) -> None:
        """Leave the cleanup contexts in reverse order, then call all of `on_cleanup`, whatever fails.

        After a start-up that failed before `freeze`, only contexts that were entered are left.
        raises: what failed, or CleanupError if several things did
        """
        errors = await self._cleanup_ctx.leave()
        if self._on_cleanup.frozen:
            for receiver in self._on_cleanup:
                try:
                    await receiver(self)
                except BaseException as error:  # a cancellation must not keep the others from cleaning up
                    errors.append(error)
        raise_errors(errors)

    @asynccontextmanager
    async def lifespan(self) -> "AsyncGenerator[Application, None]":
        """`async with app.lifespan()`: start-up, freeze, the body, shutdown, cleanup, all in this task.

        What was opened is closed whatever happens, also when start-up fails half-way or the body is
        cancelled. An error of the clean-up replaces that of the body, which becomes its `__context__`. On
        trio, shield what comes after the body: `with trio.CancelScope() as scope: async with app.lifespan():
        try: ... finally: scope.shield = True`.
        """
        try:
            await self.startup()
            self.freeze()
            try:
                yield self
            finally:
                await self.shutdown()
        finally:
            await self.cleanup()

    def __call__(self) -> "Application":
        """Itself: an application is its own factory."""
        return self

    # -- requests --------------------------------------------------------------------------------------------

    async def handle(self, exchange: Exchange) -> StreamResponse | None:
        """Answer one request, completely: route it, run middlewares and handler, send the response.

        Errors become responses or are reported; cancellation passes through.
        returns: the response that was sent, as far as it was
        """
        access_logger = exchange.access_logger
        started = 0.0 if access_logger is None else exchange.now()
        request = Request(exchange) if self._default_limits else self._limited(exchange)
        raised = False
        try:
            try:
                match = self._router.match(request, self._apps)
                request._match_info = match
                if self._middlewares._items or exchange.head.expects_continue:
                    outcome: Any = await self._call(request, match)
                else:
                    outcome = await match._route._handler(request)
            except HTTPException as error:
                error.__traceback__ = None  # it would hold this frame, and this frame holds it
                outcome, raised = error, True
            if (
                (outcome.__class__ is Response or (raised and _answering.is_sent_plainly(outcome)))
                and outcome._plain
                and request._sent is None
                and not self._on_response_prepare._items
            ):
                sent = outcome
                command = _answering.plain_command(request, outcome)
                try:
                    exchange.respond(command)
                except Exception as error:
                    sent = await _answering.plain_failed(request, outcome, error)
            else:
                sent = await _answering.answer(request, outcome, raised=raised)
        except Exception as error:
            sent = await _answering.fail(request, error)
        if access_logger is not None and sent is not None:
            try:
                access_logger.log(request, sent, exchange.now() - started)
            except Exception as error:
                exchange.report("error in the access logger", error)
        return cast("StreamResponse | None", sent)

    def _limited(self, exchange: Exchange) -> Request:
        return Request(exchange, client_max_size=self._client_max_size, client_max_fields=self._client_max_fields)

    async def _call(self, request: Request, match: UrlMappingMatchInfo) -> Any:
        """With middlewares, or with something to be expected."""
        handler = self._chains.get(match.route)
        if handler is None:
            handler = chain(self._middlewares, match.handler)
            if match.http_exception is None:
                self._chains[match.route] = handler
        if request._exchange.head.expects_continue:
            early = await match.expect_handler(request)
            if early is not None:
                return early
        return await handler(request)
