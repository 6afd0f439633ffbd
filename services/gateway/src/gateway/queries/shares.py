"""The SQL of links that show an album to people without an account."""

from datetime import datetime

import msgspec

from common.db import Connection, struct_row


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A link as the owner of the album sees it; what the link says was shown once."""

    share_id: int
    album_id: int
    label: str | None
    has_password: bool
    allow_download: bool
    show_location: bool
    expires_at: datetime | None
    is_expired: bool
    created_at: datetime


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a link allows, and until when."""

    label: str | None = None
    password_hash: str | None = None
    allow_download: bool = False
    show_location: bool = False
    expires_at: datetime | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a link leads to, and what it asks and allows; `now` is the database's clock, in seconds since 1970."""

    share_id: int
    album_id: int
    owner_id: int
    token_hash: bytes
    password_hash: str | None
    allow_download: bool
    show_location: bool
    expires_at: datetime | None
    is_expired: bool
    album_name: str
    description: str | None
    now: int


async def save_new(conn: Connection, album_id: int, token_hash: bytes, wanted: Settings) -> int:
    """A new link to a locked album; returns its id."""
    cursor = await conn.execute(
        """
        insert into shares (album_id, token_hash, label, password_hash, allow_download, show_location, expires_at)
        values (%(album)s, %(token)s, %(label)s, %(password)s, %(download)s, %(location)s, %(expires)s)
        returning share_id
        """,
        {"album": album_id, "token": token_hash, **_values(wanted)},
    )
    (row,) = await cursor.fetchall()
    return int(row[0])


async def list_shares(conn: Connection, album_id: int) -> list[Share]:
    """The links to an album, newest first."""
    async with conn.cursor(row_factory=struct_row(Share)) as cursor:
        await cursor.execute(
            """
            select share_id, album_id, label, password_hash is not null as has_password, allow_download, show_location,
                   expires_at, coalesce(expires_at <= now(), false) as is_expired, created_at
            from shares
            where album_id = %s
            order by share_id desc
            """,
            (album_id,),
        )
        return await cursor.fetchall()


async def find_settings(conn: Connection, album_id: int, share_id: int) -> Settings | None:
    """What a link to a locked album allows."""
    async with conn.cursor(row_factory=struct_row(Settings)) as cursor:
        await cursor.execute(
            """
            select label, password_hash, allow_download, show_location, expires_at
            from shares
            where album_id = %(album)s
              and share_id = %(share)s
            """,
            {"album": album_id, "share": share_id},
        )
        return await cursor.fetchone()


async def save_settings(conn: Connection, share_id: int, wanted: Settings) -> None:
    """What a link allows from now on."""
    await conn.execute(
        """
        update shares
        set label = %(label)s, password_hash = %(password)s, allow_download = %(download)s,
            show_location = %(location)s, expires_at = %(expires)s
        where share_id = %(share)s
        """,
        {"share": share_id, **_values(wanted)},
    )


async def forget_share(conn: Connection, album_id: int, share_id: int) -> bool:
    """The link opens nothing any more; False when there was none."""
    cursor = await conn.execute(
        "delete from shares where album_id = %(album)s and share_id = %(share)s", {"album": album_id, "share": share_id}
    )
    return cursor.rowcount > 0


async def find_opened(conn: Connection, token_hash: bytes) -> Opened | None:
    """What a link leads to, as long as the owner of the album may sign in."""
    async with conn.cursor(row_factory=struct_row(Opened)) as cursor:
        await cursor.execute(
            """
            select s.share_id, s.album_id, b.owner_id, s.token_hash, s.password_hash, s.allow_download, s.show_location,
                   s.expires_at, coalesce(s.expires_at <= now(), false) as is_expired, b.album_name, b.description,
                   floor(extract(epoch from now()))::bigint as now
            from shares s
            join albums b on b.album_id = s.album_id
            join users u on u.user_id = b.owner_id
            where s.token_hash = %s
              and u.is_active
            """,
            (token_hash,),
        )
        return await cursor.fetchone()


def _values(wanted: Settings) -> dict[str, object]:
    return {
        "label": wanted.label,
        "password": wanted.password_hash,
        "download": wanted.allow_download,
        "location": wanted.show_location,
        "expires": wanted.expires_at,
    }
