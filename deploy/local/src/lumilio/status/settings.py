"""By what `lumilio status` judges a server."""

from msgspec import Struct

from common.settings import Days, NotNegative, Percent


class StatusSettings(Struct, frozen=True, kw_only=True):
    """What is to be free, and how old a comparison may be."""

    reserve_bytes: NotNegative = 2 << 30
    """How much of a disk uploads leave free, as the gateway is told."""
    reserve_percent: Percent = 2.0
    """The same as a share of the disk."""
    scrub_days: Days = 30
    """Within how many days every original is compared, as syncer is told; 0 for never."""
