import errno
import os
from pathlib import Path

import pytest

from gateway import media
from tests.support.limits import no_descriptors


def test_a_file_that_cannot_be_opened_just_now_is_not_gone(tmp_path: Path) -> None:
    """At the machine's limits clients hear that the server is busy, and nothing is rendered again for it."""
    (tmp_path / "photo.jpg").write_bytes(b"bytes")

    with no_descriptors(), pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        media.open_exact(bytes(tmp_path), b"photo.jpg", size=5)

    assert media.open_exact(bytes(tmp_path), b"another.jpg", size=5) is None
