"""Signals: coroutine functions called in order; and lists that stop changing when an application starts."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableSequence
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

_T = TypeVar("_T")
_P = ParamSpec("_P")


class FrozenList(MutableSequence[_T], Generic[_T]):
    """A list until `freeze`; then every change raises RuntimeError."""

    __slots__ = ("_frozen", "_items")

    def __init__(self, items: Iterable[_T] = ()) -> None:
        self._items: list[_T] = list(items)
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """Whether it can no longer change."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse changes from now on."""
        self._frozen = True

    def _check(self) -> None:
        if self._frozen:
            raise RuntimeError(
                f"cannot change {self!r}: it is frozen, because its application has started or joined another"
            )

    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> "FrozenList[_T]": ...
    def __getitem__(self, index: int | slice) -> "_T | FrozenList[_T]":
        if isinstance(index, slice):
            return FrozenList(self._items[index])
        return self._items[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check()
        self._items[index] = value

    def __delitem__(self, index: int | slice) -> None:
        self._check()
        del self._items[index]

    def insert(self, index: int, value: _T) -> None:
        """Insert before `index`."""
        self._check()
        self._items.insert(index, value)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[_T]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenList | list):
            return self._items == list(cast("Iterable[object]", other))
        return NotImplemented

    def __hash__(self) -> int:
        if not self._frozen:
            raise RuntimeError(f"cannot hash {self!r}: it is not frozen")
        return hash(tuple(self._items))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}(frozen={self._frozen}, {self._items!r})>"


class Signal(FrozenList[Callable[_P, Awaitable[object]]], Generic[_P]):
    """Receivers of one signal, called one after the other."""

    __slots__ = ("_owner",)

    def __init__(self, owner: object) -> None:
        super().__init__()
        self._owner = owner

    async def send(self, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Call each receiver and wait for it; the first error ends it.

        raises: RuntimeError before `freeze`
        """
        if not self._frozen:
            raise RuntimeError(f"cannot send {self!r}: freeze it first")
        for receiver in self._items:
            await receiver(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Signal owner={self._owner!r}, frozen={self._frozen}, {self._items!r}>"
