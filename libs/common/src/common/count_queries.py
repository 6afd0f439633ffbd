"""The SQL of counts by day and month: changes are added up from time to time, so that reading them stays cheap."""

from common.db import Connection


async def add_up(conn: Connection, *, limit: int) -> int:
    """Add a batch of changes to the counts; returns how many there were."""
    cursor = await conn.execute(
        """
        with changes as (
            delete from day_count_changes
            where change_id in (
                select change_id from day_count_changes order by change_id limit %s for update skip locked
            )
            returning owner_id, day, kind, shown, files, bytes
        ),
        added as (
            insert into day_counts as c (owner_id, day, kind, shown, files, bytes)
            select owner_id, day, kind, sum(shown), sum(files), sum(bytes)
            from changes
            group by owner_id, day, kind
            order by owner_id, day, kind
            on conflict (owner_id, day, kind) do update
            set shown = c.shown + excluded.shown, files = c.files + excluded.files, bytes = c.bytes + excluded.bytes
        ),
        added_months as (
            insert into month_counts as c (owner_id, month, kind, shown, files, bytes)
            select owner_id, date_trunc('month', day)::date, kind, sum(shown), sum(files), sum(bytes)
            from changes
            group by 1, 2, 3
            order by 1, 2, 3
            on conflict (owner_id, month, kind) do update
            set shown = c.shown + excluded.shown, files = c.files + excluded.files, bytes = c.bytes + excluded.bytes
        )
        select count(*) from changes
        """,
        (limit,),
    )
    return int((await cursor.fetchall())[0][0])


async def correct_days(conn: Connection) -> int:
    """Write down as changes what the counts say too much or too little; returns how many days that were.

    It is one statement, so it sees assets and counts as of one moment and may run while others write.
    """
    cursor = await conn.execute(
        """
        insert into day_count_changes (owner_id, day, kind, shown, files, bytes)
        select owner_id, day, kind, sum(shown), sum(files), sum(bytes)
        from (
            select owner_id, sort_at::date as day, kind, is_shown::int as shown, 1 as files, size as bytes
            from assets
            union all
            select owner_id, day, kind, -shown, -files, -bytes
            from day_counts
            union all
            select owner_id, day, kind, -shown, -files, -bytes
            from day_count_changes
        ) both_sides
        group by owner_id, day, kind
        having (sum(shown), sum(files), sum(bytes)) <> (0, 0, 0)
        """
    )
    return cursor.rowcount


async def correct_months(conn: Connection) -> int:
    """Have the months be the sums of their days again; returns how many were not."""
    await conn.execute("lock table day_counts, month_counts in share row exclusive mode")
    await conn.execute("delete from day_counts where (shown, files, bytes) = (0, 0, 0)")
    await conn.execute("delete from month_counts where (shown, files, bytes) = (0, 0, 0)")
    cursor = await conn.execute(
        """
        merge into month_counts c
        using (
            select owner_id, month, kind, sum(shown) as shown, sum(files) as files, sum(bytes) as bytes
            from (
                select owner_id, date_trunc('month', day)::date as month, kind, shown, files, bytes
                from day_counts
                union all
                select owner_id, month, kind, 0, 0, 0
                from month_counts
            ) all_months
            group by owner_id, month, kind
        ) truth
        on (c.owner_id, c.month, c.kind) = (truth.owner_id, truth.month, truth.kind)
        when matched and (truth.shown, truth.files, truth.bytes) = (0, 0, 0) then delete
        when matched and (c.shown, c.files, c.bytes) <> (truth.shown, truth.files, truth.bytes) then
            update set shown = truth.shown, files = truth.files, bytes = truth.bytes
        when not matched then
            insert (owner_id, month, kind, shown, files, bytes)
            values (truth.owner_id, truth.month, truth.kind, truth.shown, truth.files, truth.bytes)
        """
    )
    return cursor.rowcount


async def list_miscounts(conn: Connection) -> list[str]:
    """Days and months that are counted wrong, in words."""
    cursor = await conn.execute(
        """
        select format('user %s: %s %s are counted %s too many shown, %s files and %s bytes too many',
                      owner_id, kind, day, sum(shown), sum(files), sum(bytes))
        from (
            select owner_id, sort_at::date::text as day, kind, -is_shown::int as shown, -1 as files, -size as bytes
            from assets
            union all
            select owner_id, day::text, kind, shown, files, bytes
            from day_counts
            union all
            select owner_id, day::text, kind, shown, files, bytes
            from day_count_changes
            union all
            select owner_id, 'in ' || to_char(day, 'YYYY-MM'), kind, -shown, -files, -bytes
            from day_counts
            union all
            select owner_id, 'in ' || to_char(month, 'YYYY-MM'), kind, shown, files, bytes
            from month_counts
        ) both_sides
        group by owner_id, day, kind
        having (sum(shown), sum(files), sum(bytes)) <> (0, 0, 0)
        order by owner_id, day, kind
        """
    )
    return [row[0] for row in await cursor.fetchall()]
