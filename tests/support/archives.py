"""Archives written to disks and read by others: Python's reader and Info-ZIP's."""

import os
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from gateway import archive
from gateway.archive import Entry

UNZIP = shutil.which("unzip")


def write(path: Path, files: Iterable[tuple[Entry, bytes]], *, planned: Iterable[Entry] | None = None) -> int:
    """Write an archive of small files, and return the length that it was announced with."""
    chosen = list(files)
    made = archive.plan(planned if planned is not None else [entry for entry, _ in chosen])
    with path.open("wb") as out:
        for entry, content in chosen:
            out.write(made.begin(entry) + content + made.end(entry, zlib.crc32(content)))
        out.seek(made.missing, os.SEEK_CUR)
        out.write(made.close())
    return made.length


def extracted(path: Path, target: Path) -> dict[str, bytes]:
    """What Info-ZIP makes of an archive below a folder, or Python where there is none; a warning is a failure."""
    target.mkdir()
    if UNZIP:
        done = subprocess.run([UNZIP, "-q", str(path), "-d", str(target)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    else:
        with zipfile.ZipFile(path) as read:
            read.extractall(target)
    return {str(one.relative_to(target)): one.read_bytes() for one in target.rglob("*") if one.is_file()}


def is_approved(path: Path) -> bool:
    """Whether Info-ZIP, or Python where there is none, reads every file and finds each as its CRC says."""
    if UNZIP:
        return subprocess.run([UNZIP, "-tqq", str(path)], capture_output=True, check=False).returncode == 0
    with zipfile.ZipFile(path) as read:
        return read.testzip() is None
