"""The timeline: what is counted beforehand is read, and what a filter counts may not take long."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import psycopg
from blake3 import blake3
from msgspec import json

from common.db import Connection
from gateway import cursors
from gateway.errors import Invalid, Unusable
from gateway.queries import timeline as queries
from gateway.queries.timeline import DAY, MONTH, Columns, Cursor, DayCount, MonthCount, Span
from gateway.timeline_schemas import BucketRequest, DayList, MonthList


def months(found: list[MonthCount]) -> MonthList:
    """Months as clients see them."""
    return MonthList(months=found, total=sum(month.count for month in found))


def days(month: str, found: list[DayCount]) -> DayList:
    """The days of a month as clients see them."""
    return DayList(month=month, days=found, total=sum(day.count for day in found))


def span_of(month: str) -> Span:
    """A month of the calendar; Invalid for one that is none."""
    return Span(start=_day(f"{month}-01"), length=MONTH)


async def bucket(conn: Connection, wanted: BucketRequest, *, owner: int) -> bytes:
    """A page of the wanted assets, as the whole answer."""
    async with within_time(conn):
        found = await queries.find_columns(
            conn,
            wanted.filter,
            _span(wanted),
            owner=owner,
            after=None if wanted.after is None else cursors.read(wanted.after, Cursor),
            limit=wanted.limit,
        )
    return b'{"code":0,"message":"success","data":%b}' % _with_next(found, limit=wanted.limit)


def version(body: bytes) -> str:
    """What tells this answer from others, as an ETag."""
    return f'"{blake3(body).hexdigest(16)}"'


@asynccontextmanager
async def within_time(conn: Connection) -> AsyncIterator[None]:
    """What takes longer than people wait is refused, in words, and holds up nobody."""
    try:
        await queries.hurry(conn)
        yield
    except psycopg.errors.QueryCanceled:
        raise Unusable(f"this takes longer than {queries.SECONDS} s to count: narrow the filter") from None


def _span(wanted: BucketRequest) -> Span:
    if (wanted.month is None) == (wanted.day is None):
        raise Invalid("either `month` or `day` says which bucket is wanted")
    if wanted.day is not None:
        return Span(start=_day(wanted.day), length=DAY)
    return span_of(wanted.month or "")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"there is no day {text}") from None


def _with_next(found: Columns, *, limit: int) -> bytes:
    """The columns, with the way to the page after them if there may be one."""
    columns = found.columns.encode()
    if found.count < limit or found.sort_at is None or found.asset_id is None:
        return columns
    following = cursors.write(Cursor(sort_at=found.sort_at, asset_id=found.asset_id))
    return columns.removesuffix(b"}") + b',"next":' + json.encode(following) + b"}"
