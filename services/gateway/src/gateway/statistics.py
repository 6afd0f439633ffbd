"""Puts the numbers of a library together."""

from collections.abc import Iterable
from itertools import groupby

from common.db import Connection
from gateway.queries import statistics as queries
from gateway.queries.statistics import Places, Total, YearTotals
from gateway.statistics_schemas import KindTotals, Statistics, Storage
from gateway.views import TYPES


async def of(conn: Connection, *, owner: int, top: int) -> Statistics:
    """All that is told of an owner's library."""
    totals = await queries.list_totals(conn, owner=owner)
    located = await queries.count_located(conn, owner=owner)
    quota = await queries.find_quota(conn, owner=owner)
    shown, files, size = _sums(totals)
    return Statistics(
        shown=shown,
        kinds=_kinds(totals),
        years=_years(totals),
        cameras=await queries.list_cameras(conn, owner=owner, limit=top),
        lenses=await queries.list_lenses(conn, owner=owner, limit=top),
        places=Places(located=located, unlocated=max(0, shown - located)),
        put=await queries.find_put(conn, owner=owner),
        duplicates=await queries.find_duplicates(conn, owner=owner),
        storage=Storage(bytes=size, files=files, quota_bytes=quota.quota_bytes, quota_files=quota.quota_files),
    )


def _kinds(totals: list[Total]) -> list[KindTotals]:
    found = []
    for kind, name in TYPES.items():
        shown, files, size = _sums(total for total in totals if total.kind == kind)
        if files:
            found.append(KindTotals(type=name, shown=shown, files=files, bytes=size))
    return found


def _years(totals: list[Total]) -> list[YearTotals]:
    """Totals come in the order of their years."""
    found = []
    for year, of_it in groupby(totals, key=lambda total: total.year):
        shown, files, size = _sums(of_it)
        found.append(YearTotals(year=year, shown=shown, files=files, bytes=size))
    return found


def _sums(totals: Iterable[Total]) -> tuple[int, int, int]:
    every = list(totals)
    return sum(one.shown for one in every), sum(one.files for one in every), sum(one.bytes for one in every)
