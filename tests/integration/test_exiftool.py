"""The second look by exiftool: it fills what nobody else knew, starts nothing that a file asks for, and never hurts."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from PIL.ExifTags import Base

from common.db import Pool
from common.stages import Stage
from processor import confine, exiftool, sandbox
from processor.exiftool import Exiftool
from processor.handlers import Processor
from processor.metadata import Metadata
from tests.support import media, photos
from tests.support.given import Repository, User
from tests.support.placing import placed
from tests.support.rows import ask, claim

# LUMILIO_TEST_EXIFTOOL names one that is not installed.
PROGRAM = os.environ.get("LUMILIO_TEST_EXIFTOOL") or shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(PROGRAM is None, reason="there is no exiftool")
needs_walls = pytest.mark.skipif(not confine.walls().landlock, reason="this kernel knows no Landlock")
TAKEN, OTHER = datetime.fromisoformat("2024-03-09T12:34:56"), datetime.fromisoformat("2020-01-01T00:00:00")
FIT = '#!/bin/sh\ncase "$*" in *-ver*) echo 13.59; exit;; esac\n'


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has much else to do lets nobody look incapable."""
    monkeypatch.setattr(exiftool, "SECONDS", 60.0)
    monkeypatch.setattr(exiftool, "START_SECONDS", 60.0)


@asynccontextmanager
async def opened(program: str) -> AsyncIterator[Exiftool]:
    async with exiftool.opened(program) as (found, notes):
        assert (found is not None, notes) == (True, [])
        assert found is not None
        yield found


def pretender(folder: Path, text: str) -> str:
    """A program that calls itself new enough and does something else."""
    path = folder / "bin" / "exiftool"
    path.parent.mkdir()
    temporary = Path(tempfile.gettempdir()).resolve()
    for level in (one for one in path.parents if temporary in one.parents):  # where we are root, it is nobody
        level.chmod(level.stat().st_mode | 0o011)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


async def look(found: Exiftool, path: Path, seen: Metadata | None = None) -> Metadata:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return await found.complete(seen or Metadata(), descriptor, "image/jpeg")
    finally:
        os.close(descriptor)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo that says a lot of itself."""
    exif = media.exif(
        {Base.Make: "FUJIFILM", Base.Model: "X100V"},
        {Base.DateTimeOriginal: "2024:03:09 12:34:56", Base.OffsetTimeOriginal: "+01:00", Base.FNumber: 2.8},
        media.somewhere(),
    )
    path = tmp_path / "photo.jpg"
    path.write_bytes(photos.jpeg(80, 60, exif=exif))
    return path


@needs_exiftool
async def test_it_fills_what_nobody_else_knew(photo: Path) -> None:
    """Time, camera and place of a file come from one process that is asked again and again."""
    assert PROGRAM is not None
    async with opened(PROGRAM) as found:
        blank = await look(found, photo)
        process = found._process
        known = await look(found, photo, Metadata(taken_at=OTHER, camera_make="Leica"))

        assert found._process is process
        assert process is not None
    assert (blank.taken_at, blank.taken_from, blank.offset_minutes) == (
        TAKEN,
        "exiftool",
        60,
    )
    assert (blank.camera_model, blank.f_number) == ("X100V", 2.8)
    assert blank.gps_latitude == pytest.approx(48.858, abs=0.001)
    assert (known.taken_at, known.offset_minutes, known.camera_make) == (OTHER, None, "Leica")
    assert process.returncode is not None


@needs_exiftool
async def test_what_a_file_asks_for_is_not_done(tmp_path: Path) -> None:
    """The Perl that CVE-2021-22204 hid in a DjVu's annotation in a JPEG's EXIF starts nothing."""
    assert PROGRAM is not None
    canary = tmp_path / "canary"
    path = tmp_path / "photo.jpg"
    path.write_bytes(photos.jpeg(80, 60, exif=media.exif({0xC51B: djvu(f"touch {canary}")}, {Base.FNumber: 2.8})))

    async with opened(PROGRAM) as found:
        seen = await look(found, path)

    assert seen.f_number == 2.8
    assert not canary.exists()


def djvu(command: str) -> bytes:
    note = b'(metadata (Copyright "\\\n" . qx{' + command.encode() + b'} . \\\n" b "))'
    note += b" " * (len(note) % 2)
    chunk = b"ANTa" + len(note).to_bytes(4, "big") + note
    return b"AT&TFORM" + (len(chunk) + 4).to_bytes(4, "big") + b"DJVU" + chunk


@pytest.mark.parametrize(
    ("does", "seconds"),
    [
        ("while read line; do :; done", 0.5),
        ("while :; do printf '%01000d' 0; done", 9),
        ("echo no; exit 1", 9),
        ("read -r a; read -r b; echo '[{]'; echo \"{ready${b#-execute}}\"; read -r c", 9),
        ("read -r a; read -r b; echo '[]'; echo \"{ready${b#-execute}}\"; read -r c", 9),
    ],
    ids=["hangs", "floods", "ends", "garbles", "says nothing"],
)
async def test_trouble_costs_the_second_look_alone(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, does: str, seconds: float
) -> None:
    """Whatever it does instead, what is known stays, and nothing of it runs on."""
    seen = Metadata(camera_make="Leica")
    async with opened(pretender(tmp_path, FIT + does)) as found:
        monkeypatch.setattr(exiftool, "SECONDS", seconds)
        assert await look(found, photo, seen) == seen
        assert found._process is None
        assert await look(found, photo, seen) == seen
        assert os.listdir(found.folder) == ["cwd"]


@needs_walls
@pytest.mark.parametrize(
    ("deed", "can"),
    [
        ("true", True),
        ('read -r x < "$a"', True),
        ("read -r x < PHOTO", False),
        ("read -r x < /etc/passwd", False),
        ("echo x > mine", False),
        ('echo x > "$a"', False),
        ("/usr/bin/sleep 0", False),
        ("kill -9 PARENT", False),
    ],
)
async def test_it_may_do_next_to_nothing(tmp_path: Path, photo: Path, deed: str, *, can: bool) -> None:
    """It reads its copy; it writes nothing, starts nothing, ends nobody and reads nobody's files."""
    deed = deed.replace("PHOTO", str(photo)).replace("PARENT", str(os.getpid()))
    does = f"""read -r a; read -r b; d=no; if {deed}; then d=yes; fi
    echo "[{{\\"IFD0:Model\\": \\"$d\\"}}]"; echo '{{ready0}}'; read -r c
    """
    async with opened(pretender(tmp_path, FIT + does)) as found:
        seen = await look(found, photo)

    assert (seen.camera_model == "yes") == can


