"""A backup for tests that only look at one, or spoil a copy of it: made once, because making one is slow."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

import msgspec
from msgspec import structs

from common import db
from common.stages import Stage
from ingest.handlers import Ingest
from lumilio.backup import make, manifest, record
from lumilio.backup.make import Source
from lumilio.backup.manifest import Original
from tests.support import given
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, place_all, staged
from tests.support.rows import claim, do


@dataclass(frozen=True)
class Kept:
    """A backup, with the database and the repository that it is of; who changes either changes a copy."""

    folder: Path
    database_url: str
    repository: Repository
    user: User

    @property
    def inbox(self) -> Path:
        return Path(os.fsdecode(self.repository.root), "inbox")

    def copied(self, to: Path) -> "Kept":
        """The same backup and repository elsewhere; the database is not to be changed."""
        repository = Repository(self.repository.repository_id, bytes(to / "repository"))
        shutil.copytree(os.fsdecode(self.repository.root), to / "repository")
        shutil.copytree(self.folder, to / "backup")
        known = record.read(self.folder)
        root = quote_from_bytes(repository.root)
        trees = [structs.replace(tree, root=root, home=root) for tree in known.repositories]
        record.write(to / "backup", structs.replace(known, repositories=trees))
        return Kept(to / "backup", self.database_url, repository, self.user)


async def kept(database_url: str, folder: Path) -> Kept:
    """A backup of a photo in its place, one thrown away long ago, and one whose place is being sought."""
    async with db.open_pool(database_url) as pool:
        repository = await given.new_repository(pool, bytes(folder / "repository"))
        user = await given.new_user(pool, "anna", "a long enough password", password_hash="!")
        for number in range(2):
            await staged(pool, repository, user, PHOTO + b"%d" % number, f"{number}.jpg")
        await place_all(pool, Ingest(pool))
        await do(pool, "update assets set trashed_at = now() - interval '29 days' where original_filename = '1.jpg'")
        await do(
            pool, "insert into purges (asset_id, reason) select asset_id, 'asked' from assets where trashed_at < now()"
        )
        person = f"{user.user_id}"
        await do(
            pool, f"insert into sessions (session_id, user_id, expires_at) values (uuidv7(), {person}, 'infinity')"
        )
        await do(pool, f"insert into departures (user_id, fate) values ({person}, 'trash_and_purge')")
        await staged(pool, repository, user, PHOTO + b"2", "2.jpg")
        await claim(pool, Stage.PLACE)
    made = await make.make(Source(database_url), folder / "backups", say=ignore)
    return Kept(made, database_url, repository, user)


def relist(folder: Path, originals: Sequence[Original]) -> None:
    """Have a backup list these originals instead."""
    (folder / record.ORIGINALS).unlink()
    listed = manifest.Writer(folder / record.ORIGINALS)
    listed._packed.write(b"".join(msgspec.json.encode(one) + b"\n" for one in originals))
    listed.close()
    known = record.read(folder)
    parts = {**known.parts, record.ORIGINALS: record.measure(folder / record.ORIGINALS)}
    record.write(folder, structs.replace(known, originals=len(originals), parts=parts))


def ignore(_: str) -> None:
    """Nobody listens."""
