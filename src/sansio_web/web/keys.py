"""Typed keys for what an application, a request or a response carries along.

Keys are equal only if they are the same object; the name is for people and has the defining module in front.
"""

import sys
import warnings
from typing import Any, Generic, TypeVar, get_args

T = TypeVar("T")


class NotAppKeyWarning(UserWarning):
    """A plain string was used as a key of an application, request or response."""


class BaseKey(Generic[T]):
    """A key whose value has type `T`: `AppKey("database", Database)` or `AppKey[Database]("database")`."""

    __slots__ = ("__orig_class__", "_name", "_t")

    def __init__(self, name: str, t: type[T] | None = None) -> None:
        module: str = sys._getframe(1).f_globals.get("__name__", "?")
        self._name = f"{module}.{name}"
        self._t = t

    def __lt__(self, other: object) -> bool:
        if isinstance(other, BaseKey):
            return self._name < other._name
        return True  # before every string: a mapping with both kinds of keys can be sorted

    def __gt__(self, other: object) -> bool:
        return isinstance(other, BaseKey) and self._name > other._name

    def __repr__(self) -> str:
        kind: Any = self._t
        if kind is None:
            (kind,) = get_args(getattr(self, "__orig_class__", None)) or ("<<Unknown>>",)
        name = kind.__qualname__ if isinstance(kind, type) and not get_args(kind) else str(kind)
        module = getattr(kind, "__module__", "builtins") if isinstance(kind, type) else "builtins"
        shown = name if module == "builtins" else f"{module}.{name}"
        return f"<{type(self).__name__}({self._name}, type={shown})>"


class AppKey(BaseKey[T]):
    """Key of `web.Application`."""

    __slots__ = ()


class RequestKey(BaseKey[T]):
    """Key of `web.Request`."""

    __slots__ = ()


class ResponseKey(BaseKey[T]):
    """Key of `web.StreamResponse`."""

    __slots__ = ()


def warn_of_plain_key(key: object, wanted: type[BaseKey[Any]], stacklevel: int) -> None:
    """Warn unless `key` is of the wanted type, at the line `stacklevel` frames above the caller."""
    if not isinstance(key, wanted):
        warnings.warn(
            f"key {key!r} is a {type(key).__name__}; a web.{wanted.__name__} is typed and cannot collide",
            NotAppKeyWarning,
            stacklevel=stacklevel + 1,
        )
