"""What lists are asked by."""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.asset_schemas import AssetList, Taken
from gateway.filter_schemas import AssetFilter, WallTimes, Whereabouts
from gateway.queries.walks import Sort

Limit = Annotated[int, Meta(ge=1, le=100)]
Offset = Annotated[int, Meta(ge=0, le=1_000_000)]
Direction = Literal["asc", "desc"]
SearchPart = Literal["dates", "places", "words", "tags", "labels", "cameras", "semantic"]


class FilterRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets, in which order, and which page of them: `after` takes the `next` of the page before.

    Pages that follow by `after` cost the same however deep they lie; `offset` is for lists of a few pages.
    """

    filter: AssetFilter = AssetFilter()
    limit: Limit = 20
    offset: Offset = 0
    after: str | None = None
    sort_by: Sort = "taken"
    sort_order: Direction = "desc"


class SearchRequest(FilterRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for, and among which assets.

    `filename` finds what has every word of the query, or a part of a word, in its file's name, title, description or
    tags, whatever their case and accents. `semantic` finds what a picture shows. `auto` does all of it at once, and
    understands times, places, tags, labels and cameras too. These two go by how well something fits, not by `sort_by`.
    `today` is the day where the caller is, which may differ from that of UTC by one.
    """

    query: Annotated[str, Meta(min_length=1, max_length=200)]
    search_type: Literal["auto", "filename", "semantic"] = "auto"
    today: date | None = None


class Understood(Struct, frozen=True, kw_only=True):
    """What a query was taken to mean; `taken_in` and `located_in` can be used as they are in a filter.

    `dates` and `places` are its words that say when and where, and `words` the others, by which some tags, labels and
    cameras are called.
    """

    dates: list[str] = []
    taken_in: list[WallTimes] = []
    places: list[str] = []
    located_in: list[Whereabouts] = []
    words: str = ""
    tags: list[str] = []
    labels: list[str] = []
    cameras: list[str] = []


class SearchAnswer(AssetList, frozen=True, kw_only=True):
    """A page of what was found: by which parts of the search, and why others were left out.

    Where little is of the times and places that were understood, the rest follows from `others_from` of the list on.
    """

    parts: list[SearchPart]
    left_out: dict[str, str]
    understood: Understood | UnsetType = UNSET
    others_from: int | UnsetType = UNSET


class FilterOptions(Struct, frozen=True, kw_only=True):
    """What a filter can choose among the caller's shown assets.

    Each list has 500 values at most, and `cut` names those that have more. `ratings` are the numbers of stars that
    occur, 0 for none.
    """

    camera_makes: list[str]
    cameras: list[str]
    lenses: list[str]
    countries: list[str]
    regions: list[str]
    cities: list[str]
    ratings: list[int]
    iso_from: int | None
    iso_to: int | None
    taken_from: Taken | None
    taken_to: Taken | None
    cut: list[str]
