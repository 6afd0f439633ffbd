"""Knows what each owner's places, tags, labels and cameras are called, as it was a moment ago."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from common.db import Connection
from gateway.date_spans import FIRST_YEAR
from gateway.name_phrases import Kind, Name, Vocabulary, vocabulary
from gateway.queries import names, options

FRESH_SECONDS = 30.0
MOST_OWNERS = 64
PLACES: dict[str, Kind] = {"countries": "country", "regions": "region", "cities": "city"}
CAMERAS: dict[str, Kind] = {"camera_makes": "camera_make", "cameras": "camera"}


class Known(NamedTuple):
    """The names of a library, and the year that it begins with."""

    places: Vocabulary
    things: Vocabulary
    since: int


@dataclass
class Vocabularies:
    """Asks for the names of an owner once in a while."""

    _kept: OrderedDict[int, tuple[float, Known]] = field(default_factory=OrderedDict)

    async def find(self, conn: Connection, *, owner: int) -> Known:
        """The names of an owner; what is named for the first time is known half a minute later."""
        now = asyncio.get_running_loop().time()
        when, known = self._kept.get(owner, (0.0, None))
        if known is None or now - when > FRESH_SECONDS:
            known = await _ask(conn, owner)
            self._kept[owner] = (now, known)
            if len(self._kept) > MOST_OWNERS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(owner)
        return known


async def _ask(conn: Connection, owner: int) -> Known:
    values = await options.list_values(conn, owner=owner, most=names.MOST_NAMES)
    ends = await options.find_ends(conn, owner=owner)
    places = [Name(kind, value) for facet, kind in PLACES.items() for value in values[facet]]
    things = [Name(kind, value) for facet, kind in CAMERAS.items() for value in values[facet]]
    things += [Name("tag", path) for path in await names.list_tags(conn, owner=owner)]
    things += [Name("label", label) for label in await names.list_labels(conn, owner=owner)]
    return await asyncio.to_thread(_known, places, things, ends.taken_from.year if ends.taken_from else FIRST_YEAR)


def _known(places: list[Name], things: list[Name], since: int) -> Known:
    return Known(vocabulary(places), vocabulary(things), since)
