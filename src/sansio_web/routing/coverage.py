"""Does one template take every path of another? Answers yes only when that is certain.

Decided: equal templates up to the names of variables; a fixed path; segment by segment, fixed text against the regex
it meets, plain variables against `{x}`, `{x:[^/]+}`, `{x:[^/]*}`; and `{tail:.*}`, `{tail:.+}` against whatever comes
there. Everything else, inclusion of one regex in another above all, is left open: the answer is no.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sansio_web.routing.template import PLAIN, Literal, Part, Segment, Template, Variable, fixed_text

_SOMETHING: Final = frozenset(
    {PLAIN, "[^/]+", ".+"}
)  # plain parts, and parts of which each takes one character or more


def covers(a: Template, b: Template) -> bool:
    """Is every readable path of b one of a? Prefix resources are the caller's to decide."""
    if b.is_plain:
        return a.takes(b.path)
    if _shape(a.parts) == _shape(b.parts):
        return True
    if any(isinstance(part, Variable) and part.contextual for part in a.parts):
        return False
    if len(a.segments) > len(b.segments):
        return False
    if not all(map(_segment_covers, a.segments, b.segments)):
        return False
    rest, more = b.segments[len(a.segments) :], b.tail
    if not a.tail:
        return not rest and not more
    if _shape(a.tail) == _shape(more) and not rest:
        return True
    return bool(rest or more) and _tail_covers(a.tail, [*rest, more] if more else rest)


def starts_with(prefix: Template, b: Template) -> bool:
    """Does every path of b begin with the fixed segments of a prefix, or equal them?"""
    return b.segments[: len(prefix.segments)] == prefix.segments


def _shape(parts: Sequence[Part]) -> tuple[tuple[str, str], ...]:
    """A template up to names."""
    return tuple(("text", p.text) if isinstance(p, Literal) else ("regex", p.regex) for p in parts)


def _segment_covers(a: Segment, b: Segment) -> bool:
    if _shape(a) == _shape(b):
        return True
    text = fixed_text(b)
    if text is not None:
        regex = "".join(re.escape(p.text) if isinstance(p, Literal) else f"(?:{p.regex})" for p in a)
        return re.fullmatch(regex, text, re.DOTALL) is not None
    if len(a) != 1 or not isinstance(a[0], Variable):
        return False
    match a[0].regex:
        case "[^/]*":
            return True
        case "[^/]+":
            return _takes_something(b)
        case "[^{}/]+":
            return all(p.is_plain if isinstance(p, Variable) else not {*"{}"} & {*p.text} for p in b)
        case _:
            return False


def _tail_covers(tail: Sequence[Part], rest: Sequence[Segment]) -> bool:
    """Does a tail take all that b's segments from here on can be? They are one or more."""
    if len(tail) != 1 or not isinstance(tail[0], Variable):
        return False
    regex = tail[0].regex
    return regex == ".*" or (regex == ".+" and (len(rest) > 1 or _takes_something(rest[0])))


def _takes_something(segment: Segment) -> bool:
    """Can it never be empty?"""
    return any(isinstance(part, Literal) or part.regex in _SOMETHING for part in segment)
