"""Where things lie in a repository; every path here is relative to its root and made by us."""

from datetime import datetime

MARKER = b".lumiliorepo"
PRIVATE = b".lumilio"
INBOX = b"inbox"
STAGING = b".lumilio/staging/incoming"
FAILED = b".lumilio/staging/failed"
TRASH = b".lumilio/trash"
MANIFESTS = b".lumilio/manifests"
THUMBNAILS = b".lumilio/assets/thumbnails"
FOLDERS = (INBOX, PRIVATE, b".lumilio/staging", STAGING, FAILED, TRASH, MANIFESTS, b".lumilio/assets", THUMBNAILS)

# What lies outside the root where the root may not be written to; nothing is uploaded to it, so nothing is thrown away.
PRIVATE_FOLDERS = tuple(path for path in FOLDERS if path not in {INBOX, FAILED, TRASH})


def staged(staged_name: str) -> bytes:
    """The bytes of an upload that has no place yet."""
    return b"/".join((STAGING, staged_name.encode()))


def dated(name: bytes, at: datetime) -> bytes:
    """The inbox path of the date strategy."""
    return b"/".join((INBOX, at.strftime("%Y/%m").encode(), name))


def thumbnail(size: str, content_hash: bytes, owner_id: int, epoch: int, extension: str) -> bytes:
    """A thumbnail; hash and owner are its asset, the epoch keeps a stale worker away from a newer render."""
    digest = content_hash.hex()
    name = f"{size}/{digest[:2]}/{digest}_{owner_id}_{epoch}{extension}"
    return b"/".join((THUMBNAILS, name.encode()))


def manifest(at: datetime) -> bytes:
    """The manifest of one day: a line per original that was placed or adopted."""
    return b"/".join((MANIFESTS, at.strftime("%Y-%m-%d").encode() + b".jsonl"))
