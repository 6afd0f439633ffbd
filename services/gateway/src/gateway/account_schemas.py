"""What goes over the wire about people, their sign-ins and their keys."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from common.account_queries import Account
from gateway.policies import Scope
from gateway.queries.invites import OpenInvite
from gateway.queries.keys import Key
from gateway.queries.quotas import Usage
from gateway.queries.sessions import Session
from gateway.queries.users import User

Secret = Annotated[str, Meta(min_length=1, max_length=200)]
Quota = Annotated[int, Meta(ge=0, le=2**62)]


class RegisterRequest(Struct, frozen=True, kw_only=True):
    """Who wants to use this server, and what lets them: an invitation, or the setup token for the very first."""

    username: str
    email: str
    password: str
    invite: Secret | None = None
    setup_token: Secret | None = None


class LoginRequest(Struct, frozen=True, kw_only=True):
    username: Annotated[str, Meta(min_length=1, max_length=254)]
    password: str


class RefreshRequest(Struct, frozen=True, kw_only=True):
    refresh_token: Annotated[str, Meta(min_length=1, max_length=256)] = field(name="refreshToken")


class AuthResponse(Struct, frozen=True, kw_only=True):
    """The access token lives for minutes; the refresh token buys the next pair, once."""

    user: User
    token: str
    refresh_token: str = field(name="refreshToken")
    expires_at: datetime = field(name="expiresAt")


class Me(Struct, frozen=True, kw_only=True):
    """Who is asking, and with which scopes; a sign-in has them all, a key those that it was given."""

    user_id: int
    username: str
    email: str
    created_at: datetime
    is_active: bool
    is_admin: bool
    last_login: datetime | None
    scopes: list[Scope]
    key_id: int | None
    usage: Usage


class PasswordChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    old_password: str
    new_password: str


class ResetRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token that an administrator made, and the password from now on."""

    token: Secret
    password: str


class SessionView(Struct, frozen=True, kw_only=True):
    """A sign-in; `is_this` is the one that asks."""

    session: Session
    is_this: bool


class SessionList(Struct, frozen=True, kw_only=True):
    """A page of sign-ins, the last used first; `next` asks for the page that follows, as `after`."""

    sessions: list[SessionView]
    limit: int
    next: str | UnsetType = UNSET


class KeyRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a program is to be let do, and until when; without an end, until the key is removed."""

    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=6)]
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class MadeKey(Struct, frozen=True, kw_only=True):
    """A new key; `secret` is what opens, and is never told again."""

    key: Key
    secret: str


class KeyList(Struct, frozen=True, kw_only=True):
    """A page of keys, the newest first; `next` asks for the page that follows, as `after`."""

    keys: list[Key]
    limit: int
    next: str | UnsetType = UNSET


class UserRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to be let in: with a name, an address and a password, or by an invitation with none of these."""

    username: str | None = None
    email: str | None = None
    password: str | None = None
    is_admin: bool = False
    quota_bytes: Quota | None = None
    quota_files: Quota | None = None


class UserChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; a quota of null is none."""

    email: str | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    quota_bytes: Quota | UnsetType | None = UNSET
    quota_files: Quota | UnsetType | None = UNSET


class UserRemoval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the assets of a user who is to be deleted: another user gets them, or they go for good.

    `only_count` does nothing but say how much that is; `confirm` is what its answer, or the first one, gave.
    """

    assets: Literal["transfer", "trash_and_purge"]
    to: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    only_count: bool = False
    confirm: Annotated[str, Meta(max_length=200)] | None = None


class Removed(Struct, frozen=True, kw_only=True):
    """How much a user leaves behind, and what becomes of it; with `only_count` the token that confirms it."""

    assets: int
    bytes: int
    message: str
    confirm: str | UnsetType = UNSET


class OneTimeToken(Struct, frozen=True, kw_only=True):
    """What is handed to a person, for one use until then; it is never told again. `use` says how."""

    token: str
    expires_at: datetime
    use: str


class MadeUser(Struct, frozen=True, kw_only=True):
    """The new user, or the invitation for one."""

    user: Account | UnsetType = UNSET
    invite: OneTimeToken | UnsetType = UNSET


class UserList(Struct, frozen=True, kw_only=True):
    """A page of users, the oldest first; `next` asks for the page that follows, as `after`."""

    users: list[Account]
    limit: int
    next: str | UnsetType = UNSET


class InviteList(Struct, frozen=True, kw_only=True):
    """A page of invitations, the newest first; `next` asks for the page that follows, as `after`."""

    invites: list[OpenInvite]
    limit: int
    next: str | UnsetType = UNSET


class AuditEntry(Struct, frozen=True, kw_only=True):
    """What happened; `username` is what the user is called now, null for nobody or somebody who is gone."""

    audit_id: int
    happened_at: datetime
    action: str
    user_id: int | None
    username: str | None
    key_id: int | None
    address: str
    about: str
    details: dict[str, Any] = field(default_factory=dict)


class AuditList(Struct, frozen=True, kw_only=True):
    """A page of what happened, the latest first; `next` asks for the page that follows, as `after`."""

    entries: list[AuditEntry]
    limit: int
    next: str | UnsetType = UNSET
