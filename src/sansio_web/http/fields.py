"""A field section or trailer section (RFC 9110 5, 6.5): names and values as they were sent.

Not here: which bytes are a section at all (`h11_reader`, `fast_lane`), and what single fields mean.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

# field-line = field-name ":" OWS field-value OWS   (in a section that was validated before)
_FIELD_LINE: Final = re.compile(rb"([^:]+):[ \t]*([^\r]*)\r\n")
_OWS: Final = b" \t"


_new = object.__new__


class Fields:
    """Field lines in the order they came; immutable, and equal if lines and their case are.

    Names are asked for in lower case and found in any case (RFC 9110 5.1).
    """

    __slots__ = ("_index", "_items", "_section")

    _items: tuple[tuple[bytes, bytes], ...] | None  # None until asked for
    _index: dict[bytes, bytes] | None  # None until asked for
    _section: bytes  # what `_items` is parsed from

    def __init__(self, items: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._items = tuple(items)
        self._index = None
        self._section = b""

    @classmethod
    def from_section(cls, section: bytes) -> "Fields":
        r"""Of validated bytes `Name: value\r\nOther: value\r\n`, no empty line; parsed when asked for."""
        fields = _new(cls)
        fields._items = None
        fields._index = None
        fields._section = section
        return fields

    def items(self) -> tuple[tuple[bytes, bytes], ...]:
        """Every field line as (name, value), unchanged but for the whitespace around the value."""
        items = self._items
        if items is None:
            section = self._section
            lines = _FIELD_LINE.findall(section)
            if b" \r" in section or b"\t\r" in section:
                lines = [(name, value.rstrip(_OWS)) for name, value in lines]
            self._items = items = tuple(lines)
        return items

    def get(self, lower_name: bytes) -> bytes | None:
        """The value; those of several lines joined with a comma (RFC 9110 5.3); None without such a line."""
        index = self._index
        if index is None:
            self._index = index = _indexed(self.items())
        return index.get(lower_name)

    def get_all(self, lower_name: bytes) -> tuple[bytes, ...]:
        """The value of each line with this name."""
        return tuple([value for name, value in self.items() if name.lower() == lower_name])

    def __contains__(self, lower_name: object) -> bool:
        return isinstance(lower_name, bytes) and self.get(lower_name) is not None

    def __len__(self) -> int:
        return len(self.items())

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(self.items())

    def __eq__(self, other: object) -> bool:
        return self.items() == other.items() if isinstance(other, Fields) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.items())

    def __repr__(self) -> str:
        return f"Fields({list(self.items())!r})"


EMPTY_FIELDS: Final = Fields()


def tokens(value: bytes | None) -> list[bytes]:
    """The elements of a comma-separated list, in lower case, empty ones left out (RFC 9110 5.6.1)."""
    if not value:
        return []
    return [element for part in value.lower().split(b",") if (element := part.strip(_OWS))]


def _indexed(items: tuple[tuple[bytes, bytes], ...]) -> dict[bytes, bytes]:
    index: dict[bytes, bytes] = {}
    several: dict[bytes, list[bytes]] = {}
    for name, value in items:
        lower = name.lower()
        if lower in index:
            several.setdefault(lower, [index[lower]]).append(value)
        else:
            index[lower] = value
    for lower, values in several.items():
        index[lower] = b", ".join(values)
    return index
