"""What is announced of files, with their paths as the outside knows them."""

from collections.abc import Iterable
from urllib.parse import quote_from_bytes

from common.messages import FileChanged, FileCorrupted, FileDiscovered, FileEvent, FileMoved, FileVanished
from syncer.queries.applying import Difference
from syncer.queries.operations import Tended
from syncer.queries.reading import Found
from syncer.queries.scrubbing import Corrupted


def moved(repository: Tended, differences: Iterable[Difference]) -> list[FileEvent]:
    """Files that a scan found elsewhere."""
    return [_moved(repository, one, one.owner_id, one.path, one.moved_to or one.path) for one in differences]


def vanished(repository: Tended, differences: Iterable[Difference]) -> list[FileEvent]:
    """Files that a scan did not find any more."""
    return [_told(FileVanished, repository, one, one.owner_id) for one in differences]


def returned(repository: Tended, differences: Iterable[Difference]) -> list[FileEvent]:
    """Files that a scan found again."""
    return [_told(FileDiscovered, repository, one, one.owner_id) for one in differences]


def corrupted(repository: Tended, found: Iterable[Corrupted]) -> list[FileEvent]:
    """Files whose bytes are no longer theirs."""
    return [_told(FileCorrupted, repository, one, one.owner_id) for one in found]


def read(repository: Tended, found: Iterable[Found]) -> list[FileEvent]:
    """Files whose content is news, and such that only moved."""
    return [_read(repository, one) for one in found]


def _read(repository: Tended, one: Found) -> FileEvent:
    owner = one.owner_id or repository.owner_id or 0
    if one.moved_from is not None:
        return _moved(repository, one, owner, one.moved_from, one.path)
    return _told(FileDiscovered if one.asset_id is None else FileChanged, repository, one, owner)


def _moved(repository: Tended, one: Difference | Found, owner: int, source: bytes, target: bytes) -> FileMoved:
    return FileMoved(
        owner_id=owner,
        repository_id=repository.repository_id,
        path=quote_from_bytes(target),
        moved_from=quote_from_bytes(source),
        asset_id=one.asset_id,
    )


def _told(kind: type[FileEvent], repository: Tended, one: Difference | Found | Corrupted, owner: int) -> FileEvent:
    return kind(
        owner_id=owner,
        repository_id=repository.repository_id,
        path=quote_from_bytes(one.path),
        asset_id=one.asset_id,
    )
