"""May a regular expression be used on what a peer sends? Refuses those that can take exponential time.

A backtracking matcher tries, in the worst case, every way in which an expression can read a text. The number
of ways grows exponentially if, and only if, some state of the expression's automaton can be left and reached
again by the same text in two ways. So: build the automaton of positions (one state per character of the
expression, one edge per way from one to the next), and look in the product of the automaton with itself for
two ways that part and meet again inside one loop. `(?:[^/]+/)*[^/]+` passes; `(a+)+`, `(a|aa)+`,
`(\\w+\\s?)*` do not.

Decisions, all on the safe side:
- A part that repeats and can be empty is refused, as in `(a*)*`; matchers differ in what they do there.
- `{m,n}` counts like `*`; `{n}` is written out, up to `_MAX_COPIES` positions, and counts like `*` beyond.
- Possessive quantifiers and atomic groups are looked into on their own; from outside, one way leads through them.
- Lookaround is looked into on its own, and consumes nothing. References to groups and conditions are refused.
- What is polynomial passes: `.*-.*` takes quadratic time at worst, on a path whose length the head's limit bounds.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_MAX_COPIES: Final = 128
_OTHER: Final = -1  # stands for every character beyond ASCII that the expression does not name
_SLASH: Final = ord("/")
_parser: Final[Any] = importlib.import_module("re._parser")  # the only way to read an expression as `re` does
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": re.compile(r"\d"),
    "CATEGORY_NOT_DIGIT": re.compile(r"\D"),
    "CATEGORY_SPACE": re.compile(r"\s"),
    "CATEGORY_NOT_SPACE": re.compile(r"\S"),
    "CATEGORY_WORD": re.compile(r"\w"),
    "CATEGORY_NOT_WORD": re.compile(r"\W"),
}


class AmbiguousError(ValueError):
    """The expression can take exponential time, or its time cannot be known; the text says why."""


@dataclass(frozen=True, slots=True)
class Traits:
    """spans: can consume a "/"; contextual: looks at what is around it (anchors, lookaround)."""

    spans: bool
    contextual: bool


def examine(regex: str) -> Traits:
    """Decide whether an expression is safe to run.

    returns: what the router wants to know about it
    raises: re.error if it is no expression, AmbiguousError if it is refused
    """
    tree = _parser.parse(regex)
    named = {code for code in _numbers(tree) if 127 < code <= sys.maxunicode}
    reader = _Reader(frozenset({*range(128), *named}))
    reader.analyse(tree, 0)
    return Traits(reader.spans, reader.contextual)


def _numbers(tree: Any) -> Iterator[int]:
    """Every number in a parsed expression; the characters it names are among them."""
    for item in tree:
        if isinstance(item, int):
            yield item
        elif isinstance(item, list | tuple | _parser.SubPattern):
            yield from _numbers(item)


@dataclass(slots=True)
class _Fragment:
    """A piece of the automaton: how many ways (2 is "many") lead in, out, and through without a character."""

    first: dict[int, int] = field(default_factory=dict[int, int])
    last: dict[int, int] = field(default_factory=dict[int, int])
    null: int = 1


@dataclass(slots=True)
class _Automaton:
    """Positions: the characters each accepts, the atomic groups (blocks) around it, the edges to the next.

    free: edges between which a matcher may choose, with the number of ways; others lie in an atomic group
    """

    accepts: list[frozenset[int]] = field(default_factory=list[frozenset[int]])
    blocks: list[frozenset[int]] = field(default_factory=list[frozenset[int]])
    edges: list[set[int]] = field(default_factory=list[set[int]])
    free: list[dict[int, int]] = field(default_factory=list[dict[int, int]])

    def add(self, accepts: frozenset[int], blocks: frozenset[int]) -> _Fragment:
        position = len(self.accepts)
        self.accepts.append(accepts)
        self.blocks.append(blocks)
        self.edges.append(set())
        self.free.append({})
        return _Fragment({position: 1}, {position: 1}, 0)

    def connect(self, last: dict[int, int], first: dict[int, int], *, free: bool) -> None:
        for p, ways_out in last.items():
            self.edges[p].update(first)
            if free:
                for q, ways_in in first.items():
                    self.free[p][q] = min(2, self.free[p].get(q, 0) + ways_out * ways_in)


class _Reader:
    """Turns what `re` parsed into automata: of the whole, and of each group that is matched on its own."""

    def __init__(self, alphabet: frozenset[int]) -> None:
        self.alphabet = alphabet
        self.spans = False  # set by `_atom`
        self.contextual = False  # set by `_piece`
        self._blocks = 0  # counts atomic groups

    def analyse(self, tree: Sequence[Any], flags: int) -> None:
        automaton = _Automaton()
        self._sequence(automaton, tree, flags, frozenset())
        if _two_ways(automaton):
            raise AmbiguousError("two ways lead through a part of it that repeats")

    def _sequence(self, to: _Automaton, tree: Sequence[Any], flags: int, blocks: frozenset[int]) -> _Fragment:
        whole = _Fragment()
        for op, argument in tree:
            whole = _concatenate(to, whole, self._piece(to, str(op), argument, flags, blocks), free=not blocks)
        return whole

    def _piece(self, to: _Automaton, op: str, argument: Any, flags: int, blocks: frozenset[int]) -> _Fragment:
        if op in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return to.add(self._atom(op, argument, flags), blocks)
        if op == "SUBPATTERN":
            _, added, removed, body = argument
            return self._sequence(to, body, (flags | added) & ~removed, blocks)
        if op == "BRANCH":
            return _alternatives([self._sequence(to, body, flags, blocks) for body in argument[1]])
        if op in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(to, argument, flags, blocks)
        if op in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP"):
            body = [("MAX_REPEAT", argument)] if op == "POSSESSIVE_REPEAT" else argument
            self.analyse(body, flags)
            self._blocks += 1
            return self._sequence(to, body, flags, blocks | {self._blocks})
        if op in ("GROUPREF", "GROUPREF_IGNORE", "GROUPREF_EXISTS"):
            raise AmbiguousError("a reference to a group has no bound on its time")
        self.contextual = True
        if op in ("ASSERT", "ASSERT_NOT"):
            spans = self.spans
            self.analyse(argument[1], flags)
            self.spans = spans  # it looks at a "/" and does not consume it
        return _Fragment()  # AT, and FAILURE as in `(?!)`

    def _repeat(self, to: _Automaton, argument: Any, flags: int, blocks: frozenset[int]) -> _Fragment:
        least, most, body = int(argument[0]), int(argument[1]), argument[2]
        start = len(to.accepts)
        fragment = self._sequence(to, body, flags, blocks)
        if most == 0:
            return _Fragment()
        if most > 1 and fragment.null:
            raise AmbiguousError("a part of it that repeats can be empty")
        if least == most and least * (len(to.accepts) - start) <= _MAX_COPIES:
            for _ in range(1, least):
                fragment = _concatenate(to, fragment, self._sequence(to, body, flags, blocks), free=not blocks)
            return fragment
        if most > 1:
            to.connect(fragment.last, fragment.first, free=not blocks)
        return fragment if least else _Fragment(fragment.first, fragment.last, min(2, fragment.null + 1))

    def _atom(self, op: str, argument: Any, flags: int) -> frozenset[int]:
        items: Sequence[Any] = argument if op == "IN" else [(op, argument)]
        ignore_case = bool(flags & re.IGNORECASE)
        accepted = {code for code in self.alphabet if _accepts(items, code, ignore_case=ignore_case)}
        if ignore_case or any(_reaches_others(str(name), value) for name, value in items):
            accepted.add(_OTHER)
        self.spans = self.spans or _SLASH in accepted
        return frozenset(accepted)


def _accepts(items: Sequence[Any], code: int, *, ignore_case: bool) -> bool:
    """Does a set of characters, as parsed, contain this one?"""
    forms = {code, *(ord(c) for c in chr(code).lower() + chr(code).upper())} if ignore_case else {code}
    found = negated = False
    for name, value in items:
        op = str(name)
        if op == "NEGATE":
            negated = True
        elif op == "LITERAL":
            found = found or value in forms
        elif op == "NOT_LITERAL":
            found = found or value not in forms
        elif op == "RANGE":
            found = found or any(value[0] <= form <= value[1] for form in forms)
        elif op == "CATEGORY":
            found = found or _CATEGORIES[str(value)].match(chr(code)) is not None
        else:  # ANY
            found = True
    return found is not negated


def _reaches_others(op: str, value: Any) -> bool:
    """May a set with this item contain characters beyond ASCII that the expression does not name?"""
    return op not in ("LITERAL", "RANGE") or (op == "RANGE" and value[1] > 127)


def _concatenate(to: _Automaton, a: _Fragment, b: _Fragment, *, free: bool) -> _Fragment:
    to.connect(a.last, b.first, free=free)
    first, last = dict(a.first), dict(b.last)
    for target, source, null in ((first, b.first, a.null), (last, a.last, b.null)):
        for position, ways in source.items() if null else ():
            target[position] = min(2, target.get(position, 0) + ways * null)
    return _Fragment(first, last, min(2, a.null * b.null))


def _alternatives(options: Sequence[_Fragment]) -> _Fragment:
    whole = _Fragment(null=min(2, sum(option.null for option in options)))
    for option in options:
        whole.first.update(option.first)
        whole.last.update(option.last)
    return whole


def _two_ways(automaton: _Automaton) -> bool:
    """Can one text lead from a state back to it in two ways?"""
    loops = _loops(automaton.edges)
    accepts, blocks = automaton.accepts, automaton.blocks
    todo: list[tuple[int, int]] = []
    for p, ways in enumerate(automaton.free):
        inside = [q for q in ways if loops[q] == loops[p]]
        if any(ways[q] > 1 for q in inside):
            return True
        todo += (
            (q, r) for q in inside for r in inside if q < r and accepts[q] & accepts[r] and not blocks[q] & blocks[r]
        )
    seen = set(todo)
    while todo:
        p, q = todo.pop()
        for x in automaton.edges[p]:
            for y in automaton.edges[q]:
                if loops[x] == loops[y] == loops[p] and (x, y) not in seen and accepts[x] & accepts[y]:
                    if x == y:
                        return True
                    seen.add((x, y))
                    todo.append((x, y))
    return False


def _loops(edges: Sequence[set[int]]) -> list[int]:
    """Number the strongly connected components: two positions have one number if each reaches the other."""
    order: list[int] = []
    seen: set[int] = set()
    for start in range(len(edges)):
        stack = [(start, False)]
        while stack:
            position, done = stack.pop()
            if done:
                order.append(position)
            elif position not in seen:
                seen.add(position)
                stack.append((position, True))
                stack.extend((q, False) for q in edges[position])
    sources: list[list[int]] = [[] for _ in edges]
    for p, targets in enumerate(edges):
        for q in targets:
            sources[q].append(p)
    number = [-1] * len(edges)
    for start in reversed(order):
        todo = [start] if number[start] < 0 else []
        while todo:
            position = todo.pop()
            number[position] = start
            todo.extend(p for p in sources[position] if number[p] < 0)
    return number
