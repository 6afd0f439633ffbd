"""People who do everything at once to their folders: make, write, rename, copy and remove, files and trees."""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OURS = {".lumilio", "inbox"}
PHOTO = b"\xff\xd8\xff"


def storm(root: Path, seed: int, deeds: int) -> None:
    """So many deeds, of which some fail, as fast as the disk lets us; the same ones for the same seed."""
    chance = random.Random(seed)
    for number in range(deeds):
        one, other = (chance.choice([root, *folders(root)]) for _ in range(2))
        with suppress(OSError, shutil.Error):
            _do(chance.choice("wwwmmrrdfc"), one, other, number, root)


def folders(root: Path) -> Iterator[Path]:
    """The folders below a root that are people's."""
    for path, names, _ in os.walk(root):
        names[:] = sorted(name for name in names if Path(path) != root or name not in OURS)
        yield from (Path(path, name) for name in names)


def photos(root: Path) -> set[bytes]:
    """The paths of what they keep there."""
    return {bytes(path.relative_to(root)) for folder in [root, *folders(root)] for path in folder.glob("*.jpg")}


def _do(deed: str, one: Path, other: Path, number: int, root: Path) -> None:
    if deed == "w":
        (one / f"{number}.jpg").write_bytes(PHOTO + str(number).encode())
    elif deed == "m":
        (one / f"made {number % 7}/below").mkdir(parents=True, exist_ok=True)
    elif deed == "f":
        for photo in sorted(one.glob("*.jpg"))[:1]:
            photo.rename(other / f"moved {number}.jpg")
    elif one != root and not other.is_relative_to(one):
        if deed == "r":
            one.rename(other / f"renamed {number % 5}")
        elif deed == "d":
            shutil.rmtree(one)
        elif not one.is_relative_to(other):
            shutil.copytree(one, other / f"copied {number % 5}")
