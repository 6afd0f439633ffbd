"""Other programs write sidecars beside originals in people's folders: what they say is read, and nothing else is."""

import os
from pathlib import Path

import pytest

from common.db import Pool
from common.stages import Stage
from processor.handlers import Processor
from tests.support import photos
from tests.support.rows import ask, claim, do
from tests.support.scanning import Disk

WORDS = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{0}"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture
async def photo(disk: Disk, processor: Processor) -> Path:
    """A photo that was rendered a while ago, beside another one."""
    path = disk.write("Family/a.jpg", photos.jpeg(60, 40))
    disk.write("Family/a.b.jpg", photos.jpeg(60, 40, seed=1))
    await disk.settle()
    for _ in range(2):
        await processor.render(await claim(disk.pool, Stage.RENDER))
    await do(disk.pool, "update asset_stages set changed_at = now() - interval '1 hour'")
    return path


async def due(pool: Pool) -> list[str]:
    """The files whose metadata is to be read again."""
    return await ask(
        pool,
        """
        select a.original_filename
        from asset_stages s
        join assets a on a.asset_id = s.asset_id
        where s.stage = 'render' and s.state = 'pending'
        order by 1
        """,
    )


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "a.jpg.XMP"])
async def test_a_sidecar_that_appears_is_read(disk: Disk, processor: Processor, photo: Path, name: str) -> None:
    """What another program says of a photo is known after the next scan."""
    photo.with_name(name).write_text(WORDS.format(4))

    await disk.settle()
    await processor.render(await claim(disk.pool, Stage.RENDER))

    assert await ask(disk.pool, "select facts ->> 'rating' from asset_metadata where facts ->> 'rating' > '0'") == ["4"]


async def test_only_the_photo_of_a_sidecar_is_read(disk: Disk, photo: Path) -> None:
    """Neither speaks of `a.b.jpg`; and what does not change is not read twice."""
    photo.with_name("a.jpg.xmp").write_text(WORDS.format(4))
    photo.with_name("a.xmp").write_text(WORDS.format(3))

    await disk.settle()
    once = await due(disk.pool)
    await do(disk.pool, "update asset_stages set state = 'done', next_at = null where stage = 'render'")
    await disk.settle()

    assert once == ["a.jpg"]
    assert await due(disk.pool) == []


async def test_a_sidecar_that_changes_or_vanishes_is_heeded(disk: Disk, photo: Path) -> None:
    """What is no longer said is no longer believed."""
    sidecar = photo.with_name("a.jpg.xmp")
    sidecar.write_text(WORDS.format(4))
    await disk.settle()
    dues = []
    for deed in (lambda: sidecar.write_text(WORDS.format(15)), sidecar.unlink):
        await do(disk.pool, "update asset_stages set state = 'done', next_at = null where stage = 'render'")
        deed()
        await disk.settle()
        dues.append(await due(disk.pool))

    assert dues == [["a.jpg"], ["a.jpg"]]


async def test_our_own_sidecar_is_no_news(disk: Disk, photo: Path) -> None:
    """What was just written back says nothing that we do not know."""
    photo.with_name("a.jpg.xmp").write_text(WORDS.format(4))
    await do(
        disk.pool,
        """
        insert into asset_stages (asset_id, stage, owner_id, state, changed_at)
        select asset_id, 'sidecar', owner_id, 'done', now() + interval '1 second' from assets
        """,
    )

    await disk.settle()

    assert await due(disk.pool) == []


async def test_a_folder_that_moves_with_its_sidecars_is_not_read(disk: Disk, photo: Path) -> None:
    """The same sidecars beside the same photos say the same."""
    photo.with_name("a.jpg.xmp").write_text(WORDS.format(4))
    await disk.settle()
    await do(
        disk.pool,
        """
        update asset_stages
        set state = 'done', next_at = null, changed_at = now() + interval '2 minutes'
        where stage = 'render'
        """,
    )

    os.rename(photo.parent, disk.root / "Friends")
    await disk.settle()

    assert set(await disk.catalogue()) == {b"Friends/a.jpg", b"Friends/a.b.jpg", b"Friends/a.jpg.xmp"}
    assert await due(disk.pool) == []
