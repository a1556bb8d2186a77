"""The lookup: which resources may take a path, in time that does not depend on how many there are.

A tree of segments. From a node lead: fixed segments (a dictionary), segments with fixed beginning and end
around their variables as `report-{n}.pdf` (a dictionary per pair of lengths), and any segment. At a node
hang: resources that end here, prefix resources, and tails, which take what is left (found by its fixed
beginning and end).

The tree answers with candidates, never too few; whether a candidate takes the path, and what its variables
are, its template decides. It walks level by level with all nodes that agree with the path so far.

Bound: a node is visited once at most, as it has one parent; and it is visited only if the path agrees with
it. So a path costs no more steps than the table has nodes, whatever it looks like, and none below the tree's
depth. A path with 2^d nodes agreeing at depth d needs a table with 2^d templates for it. The usual table has
one or two. What stays linear: resources that differ in nothing but regexes, at one place: `/{a:\\d+}`,
`/{b:[a-z]+}`, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from sansio_web.routing.resource import Resource
from sansio_web.routing.template import Segment, Template, affixes, fixed_text

T = TypeVar("T")
V = TypeVar("V")


class Affixed(Generic[V]):
    """Things filed by the fixed text at the beginning and at the end of what they take."""

    __slots__ = ("_by_affixes", "_lengths")

    def __init__(self) -> None:
        self._by_affixes: dict[tuple[str, str], V] = {}
        self._lengths: list[tuple[int, int]] = []

    def exactly(self, prefix: str, suffix: str) -> V | None:
        return self._by_affixes.get((prefix, suffix))

    def put(self, prefix: str, suffix: str, thing: V) -> V:
        self._by_affixes[prefix, suffix] = thing
        if (len(prefix), len(suffix)) not in self._lengths:
            self._lengths.append((len(prefix), len(suffix)))
        return thing

    def find(self, beginning: str, ending: str) -> list[V]:
        """Those whose prefix `beginning` has, and whose suffix `ending` has."""
        found: list[V] = []
        for head, foot in self._lengths:
            thing = self._by_affixes.get((beginning[:head], ending[len(ending) - foot :] if foot else ""))
            if thing is not None:
                found.append(thing)
        return found


class More(Generic[T]):
    """What only some nodes have."""

    __slots__ = ("affixed", "prefixes", "tails")

    def __init__(self) -> None:
        self.affixed: Affixed[Node[T]] = Affixed()
        self.prefixes: list[Resource[T]] = []
        self.tails: Affixed[list[Resource[T]]] = Affixed()


class Node(Generic[T]):
    """What is known after some segments; `Tree.add` changes it."""

    __slots__ = ("any", "ends", "fixed", "more")

    def __init__(self) -> None:
        self.fixed: dict[str, Node[T]] = {}
        self.any: Node[T] | None = None
        self.ends: list[Resource[T]] = []
        self.more: More[T] | None = None

    def below(self, segment: Segment) -> Node[T]:
        """The node after this segment, made if there is none."""
        text = fixed_text(segment)
        if text is not None:
            if text not in self.fixed:
                self.fixed[text] = Node()
            return self.fixed[text]
        prefix, suffix = affixes(segment)
        if not prefix and not suffix:
            self.any = self.any or Node()
            return self.any
        affixed = self.with_more().affixed
        return affixed.exactly(prefix, suffix) or affixed.put(prefix, suffix, Node())

    def with_more(self) -> More[T]:
        self.more = self.more or More()
        return self.more


class Tree(Generic[T]):
    """All resources with variables, and the prefix resources; the fixed ones need no tree."""

    __slots__ = ("root",)

    def __init__(self) -> None:
        self.root: Node[T] = Node()

    def add(self, resource: Resource[T]) -> None:
        node = self.root
        for segment in resource.template.segments:
            node = node.below(segment)
        if resource.is_prefix:
            node.with_more().prefixes.append(resource)
        elif not resource.template.tail:
            node.ends.append(resource)
        else:
            tails, ends = node.with_more().tails, affixes(resource.template.tail)
            bucket = tails.exactly(*ends)
            if bucket is None:
                bucket = tails.put(*ends, [])
            bucket.append(resource)

    def candidates(self, path: str, segments: Sequence[str]) -> list[Resource[T]]:
        """Resources that may take a readable path; segments: `path.split("/")`, the first is empty."""
        found: list[Resource[T]] = []
        nodes = [self.root]
        for segment in segments[1:]:
            below: list[Node[T]] = []
            for node in nodes:
                fixed = node.fixed.get(segment)
                if fixed is not None:
                    below.append(fixed)
                if node.any is not None:
                    below.append(node.any)
                more = node.more
                if more is not None:
                    found += more.prefixes
                    for bucket in more.tails.find(segment, path):
                        found += bucket
                    below += more.affixed.find(segment, segment)
            if not below:
                return found
            nodes = below
        for node in nodes:
            found += node.ends
            if node.more is not None:
                found += node.more.prefixes
        return found

    def around(self, template: Template) -> list[Resource[T]]:
        """Resources of which it is worth asking whether they take every path of a template."""
        found: list[Resource[T]] = []
        nodes = [self.root]
        for segment in template.segments:
            below: list[Node[T] | None] = []
            text = fixed_text(segment)
            for node in nodes:
                found += _open_at(node, segment)
                below.append(node.any)
                if text is not None:
                    below.append(node.fixed.get(text))
                    below += node.more.affixed.find(text, text) if node.more else ()
                elif node.more:
                    below.append(node.more.affixed.exactly(*affixes(segment)))
            nodes = [node for node in below if node is not None]
        for node in nodes:
            if template.tail:
                found += _open_at(node, template.tail)
            else:
                found += node.ends
                found += node.more.prefixes if node.more else ()
        return found


def _open_at(node: Node[T], rest: Segment) -> list[Resource[T]]:
    """Those that take what is left here whatever it is, or whatever is like `rest`."""
    if node.more is None:
        return []
    found = list(node.more.prefixes)
    for kind in {("", ""), affixes(rest) if rest else ("", "")}:
        found += node.more.tails.exactly(*kind) or ()
    return found
