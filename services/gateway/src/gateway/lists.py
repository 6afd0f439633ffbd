"""Answers lists: a page of cards in the order that is wanted, and how many there are."""

from msgspec import UNSET, structs

from common.db import Connection
from gateway import cursors, views
from gateway.asset_schemas import AssetList
from gateway.errors import Invalid
from gateway.filter_schemas import AssetFilter
from gateway.list_schemas import FilterOptions, FilterRequest
from gateway.queries import assets, lists, texts, walks
from gateway.queries import options as queries
from gateway.queries.lists import Cursor, Page, Part
from gateway.queries.options import MOST_VALUES
from gateway.queries.walks import KEYS, Order


async def answer(conn: Connection, asked: FilterRequest, *, owner: int, query: str = "") -> AssetList:
    """A page of what is asked for and has every word of the query; the first one tells how many there are."""
    order = Order(by=asked.sort_by, is_ascending=asked.sort_order == "asc")
    part = Part(asked.limit, _after(asked.after, order), asked.offset)
    words = await _words(conn, asked.filter, query)
    if words:
        page = await texts.list_page(conn, asked.filter, words, order, part, owner=owner)
    else:
        page = await lists.list_page(conn, walks.walk(asked.filter, order, owner=owner), order, part)
    shown = await show(conn, page, asked, owner=owner)
    if asked.after is not None or asked.offset:
        return shown
    if page.end is None or page.total is not None:
        return structs.replace(shown, total=len(shown.assets) if page.total is None else page.total)
    if words:
        total, is_least = await texts.count(conn, asked.filter, words, owner=owner)
    else:
        total, is_least = await lists.count(conn, asked.filter, owner=owner)
    return structs.replace(shown, total=total, total_is_at_least=is_least or UNSET)


async def show(conn: Connection, page: Page, asked: FilterRequest, *, owner: int) -> AssetList:
    """A page with the cards of its assets."""
    found = await assets.list_assets(conn, page.asset_ids, owner=owner)
    return AssetList(
        assets=[views.card(asset) for asset in found],
        limit=asked.limit,
        offset=asked.offset,
        next=cursors.write(page.end),
    )


async def options(conn: Connection, *, owner: int) -> FilterOptions:
    """What there is to choose by."""
    values = await queries.list_values(conn, owner=owner)
    ends = structs.asdict(await queries.find_ends(conn, owner=owner))
    return FilterOptions(
        camera_makes=values["camera_makes"][:MOST_VALUES],
        cameras=values["cameras"][:MOST_VALUES],
        lenses=values["lenses"][:MOST_VALUES],
        countries=values["countries"][:MOST_VALUES],
        regions=values["regions"][:MOST_VALUES],
        cities=values["cities"][:MOST_VALUES],
        ratings=await queries.list_ratings(conn, owner=owner),
        cut=[name for name, found in values.items() if len(found) > MOST_VALUES],
        **ends,
    )


async def _words(conn: Connection, wanted: AssetFilter, query: str) -> list[str]:
    """A file's name is looked for by its words too, before it is compared."""
    text = f"{query} {wanted.filename.value if wanted.filename else ''}"
    return await texts.list_words(conn, text) if text.strip() else []


def _after(text: str | None, order: Order) -> Cursor | None:
    if text is None:
        return None
    place = cursors.read(text, Cursor)
    if (place.by, place.is_ascending, len(place.keys)) != (order.by, order.is_ascending, len(KEYS[order.by]) + 1):
        raise Invalid("`after` is the `next` of a list in another order")
    return place
