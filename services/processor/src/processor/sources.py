"""An open original, the files beside it that say something of it, and the rules of its repository."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from common import files, layout, marker
from common.files import Seen
from common.marker import Marker
from common.stages import Reject, Wait
from processor.metadata import Told
from processor.queries import Original

AWAY_RETRY_SECONDS = 10.0
"""How long to wait for an original that is away."""
MISSING_RETRY_SECONDS = 60.0
"""How long to wait for one that is missing: that may be so for good, and of many."""
CHANGED_RETRY_SECONDS = 30.0
"""How long to wait for a scan to see that an original was changed, unless it rings before."""
LEAST_AGE = timedelta(minutes=1)
"""A file that was changed later than so long before it came says nothing of when it was taken."""

Kind = Literal["xmp", "picasa"]


class Beside(NamedTuple):
    """An open file beside an original, and what it is."""

    kind: Kind
    descriptor: int


@dataclass(frozen=True)
class Source:
    """The bytes of an original, the most trusted files beside it first, and how its repository wants things."""

    file: int
    beside: list[Beside]
    rules: Marker

    def close(self) -> None:
        """Close all of its files."""
        for descriptor in (self.file, *(other.descriptor for other in self.beside)):
            os.close(descriptor)


def open_source(original: Original, spare: int) -> Source:
    """The stored file and what lies beside it; what is hashed is what is decoded, for it is opened once."""
    rules = marker.check(original.root, original.repository_id, original.private_root)
    files.check_room(original.home, spare)
    with files.outages(), ExitStack() as unless_right:
        descriptor = files.open_original(original.root, original.path)
        unless_right.callback(os.close, descriptor)
        check_bytes(original, descriptor)
        beside = list(_open_beside(original))
        unless_right.pop_all()
    return Source(descriptor, beside, rules)


def check_bytes(original: Original, descriptor: int) -> None:
    """Reject an open original that does not hold its bytes; Wait when somebody edited it, which a scan registers."""
    if files.hash_open(descriptor) == original.content_hash:
        return
    recorded = Seen(original.size, original.modified_ns, original.inode)
    if not original.is_kept and files.seen(os.fstat(descriptor)) != recorded:
        raise Wait("the file was changed by another program and is to be read again", after=CHANGED_RETRY_SECONDS)
    raise Reject("the file on the disk is not the one that was stored")


def told(original: Original, source: Source) -> Told:
    """What is known of the file from outside."""
    modified = datetime.fromtimestamp(original.modified_ns / 1e9, UTC)
    is_telling = modified < original.uploaded_at - LEAST_AGE
    return Told(
        file_name=original.file_name,
        stored_name=os.path.basename(original.path).decode(errors="replace"),
        modified=modified.replace(tzinfo=None) if is_telling else None,
        beside=tuple(other.kind for other in source.beside),
    )


def candidates(path: bytes) -> Iterator[tuple[Kind, list[bytes]]]:
    """The paths that may speak of an original, the most trusted first: `photo.ext.xmp`, then `photo.xmp`.

    Those of a list are two ways to write one name.
    """
    folder, name = os.path.split(path)
    for leaf in (name, os.path.splitext(name)[0]):
        yield "xmp", [os.path.join(folder, leaf + extension) for extension in (b".xmp", b".XMP")]
    yield "picasa", [os.path.join(folder, layout.PICASA)]


def _open_beside(original: Original) -> Iterator[Beside]:
    """Those that are there, for their readers to judge; what a person said where nothing may be written comes first."""
    if original.private_root is not None:
        apart = _open(original.private_root, layout.apart(original.asset_id))
        if apart is not None:
            yield Beside("xmp", apart)
    for kind, names in candidates(original.path):
        for path in names:
            if (descriptor := _open(original.root, path)) is not None:
                yield Beside(kind, descriptor)
                break


def _open(root: bytes, path: bytes) -> int | None:
    try:
        return files.open_original(root, path)
    except OSError as error:
        if error.errno in files.STARVED:
            raise
        return None
