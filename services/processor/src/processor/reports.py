"""What ffmpeg says while it works, as people want to know it."""

import math

from common.queries import Progress


def progress(said: dict[str, str], duration: float | None) -> Progress:
    """What ffmpeg says, as people want to know it."""
    done = seconds_made(said)
    speed = _number(said.get("speed", "").removesuffix("x"))
    is_known = duration is not None and duration > 0
    percent = min(100 * done / duration, 100.0) if is_known and duration else 0.0
    left = max(duration - done, 0) / speed if is_known and duration and speed else None
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
