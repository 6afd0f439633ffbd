"""What goes over the wire about assets that look alike."""

from msgspec import UNSET, Struct, UnsetType

from gateway.asset_schemas import AssetDTO


class SimilarAssetDTO(AssetDTO, frozen=True, kw_only=True):
    """An asset, and how much it looks like another one: 1 is the same, 0 has nothing to do with it."""

    similarity: float


class SimilarList(Struct, frozen=True, kw_only=True):
    """The most similar first; where nothing can be compared, `reason` says why."""

    assets: list[SimilarAssetDTO]
    limit: int
    reason: str | UnsetType = UNSET
