"""What the containers of videos say in words, and what of it is believed."""

import struct
from pathlib import Path

import pytest

from common import sniff
from processor import videos
from processor.metadata import Metadata
from tests.support.boxes import box
from tests.support.films import film

SAID = {
    "title": "Harbour",
    "date": "2023-09-22T18:34:05+0200",
    "location": "+52.4597+013.3220/",
    "make": "Maker",
    "model": "Model",
}
SONY = """<?xml version="1.0" encoding="UTF-8"?><NonRealTimeMeta><Duration value="151"/>
<CreationDate value="2019-01-20T15:33:11+09:00"/><Device manufacturer="Sony" modelName="ILCE-7M3" serialNo="1"/>
</NonRealTimeMeta>"""


def said(path: Path, content: bytes) -> Metadata:
    """What is believed of a film."""
    path.write_bytes(content)
    known = sniff.sniff(content[: sniff.HEAD_BYTES])
    assert known is not None
    with path.open("rb") as file:
        return videos.render(file, known.mime_type).metadata


@pytest.mark.parametrize(("container", "codec"), [("mkv", "h264"), ("webm", "vp9"), ("mp4", "h264"), ("flv", "h264")])
def test_words_in_every_container(tmp_path: Path, container: str, codec: str) -> None:
    """However a container spells the names of what it says, it is understood."""
    seen = said(tmp_path / "film", film(container, codec, seconds=0.2, tags=SAID))

    assert seen.taken_at is not None
    assert (seen.taken_at.isoformat(), seen.offset_minutes, seen.taken_from) == ("2023-09-22T18:34:05", 120, "date")
    assert (seen.title, seen.camera_make, seen.camera_model) == ("Harbour", "Maker", "Model")
    assert (seen.gps_latitude, seen.gps_longitude, seen.notes) == (52.4597, 13.322, ())


def test_an_old_phone(tmp_path: Path) -> None:
    """A 3GP has its place in a box of its own, and its time in Greenwich's."""
    tags = {"location": "+52.4597+013.3220/", "creation_time": "2010-09-22T16:34:05Z"}

    seen = said(tmp_path / "film", film("3gp", "h263", size=(176, 144), seconds=0.2, tags=tags))

    assert seen.taken_at is not None
    assert (seen.taken_at.isoformat(), seen.offset_minutes) == ("2010-09-22T16:34:05", 0)
    assert (seen.gps_latitude, seen.gps_longitude) == (52.4597, 13.322)


def test_an_old_camera(tmp_path: Path) -> None:
    """An AVI says in words when it was begun, by the camera's clock."""
    content = film("avi", "mjpeg", seconds=0.2)
    at = content.index(b"hdrl") + 4
    dated = struct.pack("<4sI", b"IDIT", 26) + b"THU AUG 25 12:01:02 2005\n\0"
    longer = [struct.pack("<I", struct.unpack_from("<I", content, where)[0] + len(dated)) for where in (4, at - 8)]

    seen = said(
        tmp_path / "film", content[:4] + longer[0] + content[8 : at - 8] + longer[1] + b"hdrl" + dated + content[at:]
    )

    assert seen.taken_at is not None
    assert (seen.taken_at.isoformat(), seen.offset_minutes) == ("2005-08-25T12:01:02", None)


@pytest.mark.parametrize(
    ("offset", "time", "minutes", "notes"),
    [
        ("+0200", "2024-02-03T14:00:00", 120, 0),
        ("-0330", "2024-02-03T08:30:00", -210, 0),
        ("+9900", "2024-02-03T12:00:00", 0, 1),
        ("east", "2024-02-03T12:00:00", 0, 1),
    ],
)
def test_a_phone_that_tells_its_offset(tmp_path: Path, offset: str, time: str, minutes: int, notes: int) -> None:
    """The clock on the wall there is Greenwich's and what a phone says that it was ahead of it."""
    tags = {"creation_time": "2024-02-03T12:00:00Z", "com.samsung.android.utc_offset": offset}

    seen = said(tmp_path / "film", film(seconds=0.2, tags=tags))

    assert seen.taken_at is not None
    assert (seen.taken_at.isoformat(), seen.offset_minutes, len(seen.notes)) == (time, minutes, notes)


def test_a_year_alone_gives_way(tmp_path: Path) -> None:
    """A tag that tells the year of a film says less than a clock that ticked in it."""
    seen = said(tmp_path / "film", film(seconds=0.2, tags={"date": "2024", "creation_time": "2024-02-03T12:00:00Z"}))
    other = said(tmp_path / "film", film(seconds=0.2, tags={"date": "1999", "creation_time": "2024-02-03T12:00:00Z"}))

    assert (str(seen.taken_at), seen.taken_from) == ("2024-02-03 12:00:00", "creation_time")
    assert (str(other.taken_at), other.taken_from) == ("1999-01-01 00:00:00", "date")


def test_sonys_own_record(tmp_path: Path) -> None:
    """Sony's cameras write their name and their clock with its zone beside the tracks."""
    record = box(b"meta", bytes(4) + box(b"xml ", bytes(4) + SONY.encode()))

    seen = said(tmp_path / "film", film(seconds=0.2, tags={"creation_time": "2019-01-20T06:33:11Z"}) + record)

    assert (str(seen.taken_at), seen.offset_minutes) == ("2019-01-20 15:33:11", 540)
    assert (seen.camera_make, seen.camera_model) == ("Sony", "ILCE-7M3")


def test_a_camera_that_names_its_tracks(tmp_path: Path) -> None:
    """Where nothing else tells the maker, the names of the tracks do."""
    content = film(seconds=0.2).replace(b"VideoHandler\0", b"\tGoPro AVC  \0", 1)

    assert said(tmp_path / "film", content).camera_make == "GoPro"
