"""Every route of the app, everybody who could ask, and what each of them is to hear: derived, not written down.

What a route asks of callers is its policy, what it is about are the parameters of its path, and what it takes is the
example of the contract. Who adds a route with a parameter of a new name adds that name to `OWNED`, `COMMON` or `WORDS`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from uuid import uuid4

from litestar.routes import HTTPRoute

from gateway import policies
from gateway.contract import apart, document, examples, samples
from gateway.policies import Policy

Stranger = Literal["anonymous", "revoked key", "disabled", "visitor", "former visitor"]
Who = Stranger | Literal["other", "viewer", "editor", "read-only key", "owner", "admin"]
MEMBERS: tuple[Who, ...] = ("viewer", "editor")
NOT_SIGNED_IN: tuple[Who, ...] = ("anonymous", "revoked key", "disabled", "visitor", "former visitor")
LINKS: dict[str, int] = {"live": 200, "expired": 410, "locked": 401, "revoked": 404}
"""What a link to an album answers, by what became of it."""
Verdict = Literal["nothing", "refused", "let through", "anything"]

# Things of one person, which do not exist for anybody else; those that an album shows to others.
OWNED = {
    "asset_id",
    "album_id",
    "share_id",
    "key_id",
    "label_id",
    "operation_id",
    "session_id",
    "stack_id",
    "tag_id",
    "task_id",
}
SHARED = {"asset_id", "album_id", "share_id"}

# What makes the rest of them, and what its answer calls them.
MADE_BY = {"operation_id": "POST /api/v1/operations", "share_id": "POST /api/v1/albums/{album_id:int}/shares"}

# Things that everybody sees, or only administrators.
COMMON = {"repository_id", "user_id", "invite_id"}

# What is no thing, but says which one or how.
WORDS: dict[str, Any] = {
    "rating": 3,
    "stage": "render",
    "variant": "small",
    "ticket": "nothing",
    "token": "nothing",
    "scan_id": 1,
}

# What has the same name as something else.
CALLED = {"/scans/{operation_id:int}": "/scans/{scan_id:int}"}

PARAMETER = re.compile(r"{(\w+):\w+}")
READS = ("GET", "HEAD")
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@dataclass(frozen=True)
class Route:
    """A method of a path, what it asks of callers, and a request to it that is well formed."""

    method: str
    path: str
    policy: Policy
    body: Any
    query: dict[str, Any]
    headers: dict[str, str]
    pages: dict[str, Any] | None
    """What its `limit` may be, where it is a list that has one."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def about(self) -> list[str]:
        """The parameters of its path."""
        return PARAMETER.findall(self._called)

    @property
    def is_reading(self) -> bool:
        return self.method in READS

    @property
    def is_of_somebody(self) -> bool:
        """Whether it is about a thing that one person has."""
        return bool(set(self.about) & OWNED)

    @property
    def strangers(self) -> tuple[Who, ...]:
        """Who asks it without having part in anything."""
        if self.policy.is_open:
            return ("anonymous",)
        return (*NOT_SIGNED_IN, "other") if self.policy.scope == "admin" else (*NOT_SIGNED_IN, "other", "admin")

    def url(self, things: dict[str, Any]) -> str:
        """Where these things are asked for."""
        return PARAMETER.sub(lambda found: str(things[found[1]]), self._called)

    @property
    def _called(self) -> str:
        for ambiguous, called in CALLED.items():
            if self.path.endswith(ambiguous):
                return self.path.replace(ambiguous, called)
        return self.path


@cache
def routes() -> list[Route]:
    """Every route that the app has; AssertionError in words for one that nobody can test."""
    app = apart.build()
    described = document.describe(app)
    found = [
        _route(method, route, handler, described)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS"
    ]
    unknown = [f"{route}: {name}" for route in found for name in route.about if name not in known()]
    assert not unknown, (
        "the matrix cannot make what these routes are about; add each parameter to OWNED or COMMON in "
        f"tests/support/matrix.py, with a line in worlds.py that makes one, or to WORDS: {', '.join(sorted(unknown))}"
    )
    return sorted(found, key=lambda route: (route.path, route.method))


def known() -> set[str]:
    """The parameters that things are made for."""
    return OWNED | COMMON | set(WORDS)


