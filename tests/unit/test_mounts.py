"""What the kernel tells of depends on the file system that a path lies in."""

import os
from pathlib import Path

import pytest

from syncer import mounts

MOUNTS = rb"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:40 / /mnt/photos rw,relatime shared:7 - nfs4 nas:/photos rw,vers=4.2
41 27 0:41 / /mnt/photos\040of\040anna rw shared:8 master:2 - cifs //nas/anna rw
42 40 0:42 / /mnt/photos/fast rw - btrfs /dev/vdb rw
43 27 0:43 / /mnt/fuse rw - fuse.sshfs anna@nas: rw
44 27 0:44 / /mnt/windows rw - fuseblk /dev/sda1 rw
45 27 0:45 / /mnt/covered/deep rw - xfs /dev/sdb1 rw
46 27 0:46 / /mnt/covered rw - virtiofs share rw
""".strip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/home/anna", b"ext4"),
        (b"/", b"ext4"),
        (b"/mnt/photos", b"nfs4"),
        (b"/mnt/photos/2024", b"nfs4"),
        (b"/mnt/photos2", b"ext4"),
        (b"/mnt/photos of anna/2024", b"cifs"),
        (b"/mnt/photos/fast/2024", b"btrfs"),
        (b"/mnt/photos/faster", b"nfs4"),
        (b"/mnt/covered/deep", b"virtiofs"),
    ],
)
def test_the_innermost_mount_that_is_not_covered_counts(path: bytes, kind: bytes) -> None:
    """By whole names, with escaped letters read, and the later mount over the earlier."""
    assert mounts.file_system(MOUNTS, path) == kind


@pytest.mark.parametrize(
    ("path", "is_told"),
    [
        (b"/home/anna", True),
        (b"/mnt/photos", False),
        (b"/mnt/photos of anna", False),
        (b"/mnt/photos/fast", True),
        (b"/mnt/fuse", False),
        (b"/mnt/windows", True),
        (b"/mnt/covered", False),
    ],
)
def test_the_kernel_hears_nothing_of_other_machines(path: bytes, *, is_told: bool) -> None:
    """Network disks and those of a host are polled, every unknown kind of FUSE too; disks of this machine are not."""
    assert mounts.tells_all(MOUNTS, path) is is_told


def test_what_cannot_be_read_is_taken_for_a_disk_of_this_machine() -> None:
    """Then the kernel is asked, and scans find the rest."""
    assert mounts.file_system(b"nonsense\n1 2 - \n\n - nfs\n", b"/mnt") == b""
    assert mounts.tells_all(b"", b"/mnt")


def test_this_machine_names_the_file_system_of_this_folder(tmp_path: Path) -> None:
    """The real text is understood."""
    mountinfo = Path("/proc/self/mountinfo").read_bytes()

    assert mounts.file_system(mountinfo, os.path.realpath(bytes(tmp_path)))


@pytest.mark.parametrize(
    ("path", "points"),
    [
        (b"/mnt/photos", [b"fast"]),
        (b"/mnt", [b"covered", b"covered/deep", b"fuse", b"photos", b"photos of anna", b"photos/fast", b"windows"]),
        (b"/mnt/photos/fast", []),
        (b"/mnt/pho", []),
    ],
)
def test_what_is_mounted_below_is_known(path: bytes, points: list[bytes]) -> None:
    """As seen from the path, which is none of them itself."""
    assert mounts.below(MOUNTS, path) == points
