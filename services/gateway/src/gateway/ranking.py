"""Ranks an owner's assets by each part of a search: a list for each word, name or picture that is looked for."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec import structs

from common.db import Connection
from gateway import fusing, meaning
from gateway.filter_schemas import AssetFilter
from gateway.list_schemas import SearchPart, Understood
from gateway.name_phrases import begins_in
from gateway.queries import lists, names, texts, vectors, walks
from gateway.queries.lists import Part
from gateway.queries.vectors import Space
from gateway.queries.walks import Order

EACH = 250
"""So many of each list are looked at."""
MOST = 500
MOST_LISTS = 4
"""Of tags and of labels."""


class Sought(NamedTuple):
    """What is looked for: words, names, what a picture is to show, and among which assets."""

    words: str
    told: Understood
    wanted: AssetFilter
    pictured: tuple[Space, Sequence[float]] | None


class Ranked(NamedTuple):
    """What was found, the best first; whether there may be more, and by which parts it was found."""

    asset_ids: list[UUID]
    is_cut: bool
    parts: list[SearchPart]


class Listed(NamedTuple):
    """What one part found, the best first; what is behind counts for less."""

    part: SearchPart
    asset_ids: list[UUID]
    is_behind: bool = False


async def rank(conn: Connection, sought: Sought, *, owner: int) -> Ranked:
    """The owner's assets that are sought, by all parts together; the newest where only a time or a place is known."""
    found = [one async for one in _lists(conn, sought, owner)]
    fused = fusing.fuse(
        (one.asset_ids for one in found if not one.is_behind), (one.asset_ids for one in found if one.is_behind)
    )
    counted = Counter(one.part for one in found for _ in one.asset_ids)
    is_cut = len(fused) > MOST or any(count >= EACH for count in counted.values())
    return Ranked(fused[:MOST], is_cut, list(dict.fromkeys(one.part for one in found)))


def followed(first: Ranked, others: Ranked) -> Ranked:
    """The others after the first ones."""
    together = list(dict.fromkeys([*first.asset_ids, *others.asset_ids]))
    parts = list(dict.fromkeys([*first.parts, *others.parts]))
    return Ranked(together[:MOST], first.is_cut or others.is_cut or len(together) > MOST, parts)


async def _lists(conn: Connection, sought: Sought, owner: int) -> AsyncIterator[Listed]:
    """What each part finds; of what is found equally well that which was said in words comes first."""
    told, wanted = sought.told, sought.wanted
    if words := _telling(await texts.list_words(conn, sought.words)):
        for is_behind, asset_ids in enumerate(await _worded(conn, wanted, words, owner)):
            yield Listed("words", asset_ids, bool(is_behind))
    for path in told.tags[:MOST_LISTS] if wanted.tag is None else []:
        yield Listed("tags", await _newest(conn, structs.replace(wanted, tag=path), owner))
    for label in told.labels[:MOST_LISTS] if wanted.label is None else []:
        yield Listed("labels", await _newest(conn, structs.replace(wanted, label=label), owner))
    if told.cameras:
        yield Listed("cameras", await names.list_by_cameras(conn, wanted, told.cameras, owner=owner, limit=EACH))
    if sought.pictured:
        space, vector = sought.pictured
        near = await vectors.nearest(conn, space, vector, wanted, owner=owner, limit=EACH)
        yield Listed("semantic", [asset_id for asset_id, _ in near])
    if not words and not sought.pictured:
        yield Listed("dates" if told.dates else "places", await _newest(conn, wanted, owner))


async def _worded(conn: Connection, wanted: AssetFilter, words: list[str], owner: int) -> list[list[UUID]]:
    """The newest in which words begin so, and those in the middle of whose words they are: no vacation is a cat."""
    page = await texts.list_page(conn, wanted, words, Order(), Part(EACH), owner=owner)
    said = await texts.list_texts(conn, page.asset_ids)
    split: list[list[UUID]] = [[], []]
    for asset_id in page.asset_ids:
        split[not all(begins_in(said.get(asset_id, ""), word) for word in words)].append(asset_id)
    return split


async def _newest(conn: Connection, wanted: AssetFilter, owner: int) -> list[UUID]:
    way = walks.walk(wanted, Order(), owner=owner)
    return (await lists.list_page(conn, way, Order(), Part(EACH))).asset_ids


def _telling(words: list[str]) -> list[str]:
    """The words without those that stand in any sentence, unless there are no others."""
    return [word for word in words if word not in meaning.SMALL_WORDS | meaning.PICTURES] or words
