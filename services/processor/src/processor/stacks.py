"""What pictures that belong together have in common: assets of one owner with the same key are a stack."""

import os
import re
from collections.abc import Iterator
from typing import Literal

from blake3 import blake3
from msgspec import Struct

from common.formats import BY_MIME, RAW_TYPES
from processor.metadata import Metadata
from processor.metadata.file_names import NAMED, NAMED_DAY
from processor.metadata.times import CHANGED

Kind = Literal["live", "raw", "burst"]
Role = Literal["still", "motion", "raw", "developed", "frame"]

LONGEST_KEY = 500  # bytes
GUESSES = {NAMED, NAMED_DAY, CHANGED}
"""The sources of a time by which no picture is told from the next."""
GOOGLE_PAIR = re.compile(r"\.raw-\d\d(\.mp)?\.(cover|original)$")
BURST_NAMES = (
    re.compile(r"\d{5}[a-z]+_\d{5}_burst(\d{14,17})(_cover)?"),  # Google
    re.compile(r"((?:img_)?\d{8}_\d{6})_burst\d{1,4}(_cover)?"),  # Huawei, OnePlus, Samsung
)


class StackKey(Struct, frozen=True, kw_only=True):
    """Something that an asset has in common with those that belong to it, and what it is among them."""

    kind: Kind
    key: str
    role: Role


def keys(seen: Metadata, *, file_name: str, mime: str) -> list[StackKey]:
    """The keys of an asset: nothing that is only likely, for whoever is paired wrongly is hidden."""
    is_video = BY_MIME[mime].kind == "video"
    found = [
        *_live(seen, is_video=is_video),
        *(() if is_video else _of_photo(seen, file_name, is_raw=mime in RAW_TYPES)),
    ]
    return [StackKey(kind=kind, key=_short(key), role=role) for kind, key, role in found]


def _live(seen: Metadata, *, is_video: bool) -> Iterator[tuple[Kind, str, Role]]:
    if seen.content_identifier:
        yield "live", seen.content_identifier, "motion" if is_video else "still"


def _of_photo(seen: Metadata, file_name: str, *, is_raw: bool) -> Iterator[tuple[Kind, str, Role]]:
    stem = os.path.splitext(file_name)[0].lower()
    if seen.taken_at is not None and seen.taken_from not in GUESSES and seen.camera_model:
        shared = GOOGLE_PAIR.sub("", stem)
        key = f"{shared}/{seen.taken_at:%Y-%m-%dT%H:%M:%S}/{seen.camera_model.lower()}"
        yield "raw", key, "raw" if is_raw else "developed"
    series = seen.burst_identifier or _series(stem)
    if series:
        yield "burst", series, "frame"


def _series(stem: str) -> str | None:
    """The series that a frame's name says it is of."""
    found = next((match for name in BURST_NAMES if (match := name.fullmatch(stem))), None)
    return f"name:{found[1]}" if found else None


def _short(key: str) -> str:
    """The key, or its hash if an index could not hold it."""
    return key if len(key.encode()) <= LONGEST_KEY else f"blake3:{blake3(key.encode()).hexdigest()}"
