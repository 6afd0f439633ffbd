"""Squares cover a box, are as fine as a map wants them, and never too many."""

import pytest

from gateway import map_squares
from gateway.filter_schemas import Box

WORLD = Box(west=-180, south=-90, east=180, north=90)


@pytest.mark.parametrize("zoom", [0, 3, 10, 20, 22])
@pytest.mark.parametrize(
    "box",
    [
        WORLD,
        Box(west=179.9, south=-90, east=-179.9, north=90),
        Box(west=0.1, south=0, east=0, north=0),
        Box(west=-180, south=89, east=180, north=90),
        Box(west=13.4, south=52.5, east=13.4, north=52.5),
        Box(west=-74.5, south=40.5, east=-73.5, north=41),
    ],
)
def test_they_are_bounded_and_in_order(box: Box, zoom: int) -> None:
    """Whatever is asked for, there are a few, disjoint, and each is of the same size."""
    found = map_squares.cover(box, zoom=zoom, most=2000)

    assert 1 <= len(found.cells) <= 2000
    assert all(after - before >= found.span for before, after in zip(found.cells, found.cells[1:], strict=False))
    assert all(cell % found.span == 0 for cell in found.cells)


def test_a_map_has_squares_of_64_pixels() -> None:
    """A tile of the map has sixteen of them."""
    assert len(map_squares.cover(WORLD, zoom=0, most=2000).cells) == 16
    assert len(map_squares.cover(WORLD, zoom=2, most=2000).cells) == 256


def test_a_box_upside_down_has_nothing() -> None:
    """South of its south there is no square."""
    assert map_squares.cover(Box(west=0, south=10, east=1, north=-10), zoom=3, most=2000).cells == []


def test_a_box_across_the_date_line_has_both_sides() -> None:
    """And nothing between them the long way round."""
    found = map_squares.cover(Box(west=170, south=-1, east=-170, north=1), zoom=4, most=2000)
    west = map_squares.cover(Box(west=170, south=-1, east=180, north=1), zoom=4, most=2000)
    east = map_squares.cover(Box(west=-180, south=-1, east=-170, north=1), zoom=4, most=2000)

    assert set(found.cells) == set(west.cells) | set(east.cells)
