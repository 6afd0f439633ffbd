"""Every route of the gateway and who may call it, as it declares itself."""

import re
from collections.abc import Iterator
from uuid import uuid4

from litestar.routes import HTTPRoute

from gateway import policies
from gateway.contract import apart
from gateway.policies import Policy


def declared() -> Iterator[tuple[str, str, Policy]]:
    """Method, path with values in it, and policy of each."""
    for route in apart.build().routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            for method in sorted(map(str, handler.http_methods - {"OPTIONS"})):
                yield method, _filled(route.path), policies.of(handler.opt)


def lagging() -> set[str]:
    """Method and path of each that may be answered from a replica."""
    return {
        f"{method} {route.path}"
        for route in apart.build().routes
        for handler in (route.route_handlers if isinstance(route, HTTPRoute) else ())
        for method in handler.http_methods - {"OPTIONS", "HEAD"}
        if "may_lag" in handler.opt
    }


def _filled(path: str) -> str:
    path = re.sub(r"{\w+:int}", "999", re.sub(r"{\w+:uuid}", str(uuid4()), path))
    return re.sub(r"{\w+:\w+}", "x", path)
