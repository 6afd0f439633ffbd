"""The SQL of bringing originals back: what manifests say in a table of this session, and rows for what is there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.messages import Kind
from lumilio.rebuild.manifests import Line


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An original that a manifest tells of and no row does."""

    path: bytes
    content_hash: bytes
    size: int
    owner_id: int
    asset_id: UUID
    name: str
    uploaded_at: datetime


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An original that is there, with all that its rows need; `trashed_from` is set of one in the trash."""

    path: bytes
    content_hash: bytes
    size: int
    modified_ns: int
    inode: int
    owner_id: int
    asset_id: UUID
    name: str
    uploaded_at: datetime
    kind: Kind
    mime_type: str
    trashed_at: datetime | None = None
    trash_reason: str | None = None
    trashed_from: bytes | None = None


async def make_lines(conn: Connection) -> None:
    """Room for what the manifests of one repository say."""
    await conn.execute("drop table if exists manifest_lines")
    await conn.execute(
        """
        create temp table manifest_lines (
            n bigint generated always as identity,
            path bytea not null,
            content_hash bytea not null,
            size bigint not null,
            owner_id int not null,
            asset_id uuid not null,
            name text not null,
            uploaded_at timestamptz not null
        )
        """
    )


async def save_lines(conn: Connection, lines: Sequence[Line]) -> None:
    """Write down what manifests say, in their order."""
    await conn.execute(
        """
        insert into manifest_lines (path, content_hash, size, owner_id, asset_id, name, uploaded_at)
        select path, content_hash, size, owner_id, asset_id, name, uploaded_at
        from unnest(%(paths)s::bytea[], %(hashes)s::bytea[], %(sizes)s::bigint[], %(owners)s::int[],
                    %(assets)s::uuid[], %(names)s::text[], %(times)s::timestamptz[])
            with ordinality given (path, content_hash, size, owner_id, asset_id, name, uploaded_at, n)
        order by n
        """,
        {
            "paths": [line.path for line in lines],
            "hashes": [line.content_hash for line in lines],
            "sizes": [line.size for line in lines],
            "owners": [line.owner_id for line in lines],
            "assets": [line.asset_id for line in lines],
            "names": [line.name for line in lines],
            "times": [line.uploaded_at for line in lines],
        },
    )


async def index_lines(conn: Connection) -> None:
    """What was written down can be walked along by path, and found by asset."""
    await conn.execute("create index on manifest_lines (path, n desc)")
    await conn.execute("create index on manifest_lines (asset_id, n desc)")
    await conn.execute("analyze manifest_lines")


async def list_nobodys(conn: Connection, numbers: Sequence[int]) -> list[int]:
    """Which of these numbers no user has."""
    cursor = await conn.execute(
        """
        select number
        from unnest(%s::int[]) given (number)
        where not exists (select from users u where u.user_id = given.number)
        order by number
        """,
        (list(numbers),),
    )
    return [row[0] for row in await cursor.fetchall()]


async def count_known(conn: Connection, repository_id: UUID) -> int:
    """How many originals of a repository have their rows."""
    cursor = await conn.execute(
        "select count(*) from file_records where repository_id = %s and asset_id is not null", (repository_id,)
    )
    return int((await cursor.fetchall())[0][0])


async def list_wanted(conn: Connection, repository_id: UUID, *, after: bytes, limit: int) -> list[Wanted]:
    """Some originals behind a path that the lines tell of and no row does, each as the last line about it says."""
    async with conn.cursor(row_factory=struct_row(Wanted)) as cursor:
        await cursor.execute(
            """
            select distinct on (l.path) l.path, l.content_hash, l.size, l.owner_id, l.asset_id, l.name, l.uploaded_at
            from manifest_lines l
            where l.path > %(after)s
              and not exists (
                  select
                  from file_records f
                  where f.repository_id = %(repository)s and f.path = l.path and f.asset_id is not null
              )
            order by l.path, l.n desc
            limit %(limit)s
            """,
            {"repository": repository_id, "after": after, "limit": limit},
        )
        return await cursor.fetchall()


async def list_heirs(conn: Connection, repository_id: UUID, *, after: bytes, limit: int) -> list[Wanted]:
    """Some originals of the inbox behind a path that is another's by its row, each as the last line about it says."""
    async with conn.cursor(row_factory=struct_row(Wanted)) as cursor:
        await cursor.execute(
            """
            select l.path, l.content_hash, l.size, l.owner_id, l.asset_id, l.name, l.uploaded_at
            from (
                select distinct on (path) path, content_hash, size, owner_id, asset_id, name, uploaded_at
                from manifest_lines
                where path > %(after)s
                  and substring(path from 1 for 6) = 'inbox/'
                order by path, n desc
            ) l
            join file_records f on f.repository_id = %(repository)s and f.path = l.path
            join assets a on a.asset_id = f.asset_id
            where a.content_hash <> l.content_hash
            order by l.path
            limit %(limit)s
            """,
            {"repository": repository_id, "after": after, "limit": limit},
        )
        return await cursor.fetchall()


