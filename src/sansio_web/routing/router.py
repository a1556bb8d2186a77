"""Tables of routes: added in any order, then looked up by method and path.

Precedence is that of aiohttp: resources with the longest fixed prefix (whole segments, without variables) are tried
first, among those with the same prefix the first that was registered. A resource that takes the path but does not
serve the method is passed over; if none serves it, the answer lists the methods of all that took the path.

A prefix resource (`add_prefix`) stands for everything at and below a path: a sub-application, a folder. It
has the precedence of a template with the same fixed prefix, and its endpoints by method like every other.
What is below comes as `Matched.rest`, raw, ready for the `match` of another router.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from sansio_web.routing.coverage import covers, starts_with
from sansio_web.routing.quoting import readable
from sansio_web.routing.resource import ANY, Resource
from sansio_web.routing.results import Matched, MethodNotAllowed, NotFound, Place, Unreachable
from sansio_web.routing.template import Template
from sansio_web.routing.tree import Tree

T = TypeVar("T")
_NAME_SEPARATORS: Final = re.compile(r"[.:\-]")


class Router(Generic[T]):
    """Resources of endpoints of any type; iterating gives the resources in the order of their addition.

    unreachable: routes that no request can reach, in the order in which that became known
    """

    def __init__(self) -> None:
        self.unreachable: list[Unreachable] = []  # grows by `_report`
        self._resources: list[Resource[T]] = []  # this and the following grow by `_insert`
        self._named: dict[str, Resource[T]] = {}
        self._fixed: dict[str, list[Resource[T]]] = {}  # by readable path, in order
        self._tree: Tree[T] = Tree()
        self._keys: dict[str, list[Resource[T]]] = {}  # of what is in the tree, by fixed prefix
        self._direct: dict[str, dict[str, tuple[Resource[T], T]]] = {}  # path, method: the answer; see `_shortcut`
        self._reported: set[tuple[tuple[int, int], str]] = set()  # grows by `_report`
        self._frozen = False  # set by `freeze`

    def add_resource(self, path: str, *, name: str | None = None, where: str = "") -> Resource[T]:
        """Add a path, or take the last one added again if it is the same, by the same name.

        where: the author's place, as "app.py:12", for messages
        raises: ValueError if the path is no template or the name none or taken, RuntimeError once frozen
        """
        self.check_open(path)
        last = self._resources[-1] if self._resources else None
        if last is not None and last.template.source == path and last.name == name and not last.is_prefix:
            return last
        self._check_name(name)
        return self._insert(Template(path), name, where, is_prefix=False)

    def add_prefix(self, prefix: str, *, name: str | None = None, where: str = "") -> Resource[T]:
        """Add a resource for everything at and below a fixed path; slashes at its end do not count.

        raises: as `add_resource`; ValueError if nothing is left of the prefix, or if it has variables
        """
        self.check_open(prefix)
        self._check_name(name)
        template = Template(prefix.rstrip("/"))
        if not template.source or not template.is_plain:
            raise ValueError(f"prefix {prefix!r} is {'empty' if template.is_plain else 'not fixed'}; give a fixed path")
        return self._insert(template, name, where, is_prefix=True)

    def freeze(self) -> None:
        """From now on, additions raise RuntimeError."""
        self._frozen = True

    @property
    def frozen(self) -> bool:
        return self._frozen

    @property
    def named(self) -> Mapping[str, Resource[T]]:
        """The resources that have a name."""
        return MappingProxyType(self._named)

    def __iter__(self) -> Iterator[Resource[T]]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def match(self, method: str, path: str) -> Matched[T] | NotFound | MethodNotAllowed:
        """Find the endpoint of a request.

        method: as received; methods are case-sensitive, routes have them in upper case
        path: the raw path of the target, percent-encoded, without the query
        """
        plain = readable(path) if "%" in path else path
        direct = self._direct.get(plain)
        if direct is not None:
            answer = direct.get(method) or direct.get(ANY)
            if answer is not None:
                return Matched(answer[0], answer[1], {})
        return self._search(method, path, plain)

    def _search(self, method: str, path: str, plain: str) -> Matched[T] | NotFound | MethodNotAllowed:
        segments = plain.split("/")
        candidates = [] if segments[0] else self._tree.candidates(plain, segments)
        fixed = self._fixed.get(plain)
        if fixed is not None:
            candidates += fixed
        if len(candidates) > 1:
            candidates.sort(key=_rank)
        allowed: set[str] = set()
        for resource in candidates:
            variables = {} if resource.is_plain else resource.template.capture(plain, segments)
            if variables is None:
                continue
            endpoints = resource.by_method
            served = method if method in endpoints else ANY
            if served in endpoints:
                rest = _below(path, resource) if resource.is_prefix else ""
                return Matched(resource, endpoints[served], variables, rest)
            allowed.update(endpoints)
        return MethodNotAllowed(tuple(sorted(allowed))) if allowed else NotFound()

    def _insert(self, template: Template, name: str | None, where: str, *, is_prefix: bool) -> Resource[T]:
        resource = Resource[T](
            template, name=name, where=where, order=len(self._resources), is_prefix=is_prefix, owner=self
        )
        for other in self._covering(resource):
            resource.covered_by.append(other)
            other.covers.append(resource)
        self._resources.append(resource)
        if name is not None:
            self._named[name] = resource
        if template.is_plain and not is_prefix:
            self._fixed.setdefault(template.path, []).append(resource)
        else:
            self._tree.add(resource)
            self._keys.setdefault(template.key, []).append(resource)
        return resource

    def _covering(self, resource: Resource[T]) -> list[Resource[T]]:
        """The resources that are tried before this new one and take every path of it, best first."""
        template = resource.template
        if resource.is_plain and not resource.is_prefix:
            segments = template.path.split("/")
            around = self._tree.candidates(template.path, segments) + self._fixed.get(template.path, [])
        else:
            around = self._tree.around(template)
        found: list[Resource[T]] = []
        for other in around:
            if other.rank < resource.rank:
                if other.is_prefix:
                    takes_all = starts_with(other.template, template)
                else:
                    takes_all = not resource.is_prefix and covers(other.template, template)
                if takes_all:
                    found.append(other)
        return sorted(found, key=_rank)

    def endpoint_added(self, resource: Resource[T], method: str) -> None:
        """A resource has a new endpoint: keep the short cut, find what is unreachable now."""
        if resource.is_plain and not resource.is_prefix:
            self._direct[resource.template.path] = self._shortcut(resource.template.path)
        for other in resource.covered_by:
            if self._report(resource, method, other):
                break
        for other in resource.covers:
            for served in other.by_method if method == ANY else {method} & other.by_method.keys():
                self._report(other, served, resource)

    def _report(self, resource: Resource[T], method: str, by: Resource[T]) -> bool:
        """Note that a route is unreachable, once, if the other resource serves its method."""
        served = by.serving(method)
        if served is None:
            return False
        if (resource.rank, method) not in self._reported:
            self._reported.add((resource.rank, method))
            self.unreachable.append(Unreachable(resource.place(method), by.place(served)))
        return True

    def _shortcut(self, path: str) -> dict[str, tuple[Resource[T], T]]:
        """What a fixed path answers before anything in the tree is asked.

        Fixed paths have the longest prefix there can be, so nearly always all of it; only what has the same
        key can be tried earlier: a prefix resource, or for `/a/` a template like `/a/{tail:.*}`.
        """
        answers: dict[str, tuple[Resource[T], T]] = {}
        for resource in self._fixed[path]:
            for other in self._keys.get(resource.template.key, ()):
                if other.rank < resource.rank and (other.is_prefix or path.endswith("/")):
                    return answers
            if ANY in answers:
                return answers
            for method, endpoint in resource.by_method.items():
                answers.setdefault(method, (resource, endpoint))
        return answers

    def check_open(self, path: str) -> None:
        """raises: RuntimeError once frozen"""
        if self._frozen:
            raise RuntimeError(f"cannot add {path!r} to a frozen router; add routes before the application starts")

    def _check_name(self, name: str | None) -> None:
        if name is None:
            return
        for piece in _NAME_SEPARATORS.split(name):
            if not piece.isidentifier():
                raise ValueError(
                    f"name {name!r} has {piece!r}, not an identifier; a name is identifiers joined by . : -"
                )
            if keyword.iskeyword(piece):
                raise ValueError(f"name {name!r} has the Python keyword {piece!r}")
        if name in self._named:
            taken = self._named[name]
            raise ValueError(f"name {name!r} is taken by {Place('', taken.template.source, taken.where)}")


def _below(path: str, prefix: Resource[T]) -> str:
    """What follows a prefix in a raw path: raw and readable form have the same slashes."""
    pieces = path.split("/", len(prefix.template.segments) + 1)
    return "/" + pieces[-1] if len(pieces) > len(prefix.template.segments) + 1 else ""


def _rank(resource: Resource[T]) -> tuple[int, int]:
    return resource.rank
