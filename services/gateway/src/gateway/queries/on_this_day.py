"""The SQL of what was taken on a day of the year."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from common.db import Connection, struct_row

MOST_YEARS = 50


class Day(Struct, frozen=True, kw_only=True):
    """A day that has pictures: how many, and some of them."""

    day: date
    count: int
    asset_ids: list[UUID]


async def find_today(conn: Connection) -> date:
    """The day by UTC."""
    cursor = await conn.execute("select current_date")
    day: date = (await cursor.fetchall())[0][0]
    return day


async def list_days(conn: Connection, *, owner: int, month: int, days: list[int], limit: int) -> list[Day]:
    """Those days of a month in all years that the owner has pictures of them, newest first, each with its best.

    The last three days are left out: what is today for somebody is never a memory.
    """
    async with conn.cursor(row_factory=struct_row(Day)) as cursor:
        await cursor.execute(
            """
            with months as (
                select month
                from month_counts
                where owner_id = %(owner)s and extract(month from month) = %(month)s
                union
                select date_trunc('month', day)::date
                from day_count_changes
                where owner_id = %(owner)s and extract(month from day) = %(month)s
            ),
            found as (
                select m.month + wanted.day - 1 as day, counted.count
                from months m
                cross join unnest(%(days)s::int[]) wanted (day)
                cross join lateral (
                    select count(*)::int as count
                    from assets a
                    where a.owner_id = %(owner)s
                      and a.is_shown
                      and a.sort_at >= m.month + wanted.day - 1
                      and a.sort_at < m.month + wanted.day
                ) counted
                where counted.count > 0
                  and extract(month from m.month + wanted.day - 1) = %(month)s
                  and m.month + wanted.day - 1 < current_date - 2
                order by day desc
                limit %(years)s
            )
            select f.day, f.count, array(
                select a.asset_id
                from assets a
                where a.owner_id = %(owner)s and a.is_shown and a.sort_at >= f.day and a.sort_at < f.day + 1
                order by a.liked desc, a.rating desc nulls last, a.sort_at desc, a.asset_id desc
                limit %(limit)s
            ) as asset_ids
            from found f
            order by f.day desc
            """,
            {"owner": owner, "month": month, "days": days, "limit": limit, "years": MOST_YEARS},
        )
        return await cursor.fetchall()
