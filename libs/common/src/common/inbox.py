"""The names that originals get in the inbox; a client's file name is only a wish."""

import os
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from common import formats, layout
from common.marker import Clash, Marker
from common.names import display_name, harmless

SIDECAR = layout.XMP.decode()
NUMBERS = range(1, 1000)
TOKENS = (8, 16, 32)
EXTENSIONS = {known.mime_type: known.extension for known in formats.FORMATS}


def leaf(file_name: str) -> bytes:
    """One harmless path component that looks as much like the wish as it may: not hidden, no option, no device.

    Nor does any original look like another one's sidecar.
    """
    name = display_name(file_name)
    name += "_" if name.lower().endswith(SIDECAR) else ""
    return harmless(name).encode()


def wanted(
    rules: Marker, *, file_name: str, asset_id: UUID, content_hash: bytes, mime_type: str, at: datetime
) -> bytes:
    """The inbox path that an upload gets when nobody else has it."""
    extension = EXTENSIONS.get(mime_type, "")
    if rules.storage_strategy == "cas":
        return layout.hashed(content_hash, extension)
    is_kept = rules.local_settings.preserve_original_filename
    name = leaf(file_name) if is_kept else f"{asset_id}{extension}".encode()
    return layout.dated(name, at) if rules.storage_strategy == "date" else layout.flat(name)


def candidates(
    path: bytes, *, token: str, clash: Clash = "uuid", at: datetime | None = None, numbers: range = NUMBERS
) -> Iterator[bytes]:
    """A path and those to try when it is taken, the same ones in the same order whenever it is asked."""
    base, extension = os.path.splitext(path)
    yield path
    if clash == "rename":
        for number in numbers:
            yield b"%s (%d)%s" % (base, number, extension)
        if at is not None:
            yield b"%s_%s%s" % (base, at.strftime("%Y%m%d_%H%M%S").encode(), extension)
    for length in TOKENS:
        yield b"%s_%s%s" % (base, token.replace("-", "")[:length].encode(), extension)
