"""The manifests of a repository: what was placed or adopted there, a line each, none just believed."""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, BinaryIO, NamedTuple
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec
from msgspec import Meta

from common import files, folders, layout, manifest_lines
from common.names import display_name

LONGEST_LINE = 64 * 1024
LONGEST_PATH = 4096
DAY = re.compile(rb"\d{4}-\d{2}-\d{2}\.jsonl")


class Unreadable(NamedTuple):
    """A line that is passed over: where it stands, and why."""

    file: bytes
    number: int
    reason: str


class Line(NamedTuple):
    """What a manifest says of an original; of two lines about a path the later one counts."""

    path: bytes
    content_hash: bytes
    size: int
    owner_id: int
    asset_id: UUID
    name: str
    uploaded_at: datetime


class _Written(msgspec.Struct, frozen=True):
    path: str
    name: str
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Meta(gt=0, le=(1 << 63) - 1)]
    owner: Annotated[int, Meta(gt=0, lt=1 << 31)]
    asset: UUID
    uploaded_at: Annotated[datetime, Meta(tz=True)] | None = None
    placed_at: Annotated[datetime, Meta(tz=True)] | None = None
    adopted_at: Annotated[datetime, Meta(tz=True)] | None = None


_DECODER = msgspec.json.Decoder(_Written)


def read(home: bytes) -> Iterator[Line | Unreadable]:
    """Every line of every day, the oldest first; one that says nothing that can be is told and passed over."""
    for name in sorted(folders.list_names(home, layout.MANIFESTS)):
        if not DAY.fullmatch(name):
            continue
        try:
            descriptor = files.open_original(home, b"/".join((layout.MANIFESTS, name)))
        except OSError as error:
            yield Unreadable(name, 0, f"the file cannot be read: {error.strerror}")
            continue
        with open(descriptor, "rb") as file:
            yield from _lines(name, file)


def _lines(name: bytes, file: BinaryIO) -> Iterator[Line | Unreadable]:
    for number, text in enumerate(whole_lines(file), start=1):
        if text is None:
            yield Unreadable(name, number, "the line is too long")
        elif text.strip():
            try:
                yield line(text)
            except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
                yield Unreadable(name, number, str(error))


def whole_lines(file: BinaryIO, *, longest: int = LONGEST_LINE) -> Iterator[bytes | None]:
    """The lines of a file, None for each that is too long to be one of ours, of which little is in memory at once."""
    while text := file.readline(longest):
        if text.endswith(b"\n") or len(text) < longest:
            yield text
            continue
        while (rest := file.readline(longest)) and not rest.endswith(b"\n"):
            pass
        yield None


def line(text: bytes) -> Line:
    """What a line says; ValueError or DecodeError, in words, when that cannot be true of an original of ours."""
    written = _DECODER.decode(text)
    at = written.uploaded_at or written.adopted_at or written.placed_at
    return Line(
        path=_path(written.path),
        content_hash=bytes.fromhex(written.hash),
        size=written.size,
        owner_id=written.owner,
        asset_id=written.asset,
        name=display_name(written.name),
        uploaded_at=(at or datetime.fromtimestamp(0, UTC)).astimezone(UTC),
    )


def _path(quoted: str) -> bytes:
    path = unquote_to_bytes(quoted)
    names = path.split(b"/")
    if len(path) > LONGEST_PATH or b"\0" in path or any(name in {b"", b".", b".."} for name in names):
        raise ValueError("the path does not lead to a file below the repository")
    if names[0] == layout.PRIVATE or names[-1] == layout.MARKER:
        raise ValueError("the path leads to where the server keeps its own files")
    return path


def append(home: bytes, lines: Sequence[Line]) -> None:
    """Say something else of some originals than was said so far, durably."""
    now = datetime.now(UTC)
    said = [manifest_lines.encoded(**one._asdict(), adopted_at=now) for one in lines]
    manifest_lines.append(home, said, now=now)


def is_foreign(root: bytes, path: bytes) -> bool:
    """Whether a path leads into another repository that lies below this one."""
    parent = os.path.dirname(path)
    while parent:
        if os.path.lexists(os.path.join(root, parent, layout.MARKER)):
            return True
        parent = os.path.dirname(parent)
    return False
