"""Which assets that look alike are a group, and which of them is the best."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from common.db import Connection
from gateway.queries import duplicates as queries
from gateway.queries.assets import Asset

MOST_MEMBERS = 100
SEEDS = 100


class Group(NamedTuple):
    """Assets of which each is like another one, and whether there are more than are shown."""

    asset_ids: list[UUID]
    has_more: bool


class Page(NamedTuple):
    """Some groups, and after which asset the next ones follow if there are any."""

    groups: list[Group]
    end: UUID | None


async def list_groups(conn: Connection, *, owner: int, after: UUID | None, limit: int) -> Page:
    """Groups of the owner's assets that look alike, each once, in the order of the smallest id of each."""
    groups: list[Group] = []
    while True:
        seeds = await queries.list_seeds(conn, owner=owner, after=after, limit=SEEDS)
        grown = await _grow(conn, seeds, owner=owner)
        for seed in seeds:
            after = seed
            if min(grown[seed].asset_ids) == seed:
                groups.append(grown[seed])
            if len(groups) == limit:
                return Page(groups, after)
        if len(seeds) < SEEDS:
            return Page(groups, None)


def ranked(copies: Iterable[Asset]) -> list[Asset]:
    """The best one first: of the most pixels, then the one taken first, with most said of it, with the largest file."""
    return sorted(copies, key=_worth)


def _worth(asset: Asset) -> tuple[object, ...]:
    pixels = (asset.width or 0) * (asset.height or 0)
    return (-pixels, asset.sort_at, -len(asset.edits), -asset.size, asset.asset_id)


async def _grow(conn: Connection, seeds: Sequence[UUID], *, owner: int) -> dict[UUID, Group]:
    """What can be reached from each seed, step by step and all seeds at once, until a group is full or complete."""
    reached = {seed: {seed: None} for seed in seeds}
    edges = reached
    while wanted := {one for new in edges.values() for one in new}:
        alike: dict[UUID, list[UUID]] = {}
        for asset_id, other in await queries.list_alike(conn, sorted(wanted), owner=owner, most=MOST_MEMBERS):
            alike.setdefault(asset_id, []).append(other)
        found = {seed: {other: None for one in new for other in alike.get(one, ())} for seed, new in edges.items()}
        edges = {seed: {one: None for one in new if one not in reached[seed]} for seed, new in found.items()}
        for seed, new in edges.items():
            reached[seed].update(new)
        edges = {seed: new for seed, new in edges.items() if new and len(reached[seed]) <= MOST_MEMBERS}
    return {seed: _group(list(members)) for seed, members in reached.items()}


def _group(members: list[UUID]) -> Group:
    return Group(members[:MOST_MEMBERS], len(members) > MOST_MEMBERS)
