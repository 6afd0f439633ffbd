"""Stars, however they are written."""

from processor.metadata.text import number

REJECTED = -1
STARS = ((1, 1), (13, 2), (38, 3), (63, 4), (88, 5))
"""The least percentage of each number of stars, as Windows counts them."""


def of_stars(written: str) -> int:
    """From 0 to 5, or REJECTED."""
    if float(written) == REJECTED:
        return REJECTED
    return round(number(written, least=0, most=5))


def of_percentage(written: str | int) -> int:
    """Stars of a percentage, 99 being all of them."""
    share = number(written, least=0, most=100)
    return max((count for least, count in STARS if share >= least), default=0)
