"""The SQL of where a list begins: along which table its assets are met, in which order, and what holds of them."""

from collections.abc import Sequence
from typing import Literal, LiteralString, NamedTuple

from msgspec import Struct, structs
from psycopg.sql import SQL, Composed

from gateway.filter_schemas import AssetFilter
from gateway.queries import filters

Sort = Literal["taken", "uploaded", "filename", "size", "rating"]


class Order(Struct, frozen=True, kw_only=True):
    """How a list is sorted: by what, and whether the least comes first."""

    by: Sort = "taken"
    is_ascending: bool = False


class Key(NamedTuple):
    """One of the values that an order goes by, as the indexes have it."""

    text: LiteralString
    type: LiteralString


KEYS: dict[Sort, tuple[Key, ...]] = {
    "taken": (Key("{sort_at}", "timestamp"),),
    "uploaded": (Key("a.uploaded_at", "timestamptz"),),
    "filename": (Key("lower(a.original_filename collate pg_c_utf8)", "text"),),
    "size": (Key("a.size", "bigint"),),
    "rating": (Key("coalesce(a.rating, 0::smallint)", "smallint"), Key("{sort_at}", "timestamp")),
}


class Source(NamedTuple):
    """The tables of a walk, where its time and ids stand, and what chooses in the first of them by itself."""

    tables: LiteralString
    sort_at: LiteralString = "a.sort_at"
    asset_id: LiteralString = "a.asset_id"
    chosen: LiteralString = "true"

    def alone(self) -> "Source":
        """Without the assets."""
        return self._replace(tables=self.tables.partition(" join ")[0])


ASSETS = Source("assets a")

WALKED_BY = {
    "tag": Source(
        "asset_tags x join assets a on a.asset_id = x.asset_id",
        "x.sort_at",
        "x.asset_id",
        "x.tag_id = (select tag_id from tags where owner_id = %(owner)s and path = %(tag)s)",
    ),
    "label": Source(
        "labels x join assets a on a.asset_id = x.asset_id",
        "x.sort_at",
        "x.asset_id",
        "x.owner_id = %(owner)s and x.label = %(label)s",
    ),
    "album_id": Source(
        "album_assets x join assets a on a.asset_id = x.asset_id",
        "x.sort_at",
        "x.asset_id",
        "x.album_id = %(album_id)s and x.is_there",
    ),
}
"""What has an index of its own in the order of time."""

EVERYTHING = AssetFilter()

STRAIGHT = {
    *("type", "camera_make", "camera", "lens", "country", "region", "city", "rating", "liked", "raw", "has_gps"),
    *("tag", "label", "album_id", "archived", "trashed"),
}
"""What indexes have in the order of time."""


class Walk(NamedTuple):
    """Along which table, and what holds of the assets that are wanted, among all that are in the lists at all.

    A straight one meets what is wanted only, one after the other. What several have can be asked of each instead.
    """

    source: Source
    scope: Composed
    where: Composed
    values: filters.Values
    is_straight: bool
    several: Sequence["Walk"] = ()


def walk(wanted: AssetFilter, order: Order, *, owner: int) -> Walk:
    """Where to begin: whoever asks for a tag or a label in the order of time walks along what has it."""
    chosen = _chosen(wanted)
    by = next((name for name in WALKED_BY if name in chosen and order.by == "taken" and not wanted.trashed), None)
    where, values = filters.condition(structs.replace(wanted, **{by: None}) if by else wanted, owner=owner)
    source = WALKED_BY[by] if by else ASSETS
    if by:
        values |= {by: getattr(wanted, by)}
        where = SQL("{} and {}").format(where, _by_itself(source, wanted))
    is_straight = (not chosen and (order.by == "taken" or wanted.taken is None)) or (
        order.by == "taken" and len(chosen) == 1 and chosen <= STRAIGHT
    )
    is_met = order.by == "taken" and len(chosen) > 1 and chosen <= STRAIGHT - {"archived", "trashed"}
    several = [_alone(name, wanted, order, owner=owner) for name in sorted(chosen)] if is_met else []
    return Walk(source, filters.scope(wanted), where, values, is_straight, several)


def _alone(name: str, wanted: AssetFilter, order: Order, *, owner: int) -> Walk:
    """What has one of the wanted values, seen by its own index only."""
    way = walk(AssetFilter(**{name: getattr(wanted, name)}, taken=wanted.taken), order, owner=owner)
    if way.source is ASSETS:
        return way
    return way._replace(source=way.source.alone(), where=_by_itself(way.source, wanted))


def _by_itself(source: Source, wanted: AssetFilter) -> Composed:
    return SQL("{} and {}").format(SQL(source.chosen), filters.within(wanted.taken, source.sort_at))


def _chosen(wanted: AssetFilter) -> set[str]:
    """By what a filter chooses, besides the time, which each order of time has."""
    names = AssetFilter.__struct_fields__
    return {name for name in names if name != "taken" and getattr(wanted, name) != getattr(EVERYTHING, name)}
