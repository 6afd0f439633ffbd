"""What goes over the wire of folders: those in one that hold assets of the caller, and the assets that lie in one."""

from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from gateway.asset_schemas import AssetDTO

MOST = 100


class FolderDTO(Struct, frozen=True, kw_only=True):
    """A folder with how many files of the caller's assets lie in it and below it, and one of these assets.

    `path` is for people to read; `path_encoded`, with percent signs, says which one is meant even where a name is no
    UTF-8.
    """

    name: str
    path: str
    path_encoded: str
    count: int
    cover_asset_id: UUID | None


class FolderList(Struct, frozen=True, kw_only=True):
    """A page of folders in the order of their names' bytes; `next` asks for the page that follows, as `after`.

    A page may have less than was asked for, where folders hold hidden assets alone.
    """

    repository_id: UUID
    path: str
    path_encoded: str
    folders: list[FolderDTO]
    limit: int
    next: str | UnsetType = UNSET


class FolderAssets(Struct, frozen=True, kw_only=True):
    """A page of the assets in a folder and not below it, by their files' names; `next` asks for more, as `after`."""

    assets: list[AssetDTO]
    limit: int
    next: str | UnsetType = UNSET
