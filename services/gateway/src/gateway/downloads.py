"""Downloads of many originals: a link is asked for with a sign-in and fetched without one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from common import queries as core
from common.db import Connection, Pool, glance
from gateway import archive_names, packing
from gateway.download_schemas import DownloadLink, DownloadRequest
from gateway.download_tickets import SECONDS, Holder, Ticket, Tickets
from gateway.errors import Invalid, NotFound, TooLarge
from gateway.packing import Item, OwnerOf, Packed
from gateway.policies import Caller
from gateway.queries import downloads as queries
from gateway.queries import reach, tries

CALLED = "Lumilio Photos"


@dataclass(frozen=True)
class Limits:
    """How much one download may be."""

    files: int = 10_000
    bytes: int = 500 * 1024**3


@dataclass(frozen=True)
class Downloads:
    """Everything that downloads need."""

    pool: Pool
    tickets: Tickets
    limits: Limits = field(default_factory=Limits)

    async def offer(self, wanted: DownloadRequest, caller: Caller) -> DownloadLink:
        """A link to an archive of what the caller wants; NotFound when any of it is not there for them."""
        holder = Holder(caller.user.user_id, caller.session_id, caller.key_id)
        async with glance(self.pool) as conn:
            now = await core.find_now(conn)
            name, items = await self._find(conn, wanted, holder.user_id)
        if wanted.asset_ids is not None and len(items) < len(set(wanted.asset_ids)):
            raise NotFound(f"no asset {min(set(wanted.asset_ids) - {item.asset_id for item in items})}")
        self.check(items)
        ticket, until = self.tickets.issue(wanted, holder, now=now)
        return DownloadLink(
            url=f"/api/v1/downloads/{ticket}",
            file_name=name,
            count=len(items),
            bytes=packing.length(items),
            expires_at=datetime.fromtimestamp(until, UTC),
        )

    async def redeem(self, text: str, *, is_begun: bool) -> Packed:
        """The archive that a link is for; fetching begins only once."""
        async with glance(self.pool) as conn:
            ticket, wanted = self.tickets.read(text, now=await core.find_now(conn))
            if not await queries.holds(conn, ticket.holder):
                raise NotFound("the link was given to somebody who is not signed in any more")
            name, items = await self._find(conn, wanted, ticket.holder.user_id)
            self.check(items)
            if is_begun:
                await self._use(conn, ticket)
        return Packed(self.pool, items, owner_for(ticket.holder), name)

    def check(self, items: Sequence[Item]) -> None:
        """NotFound for nothing, TooLarge for more than one download may be."""
        size = sum(item.size for item in items)
        if not items:
            raise NotFound("there is nothing to download")
        if len(items) > self.limits.files:
            raise TooLarge(
                f"these are more than {self.limits.files:,} files, which one download may have: ask for fewer"
            )
        if size > self.limits.bytes:
            raise TooLarge(f"these are {size:,} bytes, and one download may have {self.limits.bytes:,}: ask for fewer")

    async def _use(self, conn: Connection, ticket: Ticket) -> None:
        if not await tries.take_try(conn, hashlib.sha256(ticket.number).digest(), most=1, seconds=SECONDS):
            raise NotFound("the link was used: ask for another one")
        self.tickets.drop(ticket)

    async def _find(self, conn: Connection, wanted: DownloadRequest, user_id: int) -> tuple[str, list[Item]]:
        """What an archive of what is wanted is called, and one file more of it than may be, if there are so many."""
        most = self.limits.files + 1
        match wanted:
            case DownloadRequest(asset_ids=list() as chosen, album_id=None, filter=None):
                seen = await reach.list_owners(conn, chosen, user_id)
                return f"{CALLED}.zip", await queries.list_chosen(conn, list(seen))
            case DownloadRequest(asset_ids=None, album_id=int() as album, filter=None):
                name = await queries.find_album_name(conn, album, user=user_id)
                if name is None:
                    raise NotFound(f"no album {album}")
                return archive_names.safe(f"{name}.zip"), await queries.list_album(conn, album, limit=most)
            case DownloadRequest(asset_ids=None, album_id=None, filter=found) if found is not None:
                return f"{CALLED}.zip", await queries.list_found(conn, found, owner=user_id, limit=most)
        raise Invalid("say one of `asset_ids`, `album_id` and `filter`")


def owner_for(holder: Holder) -> OwnerOf:
    """Whose an asset is that somebody may see, as long as they are signed in."""

    async def owner_of(conn: Connection, asset_id: UUID) -> int | None:
        if not await queries.holds(conn, holder):
            return None
        return await reach.find_owner(conn, asset_id, holder.user_id)

    return owner_of
