"""A library in numbers, and for administrators how much each user has."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import UNSET

from common.db import Connection
from gateway import statistics
from gateway.declared import may
from gateway.errors import Unusable
from gateway.policies import ADMIN, READ
from gateway.queries import statistics as queries
from gateway.queries.users import User
from gateway.reading import MAY_LAG
from gateway.schemas import Envelope
from gateway.statistics_schemas import MOST, ServerStatistics, Statistics
from gateway.timeline import within_time

LARGEST_ID = 2**31 - 1


@get("/statistics", opt=READ | MAY_LAG | may(Unusable))
async def get_statistics(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    top: Annotated[int, QueryParameter(ge=1, le=MOST)] = 10,
) -> Envelope[Statistics]:
    """How much the caller has of what; `top` is how many cameras and lenses are told."""
    async with within_time(conn):
        return Envelope(data=await statistics.of(conn, owner=user.user_id, top=top))


@get("/statistics/server", opt=ADMIN | MAY_LAG)
async def get_server_statistics(
    conn: NamedDependency[Connection],
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = MOST,
    after: Annotated[int, QueryParameter(ge=0, le=LARGEST_ID)] = 0,
) -> Envelope[ServerStatistics]:
    """How much each user has. For administrators."""
    found = await queries.list_users(conn, after=after, limit=limit)
    following = found[-1].user_id if len(found) == limit else UNSET
    return Envelope(data=ServerStatistics(users=found, limit=limit, next=following))


HANDLERS = [get_statistics, get_server_statistics]
