"""Templates of paths: `/users/{id}`, `/{year:\\d{4}}-{month}`, `/files/{tail:.*}`.

In: the text a user wrote. Out: `Template`: what the tree needs to file it, what a match captures,
URLs built from parts.

    template = *( literal / "{" name [ ":" regex ] "}" )     ; "" or begins with "/"
    name     = ( ALPHA / "_" ) *( ALPHA / DIGIT / "_" )

`{name}` stands for `[^{}/]+`. Braces inside of a regex balance, except in its character sets and after a
backslash. Regexes see the readable form of a path (see `quoting`): decoded, but `%2F` and `%25` as they are.
"." takes every character, a decoded line feed too: `{tail:.*}` is everything below. Literals may be written
encoded or not.

A template is cut at its slashes into segments, as far as a variable does not span them; from the first
segment with a spanning variable on, what is left is the tail. Where all variables are plain `{name}`s,
captures are found without `re`, in linear time, and are what the greedy expression would give.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from sansio_web.routing.ambiguity import AmbiguousError, examine
from sansio_web.routing.quoting import quoted, raw, readable, value_of

PLAIN: Final = "[^{}/]+"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REGEX_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[{}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself, in readable form."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A named regex; spans: it can take a "/"; contextual: it looks around (see `ambiguity`)."""

    name: str
    regex: str = PLAIN
    spans: bool = False
    contextual: bool = False

    @property
    def is_plain(self) -> bool:
        return self.regex == PLAIN


Part = Literal | Variable
Segment = tuple[Part, ...]


class Template:
    """One parsed path. Everything is decided here, once.

    raises: ValueError if the text is no template, saying where
    """

    __slots__ = (
        "_captures", "_compiled", "canonical", "is_plain", "key", "parts", "path", "segments", "source",
        "tail",
    )  # fmt: skip

    def __init__(self, source: str) -> None:
        if source and not source.startswith("/"):
            raise ValueError(f"path {source!r} begins with {source[0]!r}, not with '/' (only the empty path may)")
        self.source: Final = source
        pieces = _split(source)
        #: the text without regexes, as `/users/{id}`
        self.canonical: Final = "".join(piece if isinstance(piece, str) else f"{{{piece.name}}}" for piece in pieces)
        self.parts: Final = tuple(Literal(readable(p)) if isinstance(p, str) else p for p in pieces)
        self.is_plain: Final = all(isinstance(part, Literal) for part in self.parts)
        #: of a plain template, the readable path it takes
        self.path: Final = "".join(part.text for part in self.parts if isinstance(part, Literal))
        segments, tail = _cut(self.parts)
        self.segments: Final = segments
        #: what is left from the first segment on that holds a spanning variable; () if none does
        self.tail: Final = tail
        self.key: Final = _fixed_prefix(segments)
        self._captures: Final = _plain_captures(segments) if not tail else None
        self._compiled: re.Pattern[str] | None = None  # set by `_regex`, when it is wanted
        if self._captures is None:
            self._regex()  # for its errors

    def _regex(self) -> re.Pattern[str]:
        if self._compiled is not None:
            return self._compiled
        text = "".join(re.escape(p.text) if isinstance(p, Literal) else f"(?P<{p.name}>{p.regex})" for p in self.parts)
        try:
            self._compiled = re.compile(text, re.DOTALL)
        except re.error as error:
            raise ValueError(f"path {self.source!r} has a regular expression that is none: {error}") from error
        return self._compiled

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, in order, named groups of their regexes among them."""
        return tuple(self._regex().groupindex)

    def capture(self, path: str, segments: Sequence[str]) -> dict[str, str] | None:
        """Find the variables of a readable path whose fixed parts the tree has found to be there.

        segments: `path.split("/")`, of which the first is empty
        returns: the decoded values, or None if the path is not of this template
        """
        if self._captures is None:
            found = self._regex().fullmatch(path)
            return None if found is None else {k: value_of(v or "") for k, v in found.groupdict().items()}
        values: dict[str, str] = {}
        for index, name, several in self._captures:
            text = segments[index]
            if not several:
                if not text or "{" in text or "}" in text:
                    return None
                values[name] = value_of(text) if "%" in text else text
            elif not _capture_several(several, text, values):
                return None
        return values

    def takes(self, path: str) -> bool:
        """Is this readable path one of the template's?"""
        return self._regex().fullmatch(path) is not None

    def build(self, parts: Mapping[str, str]) -> str:
        """The raw path with these values, which are not encoded yet; those that are not needed are ignored.

        A "/" in a value stays where the variable may span segments, and becomes `%2F` where it may not: so
        the path is one that the template takes, with the same values, whenever the values are of the
        variables' patterns.
        raises: KeyError naming a part that is missing, TypeError if a value is no string
        """
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, Literal):
                pieces.append(raw(part.text))
                continue
            value = cast(object, parts[part.name])
            if not isinstance(value, str):
                raise TypeError(f"part {part.name!r} of {self.canonical!r} is {value!r}, not a str")
            pieces.append(quoted(value, keep_slash=part.spans))
        return "".join(pieces)


def affixes(parts: Sequence[Part]) -> tuple[str, str]:
    """The fixed text before the first variable and after the last."""
    first, last = parts[0], parts[-1]
    return first.text if isinstance(first, Literal) else "", last.text if isinstance(last, Literal) else ""


