"""Takes files in: streamed into staging, hashed on the way, durable before they have a row."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from litestar import Request
from msgspec import structs

from common import files, intake, marker, outbox, trash
from common import queries as core
from common import repository_queries as repositories
from common.db import Connection, Pool, glance
from common.formats import Format
from common.intake import Received
from common.messages import UploadStaged
from common.names import display_name
from common.stages import Stage
from gateway import announced, form, quotas
from gateway.announced import MODIFIED, Sender
from gateway.disks import Disks
from gateway.errors import Conflict, Invalid, NotFound, TooLarge, Unusable
from gateway.queries import quotas as quota_queries
from gateway.queries import uploads
from gateway.room import Room
from gateway.staging import StagedFile, staged
from gateway.upload_schemas import UploadResponse
from gateway.upload_turns import Turns

BACK = "you had this file in the trash: it is back"

# What a body may hold beside its file.
FORM_BYTES = 64 * 1024

IDLE = {
    "readonly": "the repository takes no uploads: its directory may not be written to",
    "offline": "the repository was away until now: try again in a minute",
}
"""Why a repository takes no uploads although its disk is there."""


@dataclass(frozen=True)
class Target:
    """A repository that takes uploads now, and how large a file may be there."""

    repository_id: UUID
    root: bytes
    max_bytes: int

    def refuse(self, size: int) -> None:
        """TooLarge for a file of this many bytes, if it is."""
        if size > self.max_bytes:
            raise TooLarge(f"the file is larger than the {self.max_bytes} bytes that are taken here")


@dataclass(frozen=True)
class Intake:
    """Everything that taking files in needs."""

    pool: Pool
    relay: outbox.Relay
    max_bytes: int
    room: Room = field(default_factory=Room)
    disks: Disks = field(default_factory=Disks)
    turns: Turns = field(default_factory=Turns)

    async def receive(
        self, request: Request[Any, Any, Any], sender: Sender, *, expected: bytes | None, key: str | None
    ) -> UploadResponse:
        """Take the one file of a multipart body; it is on the disk and in the database when this returns."""
        length = self.announced(request)
        async with aclosing(form.read(request)) as pieces:
            head, fields = await form.find_file(pieces)
            target = await self.open(fields.get("repository_id"), length=length)
            target.refuse(length - FORM_BYTES)
            if expected is None and key is None:  # else it may be a file that is stored already
                async with glance(self.pool) as conn:
                    await quotas.look(conn, sender.owner, length=max(length - FORM_BYTES, 0))
            name = display_name(head.filename)
            return await self.take(
                *(form.only_content(pieces), target, sender),
                name=name,
                expected=expected,
                key=key,
                modified_ns=_modified(fields.get(MODIFIED)),
            )

    def announced(self, request: Request[Any, Any, Any]) -> int:
        """The length that a body announces, 0 for none; TooLarge when so much is never taken."""
        length = request.content_length or 0
        if length > self.max_bytes + FORM_BYTES:
            raise TooLarge(f"the body is larger than the {self.max_bytes} bytes that this server takes at once")
        return length

    async def take(
        self,
        chunks: AsyncIterator[bytes],
        target: Target,
        sender: Sender,
        *,
        name: str,
        expected: bytes | None,
        key: str | None = None,
        modified_ns: int | None = None,
    ) -> UploadResponse:
        """Bytes, their name on the disk, their rows: each is durable before the next begins."""
        with self.disks.watched(target.root):
            async with staged(target.root) as file:
                async for chunk in chunks:
                    target.refuse(file.size + len(chunk))
                    self.room.check(target.root)
                    file.write(chunk)
                known = file.check(expected)
                if known.kind != "photo":
                    known = await asyncio.to_thread(file.look, known)
                upload = Upload(file, known, name, sender, target.repository_id, key)
                file.date(modified_ns)
                intake.note(file.descriptor, Received(owner=sender.owner, name=name, hash=file.digest.hexdigest()))
                await asyncio.to_thread(file.sync)
                answer = await self._commit(upload)
        self.relay.wake()
        return answer

    async def open(self, wanted: str | None, *, length: int = 0) -> Target:
        """The repository that was asked for, or the default one, if it is there and has room for so many bytes."""
        async with glance(self.pool) as conn:
            if wanted is None:
                repository = await repositories.find_default(conn)
            else:
                repository = await repositories.find_repository(conn, _uuid(wanted))
        if repository is None:
            raise NotFound("no such repository" if wanted else "no repository is the default one")
        found = await asyncio.to_thread(
            marker.check, repository.root, repository.repository_id, repository.private_root
        )
        if repository.state != "online":
            raise files.Offline(IDLE[repository.state])
        self.room.check(repository.root, length)
        limit = found.local_settings.max_file_size or self.max_bytes
        return Target(repository.repository_id, repository.root, min(limit, self.max_bytes))

    async def _commit(self, upload: "Upload") -> UploadResponse:
        async with self.pool.connection() as conn, conn.pipeline() as pipeline:
            answer = await upload.repeat(conn)
            if answer is None:
                answer = await upload.save(conn)
                await pipeline.sync()
                upload.file.keep()  # the commit that follows may happen even if we hear nothing of it
        return answer


@dataclass(frozen=True)
class Upload:
    """A staged file that is about to get its rows."""

    file: StagedFile
    format: Format
    name: str
    sender: Sender
    repository: UUID
    key: str | None = None

    async def repeat(self, conn: Connection) -> UploadResponse | None:
        """The answer that this content got under this key; Conflict when other content had the key."""
        if self.key is None:
            return None
        earlier = await uploads.lock_key(conn, owner=self.sender.owner, key=self.key)
        if earlier is None or earlier.has_failed:
            await uploads.free_key(conn, owner=self.sender.owner, key=self.key)
            return None
        if earlier.content_hash != self.file.digest.digest():
            raise Conflict("this Idempotency-Key came with another file before: take a new key for each file")
        return _answer(
            earlier.upload_id,
            earlier.asset_id,
            is_duplicate=earlier.answered_duplicate,
            name=earlier.file_name,
            file=self.file,
        )

    async def save(self, conn: Connection) -> UploadResponse:
        """Write the asset, its stages, the upload and its event; known content is placed anew, which repairs it."""
        is_limited = await quota_queries.lock_limited(conn, self.sender.owner)
        asset = await self._save_asset(conn)
        if asset is not None:
            if is_limited:
                quotas.check(await quota_queries.find_usage(conn, self.sender.owner))
            await uploads.add_stages(conn, asset, owner=self.sender.owner, lane=self.sender.lane)
            return await self._announce(conn, asset, is_duplicate=False)
        asset = await uploads.lock_known(conn, owner=self.sender.owner, content_hash=self.file.digest.digest())
        if asset is None:
            return await self.save(conn)  # it was purged at this very moment
        await uploads.hurry(conn, asset, lane=self.sender.lane)  # stages are locked before assets
        was_trashed = await trash.take_back(conn, asset, owner=self.sender.owner, brings_bytes=True)
        answer = await self._announce(conn, asset, is_duplicate=await uploads.is_stored(conn, asset))
        await core.reopen(conn, asset, Stage.PLACE, lane=self.sender.lane)
        return structs.replace(answer, message=BACK) if was_trashed else answer

    async def _save_asset(self, conn: Connection) -> UUID | None:
        return await uploads.save_asset(
            conn,
            owner=self.sender.owner,
            content_hash=self.file.digest.digest(),
            size=self.file.size,
            kind=self.format.kind,
            mime_type=self.format.mime_type,
            file_name=self.name,
        )

    async def _announce(self, conn: Connection, asset: UUID, *, is_duplicate: bool) -> UploadResponse:
        upload_id = await uploads.save_upload(
            conn,
            owner=self.sender.owner,
            repository=self.repository,
            asset=asset,
            staged_name=self.file.name,
            file_name=self.name,
            size=self.file.size,
            key=self.key,
            is_duplicate=is_duplicate,
        )
        event = UploadStaged(
            owner_id=self.sender.owner, upload_id=upload_id, asset_id=asset, repository_id=self.repository
        )
        await outbox.add(conn, event)
        return _answer(upload_id, asset, is_duplicate=is_duplicate, name=self.name, file=self.file)


def _answer(upload_id: int, asset: UUID, *, is_duplicate: bool, name: str, file: StagedFile) -> UploadResponse:
    return UploadResponse(
        task_id=upload_id,
        asset_id=asset,
        status="duplicate" if is_duplicate else "processing",
        file_name=name,
        size=file.size,
        content_hash=file.digest.hexdigest(),
        message="you already have this file" if is_duplicate else "the file is safe and is being processed",
    )


def _modified(written: str | None) -> int | None:
    try:
        return announced.modified_at(written)
    except Unusable as error:
        raise Invalid(str(error)) from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("`repository_id` is not a UUID") from None
