"""What ffmpeg may cost for one file: enough for hours of film on a slow machine, and an end for what has none."""

from msgspec import structs

from processor.ffmpeg import LIMITS
from processor.narrow import Limits, Priority

LONGEST_SECONDS = 24 * 60 * 60
FEWEST_BYTES, USUAL_BYTES = 4_000, 250_000
"""What a second holds at least, and what it usually does: so long may it be that does not say how long it is."""
LEAST_BYTES = 500
"""Not even speech over a telephone has fewer in a second."""
GRACE_SECONDS = 60
EACH, ALWAYS = 120, 600
"""Seconds of processor time, all cores together: a small board decodes a second of 4K in one minute."""
BYTES_EACH, BYTES_ALWAYS = 2 << 20, 64 << 20
"""More than any recipe asks for; copied tracks may be as large as they were."""
ENCODED_EACH = 700_000


def longest(duration: float | None, size: int) -> float:
    """The seconds after which what is made of it can only be a trap: far more than it says and its bytes could hold."""
    if duration is None:
        return min(GRACE_SECONDS + size / LEAST_BYTES, LONGEST_SECONDS)
    return min(max(GRACE_SECONDS + 2 * duration, size / FEWEST_BYTES), LONGEST_SECONDS)


def limits(duration: float | None, size: int, *, priority: Priority = "low") -> Limits:
    """The limits for a film of so many seconds, if it says so, and so many bytes."""
    seconds = min(max(duration or 0, size / (USUAL_BYTES if duration else FEWEST_BYTES)), LONGEST_SECONDS)
    return structs.replace(
        LIMITS,
        priority=priority,
        seconds=ALWAYS + round(EACH * seconds),
        written=BYTES_ALWAYS + 2 * size + round(BYTES_EACH * seconds),
    )


def room(duration: float | None, size: int, *, encodes: bool) -> int:
    """The bytes that it may well take on the disk."""
    return max(size, round(ENCODED_EACH * min(duration, LONGEST_SECONDS))) if encodes and duration else size
