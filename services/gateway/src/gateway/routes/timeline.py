"""A library by time: its months, their days, and the pictures of one of them."""

from http import HTTPStatus
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter

from common.db import Connection
from gateway import timeline
from gateway.declared import Header, may, takes
from gateway.errors import Unusable
from gateway.policies import READ
from gateway.queries import timeline as queries
from gateway.queries.users import User
from gateway.reading import MAY_LAG
from gateway.schemas import Envelope
from gateway.serving import Request
from gateway.timeline_schemas import (
    MOST,
    Bucket,
    BucketRequest,
    Day,
    DayList,
    DaysRequest,
    Month,
    MonthList,
    MonthsRequest,
)

IN_TIME = may(Unusable)
KNOWN = takes(None, Header("If-None-Match", "The ETag of an earlier answer: 304 while it is the same."))
AGAIN = {"Cache-Control": "private, no-cache"}


@get("/timeline/months", opt=READ | MAY_LAG)
async def list_months(conn: NamedDependency[Connection], user: NamedDependency[User]) -> Envelope[MonthList]:
    """How many of the caller's assets each month has."""
    return Envelope(data=timeline.months(await queries.list_months(conn, owner=user.user_id)))


@post("/timeline/months", status_code=200, opt=READ | MAY_LAG | IN_TIME)
async def count_months(
    conn: NamedDependency[Connection], user: NamedDependency[User], data: JSONBody[MonthsRequest]
) -> Envelope[MonthList]:
    """How many of the caller's assets each month has that a filter wants."""
    async with timeline.within_time(conn):
        found = await queries.count_months(conn, data.filter, owner=user.user_id)
    return Envelope(data=timeline.months(found))


@get("/timeline/days", opt=READ | MAY_LAG)
async def list_days(
    conn: NamedDependency[Connection], user: NamedDependency[User], month: FromQuery[Month]
) -> Envelope[DayList]:
    """How many of the caller's assets each day of a month has."""
    found = await queries.list_days(conn, timeline.span_of(month), owner=user.user_id)
    return Envelope(data=timeline.days(month, found))


@post("/timeline/days", status_code=200, opt=READ | MAY_LAG | IN_TIME)
async def count_days(
    conn: NamedDependency[Connection], user: NamedDependency[User], data: JSONBody[DaysRequest]
) -> Envelope[DayList]:
    """How many of the caller's assets each day of a month has that a filter wants."""
    async with timeline.within_time(conn):
        found = await queries.count_days(conn, data.filter, timeline.span_of(data.month), owner=user.user_id)
    return Envelope(data=timeline.days(data.month, found))


@get("/timeline/bucket", opt=READ | MAY_LAG | IN_TIME | KNOWN)
async def get_bucket(
    request: Request,
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    month: FromQuery[Month | None] = None,
    day: FromQuery[Day | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 1000,
    after: FromQuery[str | None] = None,
) -> Response[Envelope[Bucket]]:
    """The caller's assets of a month or a day, the newest first; 304 while nothing of the page has changed."""
    wanted = BucketRequest(month=month, day=day, limit=limit, after=after)
    body = await timeline.bucket(conn, wanted, owner=user.user_id)
    headers = AGAIN | {"ETag": timeline.version(body)}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return _written(b"", headers, HTTPStatus.NOT_MODIFIED)
    return _written(body, headers)


@post("/timeline/bucket", status_code=200, opt=READ | MAY_LAG | IN_TIME)
async def find_bucket(
    conn: NamedDependency[Connection], user: NamedDependency[User], data: JSONBody[BucketRequest]
) -> Response[Envelope[Bucket]]:
    """The caller's assets of a month or a day that a filter wants, the newest first."""
    return _written(await timeline.bucket(conn, data, owner=user.user_id), {})


def _written(body: bytes, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> Response[Any]:
    """An envelope that is JSON already."""
    return Response(body, headers=headers, status_code=status, media_type="application/json")


HANDLERS = [list_months, count_months, list_days, count_days, get_bucket, find_bucket]
