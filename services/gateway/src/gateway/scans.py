"""What a person wants scanned: understood, looked for on the disk, and written down with its event."""

import asyncio

from msgspec import UNSET, Struct

from common import folders, marker, outbox, scan_folders
from common import scan_queries as queries
from common.db import Connection
from common.files import NO_FOLDER, Offline
from common.messages import ScanRequested
from common.repository_queries import Repository
from common.scan_folders import Unfit
from common.scan_queries import Operation
from gateway.errors import Conflict, Invalid, Unusable
from gateway.repository_views import PATIENCE_SECONDS
from gateway.scan_schemas import ScanRequest


class Wanted(Struct, frozen=True, kw_only=True):
    """A folder to look at and how; `allowed` files may be called missing, where a person said so."""

    folder: bytes
    is_quick: bool
    allowed: int | None = None


async def understand(conn: Connection, repository: Repository, asked: ScanRequest) -> Wanted:
    """What was asked for; Unusable for what is no folder, Conflict when no run asks what is answered."""
    if asked.accept_missing is None:
        return Wanted(folder=_folder(asked), is_quick=asked.mode == "quick")
    if (asked.path, asked.path_encoded, asked.mode) != (UNSET, UNSET, UNSET):
        raise Invalid("`accept_missing` does again what that run did: send neither a path nor a `mode` with it")
    asking = await queries.find_asking(conn, repository.repository_id)
    if asking is None or asking.operation_id != asked.accept_missing:
        raise Conflict("that run asks nothing, or a later one has answered it: `sync` tells which one asks")
    return Wanted(folder=asking.folder, is_quick=asking.is_quick, allowed=asking.asks)


async def look(repository: Repository, folder: bytes) -> None:
    """Unusable unless the folder is there, Offline when its repository is not."""
    looking = asyncio.to_thread(_look, repository, folder)
    try:
        await asyncio.wait_for(looking, PATIENCE_SECONDS)
    except TimeoutError:
        raise Offline("the disk does not answer") from None


async def request(conn: Connection, repository: Repository, wanted: Wanted, *, by: int) -> Operation:
    """Write the wish down and announce it; what waits already for the same is the answer."""
    operation_id = await queries.request_scan(
        conn,
        repository.repository_id,
        wanted.folder,
        reason="requested",
        requested_by=by,
        is_quick=wanted.is_quick,
        allowed=wanted.allowed,
    )
    event = ScanRequested(
        owner_id=by,
        repository_id=repository.repository_id,
        folder=scan_folders.encoded(wanted.folder),
        operation_id=operation_id,
    )
    await outbox.add(conn, event)
    found = await queries.find_operation(conn, operation_id, repository_id=repository.repository_id)
    assert found is not None  # noqa: S101  # this transaction has just written it
    return found


def _folder(asked: ScanRequest) -> bytes:
    if asked.path is not UNSET and asked.path_encoded is not UNSET:
        raise Invalid("a folder is named by `path` or by `path_encoded`, not by both")
    try:
        if asked.path_encoded is not UNSET:
            return scan_folders.read(asked.path_encoded)
        return scan_folders.check((asked.path or "").encode())
    except Unfit as error:
        raise Unusable(str(error)) from None


def _look(repository: Repository, folder: bytes) -> None:
    marker.check(repository.root, repository.repository_id, repository.private_root)
    try:
        with folders.folder(repository.root, folder):
            pass
    except FileNotFoundError:
        raise Unusable("there is no such folder in the repository") from None
    except OSError as error:
        if error.errno in NO_FOLDER:
            raise Unusable("that is a file or a link, or lies below one, and only folders are scanned") from None
        raise Unusable(f"the folder cannot be opened: {error.strerror}") from None
