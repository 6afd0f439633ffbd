"""The squares of the world that web maps show, as spans of the numbers that `map_cell` gives to places."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from gateway.filter_schemas import Box

LEVELS = 24
NORTHERNMOST = 85.06
FINER = 2
"""A tile of a map is so often halved on each side: a square is 64 pixels wide."""


class Squares(NamedTuple):
    """Squares of one size: the least number in each, in order, and how many numbers each has."""

    cells: list[int]
    span: int


def cover(box: Box, *, zoom: int = LEVELS, most: int) -> Squares:
    """The squares that a box touches, as fine as a map of that zoom wants them, and larger if they are too many."""
    level = min(LEVELS, zoom + FINER)
    while _count(box, level) > most:
        level -= 1
    shift = 2 * (LEVELS - level)
    rows, columns = _rows(box, level), _columns(box, level)
    return Squares(sorted(_number(x, y) << shift for y in rows for x in columns), 1 << shift)


def stretches(squares: Squares) -> list[tuple[int, int]]:
    """The squares without the borders between them: from the least number of each stretch to the one behind it."""
    found: list[tuple[int, int]] = []
    for cell in squares.cells:
        begin = found.pop()[0] if found and found[-1][1] == cell else cell
        found.append((begin, cell + squares.span))
    return found


def _count(box: Box, level: int) -> int:
    return len(_rows(box, level)) * sum(len(span) for span in _spans(box, level))


def _rows(box: Box, level: int) -> range:
    """From the north down."""
    return range(_row(box.north, level), _row(box.south, level) + 1) if box.south <= box.north else range(0)


def _columns(box: Box, level: int) -> set[int]:
    return {x for span in _spans(box, level) for x in span}


def _spans(box: Box, level: int) -> Iterator[range]:
    """From the west to the east; a box across the date line has two."""
    west, east = _column(box.west, level), _column(box.east, level)
    if box.west <= box.east:
        yield range(west, east + 1)
    else:
        yield range(east + 1)
        yield range(west, 1 << level)


def _column(longitude: float, level: int) -> int:
    return min((1 << level) - 1, math.floor((longitude + 180) / 360 * (1 << level)))


def _row(latitude: float, level: int) -> int:
    shown = max(-NORTHERNMOST, min(NORTHERNMOST, latitude))
    down = 0.5 - math.asinh(math.tan(math.radians(shown))) / (2 * math.pi)
    return max(0, min((1 << level) - 1, math.floor(down * (1 << level))))


def _number(x: int, y: int) -> int:
    return _spread(x) | _spread(y) << 1


def _spread(number: int) -> int:
    """With a zero bit before each bit."""
    return int(f"{number:b}", 4)
