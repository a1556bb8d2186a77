"""Routing: which endpoint serves a method and a path (RFC 9110 15.5.5, 15.5.6 where none does).

In: templates of paths with endpoints of any type, then methods and raw paths. Out: `Matched`,
`NotFound`, `MethodNotAllowed`, and `Unreachable` routes. Not here: what an endpoint is,
sub-applications, HEAD beside GET (add both).

`template` reads what users write, with `quoting` for percent-encoding and `ambiguity` for what regular
expressions may cost; `tree` finds candidates; `coverage` knows which template takes all that another would;
`router` decides.
"""

from sansio_web.routing.resource import Resource
from sansio_web.routing.results import Matched, MethodNotAllowed, NotFound, Place, Unreachable
from sansio_web.routing.router import Router
from sansio_web.routing.template import Template

__all__ = [
    "Matched",
    "MethodNotAllowed",
    "NotFound",
    "Place",
    "Resource",
    "Router",
    "Template",
    "Unreachable",
]
