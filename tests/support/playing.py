"""Videos and recordings as the stages leave them behind, made without the stages."""

import os
from pathlib import Path
from uuid import UUID

from blake3 import blake3

from common import derived_files, layout
from common.db import Pool
from common.formats import BY_MIME
from tests.support.given import Repository, User
from tests.support.placing import placed
from tests.support.rows import ask, do

ORIGINAL = b"\xff\xd8\xff" + bytes(range(256)) * 30
FOLDERS = {
    "web": layout.WEB_VIDEOS,
    "preview": layout.PREVIEWS,
    "waveform": layout.WAVEFORMS,
    "waveform_image": layout.WAVEFORMS,
}
TYPES = {
    "web": "video/mp4",
    "preview": "image/webp",
    "waveform": "application/json",
    "waveform_image": "image/png",
}
NEWER = "insert into asset_stages (asset_id, stage, owner_id, state) select asset_id, 'transcode', owner_id, 'blocked'"


async def stored(pool: Pool, repository: Repository, user: User, mime: str, content: bytes | None = None) -> UUID:
    """A placed asset that is said to be of this type, whatever its bytes are; it is still to be rendered."""
    known = BY_MIME[mime]
    name = f"summer{known.extension}"
    asset = await placed(pool, repository, user, content or ORIGINAL, name)
    await do(pool, f"update assets set kind = '{known.kind}', mime_type = '{mime}' where asset_id = '{asset}'")
    return asset


async def rendered(pool: Pool, asset: UUID, transcode: str | None = "done", **more: str) -> None:
    """As if it had been rendered, and as if its web version stood so."""
    await do(pool, f"update asset_stages set state = 'done', next_at = null where asset_id = '{asset}'")
    if transcode is None:
        return
    await do(pool, f"{NEWER} from assets where asset_id = '{asset}'")
    changes = {"state": transcode, "next_at": "now()" if transcode in {"pending", "running"} else "null", **more}
    said = ", ".join(f"{name} = {value if name == 'next_at' else repr(value)}" for name, value in changes.items())
    await do(pool, f"update asset_stages set {said} where asset_id = '{asset}' and stage = 'transcode'")


async def keep(pool: Pool, repository: Repository, asset: UUID, kind: str, content: bytes, mime: str = "") -> Path:
    """A rendition with its row; returns where it lies."""
    mime = mime or TYPES[kind]
    ending = BY_MIME[mime].extension if mime in BY_MIME else ".json"
    path = layout.derived(FOLDERS[kind], blake3(content).digest(), 1, 1, ending)
    derived_files.write(repository.root, path, content)
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into renditions (asset_id, kind, repository_id, path, mime_type, bytes, hash, recipe)
            values (%s, %s, %s, %s, %s, %s, %s, 'a recipe')
            """,
            (asset, kind, repository.repository_id, path, mime, len(content), blake3(content).digest()),
        )
    return Path(os.fsdecode(os.path.join(repository.root, path)))


async def stages(pool: Pool) -> dict[str, str]:
    """How far each stage is."""
    return dict(await ask(pool, "select stage, state from asset_stages"))
