"""A library as it lies on the disk: folders that hold assets of the caller, and the assets in each."""

from typing import Annotated
from urllib.parse import unquote_to_bytes
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from common import names, scan_folders
from common.db import Connection
from gateway import cursors, views
from gateway.declared import may
from gateway.errors import Invalid, NotFound
from gateway.folder_schemas import MOST, FolderAssets, FolderDTO, FolderList
from gateway.policies import READ
from gateway.queries import assets
from gateway.queries import folders as queries
from gateway.queries.folders import Cursor, Folder
from gateway.queries.users import User
from gateway.schemas import Envelope


@get("/folders", opt=READ | may(NotFound))
async def list_folders(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    repository_id: FromQuery[UUID],
    path: FromQuery[str | None] = None,
    path_encoded: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = MOST,
    after: FromQuery[str | None] = None,
) -> Envelope[FolderList]:
    """Folders in a folder of a repository that hold assets of the caller; without a path those at its root."""
    folder = await _find(conn, repository_id, path, path_encoded, owner=user.user_id)
    start = None if after is None else _within(folder, after)
    found = await queries.list_folders(conn, repository_id, folder, owner=user.user_id, after=start, limit=limit)
    return Envelope(
        data=FolderList(
            repository_id=repository_id,
            path=names.shown(folder.rstrip(b"/")),
            path_encoded=scan_folders.encoded(folder.rstrip(b"/")),
            folders=[_folder(one) for one in found if one.count],
            limit=limit,
            next=cursors.write(Cursor(path=found[-1].folder) if len(found) == limit else None),
        )
    )


@get("/folders/assets", opt=READ | may(NotFound))
async def list_folder_assets(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    repository_id: FromQuery[UUID],
    path: FromQuery[str | None] = None,
    path_encoded: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[FolderAssets]:
    """The caller's assets that lie in a folder of a repository, by name; what lies below it is left out."""
    folder = await _find(conn, repository_id, path, path_encoded, owner=user.user_id)
    start = b"" if after is None else _within(folder, after)
    files = await queries.list_files(conn, repository_id, folder, owner=user.user_id, after=start, limit=limit)
    found = await assets.list_assets(conn, [file.asset_id for file in files], owner=user.user_id)
    end = Cursor(path=files[-1].path) if len(files) == limit else None
    return Envelope(
        data=FolderAssets(assets=[views.card(asset) for asset in found], limit=limit, next=cursors.write(end))
    )


async def _find(conn: Connection, repository_id: UUID, path: str | None, encoded: str | None, *, owner: int) -> bytes:
    """The folder that is meant; NotFound for one that holds nothing of the caller's, whether it is there or not."""
    if path is not None and encoded is not None:
        raise Invalid("either `path` or `path_encoded` says which folder is meant")
    folder = _read(path, encoded)
    if not await queries.is_known(conn, repository_id, folder, owner=owner):
        raise NotFound("no such folder has anything of yours")
    return folder


def _read(path: str | None, encoded: str | None) -> bytes:
    """A folder with a slash at its end, and nothing at the root."""
    named = unquote_to_bytes(encoded) if encoded is not None else (path or "").encode()
    return b"".join(name + b"/" for name in named.split(b"/") if name)


def _within(folder: bytes, after: str) -> bytes:
    place = cursors.read(after, Cursor).path
    if not place.startswith(folder):
        raise Invalid("`after` is the `next` of another folder")
    return place


def _folder(found: Folder) -> FolderDTO:
    path = found.folder.removesuffix(b"/")
    return FolderDTO(
        name=names.shown(path.rpartition(b"/")[2]),
        path=names.shown(path),
        path_encoded=scan_folders.encoded(path),
        count=found.count,
        cover_asset_id=found.cover_asset_id,
    )


HANDLERS = [list_folders, list_folder_assets]