@pytest.mark.parametrize("version", ["12.23", "13.10", "unknown", "", "13.50; rm"])
async def test_one_that_is_not_fit_is_not_used(tmp_path: Path, version: str) -> None:
    """Older ones are known to do what a file says; the reason is told to whoever asks how the processor is."""
    async with exiftool.opened(pretender(tmp_path, f"#!/bin/sh\necho '{version}'\n")) as (found, notes):
        assert (found, len(notes)) == (None, 1)
        assert "exiftool is not used" in notes[0]


async def test_none_is_asked_for_by_default() -> None:
    """Nothing runs outside the sandbox that nobody has switched on."""
    async with exiftool.opened("") as (found, notes):
        assert (found, notes) == (None, [])
    async with exiftool.opened("/nowhere/exiftool") as (found, notes):
        assert (found, len(notes)) == (None, 1)


async def test_a_photo_that_says_nothing_is_looked_at_twice(
    pool: Pool, repository: Repository, user: User, tmp_path: Path
) -> None:
    """What exiftool alone knows is kept; where everything is known, it is not asked."""
    tells = """while read -r a; do read -r b
    echo '[{"IFD0:Model": "X100V", "ExifIFD:DateTimeOriginal": "2024:03:09 12:34:56"}]'
    echo "{ready${b#-execute}}"; done"""
    told = media.exif({Base.Make: "Leica", Base.Model: "M11"}, {Base.DateTimeOriginal: "2020:01:01 00:00:00"})
    async with sandbox.open(1) as box, opened(pretender(tmp_path, FIT + tells)) as found:
        for content in (photos.jpeg(80, 60, exif=told), photos.jpeg(80, 60)):
            assert found._process is None
            await placed(pool, repository, user, content)
            await Processor(pool, box, second_look=found).render(await claim(pool, Stage.RENDER))

    assert await ask(
        pool,
        """
        select taken_at::text, taken_source, facts ->> 'camera_model'
        from assets join asset_metadata using (asset_id)
        order by asset_id
        """,
    ) == [("2020-01-01 00:00:00", "DateTimeOriginal", "M11"), ("2024-03-09 12:34:56", "exiftool", "X100V")]
