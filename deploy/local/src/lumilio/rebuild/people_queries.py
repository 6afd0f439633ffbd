"""The SQL of giving back what people made: each statement adds what is missing and changes nothing else."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row
from common.people import Album, Edited, Entry, Marked, Member, Person, Stack, Stacked, Tag


async def find_name(conn: Connection, user_id: int) -> str | None:
    """What somebody is called who has a number."""
    cursor = await conn.execute("select username from users where user_id = %s", (user_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def save_person(conn: Connection, person: Person, *, password_hash: str) -> bool:
    """A user with the number that they had; False when somebody has the name or the address."""
    cursor = await conn.execute(
        """
        insert into users (user_id, username, email, password_hash, is_admin, is_active, quota_bytes, quota_files)
        overriding system value
        values (%(id)s, %(name)s, %(email)s, %(hash)s, %(admin)s, %(active)s, %(bytes)s, %(files)s)
        on conflict do nothing
        returning true
        """,
        {
            "id": person.id,
            "name": person.username,
            "email": person.email,
            "hash": password_hash,
            "admin": person.is_admin,
            "active": person.is_active,
            "bytes": person.quota_bytes,
            "files": person.quota_files,
        },
    )
    return await cursor.fetchone() is not None


async def make_known(conn: Connection) -> None:
    """Room for which albums and stacks here are those of the file."""
    await conn.execute("drop table if exists albums_back, stacks_back")
    await conn.execute("create temp table albums_back (album_id int primary key)")
    await conn.execute("create temp table stacks_back (stack_id int primary key)")


async def bring_tags(conn: Connection, tags: Sequence[Tag]) -> int:
    """Tags that stay without assets."""
    cursor = await conn.execute(
        """
        with saved as (
            insert into tags (owner_id, path, is_kept)
            select owner_id, path, true
            from unnest(%s::int[], %s::text[]) given (owner_id, path)
            where exists (select from users u where u.user_id = given.owner_id) and path <> ''
            order by owner_id, path
            on conflict (owner_id, path) do update
            set is_kept = true
            where not tags.is_kept
            returning 1
        )
        select count(*) from saved
        """,
        ([tag.owner for tag in tags], [tag.path for tag in tags]),
    )
    return await _count(cursor)


async def bring_marks(conn: Connection, marks: Sequence[Marked]) -> int:
    """What somebody thinks of assets; one in a person's own folder, where files stay, is in the trash by this alone.

    It has the whole time of the trash again, as nobody could take it back meanwhile.
    """
    cursor = await conn.execute(
        """
        with saved as (
            update assets a
            set liked = a.liked or given.liked, archived_at = coalesce(a.archived_at, given.archived_at),
                web_policy = coalesce(a.web_policy, given.web_policy),
                trashed_at = coalesce(a.trashed_at, case when own.is_so then spared_at end),
                trash_reason = coalesce(a.trash_reason, case when own.is_so then given.reason end)
            from unnest(%(owners)s::int[], %(hashes)s::text[], %(liked)s::boolean[], %(archived)s::timestamptz[],
                        %(policies)s::text[], %(trashed)s::timestamptz[], %(reasons)s::text[])
                given (owner_id, hash, liked, archived_at, web_policy, trashed_at, reason)
            join assets b on b.owner_id = given.owner_id and b.content_hash = decode(given.hash, 'hex')
            cross join lateral (
                select greatest(given.trashed_at, now() - interval '1 hour') as spared_at
            ) spared
            cross join lateral (
                select exists (select from file_records f where f.asset_id = b.asset_id) and not exists (
                    select
                    from file_records f
                    join repositories r on r.repository_id = f.repository_id and r.private_root is null
                    where f.asset_id = b.asset_id
                      and (substring(f.path from 1 for 6) = 'inbox/' or f.trashed_from is not null)
                ) as is_so
            ) own
            where a.asset_id = b.asset_id
              and (
                  (given.liked and not a.liked)
                  or (given.archived_at is not null and a.archived_at is null)
                  or (given.web_policy is not null and a.web_policy is null)
                  or (given.trashed_at is not null and a.trashed_at is null and own.is_so)
              )
            returning 1
        )
        select count(*) from saved
        """,
        {
            "owners": [mark.owner for mark in marks],
            "hashes": [mark.hash for mark in marks],
            "liked": [mark.liked for mark in marks],
            "archived": [mark.archived_at for mark in marks],
            "policies": [mark.web_policy for mark in marks],
            "trashed": [mark.trashed_at for mark in marks],
            "reasons": [mark.trash_reason for mark in marks],
        },
    )
    return await _count(cursor)


async def bring_edits(conn: Connection, edits: Sequence[Edited]) -> int:
    """What somebody says of assets of which nothing is said here, and it stands beside their files again."""
    cursor = await conn.execute(
        """
        with saved as (
            insert into asset_metadata (asset_id, edits)
            select a.asset_id, given.edits
            from unnest(%s::int[], %s::text[], %s::jsonb[]) given (owner_id, hash, edits)
            join assets a on a.owner_id = given.owner_id and a.content_hash = decode(given.hash, 'hex')
            order by a.asset_id
            on conflict (asset_id) do update
            set edits = excluded.edits
            where asset_metadata.edits = '{}'
            returning asset_id, edits
        ), dated as (
            update assets a
            set edited_taken_at = (saved.edits ->> 'taken_time')::timestamp,
                edited_offset_minutes = (saved.edits ->> 'offset_minutes')::int
            from saved
            where a.asset_id = saved.asset_id
              and saved.edits ?| array['taken_time', 'offset_minutes']
        ), beside as (
            insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
            select asset_id, 'sidecar', owner_id, 1, 'pending', now()
            from saved
            join assets using (asset_id)
            order by asset_id
            on conflict do nothing
        )
        select count(*) from saved
        """,
        ([one.owner for one in edits], [one.hash for one in edits], [Jsonb(one.edits) for one in edits]),
    )
    return await _count(cursor)


async def bring_albums(conn: Connection, albums: Sequence[Album]) -> int:
    """Albums with their numbers; one of the same number that is another album stays as it is."""
    given = {
        "ids": [one.id for one in albums],
        "owners": [one.owner for one in albums],
        "names": [one.name for one in albums],
        "texts": [one.description for one in albums],
        "cover_owners": [one.cover_owner for one in albums],
        "covers": [one.cover for one in albums],
        "made": [one.created_at for one in albums],
        "changed": [one.updated_at for one in albums],
    }
    cursor = await conn.execute(
        """
        with saved as (
            insert into albums (album_id, owner_id, album_name, description, cover_asset_id, created_at, updated_at)
            overriding system value
            select id, given.owner_id, name, description, a.asset_id, given.created_at, given.updated_at
            from unnest(%(ids)s::int[], %(owners)s::int[], %(names)s::text[], %(texts)s::text[],
                        %(cover_owners)s::int[], %(covers)s::text[], %(made)s::timestamptz[],
                        %(changed)s::timestamptz[])
                given (id, owner_id, name, description, cover_owner, cover, created_at, updated_at)
            join users u on u.user_id = given.owner_id
            left join assets a on a.owner_id = given.cover_owner and a.content_hash = decode(given.cover, 'hex')
            order by id
            on conflict do nothing
            returning 1
        )
        select count(*) from saved
        """,
        given,
    )
    count = await _count(cursor)
    await conn.execute(
        """
        insert into albums_back (album_id)
        select b.album_id
        from unnest(%(ids)s::int[], %(owners)s::int[], %(made)s::timestamptz[]) given (id, owner_id, created_at)
        join albums b on b.album_id = given.id and b.owner_id = given.owner_id and b.created_at = given.created_at
        on conflict do nothing
        """,
        given,
    )
    return count


async def bring_members(conn: Connection, members: Sequence[Member]) -> int:
    """Whom albums are shown to."""
    cursor = await conn.execute(
        """
        with saved as (
            insert into album_members (album_id, user_id, role, added_at)
            select album_id, user_id, role, added_at
            from unnest(%s::int[], %s::int[], %s::text[], %s::timestamptz[]) given (album_id, user_id, role, added_at)
            join albums_back using (album_id)
            where exists (select from users u where u.user_id = given.user_id)
            order by album_id, user_id
            on conflict do nothing
            returning 1
        )
        select count(*) from saved
        """,
        (
            [one.album for one in members],
            [one.user for one in members],
            [one.role for one in members],
            [one.added_at for one in members],
        ),
    )
    return await _count(cursor)


async def bring_entries(conn: Connection, entries: Sequence[Entry]) -> int:
    """What is in albums, in its order."""
    cursor = await conn.execute(
        """
        with saved as (
            insert into album_assets (album_id, asset_id, position, added_by, added_at)
            select album_id, a.asset_id, position, u.user_id, added_at
            from unnest(%s::int[], %s::int[], %s::text[], %s::bigint[], %s::int[], %s::timestamptz[])
                given (album_id, owner_id, hash, position, added_by, added_at)
            join albums_back using (album_id)
            join assets a on a.owner_id = given.owner_id and a.content_hash = decode(given.hash, 'hex')
            left join users u on u.user_id = given.added_by
            order by album_id, a.asset_id
            on conflict do nothing
            returning 1
        )
        select count(*) from saved
        """,
        (
            [one.album for one in entries],
            [one.owner for one in entries],
            [one.hash for one in entries],
            [one.position for one in entries],
            [one.added_by for one in entries],
            [one.added_at for one in entries],
        ),
    )
    return await _count(cursor)


async def bring_stacks(conn: Connection, stacks: Sequence[Stack]) -> int:
    """What somebody put together."""
    given = {
        "ids": [one.id for one in stacks],
        "owners": [one.owner for one in stacks],
        "covers": [one.cover for one in stacks],
        "made": [one.created_at for one in stacks],
    }
    cursor = await conn.execute(
        """
        with saved as (
            insert into stacks (stack_id, owner_id, cover_asset_id, created_at)
            overriding system value
            select id, given.owner_id, a.asset_id, given.created_at
            from unnest(%(ids)s::int[], %(owners)s::int[], %(covers)s::text[], %(made)s::timestamptz[])
                given (id, owner_id, cover, created_at)
            join users u on u.user_id = given.owner_id
            left join assets a on a.owner_id = given.owner_id and a.content_hash = decode(given.cover, 'hex')
            order by id
            on conflict do nothing
            returning 1
        )
        select count(*) from saved
        """,
        given,
    )
    count = await _count(cursor)
    await conn.execute(
        """
        insert into stacks_back (stack_id)
        select s.stack_id
        from unnest(%(ids)s::int[], %(owners)s::int[], %(made)s::timestamptz[]) given (id, owner_id, created_at)
        join stacks s on s.stack_id = given.id and s.owner_id = given.owner_id and s.created_at = given.created_at
        on conflict do nothing
        """,
        given,
    )
    return count


async def bring_stacked(conn: Connection, stacked: Sequence[Stacked]) -> int:
    """What is in stacks, in its order."""
    cursor = await conn.execute(
        """
        with saved as (
            insert into stack_assets (asset_id, stack_id, position)
            select a.asset_id, stack_id, position
            from unnest(%s::int[], %s::int[], %s::text[], %s::int[]) given (stack_id, owner_id, hash, position)
            join stacks_back using (stack_id)
            join assets a on a.owner_id = given.owner_id and a.content_hash = decode(given.hash, 'hex')
            order by a.asset_id
            on conflict do nothing
            returning 1
        )
        select count(*) from saved
        """,
        (
            [one.stack for one in stacked],
            [one.owner for one in stacked],
            [one.hash for one in stacked],
            [one.position for one in stacked],
        ),
    )
    return await _count(cursor)


async def count_on(conn: Connection) -> None:
    """What comes next gets a number that nothing has."""
    await conn.execute(
        """
        select setval(pg_get_serial_sequence('albums', 'album_id'), greatest(max(album_id), nextval(
            pg_get_serial_sequence('albums', 'album_id')
        )))
        from albums
        """
    )
    await conn.execute(
        """
        select setval(pg_get_serial_sequence('stacks', 'stack_id'), greatest(max(stack_id), nextval(
            pg_get_serial_sequence('stacks', 'stack_id')
        )))
        from stacks
        """
    )


async def _count(cursor: object) -> int:
    return int((await cursor.fetchall())[0][0])  # type: ignore[attr-defined]


class Admin(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who administers the server, and whether they can sign in."""

    user_id: int
    username: str
    has_password: bool


