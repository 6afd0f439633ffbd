"""What owners of albums do about links to them."""

from typing import Any

from msgspec import UNSET, structs

from common.db import Connection
from gateway import albums, audit, share_visits
from gateway.errors import Conflict, Invalid, NotFound
from gateway.policies import Caller
from gateway.queries import shares as queries
from gateway.queries.shares import Settings, Share
from gateway.share_schemas import ChangeShare, CreateShare, NewShare

MOST = 100


async def create(
    conn: Connection, album_id: int, wanted: CreateShare, password_hash: str | None, *, by: Caller
) -> NewShare:
    """A new link to an album of the caller's."""
    await albums.hold_own(conn, album_id, user=by.user.user_id)
    if len(await queries.list_shares(conn, album_id)) >= MOST:
        raise Conflict(f"the album has {MOST} links, which is as many as it can have: take one back")
    token = share_visits.new_token()
    settings = Settings(
        label=wanted.label,
        password_hash=password_hash,
        allow_download=wanted.allow_download,
        show_location=wanted.show_location,
        expires_at=wanted.expires_at,
    )
    made = await _show(conn, album_id, await queries.save_new(conn, album_id, share_visits.digest(token), settings))
    if made.is_expired:
        raise Invalid("`expires_at` is over: name a time to come, or none")
    await audit.note(conn, "share made", by, about=_called(album_id, made.share_id), **_terms(made))
    return NewShare(**structs.asdict(made), token=token, url=f"/s/{token}")


async def list_all(conn: Connection, album_id: int, *, user: int) -> list[Share]:
    """The links to an album that the user has part in, so that nobody's pictures are shown without their knowing."""
    await albums.part(conn, album_id, user=user)
    return await queries.list_shares(conn, album_id)


async def change(
    conn: Connection, album_id: int, share_id: int, said: ChangeShare, password_hash: str | None, *, by: Caller
) -> Share:
    """Let a link allow something else; who was let in by another password has to say the new one."""
    await albums.hold_own(conn, album_id, user=by.user.user_id)
    settings = await queries.find_settings(conn, album_id, share_id)
    if settings is None:
        raise _unknown(share_id)
    changed = {name: value for name, value in structs.asdict(said).items() if value is not UNSET}
    if "password" in changed:
        del changed["password"]
        changed["password_hash"] = password_hash
    await queries.save_settings(conn, share_id, structs.replace(settings, **changed))
    shown = await _show(conn, album_id, share_id)
    await audit.note(conn, "share changed", by, about=_called(album_id, share_id), **_terms(shown))
    return shown


async def revoke(conn: Connection, album_id: int, share_id: int, *, by: Caller) -> None:
    """Let a link lead nowhere from now on."""
    await albums.hold_own(conn, album_id, user=by.user.user_id)
    if not await queries.forget_share(conn, album_id, share_id):
        raise _unknown(share_id)
    await audit.note(conn, "share revoked", by, about=_called(album_id, share_id))


async def _show(conn: Connection, album_id: int, share_id: int) -> Share:
    return next(share for share in await queries.list_shares(conn, album_id) if share.share_id == share_id)


def _called(album_id: int, share_id: int) -> str:
    return f"share {share_id} of album {album_id}"


def _terms(share: Share) -> dict[str, Any]:
    """What a link allows, as it is written down for good."""
    return {
        "has_password": share.has_password,
        "allow_download": share.allow_download,
        "show_location": share.show_location,
        "expires_at": share.expires_at and share.expires_at.isoformat(),
    }


def _unknown(share_id: int) -> NotFound:
    return NotFound(f"no share {share_id} of this album")
