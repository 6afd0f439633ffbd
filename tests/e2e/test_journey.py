"""What people do most, by the client for programs: photos go up, are found, shared, thrown away and come down."""

import io
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from lumilio_client import AsyncClient, NotFound, NotSignedIn, api
from tests.support import photos
from tests.support.client import program
from tests.support.stack import Stack
from tests.support.waiting import until

NAMES = {"beach.jpg": photos.jpeg(80, 60, seed=1), "forest.jpg": photos.jpeg(80, 60, seed=2)}


async def is_ready(client: AsyncClient, task: int) -> bool:
    return (await client.ask(api.get_upload(task))).state == "ready"


async def sent(client: AsyncClient) -> list[UUID]:
    """The photos, uploaded and processed."""
    uploads = [await client.upload(io.BytesIO(content), name=name) for name, content in NAMES.items()]
    for upload in uploads:
        await until(partial(is_ready, client, upload.task_id), seconds=60, what=f"{upload.file_name} is ready")
    return [upload.asset_id for upload in uploads]


async def found(client: AsyncClient, words: str) -> list[UUID]:
    """What a search finds."""
    answer = await client.ask(api.search_assets(api.SearchRequest(query=words, search_type="filename")))
    return [asset.asset_id for asset in answer.assets]


async def test_photos_go_up_are_found_shared_and_come_down(stack: Stack, tmp_path: Path) -> None:
    """Whatever was done with it meanwhile, what comes down is what went up."""
    async with program(stack) as client, AsyncClient(stack.base_url) as visitor:
        beach, forest = assets = await sent(client)

        await client.ask(api.edit_asset(beach, api.EditRequest(title="Grandma by the sea", rating=5)))
        assert (await found(client, "grandma"), await found(client, "forest")) == ([beach], [forest])
        rated = api.FilterRequest(filter=api.AssetFilter(rating=5))
        assert [one.asset_id async for one in client.each(api.filter_assets(rated))] == [beach]

        album = (await client.ask(api.create_album(api.CreateAlbum(album_name="Summer")))).album_id
        await client.ask(api.add_assets(album, api.AddAssets(asset_ids=[forest, beach])))
        assert [one.asset_id async for one in client.each(api.list_album_assets(album))] == [forest, beach]

        share = await client.ask(api.create_share(album, api.CreateShare(allow_download=True)))
        seen = [one async for one in visitor.each(api.list_shared(share.token))]
        assert [one.asset_id for one in seen] == [forest, beach]
        with pytest.raises(NotSignedIn):
            await visitor.ask(api.original(beach))

        await client.ask(api.trash_asset(forest))
        assert [one.asset_id async for one in visitor.each(api.list_shared(share.token))] == [beach]
        await client.ask(api.restore_asset(forest))
        await client.ask(api.revoke_share(album, share.share_id))
        with pytest.raises(NotFound):
            await visitor.ask(api.get_shared(share.token))

        for asset, content in zip(assets, NAMES.values(), strict=True):
            assert await client.download(api.original(asset), tmp_path / "original.jpg") == len(content)
            assert (tmp_path / "original.jpg").read_bytes() == content
            assert (await client.ask(api.thumbnail(asset, size="small"))).startswith(b"RIFF")
