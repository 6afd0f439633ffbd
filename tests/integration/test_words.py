"""What is written about a photo arrives from the sandbox, where nothing can be loaded any more."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL.ExifTags import Base

from common.db import Pool
from common.stages import Stage
from ingest.handlers import Ingest
from processor import images
from processor.handlers import Processor
from processor.images import Photo
from processor.metadata import Told
from processor.sandbox import Sandbox
from tests.support import media, photos
from tests.support.given import Repository, User
from tests.support.hostile import LAUGHS
from tests.support.rows import ask, claim
from tests.support.staging import stage
from tests.support.words import bag, packet, photo, picture, records

PICASA = b"[photo.jpg]\nstar=yes\ncaption=Gr\xf6\xdfe\nfaces=rect64(199933334ccc6666),1\n"


async def looked_at(box: Sandbox, path: Path, *, sidecar: bytes, folder: bytes) -> Photo:
    """A photo as the sandbox sees it, with these files beside it."""
    with ExitStack() as opened:
        files = []
        for name, content in (("photo.xmp", sidecar), (".picasa.ini", folder)):
            path.with_name(name).write_bytes(content)
            files.append(opened.enter_context(path.with_name(name).open("rb")).fileno())
        told = Told(stored_name=path.name, beside=("xmp", "picasa"))
        return await box.run(images.render, path, "image/jpeg", told, images.Options(), owner=1, beside=files)


async def test_every_source_is_read_in_the_sandbox(box: Sandbox, tmp_path: Path) -> None:
    """XMP in two encodings, IPTC without a character set, EXIF's words and Picasa's file need nothing from the disk."""
    path = photo(
        tmp_path / "photo.jpg",
        exif=media.exif({Base.XPTitle: "東京".encode("utf-16-le"), Base.XPKeywords: "exif".encode("utf-16-le")}),
        xmp=packet(bag("dc:subject", "🌊"), exif__DateTimeOriginal="2024-05-17T12:00:00+02:00"),
        iptc=records({(2, 25): "Größe".encode("cp1252")}),
    )

    sidecar = packet(xmp__Rating="3").decode().encode("utf-16")

    seen = (await looked_at(box, path, sidecar=sidecar, folder=PICASA)).metadata

    assert (seen.title, seen.description, seen.rating, seen.notes) == ("東京", "Größe", 3, ())
    assert (seen.keywords, seen.offset_minutes, len(seen.faces)) == (("🌊", "Größe", "exif"), 120, 1)


@pytest.mark.parametrize(
    ("suffix", "keywords"),
    [("jpeg", ("🌊",)), ("png", ("🌊",)), ("webp", ("🌊",)), ("avif", ("🌊",)), ("tiff", ("🌊", "sea"))],
)
async def test_every_format_has_its_place_for_words(
    box: Sandbox, tmp_path: Path, suffix: str, keywords: tuple[str, ...]
) -> None:
    """XMP is found in every format that holds it, IPTC in a TIFF."""
    packed = packet(bag("dc:subject", "🌊"), xmp__Rating="4")
    path = picture(tmp_path / f"photo.{suffix}", packed, records({(2, 25): b"sea"}))

    seen = (await box.run(images.render, path, f"image/{suffix}", owner=1)).metadata

    assert (seen.keywords, seen.rating, seen.notes) == (keywords, 4, ())


async def test_what_is_hostile_costs_a_note(box: Sandbox, tmp_path: Path) -> None:
    """Packets that would grow without end, in the file and beside it, leave their notes, and the photo is seen."""
    path = photo(tmp_path / "photo.jpg", xmp=LAUGHS, iptc=records({(2, 55): b"20249999"}))

    seen = await looked_at(box, path, sidecar=LAUGHS.replace(b"utf-8", b"cp037"), folder=b"[" * 1_000_000)

    assert (seen.width, len(seen.metadata.notes)) == (480, 3)


async def test_files_beside_an_original_are_found(pool: Pool, repository: Repository, user: User, box: Sandbox) -> None:
    """The sidecar with the whole name wins over the one with the stem, and Picasa knows the name on the disk."""
    await stage(
        pool,
        repository_id=repository.repository_id,
        root=repository.root,
        owner=user.user_id,
        content=photos.jpeg(80, 60),
    )
    await Ingest(pool).place(await claim(pool, Stage.PLACE))
    [path] = await ask(pool, "select path from file_records")
    original = Path(os.fsdecode(os.path.join(repository.root, path)))
    original.with_name(original.name + ".xmp").write_bytes(packet(dc__title="东京", xmp__Rating="2"))
    original.with_suffix(".xmp").write_bytes(packet(dc__title="less", xmp__Rating="1", aux__Lens="EF 50"))
    folder = f"[{original.name.upper()}]\nstar=yes\nkeywords=sea\ncaption=of Picasa"
    original.with_name(".picasa.ini").write_text(folder)

    await Processor(pool, box).render(await claim(pool, Stage.RENDER))

    [facts] = await ask(pool, "select facts from asset_metadata")
    words = [facts.get(name) for name in ("title", "rating", "lens_model", "description", "keywords")]
    assert words == ["东京", 2, "EF 50", "of Picasa", ["sea"]]


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real media are not there")
async def test_real_faces_are_upright(box: Sandbox) -> None:
    """The same two faces in the same picture, whether it is stored upright or on its side."""
    folder = Path(os.environ["LUMILIO_TEST_MEDIA"]) / "metadata/faces"

    upright, turned = [
        (await box.run(images.render, folder / name, "image/jpeg", owner=1)).metadata
        for name in ("portrait.jpg", "portrait-orientation-6.jpg")
    ]

    assert [face.name for face in upright.faces] == ["Marie Curie", "Pierre Curie"]
    assert upright.faces == turned.faces
    assert upright.keywords == turned.keywords == ("People/Marie Curie", "People/Pierre Curie")
