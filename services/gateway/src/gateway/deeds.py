"""Does one thing with some assets of one owner, in one transaction; what of them is gone meanwhile is left out."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import UNSET, structs

from common import edits, trash
from common.db import Connection
from common.edits import Edits
from common.readings import VERSION
from gateway import albums, changes, editing
from gateway.actions import (
    AddToAlbum,
    Archive,
    Deed,
    DropTag,
    Edit,
    Like,
    MoveTag,
    RemoveFromAlbum,
    Reprocess,
    Restore,
    SetZone,
    ShiftTime,
    Spoken,
    Tag,
    Trash,
)
from gateway.changes import Change
from gateway.editing import Outcome
from gateway.queries import organising, reprocess, tags
from gateway.queries.reprocess import Chosen

Mark: TypeAlias = Callable[..., Awaitable[Sequence[UUID]]]
BULK = 1
GOING = f"it {trash.GOING}"


async def do(conn: Connection, deed: Deed, assets: Sequence[UUID], *, owner: int) -> Outcome:
    """Do it with those of the assets with which it is not done; NotFound when it cannot be done with any more."""
    match deed:
        case Like():
            return await _told(conn, partial(organising.mark_liked, liked=deed.liked), assets, owner)
        case Archive():
            return await _told(conn, partial(organising.mark_archived, archived=deed.archived), assets, owner)
        case Trash():
            return Outcome(changed=len(await trash.put_many(conn, assets, owner=owner, lane=BULK)))
        case Restore():
            back = await trash.take_back_many(conn, assets, owner=owner, lane=BULK)
            return Outcome(changed=len(back.restored), failures=dict.fromkeys(back.going, GOING))
        case AddToAlbum():
            outside = await organising.list_outside(conn, deed.album_id, assets, owner=owner)
            await albums.add(conn, deed.album_id, outside, user=owner)
            return Outcome(changed=len(outside))
        case RemoveFromAlbum():
            return Outcome(changed=len(await albums.remove_many(conn, deed.album_id, assets, user=owner)))
        case Reprocess():
            queued = await reprocess.reopen_many(conn, assets, deed.scope, Chosen(), owner=owner, version=VERSION)
            return Outcome(changed=queued)
        case _:
            return await editing.change(conn, assets, _change(deed), owner=owner, lane=BULK)


async def prepare(conn: Connection, deed: Deed, *, owner: int) -> None:
    """In a transaction before: tags that many get are there before anybody waits for whoever has made one."""
    match deed:
        case Edit() if deed.tags is not UNSET:
            await tags.add(conn, deed.tags, owner=owner)
        case Tag():
            await tags.add(conn, deed.add, owner=owner)


async def finish(conn: Connection, deed: Deed, *, owner: int) -> None:
    """In a transaction after: tags that no asset has any more are gone."""
    if isinstance(deed, Edit | Tag | MoveTag | DropTag):
        await tags.forget_empty(conn, owner=owner)


async def _told(conn: Connection, mark: Mark, assets: Sequence[UUID], owner: int) -> Outcome:
    changed = await mark(conn, assets, owner=owner)
    await editing.tell(conn, changed, owner=owner)
    return Outcome(changed=len(changed))


def _change(deed: Spoken) -> Change:
    match deed:
        case Edit():
            return changes.edited(edits.given(said_in(deed)), deed.reset)
        case Tag():
            return changes.tagged(deed.add, deed.remove)
        case MoveTag():
            return changes.moved(deed.old, deed.new)
        case DropTag():
            return changes.untagged(deed.path)
        case ShiftTime():
            return changes.shifted(timedelta(minutes=deed.minutes, seconds=deed.seconds))
        case SetZone():
            return changes.zoned(ZoneInfo(deed.zone), keeps_moment=deed.keeps == "moment")


def said_in(edit: Edit) -> Edits:
    """The words alone."""
    return Edits(**{field.name: getattr(edit, field.name) for field in structs.fields(Edits)})
