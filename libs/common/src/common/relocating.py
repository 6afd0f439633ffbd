"""Where the originals of an inbox belong by another strategy."""

import os
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, structs

from common import inbox
from common.marker import Marker, Strategy

Order = Literal["date", "flat", "cas", "captured"]
"""`captured` is by date as well, namely when a photo was taken, where that is known."""
LEFT = {
    "missing": "it is missing",
    "corrupt": "it is damaged",
    "found": "it is no longer what was uploaded",
    "other": "it is no longer what was uploaded",
}


class Stored(Struct, frozen=True, kw_only=True):
    """An original in the inbox, and what its name may be made of; `taken_at` is a time of the place where it was."""

    file_record_id: int
    path: bytes
    state: str
    asset_id: UUID
    content_hash: bytes
    mime_type: str
    original_filename: str
    uploaded_at: datetime
    taken_at: datetime | None


class Move(Struct, frozen=True, kw_only=True):
    """An original that belongs elsewhere; one that is left where it is has a reason."""

    file_record_id: int
    source: bytes
    goal: bytes
    reason: str | None = None


def strategy_of(order: Order) -> Strategy:
    """How uploads are named while, and after, originals are ordered so: nobody knows yet when they were taken."""
    return "date" if order == "captured" else order


def plan(rules: Marker, order: Order, stored: Stored) -> Move | None:
    """What is to be done with an original; nothing when it lies in the right folder, whatever it is called there."""
    taken_at = stored.taken_at if order == "captured" else None
    goal = inbox.wanted(
        structs.replace(rules, storage_strategy=strategy_of(order)),
        file_name=stored.original_filename,
        asset_id=stored.asset_id,
        content_hash=stored.content_hash,
        mime_type=stored.mime_type,
        at=taken_at or stored.uploaded_at.astimezone(),
    )
    if os.path.dirname(goal) == os.path.dirname(stored.path):
        return None
    return Move(file_record_id=stored.file_record_id, source=stored.path, goal=goal, reason=LEFT.get(stored.state))
