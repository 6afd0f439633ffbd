"""A folder with a picture of every kind, from the command line to the thumbnails: upright, dated, placed."""

import io
import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, STDOUT
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from lumilio_client import AsyncClient, api
from tests.support import media, raws
from tests.support.client import program
from tests.support.heic import Heic, heic
from tests.support.stack import Stack

UPRIGHT = (480, 320)
SIZES: list[Literal["small", "medium", "large"]] = ["small", "medium", "large"]
PLAIN = (".gif", ".bmp", ".jp2", ".psd")
"""Formats that say nothing of a camera."""
TURNED = (".jpg", ".png", ".webp", ".tif", ".avif")
RAWS = {
    "canon.cr2": ("Canon", b"II*\0"),
    "nikon.nef": ("NIKON CORPORATION", b"II*\0"),
    "sony.arw": ("SONY", b"II*\0"),
    "pentax.pef": ("PENTAX", b"MM\0*"),
    "samsung.srw": ("SAMSUNG", b"II*\0"),
    "olympus.orf": ("OLYMPUS", b"IIRO"),
}


def camera(orientation: int) -> bytes:
    """What a camera says that was held so, at noon in Paris."""
    block = Image.Exif()
    block.load(media.everything())
    block[Base.Orientation] = orientation
    return block.tobytes()


def fill(folder: Path) -> None:
    """One picture of every kind: the same quadrants, each format with what it can say."""
    for suffix in PLAIN:
        (folder / f"plain{suffix}").write_bytes(media.encoded(suffix))
    for suffix in TURNED:
        sideways = media.quadrants().transpose(media.UNDO[6])
        sideways.save(folder / f"turned{suffix}", exif=camera(6))
    (folder / "phone.heic").write_bytes(heic(media.quadrants(), Heic(orientation=1, exif=camera(1))))
    (folder / "negative.dng").write_bytes(raws.dng(orientation=6))
    preview = raws.jpeg(raws.stored(6, *UPRIGHT))
    for name, (make, signature) in RAWS.items():
        (folder / name).write_bytes(raws.shape(make, preview, orientation=6, signature=signature))
    (folder / "canon.cr3").write_bytes(raws.cr3(preview, orientation=6))
    (folder / "panasonic.rw2").write_bytes(raws.rw2(preview, orientation=6))


async def upload(stack: Stack, folder: Path) -> str:
    """What the command says while it brings a folder to the server."""
    command = ["-m", "lumilio", "upload", str(folder), "--server", stack.base_url, "--user", stack.username]
    environment = {**os.environ, "LUMILIO_PASSWORD": stack.password}
    process = await create_subprocess_exec(sys.executable, *command, env=environment, stdout=PIPE, stderr=STDOUT)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def assets(client: AsyncClient) -> dict[str, api.AssetDTO]:
    """Everything that the server shows, by its file's name."""
    return {asset.original_filename: asset async for asset in client.each(api.list_assets(type="PHOTO"))}


def furthest(content: bytes) -> float:
    """How far the quadrants in a thumbnail are from what they should be, at worst, in one colour."""
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float)
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    parts = [picture[:height, :width], picture[:height, width:], picture[height:, :width], picture[height:, width:]]
    wanted = [media.RED, media.GREEN, media.BLUE, media.GREY]
    middles = [np.median(part, axis=(0, 1)) for part in parts]
    return float(np.abs(np.array(middles) - np.array(wanted)).max())


async def test_a_folder_of_every_kind(stack: Stack, tmp_path: Path) -> None:
    """Each picture is upright and true in colour; where its camera said so, it is dated, zoned and placed."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    fill(folder)
    names = sorted(os.listdir(folder))

    await upload(stack, folder)

    async with program(stack) as client:
        found = await assets(client)
        assert sorted(found) == names
        for name, asset in found.items():
            is_raw = name in RAWS or name.endswith((".dng", ".cr3", ".rw2"))
            facts = asset.specific_metadata
            assert (asset.status, facts["is_raw"]) == ("complete", is_raw), name
            assert (asset.width, asset.height) == UPRIGHT, name
            if not name.startswith("plain"):
                assert asset.taken_time == datetime.fromisoformat(
                    "2023-04-05T06:07:08+02:00" if is_raw else "2024-05-17T12:00:00.250000+02:00"
                )
                assert (facts["city"], facts["country_code"]) == ("Paris", "FR"), name
            for size in SIZES:
                picture = await client.ask(api.thumbnail(asset.asset_id, size=size))
                assert furthest(picture) <= (70 if name == "negative.dng" else 6), (name, size)
                assert b"Exif" not in picture
