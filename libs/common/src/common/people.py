"""What people made of their photos, as it is written beside them once a day: a line for each thing.

Assets are called by their owner and their content, which they are by in every catalogue. No password and no secret of a
link is ever written here, nor a hash of one: disks are carried about.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Number = Annotated[int, Meta(gt=0, lt=1 << 31)]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Time = Annotated[datetime, Meta(tz=True)]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="catalogue"):
    """The first line: which history of a database this was, in which repository it is written, and when."""

    format: Literal[1] = 1
    epoch: UUID
    repository: UUID
    written_at: Time


class Person(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="user"):
    """Somebody who uses the server."""

    id: Number
    username: str
    email: str
    is_admin: bool
    is_active: bool
    quota_bytes: Annotated[int, Meta(ge=0, lt=1 << 62)] | None = None
    quota_files: Annotated[int, Meta(ge=0, lt=1 << 62)] | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="repository"):
    """A repository, where it was (quoted, for a path is bytes), and whose finds there are."""

    id: UUID
    name: str
    root: str
    private_root: str | None = None
    is_default: bool = False
    owner: Number | None = None


class Marked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="marked"):
    """What somebody thinks of an asset."""

    owner: Number
    hash: Hash
    liked: bool = False
    archived_at: Time | None = None
    web_policy: Literal["smart", "always", "never"] | None = None
    trashed_at: Time | None = None
    trash_reason: str | None = None


class Edited(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="edited"):
    """What somebody says of an asset: description, rating, tags, when and where it was taken."""

    owner: Number
    hash: Hash
    edits: dict[str, Any]


class Tag(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tag"):
    """A tag that somebody made."""

    owner: Number
    path: str


class Album(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="album"):
    """An album; the cover is called by its content."""

    id: Number
    owner: Number
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    description: str | None
    cover_owner: Number | None
    cover: Hash | None
    created_at: Time
    updated_at: Time


class Member(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="member"):
    """Somebody to whom an album is shown."""

    album: Number
    user: Number
    role: Literal["viewer", "editor"]
    added_at: Time


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="entry"):
    """An asset in an album, and its place there."""

    album: Number
    owner: Number
    hash: Hash
    position: Annotated[int, Meta(gt=-(1 << 62), lt=1 << 62)]
    added_by: Number | None
    added_at: Time


class Stack(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stack"):
    """Assets that somebody put together."""

    id: Number
    owner: Number
    cover: Hash | None
    created_at: Time


class Stacked(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stacked"):
    """An asset in a stack, and its place there."""

    stack: Number
    owner: Number
    hash: Hash
    position: Annotated[int, Meta(ge=0, lt=1 << 31)]


class End(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """The last line: how many stand between, and their BLAKE3. Without it a file is not whole."""

    lines: int
    digest: Hash


Thing = Person | Place | Marked | Edited | Tag | Album | Member | Entry | Stack | Stacked
Line = Catalogue | Thing | End
