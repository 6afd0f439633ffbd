"""Where things lie in a repository; every path here is relative to its root and made by us."""

import os
import re
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

MARKER = b".lumiliorepo"
PRIVATE = b".lumilio"
INBOX = b"inbox"
STAGING = b".lumilio/staging/incoming"
FAILED = b".lumilio/staging/failed"
TRASH = b".lumilio/trash"
MANIFESTS = b".lumilio/manifests"
PEOPLE = b".lumilio/manifests/people.jsonl"
"""What people made of their photos, as of a day ago at most; the one before is kept as well."""
PEOPLE_BEFORE = b".lumilio/manifests/people-before.jsonl"
THUMBNAILS = b".lumilio/assets/thumbnails"
MOTION = b".lumilio/assets/motion"
PREVIEWS = b".lumilio/assets/videos/preview"
FRAMES = b".lumilio/assets/videos/frames"
WAVEFORMS = b".lumilio/assets/audios/waveform"
WEB_VIDEOS = b".lumilio/assets/videos/web"
WEB_AUDIOS = b".lumilio/assets/audios/web"
DERIVED = {
    THUMBNAILS: "render",
    MOTION: "render",
    PREVIEWS: "render",
    FRAMES: "render",
    WAVEFORMS: "render",
    WEB_VIDEOS: "transcode",
    WEB_AUDIOS: "transcode",
}
"""The folders of derived files, and the stage that makes what lies in each."""
MOST_FRAMES = 8
"""Of a video, each in a numbered folder of its own below theirs."""
SIDECAR = b".json"
XMP = b".xmp"
PICASA = b".picasa.ini"
SIDECARS = b".lumilio/sidecars"
MADE = re.compile(rb"([0-9a-f]{64})_(\d{1,10})_(\d{1,18})\.[a-z0-9]+")
FOLDERS = (INBOX, PRIVATE, b".lumilio/staging", STAGING, FAILED, TRASH, MANIFESTS, b".lumilio/assets", THUMBNAILS)

# What lies outside the root where the root may not be written to; nothing is uploaded to it, so nothing is thrown away.
PRIVATE_FOLDERS = tuple(path for path in FOLDERS if path not in {INBOX, FAILED, TRASH})


class Made(NamedTuple):
    """The work that a derived file came from: which content of which owner, and under which lease."""

    content_hash: bytes
    owner_id: int
    epoch: int


def staged(staged_name: str) -> bytes:
    """The bytes of an upload that has no place yet."""
    return b"/".join((STAGING, staged_name.encode()))


def dated(name: bytes, at: datetime) -> bytes:
    """The inbox path of the date strategy."""
    return b"/".join((INBOX, at.strftime("%Y/%m").encode(), name))


def flat(name: bytes) -> bytes:
    """The inbox path of the flat strategy."""
    return b"/".join((INBOX, name))


def hashed(content_hash: bytes, extension: str) -> bytes:
    """The inbox path of the cas strategy, which names a file by its content."""
    digest = content_hash.hex()
    return b"/".join((INBOX, f"{digest[:2]}/{digest[2:4]}/{digest[4:6]}/{digest}{extension}".encode()))


def failed(staged_name: str) -> bytes:
    """Staged bytes that could not be kept as an original; what became of them stands in the sidecar."""
    return b"/".join((FAILED, staged_name.encode()))


def trashed(asset_id: UUID, name: bytes) -> bytes:
    """An original in the trash; no such name looks like a note or a sidecar."""
    ending = b"_" if name.lower().endswith((SIDECAR, XMP)) else b""
    return b"/".join((TRASH, str(asset_id).encode() + b"_" + name + ending))


def sidecar(path: bytes) -> bytes:
    """The file beside a trashed or failed one that says what it is."""
    return path + SIDECAR


def is_trashed(path: bytes) -> bool:
    """Whether a path is an original's in the trash, or its XMP sidecar's."""
    return path.startswith(TRASH + b"/") and not path.endswith(SIDECAR)


def beside(path: bytes) -> bytes:
    """The XMP sidecar beside an original, in which people's programs keep what they say of it."""
    return path + XMP


def apart(asset_id: UUID) -> bytes:
    """The XMP sidecar of an asset beside whose original nothing may be written."""
    return b"/".join((SIDECARS, str(asset_id).encode() + XMP))


def is_managed(path: bytes) -> bool:
    """Whether an original lies where the server keeps it, and not in a person's own folders."""
    return path.startswith((INBOX + b"/", TRASH + b"/"))


def thumbnail(size: str, content_hash: bytes, owner_id: int, epoch: int, extension: str) -> bytes:
    """A thumbnail; hash and owner are its asset, the epoch keeps a stale worker away from a newer render."""
    return b"/".join((THUMBNAILS, size.encode(), _made(content_hash, owner_id, epoch, extension)))


def derived(folder: bytes, content_hash: bytes, owner_id: int, epoch: int, extension: str) -> bytes:
    """Another file made of an original, in one of the folders for such; named as a thumbnail is."""
    return b"/".join((folder, _made(content_hash, owner_id, epoch, extension)))


def _made(content_hash: bytes, owner_id: int, epoch: int, extension: str) -> bytes:
    digest = content_hash.hex()
    return f"{digest[:2]}/{digest}_{owner_id}_{epoch}{extension}".encode()


def is_unfinished(path: bytes) -> bool:
    """Whether a derived file is one that was never written to its end."""
    name = os.path.basename(path)
    return name.startswith(b".") and name.endswith(b".tmp")


def made_by(path: bytes) -> Made | None:
    """The work that a derived file came from, by its path; None for a path that is no such file's."""
    found = MADE.fullmatch(os.path.basename(path))
    return Made(bytes.fromhex(found[1].decode()), int(found[2]), int(found[3])) if found else None


def manifest(at: datetime) -> bytes:
    """The manifest of one day: a line per original that was placed or adopted."""
    return b"/".join((MANIFESTS, at.strftime("%Y-%m-%d").encode() + b".jsonl"))


def people_of(epoch: UUID) -> bytes:
    """What people made of their photos in another history of the database, kept for whoever wants that back."""
    return b"/".join((MANIFESTS, b"people-" + str(epoch).encode() + b".jsonl"))
