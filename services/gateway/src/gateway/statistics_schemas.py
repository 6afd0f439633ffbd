"""What goes over the wire of statistics: how much there is of what, and how much room it takes."""

from msgspec import UNSET, Struct, UnsetType

from gateway.filter_schemas import Type
from gateway.queries.statistics import Duplicates, Named, Places, Put, UserTotals, YearTotals

MOST = 100


class KindTotals(Struct, frozen=True, kw_only=True):
    type: Type
    shown: int
    files: int
    bytes: int


class Storage(Struct, frozen=True, kw_only=True):
    """What all of one's assets take, the trash among them, and what one may take; null is without an end."""

    bytes: int
    files: int
    quota_bytes: int | None
    quota_files: int | None


class Statistics(Struct, frozen=True, kw_only=True):
    """A library in numbers: `shown` is what lists have, `files` and `bytes` all that is kept.

    `cameras` and `lenses` are those with the most pictures. `put` is what lists leave out, and why. `duplicates` are
    uploads of what was there already, and took no room.
    """

    shown: int
    kinds: list[KindTotals]
    years: list[YearTotals]
    cameras: list[Named]
    lenses: list[Named]
    places: Places
    put: Put
    duplicates: Duplicates
    storage: Storage


class ServerStatistics(Struct, frozen=True, kw_only=True):
    """How much each user has, without a word about what it is; `next` asks for the users that follow, as `after`."""

    users: list[UserTotals]
    limit: int
    next: int | UnsetType = UNSET
