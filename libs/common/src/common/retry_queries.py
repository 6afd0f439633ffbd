"""The SQL of trying again what failed."""

from datetime import datetime
from uuid import UUID

from common.db import Connection


async def find_now(conn: Connection) -> datetime:
    """The time by the one clock that counts."""
    cursor = await conn.execute("select now()")
    now: datetime = (await cursor.fetchall())[0][0]
    return now


async def list_owners(conn: Connection) -> list[int]:
    """Everybody who may have work."""
    cursor = await conn.execute("select user_id from users order by user_id")
    return [row[0] for row in await cursor.fetchall()]


async def retry_some(
    conn: Connection,
    *,
    owner: int,
    before: datetime,
    stage: str | None,
    error_class: str | None,
    repository: UUID | None,
    limit: int,
) -> int:
    """Make some of what failed until then due again, the oldest first; returns how many.

    A single one goes to the lane of what people wait for, others give way to it.
    """
    cursor = await conn.execute(
        """
        with failed as (
            select asset_id, stage
            from asset_stages s
            where pile = 'failed'
              and owner_id = %(owner)s
              and changed_at <= %(before)s
              and (%(stage)s::text is null or stage = %(stage)s)
              and (%(class)s::text is null or error_class = %(class)s)
              and (%(repository)s::uuid is null or %(repository)s in (
                  select repository_id from file_records f where f.asset_id = s.asset_id
                  union all
                  select repository_id from uploads u where u.asset_id = s.asset_id and u.state = 'staged'
              ))
            order by changed_at, asset_id, stage
            limit %(limit)s
            for update skip locked
        )
        update asset_stages s
        set state = 'pending', next_at = now(), deaths = 0, failures = 0,
            lane = case (select count(*) from failed) when 1 then 0 else 1 end,
            error_class = null, error = null, changed_at = now()
        from failed
        where s.asset_id = failed.asset_id
          and s.stage = failed.stage
        """,
        {
            "owner": owner,
            "before": before,
            "stage": stage,
            "class": error_class,
            "repository": repository,
            "limit": limit,
        },
    )
    return cursor.rowcount
