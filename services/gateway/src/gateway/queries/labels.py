"""The SQL of labels: how many assets have each, and which were taught by what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from common.db import Connection, struct_row


class Label(Struct, frozen=True, kw_only=True):
    """A label, and how many assets have it as far as they were counted."""

    label: str
    count: int


class Taught(Struct, frozen=True, kw_only=True):
    """A label that somebody taught, and how far it is."""

    label_id: int
    label: str
    state: Literal["waiting", "applying", "ready", "failed"]
    done: int
    total: int
    examples: int
    counter_examples: int
    error: str | None
    created_at: datetime
    learnt_at: datetime | None


async def list_page(conn: Connection, *, owner: int, after: str | None, limit: int, most: int) -> list[Label]:
    """The owner's labels by their names after this one, each counted as far as `most`: one look into the index each."""
    async with conn.cursor(row_factory=struct_row(Label)) as cursor:
        await cursor.execute(
            """
            with recursive names as (
                (
                    select label
                    from labels
                    where owner_id = %(owner)s and label > coalesce(%(after)s::text, '')
                    order by label
                    limit 1
                )
                union all
                select (
                    select l.label
                    from labels l
                    where l.owner_id = %(owner)s and l.label > n.label
                    order by l.label
                    limit 1
                )
                from names n
                where n.label is not null
            )
            select found.label, (
                       select count(*)
                       from (
                           select
                           from labels x
                           join assets a on a.asset_id = x.asset_id
                           where x.owner_id = %(owner)s and x.label = found.label and a.is_shown
                           limit %(most)s
                       ) counted
                   ) as count
            from (select label from names where label is not null limit %(limit)s) found
            order by found.label
            """,
            {"owner": owner, "after": after, "limit": limit, "most": most},
        )
        return await cursor.fetchall()


async def list_taught(conn: Connection, *, owner: int, label_id: int | None = None) -> list[Taught]:
    """What the owner taught, by its name, or just this."""
    async with conn.cursor(row_factory=struct_row(Taught)) as cursor:
        await cursor.execute(
            """
            select l.label_id, l.label, l.state, l.done, l.total, l.error, l.created_at, l.learnt_at,
                   (select count(*) from learnt_examples x where x.label_id = l.label_id and x.shows_it) as examples,
                   (select count(*) from learnt_examples x where x.label_id = l.label_id and not x.shows_it)
                       as counter_examples
            from learnt_labels l
            where l.owner_id = %(owner)s
              and (%(label)s::int is null or l.label_id = %(label)s)
            order by l.label
            """,
            {"owner": owner, "label": label_id},
        )
        return await cursor.fetchall()


async def count_taught(conn: Connection, *, owner: int) -> int:
    """How many labels the owner taught."""
    cursor = await conn.execute("select count(*) from learnt_labels where owner_id = %s", (owner,))
    return int((await cursor.fetchall())[0][0])


async def add(conn: Connection, label: str, *, owner: int) -> int | None:
    """A label to be learnt, without examples so far; None when the owner taught it already."""
    cursor = await conn.execute(
        "insert into learnt_labels (owner_id, label) values (%s, %s) on conflict do nothing returning label_id",
        (owner, label),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def reopen(conn: Connection, label_id: int, *, owner: int) -> bool:
    """Have a label of the owner's learnt anew: whoever is at it finds that out. False for one that they do not have."""
    cursor = await conn.execute(
        """
        update learnt_labels
        set state = 'waiting', turn_at = now(), lease_epoch = lease_epoch + 1, lease_until = null, error = null
        where label_id = %s and owner_id = %s
        """,
        (label_id, owner),
    )
    return bool(cursor.rowcount)


async def save_examples(conn: Connection, label_id: int, asset_ids: Sequence[UUID], *, shows_it: bool) -> None:
    """Assets show what a label means, or do not; the last word counts."""
    await conn.execute(
        """
        insert into learnt_examples (label_id, asset_id, shows_it)
        select %s, asset_id, %s
        from unnest(%s::uuid[]) given (asset_id)
        order by asset_id
        on conflict (label_id, asset_id) do update
        set shows_it = excluded.shows_it
        """,
        (label_id, shows_it, sorted(set(asset_ids))),
    )


async def forget(conn: Connection, label_id: int, *, owner: int) -> bool:
    """Nobody knows any more what a label of the owner's means, and no asset has it but where a model says the same."""
    cursor = await conn.execute(
        "delete from learnt_labels where label_id = %s and owner_id = %s returning label", (label_id, owner)
    )
    row = await cursor.fetchone()
    if row is None:
        return False
    await _take_back(conn, row[0], owner=owner)
    return True


async def _take_back(conn: Connection, label: str, *, owner: int) -> None:
    """Nobody is said to have taught it; the assets are held, for what a model says moves it between the tables."""
    given = {"label": label, "owner": owner}
    await conn.execute(
        """
        select
        from assets
        where owner_id = %(owner)s
          and asset_id in (
              select asset_id from labels where owner_id = %(owner)s and label = %(label)s and source = 'learnt'
              union all
              select asset_id from lesser_labels where label = %(label)s and source = 'learnt'
          )
        order by asset_id
        for share
        """,
        given,
    )
    await conn.execute(
        """
        delete from lesser_labels l
        using assets a
        where l.label = %(label)s and l.source = 'learnt' and a.asset_id = l.asset_id and a.owner_id = %(owner)s
        """,
        given,
    )
    await conn.execute(
        "delete from labels where owner_id = %(owner)s and label = %(label)s and source = 'learnt'", given
    )