async def find_epoch(conn: Connection) -> UUID:
    """Which history of the database this is."""
    cursor = await conn.execute("select epoch from server")
    epoch: UUID = (await cursor.fetchall())[0][0]
    return epoch


async def save_owner(conn: Connection, repository_id: UUID, owner: int) -> None:
    """What is found in a repository becomes somebody's who is there."""
    await conn.execute(
        """
        update repositories
        set owner_id = u.user_id
        from users u
        where repository_id = %s and u.user_id = %s
        """,
        (repository_id, owner),
    )


async def list_admins(conn: Connection, *, nobody: str) -> list[Admin]:
    """Who administers the server, the first one first."""
    async with conn.cursor(row_factory=struct_row(Admin)) as cursor:
        await cursor.execute(
            """
            select user_id, username, password_hash <> %s as has_password
            from users
            where is_admin and is_active
            order by user_id
            """,
            (nobody,),
        )
        return await cursor.fetchall()


async def count_shut_out(conn: Connection, *, nobody: str) -> int:
    """How many people cannot sign in before they get a password."""
    return await _count(await conn.execute("select count(*) from users where password_hash = %s", (nobody,)))


async def keep_leftovers(conn: Connection) -> None:
    """Nothing that lies in staging by now is rubbish: it may have been acknowledged."""
    await conn.execute("update server set restored_at = now()")
