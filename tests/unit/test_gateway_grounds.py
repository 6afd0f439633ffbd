from pathlib import Path

import pytest

from common.roots import Refused
from gateway import grounds


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        ("", ()),
        ("/photos", (b"/photos",)),
        ("/photos/", (b"/photos",)),
        ("/photos:/mnt/disk", (b"/photos", b"/mnt/disk")),
        ("/photos,/mnt/disk", (b"/photos", b"/mnt/disk")),
        ("/mnt/Rome, Paris:2019", (b"/mnt/Rome, Paris:2019",)),
    ],
)
def test_grounds_are_separated_like_paths(setting: str, allowed: tuple[bytes, ...]) -> None:
    """Colons and commas separate directories, unless they are part of a name."""
    assert grounds.read(setting, "").allowed == allowed


def test_a_ground_may_be_a_link_and_what_lies_below_may_not(tmp_path: Path) -> None:
    """Whoever sets the ground may set a link; the directory that it means is what is kept."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "photos").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "link").symlink_to(tmp_path)
    ground = grounds.read(str(tmp_path / "photos"), "")

    assert ground.resolve(f"{tmp_path}//photos/2019/") == bytes(tmp_path / "disk" / "2019")
    with pytest.raises(Refused, match="over a link"):
        ground.resolve(f"{tmp_path}/photos/link/x")
