"""One path of a route table, and its endpoints by method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Generic, Protocol, TypeVar

from sansio_web.routing.results import Place
from sansio_web.routing.template import Template

T = TypeVar("T")
ANY: Final = "*"
# token = 1*tchar (RFC 9110 5.6.2)
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Owner(Protocol[T]):
    """What a resource tells its router."""

    def check_open(self, path: str) -> None: ...
    def endpoint_added(self, resource: Resource[T], method: str) -> None: ...


class Resource(Generic[T]):
    """Made by `Router.add_resource` and `Router.add_prefix`; give it endpoints with `add`.

    by_method: the endpoints as the router reads them; changed by `add` only
    covered_by: resources that are tried earlier and take every path of this one, as far as is known
    covers: the reverse
    """

    __slots__ = (
        "_owner", "_places", "by_method", "covered_by", "covers", "is_plain", "is_prefix", "name", "rank",
        "template", "where",
    )  # fmt: skip

    def __init__(
        self,
        template: Template,
        *,
        name: str | None,
        where: str,
        order: int,
        is_prefix: bool,
        owner: Owner[T],
    ) -> None:
        self.template: Final = template
        self.name: Final = name
        self.where: Final = where
        self.is_prefix: Final = is_prefix
        #: without variables?
        self.is_plain: Final = template.is_plain
        #: resources are tried in this order: the longest fixed prefix first, then the first registered
        self.rank: Final = (-len(template.key), order)
        self.covered_by: Final[list[Resource[T]]] = []
        self.covers: Final[list[Resource[T]]] = []
        self.by_method: Final[dict[str, T]] = {}
        self._places: Final[dict[str, Place]] = {}
        self._owner: Final = owner

    @property
    def canonical(self) -> str:
        """The path without regexes, as `/users/{id}`."""
        return self.template.canonical

    @property
    def endpoints(self) -> Mapping[str, T]:
        """By method, in upper case, in the order of their addition; `*` stands for every other method."""
        return MappingProxyType(self.by_method)

    def place(self, method: str) -> Place:
        """Where the route of this method was added."""
        return self._places[method]

    def add(self, method: str, endpoint: T, *, where: str = "") -> None:
        """Serve a method; `*` serves each that is not served yet.

        where: the author's place, as "app.py:31", for messages; the resource's by default
        raises: ValueError if the method is no token, RuntimeError if it is served already or the router is frozen
        """
        self._owner.check_open(self.template.source)
        if _TOKEN.fullmatch(method) is None:
            raise ValueError(f"method {method!r} is no token (RFC 9110 5.6.2)")
        method = method.upper()
        place = Place(method, self.template.source, where or self.where)
        earlier = self._places.get(method) or self._places.get(ANY)
        if earlier is not None:
            raise RuntimeError(
                f"{method} route {place} can never match: {earlier.method} is served already by {earlier}"
            )
        self.by_method[method] = endpoint
        self._places[method] = place
        self._owner.endpoint_added(self, method)

    def serving(self, method: str) -> str | None:
        """Under which method the endpoint for this one stands: itself, `*`, or nothing."""
        if method in self.by_method:
            return method
        return ANY if ANY in self.by_method else None

    def build(self, parts: Mapping[str, str]) -> str:
        """The raw path with these values; see `Template.build`."""
        return self.template.build(parts)

    def __repr__(self) -> str:
        kind = "prefix " if self.is_prefix else ""
        return f"<Resource {kind}{self.template.source!r} {' '.join(self.by_method)}>"