def nowhere(things: dict[str, Any]) -> dict[str, Any]:
    """The names of things that nobody has; what everybody may name stays."""
    return {name: 2**30 if isinstance(value, int) else str(uuid4()) for name, value in things.items()} | WORDS


def _route(method: str, route: HTTPRoute, handler: Any, described: dict[str, Any]) -> Route:
    told = described["paths"].get(route.path_format, {}).get(method.lower(), {})
    content = told.get("requestBody", {}).get("content", {})
    parts = described["components"]["schemas"]
    asked = {one["name"]: one for one in told.get("parameters", ()) if one["in"] == "query"}
    required = [one for one in asked.values() if one.get("required")]
    return Route(
        method=str(method),
        path=route.path,
        policy=policies.of(handler.opt),
        body=content.get("application/json", {}).get("example"),
        query={one["name"]: examples.of(one["schema"], parts, called=one["name"]) for one in required},
        headers=FORM if "multipart/form-data" in content else {},
        pages=asked["limit"]["schema"] if "limit" in asked else None,
    )


def filled(body: Any, things: dict[str, Any]) -> Any:
    """The body, about things that there are instead of the examples of the contract."""
    text = json.dumps(body).replace(samples.ASSET, str(things["asset_id"]))
    return json.loads(text.replace(samples.REPOSITORY, str(things["repository_id"])))


@dataclass(frozen=True)
class Heard:
    """What somebody heard, and what they would have heard of what there is not."""

    status: int
    text: str
    nothing_status: int
    nothing_text: str

    @property
    def is_as_of_nothing(self) -> bool:
        return (self.status, self.text) == (self.nothing_status, self.nothing_text)


def complaints(route: Route, who: Who, heard: Heard, *, is_shared: bool = False) -> Iterator[str]:
    """What is wrong with an answer, by the policy of the route and by whose the things in its path are."""
    expected = _expected(route, who, is_shared=is_shared)
    said = f"{route} answers {heard.status} for {who}"
    if heard.status >= 500 and expected != "anything":
        yield f"{said}: {heard.text[:200]}"
    elif isinstance(expected, int) and heard.status != expected:
        yield f"{said}, and its policy `{route.policy.name}` means {expected}"
    elif expected == "nothing" and (heard.status != 404 or not heard.is_as_of_nothing):
        nothing = f"{heard.nothing_status} {heard.nothing_text[:120]}"
        yield f"{said} {heard.text[:120]}, and where there is nothing {nothing}: both must be the same 404"
    elif expected == "refused" and heard.status not in {403, 404}:
        yield f"{said}, who may only look: {heard.text[:120]}"
    elif expected == "let through" and heard.status == 400 and route.body is not None:
        yield f"{said} to the example of its contract; put one into contract/samples.py that can be: {heard.text[:120]}"
    elif expected == "let through" and (heard.status in {401, 403} or _is_denied(route, heard)):
        yield f"{said}, who may do this: {heard.text[:120]}"


def _is_denied(route: Route, heard: Heard) -> bool:
    """Whether a thing that is there answers as one that is not; of some there is nothing to show, and words say so."""
    return route.is_of_somebody and heard.status == 404 and heard.is_as_of_nothing and route.method != "HEAD"


def _expected(route: Route, who: Who, *, is_shared: bool) -> int | Verdict:
    policy = route.policy
    if policy.is_open:
        return "anything"
    if who in NOT_SIGNED_IN:
        return 401
    if who == "read-only key" and (policy.by_session or policy.scope not in {None, "read"}):
        return 403
    if policy.scope == "admin" and who != "admin":
        return 403
    if policy.scope == "admin" or who in {"owner", "read-only key"} or not route.is_of_somebody:
        return "let through"
    if not is_shared or not set(route.about) & OWNED <= SHARED:
        return "nothing"
    return _of_member(route, who)


def _of_member(route: Route, who: Who) -> Verdict:
    """Members see what is in an album, and only the owner of an asset changes it."""
    if route.is_reading:
        return "let through"
    if "album_id" not in route.about and "albumId" not in route.about:
        return "nothing"
    return "refused" if who == "viewer" else "anything"
