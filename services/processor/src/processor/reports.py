"""What ffmpeg says while it works, as people want to know it."""

import math

from common.queries import Progress


def progress(said: dict[str, str], duration: float | None) -> Progress:
    """What ffmpeg says, as people want to know it."""
    done = seconds_made(said)
    speed = _number(said.get("speed", "").removesuffix("x"))
    length = max(0.0, duration or 0.0)
    percent = min(100 * done / length, 100.0) if length else 0.0
    left = max(length - done, 0) / speed if length and speed else None
    return Progress(percent=round(percent, 1), speed=speed or None, seconds_left=None if left is None else round(left))


def seconds_made(said: dict[str, str]) -> float:
    """How much of it there is, as it is played."""
    return _number(said.get("out_time_us", "")) / 1_000_000


def _number(text: str) -> float:
    """The number, if it is one that counts something."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 < number < math.inf else 0.0
