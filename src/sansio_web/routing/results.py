"""What a lookup answers, and what is said about routes that can never be an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from sansio_web.routing.resource import Resource

T = TypeVar("T")


@dataclass(slots=True)  # not frozen: that would triple the cost of each lookup
class Matched(Generic[T]):
    """A resource takes the path and has an endpoint for the method.

    variables: decoded values by name, a new dictionary per match
    rest: of a prefix resource, the raw path below the prefix ("" or "/..."), to be matched by the next router
    """

    resource: Resource[T]
    endpoint: T
    variables: dict[str, str]
    rest: str = ""


@dataclass(slots=True)
class NotFound:
    """No resource takes the path."""


@dataclass(slots=True)
class MethodNotAllowed:
    """Resources take the path, none has an endpoint for the method; `allowed` is sorted."""

    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A route as its author knows it."""

    method: str
    path: str
    where: str

    def __str__(self) -> str:
        return f"{self.path!r} ({self.where})" if self.where else repr(self.path)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """`route` can never match, because `by` is tried earlier and takes every URL of it."""

    route: Place
    by: Place

    def __str__(self) -> str:
        return f"route {self.route} can never match: {self.by} takes every URL of it"
