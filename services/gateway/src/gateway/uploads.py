"""Takes files in: streamed into staging, hashed on the way, durable before they have a row."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from litestar import Request
from msgspec import structs

from common import files, marker, outbox, trash
from common.db import Connection, Pool, glance
from common.messages import UploadStaged
from common.names import display_name
from common.sniff import Format
from gateway import form
from gateway.disks import Disks
from gateway.errors import Invalid, NotFound, Unusable
from gateway.form import Pieces
from gateway.queries import repositories, uploads
from gateway.queries.repositories import Repository
from gateway.schemas import UploadResponse
from gateway.staging import StagedFile, staged

HASH_DIGITS = 64
BACK = "you had this file in the trash: it is back"


@dataclass(frozen=True)
class Intake:
    """Everything that taking a file in needs."""

    pool: Pool
    relay: outbox.Relay
    disks: Disks = field(default_factory=Disks)

    async def receive(self, request: Request[Any, Any, Any], *, owner: int, expected: bytes | None) -> UploadResponse:
        """Take the one file of a multipart body; it is on the disk and in the database when this returns."""
        async with aclosing(form.read(request)) as pieces:
            head, fields = await form.find_file(pieces)
            repository = await self._open(fields.get("repository_id"))
            with self.disks.watched(repository.root):
                answer = await self._take(pieces, display_name(head.filename), repository, owner, expected)
        self.relay.wake()
        return answer

    async def _take(
        self, pieces: Pieces, name: str, repository: Repository, owner: int, expected: bytes | None
    ) -> UploadResponse:
        """Bytes, their name on the disk, their rows: each is durable before the next begins."""
        async with staged(repository.root) as file:
            async for chunk in form.only_content(pieces):
                file.write(chunk)
            kind = file.check(expected)
            await asyncio.to_thread(file.sync)
            async with self.pool.connection() as conn:
                answer = await Upload(file, kind, name, owner, repository.repository_id).save(conn)
                file.keep()  # the commit that follows may happen even if we hear nothing of it
        return answer

    async def _open(self, wanted: str | None) -> Repository:
        """The repository that was asked for, or the default one; Offline unless its marker is there."""
        async with glance(self.pool) as conn:
            if wanted is None:
                repository = await repositories.find_default(conn)
            else:
                repository = await repositories.find_repository(conn, _uuid(wanted))
        if repository is None:
            raise NotFound("no such repository" if wanted else "no repository is the default one")
        if repository.state != "online":
            raise files.Offline(f"the repository is {repository.state}")
        await asyncio.to_thread(marker.check, repository.root, repository.repository_id)
        return repository


@dataclass(frozen=True)
class Upload:
    """A staged file that is about to get its rows."""

    file: StagedFile
    format: Format
    name: str
    owner: int
    repository: UUID

    async def save(self, conn: Connection) -> UploadResponse:
        """Write the asset, its stages, the upload and its event; known content is placed anew, which repairs it."""
        asset = await self._save_asset(conn)
        if asset is not None:
            await uploads.add_stages(conn, asset, owner=self.owner)
            return await self._announce(conn, asset, is_duplicate=False)
        asset = await uploads.lock_known(conn, owner=self.owner, content_hash=self.file.digest.digest())
        if asset is None:
            raise Unusable("the same photo was purged at this very moment: send it again")
        was_trashed = await trash.take_back(conn, asset, owner=self.owner)
        answer = await self._announce(conn, asset, is_duplicate=await uploads.is_stored(conn, asset))
        await uploads.reopen_place(conn, asset)
        return structs.replace(answer, message=BACK) if was_trashed else answer

    async def _save_asset(self, conn: Connection) -> UUID | None:
        return await uploads.save_asset(
            conn,
            owner=self.owner,
            content_hash=self.file.digest.digest(),
            size=self.file.size,
            kind=self.format.kind,
            mime_type=self.format.mime_type,
            file_name=self.name,
        )

    async def _announce(self, conn: Connection, asset: UUID, *, is_duplicate: bool) -> UploadResponse:
        upload_id = await uploads.save_upload(
            conn,
            owner=self.owner,
            repository=self.repository,
            asset=asset,
            staged_name=self.file.name,
            file_name=self.name,
            size=self.file.size,
        )
        event = UploadStaged(owner_id=self.owner, upload_id=upload_id, asset_id=asset, repository_id=self.repository)
        await outbox.add(conn, event)
        return UploadResponse(
            task_id=upload_id,
            asset_id=asset,
            status="duplicate" if is_duplicate else "processing",
            file_name=self.name,
            size=self.file.size,
            content_hash=self.file.digest.hexdigest(),
            message="you already have this file" if is_duplicate else "the file is safe and is being processed",
        )


def announced_hash(values: list[str]) -> bytes | None:
    """The BLAKE3 that a client sends in `X-Content-Hash`, if it does."""
    if not values:
        return None
    try:
        if len(values) == 1 and len(values[0]) == HASH_DIGITS:
            return bytes.fromhex(values[0])
    except ValueError:
        pass
    raise Invalid("X-Content-Hash is one BLAKE3 hash of 64 hexadecimal digits")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("`repository_id` is not a UUID") from None
