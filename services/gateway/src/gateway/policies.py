"""Who may call a route: each declares one of these, `@get("/assets", opt=READ)`, and one guard holds all to them."""

from typing import Any, Literal, TypeAlias
from uuid import UUID

from litestar import Litestar
from litestar.routes import HTTPRoute
from msgspec import Struct

from gateway.errors import Forbidden
from gateway.queries.users import User

Scope = Literal["read", "upload", "edit", "delete", "share", "admin"]
Opt: TypeAlias = dict[str, Any]
SCOPES: frozenset[Scope] = frozenset({"read", "upload", "edit", "delete", "share", "admin"})


class Caller(Struct, frozen=True, kw_only=True):
    """Who is asking, and by what: a sign-in, which may do all that its user may, or a key with some scopes."""

    user: User
    scopes: frozenset[Scope] = SCOPES
    session_id: UUID | None = None
    key_id: int | None = None
    address: str = ""


class Policy(Struct, frozen=True, kw_only=True):
    """What a route asks of its callers.

    `is_open` asks for no sign-in, `scope` for one that keys may lack, `by_session` for one that is no key.
    """

    name: str
    is_open: bool = False
    scope: Scope | None = None
    by_session: bool = False

    def check(self, caller: Caller) -> None:
        """Forbidden, in words, for a signed-in caller who may not."""
        if self.by_session and caller.key_id is not None:
            raise Forbidden("a key may not do this: sign in with a password")
        if self.scope is not None and self.scope not in caller.scopes:
            raise Forbidden(f"this key lacks the scope `{self.scope}`")
        if self.scope == "admin" and not caller.user.is_admin:
            raise Forbidden("only an administrator may do this")


def _opt(policy: Policy) -> Opt:
    return {"policy": policy}


PUBLIC = _opt(Policy(name="public", is_open=True))
SHARED = _opt(Policy(name="shared", is_open=True))
"""For the visitors of a share, which the route itself asks for."""
SIGNED_IN = _opt(Policy(name="signed in"))
"""For every sign-in and every key, whatever its scopes."""
READ = _opt(Policy(name="read", scope="read"))
UPLOAD = _opt(Policy(name="upload", scope="upload"))
EDIT = _opt(Policy(name="edit", scope="edit"))
DELETE = _opt(Policy(name="delete", scope="delete"))
SHARE = _opt(Policy(name="share", scope="share"))
ACCOUNT = _opt(Policy(name="account", by_session=True))
ADMIN = _opt(Policy(name="admin", scope="admin"))
ADMIN_IN_PERSON = _opt(Policy(name="admin in person", scope="admin", by_session=True))
"""For what would let a key become more than it is: it could make a user, and sign in as that."""


def of(opt: Opt) -> Policy:
    """The policy of a route."""
    policy: Policy = opt["policy"]
    return policy


def require(app: Litestar) -> Litestar:
    """The same app, in which every route has a policy; LookupError names the one that has none."""
    for route in app.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            if handler.http_methods != {"OPTIONS"} and "policy" not in handler.opt:
                raise LookupError(f"{route.path}: no policy is declared: say `opt=READ` or another one")
    return app
