"""Stars, however they are written."""

from processor.metadata.text import number

STARS = ((1, 1), (13, 2), (38, 3), (63, 4), (88, 5))
"""The least percentage of each number of stars, as Windows counts them."""


def of_stars(written: str) -> int:
    """From 0 to 5; a picture that was rejected has no number of them."""
    if float(written) == -1:
        raise ValueError("the picture was rejected")
    return round(number(written, least=0, most=5))


def of_percentage(written: str | int) -> int:
    """Stars of a percentage, 99 being all of them."""
    share = number(written, least=0, most=100)
    return max((count for least, count in STARS if share >= least), default=0)
