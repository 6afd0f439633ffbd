"""Refuses to fill a disk: what is going to be written is known beforehand, give or take a little."""

import shutil
from pathlib import Path

from lumilio.refusal import CannotStart

SPARE = 256 << 20
MB = 1 << 20


def check(folder: Path, size: int, what: str, advice: str) -> None:
    """CannotStart when so many bytes would leave a disk without any to spare."""
    if (free := shutil.disk_usage(folder).free) < size + SPARE:
        raise CannotStart(
            f"{what} may need {(size + SPARE) // MB} MB in {folder}, where {free // MB} MB are free: {advice}"
        )
