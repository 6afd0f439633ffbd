"""Raw files in the sandbox: what is well comes out as without one, and what is not hurts nobody but itself."""

import struct
from collections import Counter
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from common import formats
from processor import images, sandbox
from processor.sandbox import Died, Sandbox
from processor.unreadable import Unreadable
from tests.support import media, raws

DNG, CR3, NEF = (known.mime_type for known in (formats.DNG, formats.CR3, formats.NEF))
NAMES = (
    *("developed", "preview", "damaged, with a preview", "a TIFF that turns out to be raw"),
    *("CR3", "NEF", "RAF", "RW2", "MRW", "Adobe RGB"),
)


@cache
def whole(name: str) -> tuple[str, bytes]:
    """The type and content of a raw file that is well, or as well as its name says."""
    preview = raws.jpeg(media.quadrants(1200, 800))
    match name:
        case "developed":
            return DNG, raws.dng()
        case "preview":
            return DNG, raws.dng(2400, 1600, preview=raws.jpeg(media.quadrants(2400, 1600)))
        case "damaged, with a preview":
            return DNG, raws.dng(1600, 1000, preview=preview)[:-1_000_000]
        case "a TIFF that turns out to be raw":
            return formats.TIFF.mime_type, raws.dng()
        case "CR3":
            return CR3, raws.cr3(preview, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
        case "NEF":
            return NEF, raws.shape("NIKON CORPORATION", preview)
        case "RAF":
            return formats.RAF.mime_type, raws.raf(raws.jpeg(media.quadrants(1200, 800), exif=media.everything()))
        case "RW2":
            return formats.RW2.mime_type, raws.rw2(preview)
        case "MRW":
            return formats.MRW.mime_type, raws.mrw(preview)
    return DNG, raws.dng(preview=raws.jpeg(media.quadrants()), more={50970: 3})


pytestmark = pytest.mark.asyncio(loop_scope="module")  # one sandbox for all


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Sandbox]:
    async with sandbox.open(2) as opened:
        yield opened


@pytest.mark.parametrize("name", NAMES)
async def test_raw_files_are_rendered(box: Sandbox, tmp_path: Path, name: str) -> None:
    """A raw file comes out of the sandbox as it does without one."""
    mime, content = whole(name)
    (tmp_path / "photo").write_bytes(content)
    with (tmp_path / "photo").open("rb") as file:
        plain = images.render(file, mime)

    confined = await box.run(images.render, tmp_path / "photo", mime, owner=1, limits=sandbox.limits_of(mime))

    assert confined == plain
    assert plain.metadata.notes == ()


async def outcome(box: Sandbox, path: Path, mime: str) -> str:
    """What came of a file: a picture, a verdict, or how the process that read it ended."""
    try:
        media.shown(await box.run(images.render, path, mime, owner=1, limits=sandbox.limits_of(mime)))
    except Unreadable:
        return "unreadable"
    except Died as death:
        return str(death)
    return "picture"


async def assert_unhurt(box: Sandbox, folder: Path) -> None:
    media.quadrants().save(folder / "well.jpg")
    assert (await box.run(images.render, folder / "well.jpg", "image/jpeg", owner=2)).width == 480


@pytest.mark.parametrize("name", ["developed", "preview", "CR3", "NEF", "RAF"])
async def test_cut_raw_files(box: Sandbox, tmp_path: Path, name: str) -> None:
    """A raw file that ends too early is shown as far as it has a whole preview, or has a verdict."""
    mime, content = whole(name)
    outcomes: Counter[str] = Counter()

    for length in (20, 100, 1000, *(len(content) * part // 10 for part in range(1, 10)), len(content) - 1):
        (tmp_path / "photo").write_bytes(content[:length])
        outcomes[await outcome(box, tmp_path / "photo", mime)] += 1

    assert outcomes.keys() <= {"picture", "unreadable"}
    assert outcomes["unreadable"] > 1
    await assert_unhurt(box, tmp_path)


@pytest.mark.parametrize("name", ["developed", "preview", "CR3", "NEF", "RAF", "RW2", "MRW"])
async def test_raw_files_with_wrong_bits(box: Sandbox, tmp_path: Path, name: str) -> None:
    """Whatever is wrong in a raw file, its reader may die of it and nobody else."""
    mime, content = whole(name)
    random, outcomes = np.random.default_rng(7), set()

    for _ in range(25):
        broken = bytearray(content)
        for place in [*random.integers(8, 1000, 4), *random.integers(len(content) - 1000, len(content), 8)]:
            broken[place] ^= 1 << int(random.integers(8))
        (tmp_path / "photo").write_bytes(broken)
        outcomes.add(await outcome(box, tmp_path / "photo", mime))

    assert not [ending for ending in outcomes if "Error" in ending]  # an exception of Python's is a bug of ours
    await assert_unhurt(box, tmp_path)


async def test_directories_in_a_circle(box: Sandbox, tmp_path: Path) -> None:
    """Directories that lead to themselves end nowhere, and soon."""
    for tag in (330, 34665, 34853, 50740):
        entries = struct.pack("<HHII", 254, 4, 1, 1) + struct.pack("<HHII", tag, 4, 1, 8)
        (tmp_path / "photo").write_bytes(b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 8))

        assert await outcome(box, tmp_path / "photo", NEF) == "unreadable"
        assert await outcome(box, tmp_path / "photo", "image/tiff") == "unreadable"
