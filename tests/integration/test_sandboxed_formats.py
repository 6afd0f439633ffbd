"""Every still format through the real sandbox, whole, large and broken."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from common import formats, sniff
from processor import images, sandbox
from processor.sandbox import Died, Sandbox
from processor.unreadable import Unreadable
from tests.support import heic, media, psd
from tests.support.heic import Heic

BROKEN = 12
"""How many times each file is broken in another way."""


pytestmark = pytest.mark.asyncio(loop_scope="module")  # one sandbox for all


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Sandbox]:
    async with sandbox.open(2) as opened:
        yield opened


def files() -> dict[str, bytes]:
    """One small picture in every format and in some of its kinds."""
    picture = media.noise(120, 90)
    whole = Heic(grid=(2, 2), exif=media.everything(), profile=media.profile_of("p3"), orientation=6)
    kinds = {
        "tiles": heic.heic(picture, whole),
        "ten bits": heic.heic(picture, Heic(depth=10, colours=(9, 16))),
        "sixteen bits": psd.psd(picture, depth=16, beside={1039: media.profile_of("p3"), 1058: media.everything()}),
    }
    return {known.extension: media.saved(picture, known.extension) for known in formats.STILLS} | kinds


def mime_of(content: bytes) -> str:
    known = sniff.sniff(content[: sniff.HEAD_BYTES])
    assert known is not None
    return known.mime_type


async def test_every_format_is_decoded_in_the_sandbox(box: Sandbox, tmp_path: Path) -> None:
    """What comes out of the sandbox is what comes out without one, for no decoder lacks what it may not load there."""
    path = tmp_path / "photo"

    for name, content in files().items():
        path.write_bytes(content)
        with path.open("rb") as file:
            plain = images.render(file, mime_of(content))
        assert await box.run(images.render, path, mime_of(content), owner=1) == plain, name


@pytest.mark.parametrize("depth", [8, 10])
async def test_a_phones_largest_pictures_fit(box: Sandbox, tmp_path: Path, depth: int) -> None:
    """A HEIC of 48 megapixels, of 8 bits or of 10, takes no more memory than there is."""
    tile = Image.new("RGB", (1008, 756), media.RED)
    (tmp_path / "photo").write_bytes(heic.heic(tile, Heic(depth=depth, grid=(8, 8))))

    photo = await box.run(images.render, tmp_path / "photo", "image/heic", owner=1)

    assert (photo.width, photo.height) == (8064, 6048)


async def test_a_large_jpeg_xl_fits(box: Sandbox, tmp_path: Path) -> None:
    """A JPEG XL of 24 megapixels without loss takes no more memory than there is."""
    Image.new("RGB", (6000, 4000), media.RED).save(tmp_path / "photo.jxl", lossless=True, effort=1)

    photo = await box.run(images.render, tmp_path / "photo.jxl", "image/jxl", owner=1)

    assert (photo.width, photo.height) == (6000, 4000)


async def test_broken_files_are_shown_or_refused(box: Sandbox, tmp_path: Path) -> None:
    """A file with bytes that are not its own is shown or gets a sentence; at worst its process dies, foreseen by us."""
    chance, path, whole, refused, deaths = random.Random(20), tmp_path / "photo", files(), [], []

    for content in whole.values():
        for _ in range(BROKEN):
            path.write_bytes(broken(content, chance))
            try:
                media.shown(await box.run(images.render, path, mime_of(content), owner=1))
            except Unreadable as verdict:
                refused.append(str(verdict))
            except Died as end:
                deaths.append(str(end))

    assert all(refused)
    assert not any("Error" in end for end in deaths), deaths  # nothing that a decoder raises is new to us
    path.write_bytes(whole[".jpg"])
    assert (await box.run(images.render, path, "image/jpeg", owner=1)).width == 120


def broken(content: bytes, chance: random.Random) -> bytes:
    """The content with some of its bytes changed, most of them near its start, where the sizes are."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 2, 5, 20))):
        at = int(len(changed) * chance.random() ** chance.choice((1, 3, 6)))
        changed[at : at + 1] = chance.choice((bytes([changed[at] ^ 1 << chance.randrange(8)]), b"\0", b"\xff\xff", b""))
    return bytes(changed)
