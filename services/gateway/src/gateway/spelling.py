"""Refuses a list that is asked by something that it does not know, so that nobody takes all for what they wanted."""

from functools import cache
from typing import Any, TypeAlias

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from gateway.contract import operations
from gateway.errors import Invalid

Asked: TypeAlias = ASGIConnection[Any, Any, Any, Any]
OF_LISTS = "limit"
LONGEST = 40


async def check(request: Asked, handler: BaseRouteHandler) -> None:
    """Invalid, with what the list can be asked by, where the address says something else."""
    if not request.query_params or not isinstance(handler, HTTPRouteHandler):
        return
    known = known_to(handler, frozenset(request.path_params))
    unknown = sorted(request.query_params.keys() - known)
    if OF_LISTS in known and unknown:
        name, names = unknown[0][:LONGEST], ", ".join(sorted(known))
        raise Invalid(f"`{name}` means nothing to this list: it can be asked by {names}")


@cache
def known_to(handler: HTTPRouteHandler, in_path: frozenset[str]) -> frozenset[str]:
    """What can stand in the query of an address."""
    return frozenset(one.name for one in operations.parameters(handler, in_path) if one.place == "query")
