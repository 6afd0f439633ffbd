"""Names and trees that disks may hold, and folders upon which something is mounted."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

NAMES = [
    *(bytes([byte]) + b"%d.jpg" % byte for byte in range(1, 256) if byte not in b"/."),  # hidden and special ones aside
    *(b"-rf.jpg", b"--help", b"trailing .jpg ", b"dots.jpg...", b" ", b"a\nb\tc\\N.jpg", b"\\.", b"%2e%2e%2f.jpg"),
    *("Ame\u0301lie.jpg".encode(), "Am\u00e9lie.jpg".encode(), b"CASE.JPG", b"case.jpg", b"Case.jpg"),
    *("\u202egpj.exe".encode(), "\U0001f469\u200d\U0001f469\u200d\U0001f467.jpg".encode(), "\ufeff.jpg".encode()),
    *(b"\xed\xa0\x80.jpg", b"\xff\xfe\xfd.jpg", b"\xff" * 255, b"n" * 251 + b".jpg", "\u6c34".encode() * 85),
    *(b"CON", b"NUL.jpg", b"a:b.jpg", b"$(reboot).jpg", b"'; drop table assets; --.jpg", b"<script>.jpg", b"{}%s.jpg"),
    *(b"*.jpg", b"?.jpg", b"[a].jpg", b"inbox", b"staging", b"assets.json", b"\x1b[2J.jpg", b"a.jpg.xmp", b"\r.jpg"),
]
"""Each may be the name of a photo, and none of them is hidden or fits a pattern of the defaults."""


def deep(root: Path, *, length: int, content: bytes) -> bytes:
    """A file whose path has so many bytes, however long the kernel lets paths be."""
    rest = length - len(b"photo.jpg")
    descriptor = os.open(root, os.O_RDONLY)
    path = b""
    while rest > 0:
        part = b"d" * (rest - 1 if rest <= 201 else min(200, rest - 3))
        with suppress(FileExistsError):
            os.mkdir(part, dir_fd=descriptor)
        below = os.open(part, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor, path, rest = below, path + part + b"/", rest - len(part) - 1
    file = os.open(b"photo.jpg", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=descriptor)
    os.write(file, content)
    os.utime(file, (0, 0))
    os.close(file)
    os.close(descriptor)
    return path + b"photo.jpg"


@contextmanager
def covered(path: Path, *how: str) -> Iterator[None]:
    """Something is mounted upon a path, as `mount` is told."""
    done = subprocess.run(["mount", *how, str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
