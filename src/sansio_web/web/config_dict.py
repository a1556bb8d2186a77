"""Several mappings seen as one: what `request.config_dict` is, from the inner application outwards."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from .keys import AppKey

_T = TypeVar("_T")
_D = TypeVar("_D")


class ChainMapProxy(Mapping[str | AppKey[Any], Any]):
    """Read-only; the first mapping that has a key gives its value."""

    __slots__ = ("_maps",)

    def __init__(self, maps: Iterable[Mapping[str | AppKey[Any], Any]]) -> None:
        self._maps = tuple(maps)

    def __init_subclass__(cls) -> None:
        raise TypeError(f"{cls.__name__} cannot inherit from ChainMapProxy")

    @overload
    def __getitem__(self, key: AppKey[_T]) -> _T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | AppKey[Any]) -> Any:
        for mapping in self._maps:
            if key in mapping:
                return mapping[key]
        raise KeyError(key)

    @overload  # type: ignore[override]  # Mapping.get knows one type of values, we know one for each key
    def get(self, key: AppKey[_T], default: None = ...) -> _T | None: ...
    @overload
    def get(self, key: AppKey[_T], default: _D) -> _T | _D: ...
    @overload
    def get(self, key: str, default: Any = ...) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self, key: str | AppKey[Any], default: Any = None
    ) -> Any:
        """The value, or `default`."""
        for mapping in self._maps:
            if key in mapping:
                return mapping[key]
        return default

    def __contains__(self, key: object) -> bool:
        return any(key in mapping for mapping in self._maps)

    def __len__(self) -> int:
        return len(set[Any]().union(*self._maps))

    def __iter__(self) -> Iterator[str | AppKey[Any]]:
        seen: dict[str | AppKey[Any], None] = {}
        for mapping in reversed(self._maps):
            seen.update(dict.fromkeys(mapping))
        return iter(seen)

    def __bool__(self) -> bool:
        return any(self._maps)

    def __repr__(self) -> str:
        return f"ChainMapProxy({', '.join(map(repr, self._maps))})"