def _split(source: str) -> list[str | Variable]:
    pieces: list[str | Variable] = []
    position = 0
    while position < len(source):
        opening, closing = source.find("{", position), source.find("}", position)
        if closing >= 0 and not 0 <= opening < closing:
            raise ValueError(f"path {source!r} closes a brace at offset {closing} that it did not open")
        end = opening if opening >= 0 else len(source)
        if end > position:
            pieces.append(source[position:end])
        position = end
        if opening >= 0:
            variable, position = _variable(source, opening)
            if any(isinstance(piece, Variable) and piece.name == variable.name for piece in pieces):
                raise ValueError(f"path {source!r} has two variables named {variable.name!r}")
            pieces.append(variable)
    return pieces


def _variable(source: str, opening: int) -> tuple[Variable, int]:
    """Read `{name}` or `{name:regex}`; returns it and the offset after it."""
    name = _NAME.match(source, opening + 1)
    if name is None:
        raise ValueError(f"path {source!r} has no name (letter or _, then letters, digits, _) at offset {opening + 1}")
    after = source[name.end() : name.end() + 1]
    if after == "}":
        return Variable(name.group()), name.end() + 1
    if after != ":":
        raise ValueError(f"path {source!r} has {after!r} at offset {name.end()}; after a name comes ':' or '}}'")
    depth = 1
    for token in _REGEX_TOKEN.finditer(source, name.end() + 1):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if depth == 0:
            regex = source[name.end() + 1 : token.start()]
            return _with_regex(source, name.group(), regex), token.end()
    raise ValueError(f"path {source!r} does not close the brace at offset {opening}")


def _with_regex(source: str, name: str, regex: str) -> Variable:
    if not regex:
        raise ValueError(f"path {source!r} has an empty regular expression for {name!r}")
    try:
        traits = examine(regex)
    except AmbiguousError as error:
        raise ValueError(
            f"path {source!r}: matching {regex!r} can take exponential time: {error}. Let one way lead "
            f"through each text, or forbid going back: 'x++' for 'x+', 'x*+' for 'x*', '(?>x)' for '(x)'"
        ) from error
    except re.error as error:
        raise ValueError(f"path {source!r}: {regex!r} is no regular expression: {error}") from error
    return Variable(name, regex, traits.spans, traits.contextual)


def _cut(parts: Sequence[Part]) -> tuple[tuple[Segment, ...], tuple[Part, ...]]:
    """Cut at the slashes, up to the segment with the first variable that spans."""
    segments: list[list[Part]] = []
    for index, part in enumerate(parts):
        if isinstance(part, Literal):
            head, *others = part.text.split("/")
            if head:
                segments[-1].append(Literal(head))
            segments.extend([Literal(text)] if text else [] for text in others)
        elif part.spans:
            return tuple(map(tuple, segments[:-1])), (*segments[-1], *parts[index:])
        else:
            segments[-1].append(part)
    return tuple(map(tuple, segments)), ()


def fixed_text(segment: Segment) -> str | None:
    """The text of a segment without variables."""
    if not segment:
        return ""
    only = segment[0]
    return only.text if isinstance(only, Literal) and len(segment) == 1 else None


def _fixed_prefix(segments: Sequence[Segment]) -> str:
    """The whole leading segments that are fixed, without slashes at the end: what precedence goes by."""
    prefix = ""
    for segment in segments:
        text = fixed_text(segment)
        if text is None:
            break
        prefix += "/" + text
    return prefix.rstrip("/")


_Several = tuple[tuple[str, ...], tuple[str, ...]]  # literals around and between, names


def _plain_captures(segments: Sequence[Segment]) -> tuple[tuple[int, str, _Several | None], ...] | None:
    """What to capture where, if that needs no regex: (index in the split path, name, several or None)."""
    captures: list[tuple[int, str, _Several | None]] = []
    for index, segment in enumerate(segments, 1):
        if fixed_text(segment) is not None:
            continue
        literals, names = [""], list[str]()
        for part in segment:
            if isinstance(part, Literal):
                literals[-1] = part.text
            else:
                if not part.is_plain:
                    return None
                names.append(part.name)
                literals.append("")
        if "{" in "".join(literals) or "}" in "".join(literals):
            return None  # then the rightmost reading need not be the greedy one
        captures.append((index, names[0], None if len(segment) == 1 else (tuple(literals), tuple(names))))
    return tuple(captures)


def _capture_several(several: _Several, text: str, values: dict[str, str]) -> bool:
    """Read several variables from one segment, from the right.

    The greedy reading makes the first variable as long as can be, then the second, ...: each separator stands
    as far right as those after it allow. That is what `rfind` finds, going left; if then nothing is left for
    the first variable, no other reading leaves more.
    """
    literals, names = several
    start, end = len(literals[0]), len(text) - len(literals[-1])
    if "{" in text or "}" in text or start >= end:
        return False
    found: list[str] = []
    for separator in reversed(literals[1:-1]):
        place = text.rfind(separator, start, end - 1) if start < end else -1
        if place < 0:
            return False
        found.append(text[place + len(separator) : end])
        end = place
    if start >= end:
        return False
    found.append(text[start:end])
    values.update(zip(names, map(value_of, reversed(found)), strict=True))
    return True