async def let_go(conn: Connection, repository_id: UUID, paths: Sequence[bytes]) -> None:
    """Paths are nobody's, and assets missing that have no other file."""
    await conn.execute(
        """
        with freed as (
            update file_records f
            set asset_id = null
            from file_records before
            where f.repository_id = %(repository)s
              and f.path = any(%(paths)s)
              and before.file_record_id = f.file_record_id
            returning f.file_record_id, before.asset_id
        )
        update assets a
        set missing_since = now()
        where a.asset_id in (select asset_id from freed)
          and a.missing_since is null
          and not exists (
              select
              from file_records f
              where f.asset_id = a.asset_id
                and f.state not in ('missing', 'other')
                and f.file_record_id not in (select file_record_id from freed)
          )
          and not exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged')
        """,
        {"repository": repository_id, "paths": list(paths)},
    )


async def list_of_asset(conn: Connection, asset_id: UUID) -> list[Wanted]:
    """What the lines tell of an asset, the latest first."""
    async with conn.cursor(row_factory=struct_row(Wanted)) as cursor:
        await cursor.execute(
            """
            select path, content_hash, size, owner_id, asset_id, name, uploaded_at
            from manifest_lines
            where asset_id = %s
            order by n desc
            limit 100
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def has_record(conn: Connection, repository_id: UUID, path: bytes) -> bool:
    """Whether a path is an asset's."""
    cursor = await conn.execute(
        "select exists (select from file_records where repository_id = %s and path = %s and asset_id is not null)",
        (repository_id, path),
    )
    return bool((await cursor.fetchall())[0][0])


async def save_assets(conn: Connection, found: Sequence[Found], *, anew: bool) -> int:
    """An asset for each content that its owner does not have, to be rendered; how many were made.

    It has the id that its line tells, unless another asset has that: those get one of their own, if `anew`.
    """
    cursor = await conn.execute(
        """
        with given as (
            select *
            from unnest(%(ids)s::uuid[], %(owners)s::int[], %(hashes)s::bytea[], %(sizes)s::bigint[], %(kinds)s::text[],
                        %(mimes)s::text[], %(names)s::text[], %(times)s::timestamptz[], %(trashed)s::timestamptz[],
                        %(reasons)s::text[])
                given (id, owner_id, content_hash, size, kind, mime_type, name, uploaded_at, trashed_at, reason)
        ), made as (
            insert into assets (asset_id, owner_id, content_hash, size, kind, mime_type, original_filename, uploaded_at,
                                stored_at, trashed_at, trash_reason)
            select distinct on (owner_id, content_hash)
                   case when %(anew)s then uuidv7() else id end, owner_id, content_hash, size, kind, mime_type, name,
                   uploaded_at, now(), trashed_at, reason
            from given
            order by owner_id, content_hash, trashed_at nulls first, uploaded_at
            on conflict do nothing
            returning asset_id, owner_id
        ), staged as (
            insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
            select asset_id, 'place', owner_id, 1, 'done', null from made
            union all
            select asset_id, 'render', owner_id, 1, 'pending', now() from made
        )
        select count(*) from made
        """,
        {
            "anew": anew,
            "ids": [one.asset_id for one in found],
            "owners": [one.owner_id for one in found],
            "hashes": [one.content_hash for one in found],
            "sizes": [one.size for one in found],
            "kinds": [one.kind for one in found],
            "mimes": [one.mime_type for one in found],
            "names": [one.name for one in found],
            "times": [one.uploaded_at for one in found],
            "trashed": [one.trashed_at for one in found],
            "reasons": [one.trash_reason for one in found],
        },
    )
    return int((await cursor.fetchall())[0][0])


async def save_records(conn: Connection, repository_id: UUID, found: Sequence[Found]) -> int:
    """Where originals lie, each its owner's asset of that content, which is there again; how many were new.

    Their bytes were not compared yet, so they are the first whose turn it is.
    """
    cursor = await conn.execute(
        """
        with saved as (
            insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode,
                                      content_hash, mime_type, verified_at, trashed_from)
            select %(repository)s, given.path, given.shown, a.asset_id, given.size, given.modified_ns, given.inode,
                   given.content_hash, a.mime_type, 'epoch', given.trashed_from
            from unnest(%(paths)s::bytea[], %(shown)s::text[], %(owners)s::int[], %(hashes)s::bytea[],
                        %(sizes)s::bigint[], %(times)s::bigint[], %(inodes)s::bigint[], %(homes)s::bytea[])
                given (path, shown, owner_id, content_hash, size, modified_ns, inode, trashed_from)
            join assets a on a.owner_id = given.owner_id and a.content_hash = given.content_hash
            order by given.path
            on conflict (repository_id, path) do update
            set asset_id = excluded.asset_id, display_name = excluded.display_name, size = excluded.size,
                modified_ns = excluded.modified_ns, inode = excluded.inode, content_hash = excluded.content_hash,
                mime_type = excluded.mime_type, state = 'present', verified_at = 'epoch', read_after = null,
                trouble = null, missing_since = null, missed = 0, scrubbed_at = null,
                trashed_from = excluded.trashed_from
            where file_records.asset_id is null
            returning asset_id
        ), there as (
            update assets
            set missing_since = null, stored_at = coalesce(stored_at, now())
            where asset_id in (select asset_id from saved)
              and (missing_since is not null or stored_at is null)
        )
        select count(*) from saved
        """,
        {
            "repository": repository_id,
            "paths": [one.path for one in found],
            "shown": [one.path.decode(errors="replace") for one in found],
            "owners": [one.owner_id for one in found],
            "hashes": [one.content_hash for one in found],
            "sizes": [one.size for one in found],
            "times": [one.modified_ns for one in found],
            "inodes": [one.inode for one in found],
            "homes": [one.trashed_from for one in found],
        },
    )
    return int((await cursor.fetchall())[0][0])


async def follow_moves(conn: Connection, repository_id: UUID, found: Sequence[Found]) -> int:
    """Rows of originals that lie elsewhere by now, by their inodes, follow them; returns how many did."""
    found = [one for one in found if one.trashed_from is None]
    cursor = await conn.execute(
        """
        update file_records f
        set path = moved.path, display_name = moved.shown
        from (
            select distinct on (given.path) given.path, given.shown, f.file_record_id
            from unnest(%(paths)s::bytea[], %(shown)s::text[], %(owners)s::int[], %(hashes)s::bytea[],
                        %(sizes)s::bigint[], %(inodes)s::bigint[])
                given (path, shown, owner_id, content_hash, size, inode)
            join assets a on a.owner_id = given.owner_id and a.content_hash = given.content_hash
            join file_records f on f.asset_id = a.asset_id and f.inode = given.inode and f.size = given.size
            where f.repository_id = %(repository)s
              and f.state = 'present'
              and f.trashed_from is null
              and not exists (
                  select from file_records o where o.repository_id = f.repository_id and o.path = given.path
              )
            order by given.path, f.file_record_id
        ) moved
        where f.file_record_id = moved.file_record_id
        """,
        {
            "repository": repository_id,
            "paths": [one.path for one in found],
            "shown": [one.path.decode(errors="replace") for one in found],
            "owners": [one.owner_id for one in found],
            "hashes": [one.content_hash for one in found],
            "sizes": [one.size for one in found],
            "inodes": [one.inode for one in found],
        },
    )
    return cursor.rowcount


async def follow_to_trash(conn: Connection, repository_id: UUID, found: Sequence[Found]) -> None:
    """Originals in the trash whose rows tell where they lay before are in the trash by their rows as well."""
    await conn.execute(
        """
        with moved as (
            update file_records f
            set path = given.path, trashed_from = given.home
            from unnest(%(paths)s::bytea[], %(homes)s::bytea[], %(owners)s::int[], %(hashes)s::bytea[],
                        %(trashed)s::timestamptz[], %(reasons)s::text[])
                given (path, home, owner_id, content_hash, trashed_at, reason)
            join assets a on a.owner_id = given.owner_id and a.content_hash = given.content_hash
            where f.repository_id = %(repository)s
              and f.path = given.home
              and f.asset_id = a.asset_id
              and not exists (
                  select from file_records o where o.repository_id = f.repository_id and o.path = given.path
              )
            returning f.asset_id, given.trashed_at, given.reason
        )
        update assets a
        set trashed_at = moved.trashed_at, trash_reason = moved.reason
        from moved
        where a.asset_id = moved.asset_id
          and a.trashed_at is null
        """,
        {
            "repository": repository_id,
            "paths": [one.path for one in found],
            "homes": [one.trashed_from for one in found],
            "owners": [one.owner_id for one in found],
            "hashes": [one.content_hash for one in found],
            "trashed": [one.trashed_at for one in found],
            "reasons": [one.trash_reason for one in found],
        },
    )


async def list_taken_back(conn: Connection, repository_id: UUID, paths: Sequence[bytes]) -> list[tuple[int, UUID]]:
    """The assets in the trash of which a file lies in the inbox, where only what was taken back since can lie."""
    cursor = await conn.execute(
        """
        select distinct a.owner_id, a.asset_id
        from file_records f
        join repositories r on r.repository_id = f.repository_id and r.private_root is null
        join assets a on a.asset_id = f.asset_id
        where f.repository_id = %s
          and f.path = any(%s)
          and substring(f.path from 1 for 6) = 'inbox/'
          and a.trashed_at is not null
        order by a.asset_id
        """,
        (repository_id, list(paths)),
    )
    return await cursor.fetchall()


async def place_again(conn: Connection, repository_id: UUID, paths: Sequence[bytes]) -> None:
    """Have looked where the files of assets belong of which another file was known, or that are in the trash."""
    await conn.execute(
        """
        update asset_stages s
        set state = 'pending', next_at = now(), lane = 1, deaths = 0, failures = 0, error_class = null, error = null,
            changed_at = now()
        from file_records f
        join assets a on a.asset_id = f.asset_id
        where f.repository_id = %s
          and f.path = any(%s)
          and s.asset_id = f.asset_id
          and s.stage = 'place'
          and s.state in ('done', 'failed')
          and (a.trashed_at is null) <> (f.trashed_from is null)
        """,
        (repository_id, list(paths)),
    )


async def list_disowned(conn: Connection, repository_id: UUID, *, after: bytes, limit: int) -> list[Line]:
    """Some originals behind a path that are not whose the last line about them says, as their rows tell of them."""
    cursor = await conn.execute(
        """
        select l.path, a.content_hash, a.size, a.owner_id, a.asset_id, a.original_filename, a.uploaded_at
        from (
            select distinct on (path) path, content_hash, owner_id
            from manifest_lines
            where path > %(after)s
            order by path, n desc
        ) l
        join file_records f on f.repository_id = %(repository)s and coalesce(f.trashed_from, f.path) = l.path
        join assets a on a.asset_id = f.asset_id and a.content_hash = l.content_hash
        where a.owner_id <> l.owner_id
        order by l.path
        limit %(limit)s
        """,
        {"repository": repository_id, "after": after, "limit": limit},
    )
    return [Line(*row) for row in await cursor.fetchall()]


async def save_user(conn: Connection, user_id: int, *, username: str, email: str, password_hash: str) -> bool:
    """A user with the number that they had; False when somebody has the number, the name or the address."""
    cursor = await conn.execute(
        """
        insert into users (user_id, username, email, password_hash)
        overriding system value
        values (%s, %s, %s, %s)
        on conflict do nothing
        returning true
        """,
        (user_id, username, email, password_hash),
    )
    return await cursor.fetchone() is not None


async def count_users_on(conn: Connection) -> None:
    """Whoever comes next gets a number that nobody has or had."""
    await conn.execute(
        """
        select setval(pg_get_serial_sequence('users', 'user_id'), greatest(max(user_id), nextval(
            pg_get_serial_sequence('users', 'user_id')
        )))
        from users
        """
    )
