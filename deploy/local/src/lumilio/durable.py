"""Small files that survive a power cut: whole and old, or whole and new."""

import os


def write(path: str, content: bytes, *, mode: int) -> None:
    """Replace a file; it is on the disk when this returns."""
    fresh = f"{path}.new"
    descriptor = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.rename(fresh, path)
    sync(os.path.dirname(path))


def sync(folder: str) -> None:
    """The names in a folder survive a power cut from here on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
