"""What was taken on this day in other years."""

import calendar
import re
from datetime import date
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from common.db import Connection
from gateway import views
from gateway.asset_schemas import AssetDTO
from gateway.errors import Invalid
from gateway.on_this_day_schemas import DayBefore, DaysBefore
from gateway.policies import READ
from gateway.queries import assets
from gateway.queries import on_this_day as queries
from gateway.queries.on_this_day import Day
from gateway.queries.users import User
from gateway.reading import MAY_LAG
from gateway.schemas import Envelope

MOST = 10
FEBRUARY, LEAP_DAY = 2, 29
LEAP_YEAR = 2000


@get("/on-this-day", opt=READ | MAY_LAG)
async def list_days_before(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    wanted: Annotated[str, QueryParameter(name="date")] = "today",
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 5,
) -> Envelope[DaysBefore]:
    """The caller's pictures of a day, `MM-DD` or `today`, in other years: of each the liked and best rated first.

    `today` is by UTC: a client that knows better says the day. The 29th of February is remembered on the 28th of years
    that have none.
    """
    month, days = _days(await queries.find_today(conn)) if wanted == "today" else _read(wanted)
    found = await queries.list_days(conn, owner=user.user_id, month=month, days=days, limit=limit)
    ids = [asset_id for day in found for asset_id in day.asset_ids]
    cards = {one.asset_id: views.card(one) for one in await assets.list_assets(conn, ids, owner=user.user_id)}
    shown = [_day(day, [cards[asset_id] for asset_id in day.asset_ids if asset_id in cards]) for day in found]
    return Envelope(data=DaysBefore(date=f"{month:02}-{days[0]:02}", days=shown))


def _days(today: date) -> tuple[int, list[int]]:
    is_end = (today.month, today.day) == (FEBRUARY, LEAP_DAY - 1) and not calendar.isleap(today.year)
    return today.month, [today.day, LEAP_DAY] if is_end else [today.day]


def _read(text: str) -> tuple[int, list[int]]:
    """The month and the day in `MM-DD`; every day of a leap year is one."""
    found = re.fullmatch(r"([0-9]{2})-([0-9]{2})", text)
    try:
        day = date(LEAP_YEAR, *map(int, found.groups() if found else ()))
    except (TypeError, ValueError):
        raise Invalid("`date` is `MM-DD` or `today`") from None
    return day.month, [day.day]


def _day(day: Day, cards: list[AssetDTO]) -> DayBefore:
    return DayBefore(date=day.day.isoformat(), count=day.count, assets=cards)


HANDLERS = [list_days_before]
