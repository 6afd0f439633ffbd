"""Searches in plain words: times and places narrow, and all else is found by as many parts as there are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, structs

from common.db import Connection
from gateway import cursors, lists, meaning, ranking
from gateway.asset_schemas import AssetList
from gateway.errors import Invalid, Unusable
from gateway.filter_schemas import AssetFilter
from gateway.list_schemas import SearchAnswer, SearchPart, SearchRequest, Understood
from gateway.queries import lists as queries
from gateway.queries import on_this_day, vectors, walks
from gateway.queries.lists import Page
from gateway.queries.vectors import Space
from gateway.queries.walks import Order
from gateway.query_vectors import QueryVectors, Unanswered
from gateway.ranking import Ranked, Sought
from gateway.reading import Connect
from gateway.vocabulary import Vocabularies

FEW = 20
"""Where times and places leave fewer, what is found without them follows."""
MOST_LETTERS = 200
NO_SPACE = "no inference server has told yet what pictures show"
NO_WORDS = "no word says what a picture is to show"
IN_NAMES = re.compile(r"[\d_]|\w\.\w")


class Place(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of what was found ended."""

    at: int
    asset_id: UUID


class Pictured(NamedTuple):
    """Where words lie among pictures, or why nobody knows."""

    where: tuple[Space, Sequence[float]] | None
    why_not: str = ""


@dataclass(frozen=True)
class Search:
    """Everything that finding takes; no connection to the database is held while the bus is asked."""

    connect: Connect
    query_vectors: QueryVectors
    vocabularies: Vocabularies

    async def find(self, asked: SearchRequest, *, owner: int) -> SearchAnswer:
        """A page of the owner's assets that are asked for, in the way that is asked for."""
        if "\0" in asked.query:
            raise Invalid("the query has a sign that is none: leave it out")
        if asked.search_type == "filename" or not asked.query.strip():
            async with self.connect() as conn:
                return _told(await lists.answer(conn, asked, owner=owner, query=asked.query), ["words"])
        if asked.search_type == "semantic":
            return await self._by_pictures(asked, owner)
        return await self._by_all(asked, owner)

    async def _by_pictures(self, asked: SearchRequest, owner: int) -> SearchAnswer:
        async with self.connect() as conn:
            space = await vectors.find_current_space(conn)
        pictured = await self._picture(space, asked.query)
        if pictured.where is None:
            raise Unusable(f"{pictured.why_not}: search by `filename` or `auto`")
        async with self.connect() as conn:
            ranked = await ranking.rank(conn, Sought("", Understood(), asked.filter, pictured.where), owner=owner)
            return _told(await _page(conn, asked, ranked, owner), ranked.parts)

    async def _by_all(self, asked: SearchRequest, owner: int) -> SearchAnswer:
        async with self.connect() as conn:
            known = await self.vocabularies.find(conn, owner=owner)
            told = meaning.read(asked.query, await _today(conn, asked), known)
            wanted = meaning.narrowed(asked.filter, told)
            if not told.words and not await _are_few(conn, wanted, owner):
                found = await lists.answer(conn, structs.replace(asked, filter=wanted), owner=owner)
                return _told(found, _narrowing(told), understood=told)
            space = await vectors.find_current_space(conn)
        pictured = await self._picture(space, _showable(told.words or asked.query))
        narrow = Sought(told.words, told, wanted, pictured.where if told.words else None)
        broad = Sought(asked.query, meaning.named(told, asked.query, known), asked.filter, pictured.where)
        async with self.connect() as conn:
            ranked, others_from = await _rank(conn, narrow, broad, owner)
            found = await _page(conn, asked, ranked, owner)
        left_out = {"semantic": pictured.why_not} if pictured.why_not else {}
        return _told(found, [*_narrowing(told), *ranked.parts], left_out, told, others_from)

    async def _picture(self, space: Space | None, text: str) -> Pictured:
        words = " ".join(text.split())[:MOST_LETTERS]
        if space is None or not words:
            return Pictured(None, NO_WORDS if space else NO_SPACE)
        try:
            return Pictured((space, await self.query_vectors.find(space, words)))
        except Unanswered as error:
            return Pictured(None, str(error))


async def _rank(conn: Connection, narrow: Sought, broad: Sought, owner: int) -> tuple[Ranked, int | UnsetType]:
    """What is of the times and places that are meant; where that is little, the others too, and from where on."""
    if not _narrowing(narrow.told):
        return await ranking.rank(conn, broad, owner=owner), UNSET
    first = await ranking.rank(conn, narrow, owner=owner)
    if len(first.asset_ids) >= FEW:
        return first, UNSET
    return ranking.followed(first, await ranking.rank(conn, broad, owner=owner)), len(first.asset_ids)


async def _page(conn: Connection, asked: SearchRequest, ranked: Ranked, owner: int) -> AssetList:
    """The part that is asked for; the place where a page ended is known by its last asset, if that is still there."""
    ids, start = ranked.asset_ids, asked.offset
    if asked.after is not None:
        ended = cursors.read(asked.after, Place)
        start += ids.index(ended.asset_id) + 1 if ended.asset_id in ids else max(ended.at, 0)
    page = ids[start : start + asked.limit]
    end = start + len(page)
    shown = await lists.show(conn, Page(page, None), asked, owner=owner)
    if page and end < len(ids):
        shown = structs.replace(shown, next=cursors.write(Place(at=end, asset_id=page[-1])))
    if asked.after is not None or asked.offset:
        return shown
    return structs.replace(shown, total=len(ids), total_is_at_least=ranked.is_cut or UNSET)


def _told(
    found: AssetList,
    parts: list[SearchPart],
    left_out: dict[str, str] | None = None,
    understood: Understood | UnsetType = UNSET,
    others_from: int | UnsetType = UNSET,
) -> SearchAnswer:
    return SearchAnswer(
        **structs.asdict(found), parts=parts, left_out=left_out or {}, understood=understood, others_from=others_from
    )


async def _today(conn: Connection, asked: SearchRequest) -> date:
    today = await on_this_day.find_today(conn)
    if asked.today is not None and abs(asked.today - today) > timedelta(days=1):
        raise Invalid("`today` is the day where you are: no more than one from that of UTC")
    return asked.today or today


async def _are_few(conn: Connection, wanted: AssetFilter, owner: int) -> bool:
    way = walks.walk(wanted, Order(), owner=owner)
    return await queries.list_few(conn, way, limit=FEW - 1) is not None


def _narrowing(told: Understood) -> list[SearchPart]:
    parts: dict[SearchPart, list[Any]] = {"dates": told.taken_in, "places": told.located_in}
    return [part for part, found in parts.items() if found]


def _showable(text: str) -> str:
    """Without what reads like the name of a file: no picture shows that."""
    return " ".join(word for word in text.split() if not IN_NAMES.search(word))
