"""What goes over the wire of what was taken on this day in other years."""

from msgspec import Struct

from gateway.asset_schemas import AssetDTO


class DayBefore(Struct, frozen=True, kw_only=True):
    """The day in one year: how much there is of it, and the best of it."""

    date: str
    count: int
    assets: list[AssetDTO]


class DaysBefore(Struct, frozen=True, kw_only=True):
    """The day in other years, the newest first, by the clocks where pictures were taken; 50 years at most."""

    date: str
    days: list[DayBefore]
