"""Signs addresses for assets: for pages that show pictures, and for whoever keeps copies of them nearer to people."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from gateway import signing
from gateway.bearings import Bearings
from gateway.queries.signed import Signable
from gateway.signing import Grant, Keys, Place
from gateway.variants import SIZES, Variant

BELOW = b".lumilio/assets/thumbnails/"


@dataclass(frozen=True)
class Signer:
    """The keys, the clock, and the server's own address where addresses are to begin with it."""

    keys: Keys
    bearings: Bearings
    public_url: str = ""

    async def expiry(self) -> int:
        """When addresses that are signed now expire, in seconds since 1970."""
        return signing.expiry(await self.bearings.ask())

    def url(self, asset_id: UUID, variant: str, *, who: str, owner: int, until: int, place: Place | None = None) -> str:
        """The address of one variant of an asset of `owner`, which `who` may fetch until then.

        Whether `who` may see the asset is for the caller to know. Without its place a thumbnail is found all the same.
        """
        return self.public_url + signing.url(self.keys, Grant(str(asset_id), variant, who, owner, until, place))

    def urls(
        self, found: Iterable[Signable], variants: list[Variant], *, who: str, until: int
    ) -> dict[UUID, dict[Variant, str]]:
        """The addresses of these variants of assets, of which each thumbnail stands in a row of its own."""
        owners, places = {}, {}
        for row in found:
            owners[row.asset_id] = row.owner_id
            places[row.asset_id, row.size] = _place(row)
        return {
            asset: {
                variant: self.url(asset, variant, who=who, owner=owner, until=until, place=places.get((asset, variant)))
                for variant in variants
            }
            for asset, owner in owners.items()
        }


def _place(row: Signable) -> Place | None:
    """Where a thumbnail lies, unless it has none or lies where no others do."""
    if row.repository_id is None or row.path is None or row.length is None or row.hash is None:
        return None
    if row.size not in SIZES or not row.path.startswith(BELOW):
        return None
    return Place(row.repository_id.bytes, row.path.removeprefix(BELOW), row.length, row.hash)
