"""The SQL of the timeline: counts by month and day, and the assets of one of them as columns."""

from datetime import date, datetime
from typing import Annotated, LiteralString
from uuid import UUID

import msgspec
from psycopg.sql import SQL

from common.db import Connection, struct_row
from gateway.filter_schemas import AssetFilter
from gateway.queries import filters


class MonthCount(msgspec.Struct, frozen=True, kw_only=True):
    month: str
    count: int


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    day: str
    count: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A month or a day, by the clocks where pictures were taken."""

    start: date
    length: LiteralString


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of a bucket ended."""

    sort_at: Annotated[datetime, msgspec.Meta(tz=False)]
    asset_id: UUID


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Assets of a span as the members of a JSON object, one list for each column, and the last of them."""

    columns: str
    count: int
    sort_at: datetime | None
    asset_id: UUID | None


MONTH: LiteralString = "1 month"
DAY: LiteralString = "1 day"
SECONDS = 5
"""How long anybody waits for what is counted while they wait."""


async def list_months(conn: Connection, *, owner: int) -> list[MonthCount]:
    """How many assets the owner's lists show of each month, newest first, from counts that are kept."""
    async with conn.cursor(row_factory=struct_row(MonthCount)) as cursor:
        await cursor.execute(
            """
            select to_char(month, 'YYYY-MM') as month, sum(shown)::int as count
            from (
                select month, shown
                from month_counts
                where owner_id = %(owner)s
                union all
                select date_trunc('month', day)::date, shown
                from day_count_changes
                where owner_id = %(owner)s
            ) counted
            group by counted.month
            having sum(shown) > 0
            order by counted.month desc
            """,
            {"owner": owner},
        )
        return await cursor.fetchall()


async def list_days(conn: Connection, month: Span, *, owner: int) -> list[DayCount]:
    """How many assets the owner's lists show of each day of a month, newest first, from counts that are kept."""
    async with conn.cursor(row_factory=struct_row(DayCount)) as cursor:
        await cursor.execute(
            """
            select day::text as day, sum(shown)::int as count
            from (
                select day, shown
                from day_counts
                where owner_id = %(owner)s and day >= %(start)s and day < %(start)s + interval '1 month'
                union all
                select day, shown
                from day_count_changes
                where owner_id = %(owner)s and day >= %(start)s and day < %(start)s + interval '1 month'
            ) counted
            group by counted.day
            having sum(shown) > 0
            order by counted.day desc
            """,
            {"owner": owner, "start": month.start},
        )
        return await cursor.fetchall()


async def count_months(conn: Connection, wanted: AssetFilter, *, owner: int) -> list[MonthCount]:
    """How many of the owner's assets are wanted of each month, newest first, counted now."""
    where, values = filters.condition(wanted, owner=owner)
    statement = SQL(
        """
        select to_char(month, 'YYYY-MM') as month, count
        from (
            select date_trunc('month', a.sort_at) as month, count(*)::int as count
            from assets a
            where {where}
            group by 1
        ) counted
        order by counted.month desc
        """
    )
    async with conn.cursor(row_factory=struct_row(MonthCount)) as cursor:
        await cursor.execute(statement.format(where=where), values)
        return await cursor.fetchall()


async def count_days(conn: Connection, wanted: AssetFilter, month: Span, *, owner: int) -> list[DayCount]:
    """How many of the owner's assets are wanted of each day of a month, newest first, counted now."""
    where, values = filters.condition(wanted, owner=owner)
    statement = SQL(
        """
        select a.sort_at::date::text as day, count(*)::int as count
        from assets a
        where {where}
          and a.sort_at >= %(start)s and a.sort_at < %(start)s::date + interval '1 month'
        group by a.sort_at::date
        order by a.sort_at::date desc
        """
    )
    async with conn.cursor(row_factory=struct_row(DayCount)) as cursor:
        await cursor.execute(statement.format(where=where), values | {"start": month.start})
        return await cursor.fetchall()


async def find_columns(
    conn: Connection, wanted: AssetFilter, span: Span, *, owner: int, after: Cursor | None, limit: int
) -> Columns:
    """The owner's assets of a span that are wanted and come after the cursor, newest first.

    The database writes the JSON, for taking thousands of rows apart here would cost more than finding them.
    """
    where, values = filters.condition(wanted, owner=owner)
    statement = SQL(
        """
        with page as (
            select a.asset_id, a.kind, a.width, a.height, a.thumbhash, a.sort_at, a.duration, a.rating, a.liked,
                   coalesce(a.edited_offset_minutes, a.taken_offset_minutes) as offset_minutes
            from assets a
            where {where}
              and a.sort_at >= %(start)s and a.sort_at < %(start)s::date + %(length)s::interval{beyond}
            order by a.sort_at desc, a.asset_id desc
            limit %(limit)s
        )
        select json_build_object(
                   'asset_ids', coalesce(json_agg(asset_id), '[]'),
                   'types', coalesce(json_agg(upper(page.kind)), '[]'),
                   'ratios', coalesce(json_agg(round(width::numeric / nullif(height, 0), 4)), '[]'),
                   'thumbhashes', coalesce(json_agg(translate(encode(thumbhash, 'base64'), E'\\n', '')), '[]'),
                   'local_times', coalesce(json_agg(sort_at), '[]'),
                   'offset_minutes', coalesce(json_agg(offset_minutes), '[]'),
                   'durations', coalesce(json_agg(duration), '[]'),
                   'ratings', coalesce(json_agg(rating), '[]'),
                   'liked', coalesce(json_agg(liked), '[]'),
                   'has_motion', coalesce(json_agg(
                       (stack.kind, stack.role) is not distinct from ('live', 'still')
                       or exists (select from renditions r where r.asset_id = page.asset_id and r.kind = 'motion')
                   ), '[]'),
                   'stacks', coalesce(json_agg(stack.kind), '[]')
               )::text as columns,
               count(*)::int as count,
               (array_agg(sort_at))[count(*)] as sort_at,
               (array_agg(asset_id))[count(*)] as asset_id
        from page
        left join lateral (
            select own.kind, own.role
            from stack_keys own
            where own.asset_id = page.asset_id
              and exists (
                  select
                  from stack_keys other
                  join assets o on o.asset_id = other.asset_id and o.trashed_at is null and o.missing_since is null
                  where (other.owner_id, other.kind, other.key) = (own.owner_id, own.kind, own.key)
                    and other.asset_id <> own.asset_id
              )
            order by own.kind
            limit 1
        ) stack on true
        """
    )
    beyond = SQL(" and (a.sort_at, a.asset_id) < (%(sort_at)s, %(asset_id)s)" if after else "")
    bounds = {"start": span.start, "length": span.length, "limit": limit}
    async with conn.cursor(row_factory=struct_row(Columns)) as cursor:
        await cursor.execute(
            statement.format(where=where, beyond=beyond),
            values | bounds | (msgspec.structs.asdict(after) if after else {}),
        )
        return (await cursor.fetchall())[0]


async def hurry(conn: Connection) -> None:
    """Let no statement of this transaction take longer than somebody waits for an answer."""
    await conn.execute("select set_config('statement_timeout', '5s', true)")
