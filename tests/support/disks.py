"""Disks as people have them: some may only be read, and none of a person's files may change."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """A directory that may not be written to: root, whom modes do not stop, needs a mount for that."""
    if os.geteuid() == 0:
        _mount("--bind", str(folder), str(folder))
        try:
            _mount("-o", "remount,ro,bind", str(folder))
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    else:
        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*")) if path.is_dir()}
        for path in modes:
            path.chmod(0o555)
        try:
            yield folder
        finally:
            for path, mode in modes.items():
                path.chmod(mode)


def fingerprints(folder: Path) -> dict[str, tuple[str, int, int, int]]:
    """Every file below a directory but ours: its bytes, inode, mode and time."""
    ours = {".lumiliorepo", ".lumilio", "inbox"}
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).parts[0] not in ours:
            seen = path.lstat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(folder))] = (digest, seen.st_ino, seen.st_mode, seen.st_mtime_ns)
    return found


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a mount is needed and not allowed here: {done.stderr.strip()}")
