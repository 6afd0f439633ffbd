import errno
import os
from pathlib import Path

import pytest

from common import formats
from gateway import media
from tests.support.limits import no_descriptors


@pytest.mark.parametrize(
    ("name", "known", "how"),
    [
        ("VID_1.mp4", formats.MP4, "inline"),
        ("VID_1.mov", formats.MP4, "inline"),
        ("VID_1.3gp", formats.THREE_GP, "inline"),
        ("VID_1.mp4", formats.M4A, "inline"),
        ("talk.webm", formats.WEBA, "inline"),
        ("talk.wma", formats.WMA, "inline"),
        ("talk.amr", formats.AMR, "inline"),
        ("film.ogv", formats.OGV, "inline"),
        ("film.html", formats.MP4, "attachment"),
        ("song.mp3", formats.MP4, "attachment"),
        ("film.mp4", formats.MP3, "attachment"),
        ("photo.jpg", formats.MKV, "attachment"),
    ],
)
def test_what_a_name_and_a_type_agree_on_is_shown(name: str, known: formats.Format, how: str) -> None:
    """A video or a recording plays in the page only where its name promises what it is."""
    assert media.disposition(name, known.mime_type).startswith(f"{how};")


def test_a_file_that_cannot_be_opened_just_now_is_not_gone(tmp_path: Path) -> None:
    """At the machine's limits clients hear that the server is busy, and nothing is rendered again for it."""
    (tmp_path / "photo.jpg").write_bytes(b"bytes")

    with no_descriptors(), pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        media.open_exact(bytes(tmp_path), b"photo.jpg", size=5)

    assert media.open_exact(bytes(tmp_path), b"another.jpg", size=5) is None
