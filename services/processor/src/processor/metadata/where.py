"""Where a photo was taken, by its position: the town, and the zone that its clock was in; nobody is asked for it."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import tzfpy
from msgspec import Struct, structs
from numpy.typing import NDArray

from processor.metadata.containers import CONTAINER
from processor.metadata.file_names import NAMED
from processor.metadata.record import Metadata, Values
from processor.metadata.times import CHANGED, SATELLITES

FURTHEST_KM = 100.0
"""From the nearest town; beyond it a position is nowhere in particular."""
NEAR_KM = 40.0
"""Farther than the largest city reaches, so that whoever is in one need not be compared with what lies beyond."""
KM_PER_DEGREE = 111.195
EARTH_KM = 6371.0

Numbers = NDArray[np.float64]

POSITION = "GPSPosition"
AT_SEA = "Etc/"
"""How zones begin that no country has."""
OTHER_ZONE = "the GPS clock says that the camera's clock was in another zone than the position is"
IN_GREENWICH = {SATELLITES, CHANGED, NAMED, CONTAINER}
"""Sources that know a time only as it was there."""


class Place(Struct, frozen=True, kw_only=True):
    """A town with its country; the region is a state or province, None where the list names none."""

    country: str
    country_code: str
    region: str | None
    city: str


def located(seen: Metadata) -> Metadata:
    """The same with place and time zone, if its position is known. A camera's own word on its offset is kept."""
    if seen.gps_latitude is None or seen.gps_longitude is None:
        return seen
    place = place_of(seen.gps_latitude, seen.gps_longitude)
    zone = zone_of(seen.gps_latitude, seen.gps_longitude)
    return structs.replace(seen, **_clock(seen, zone), **(structs.asdict(place) if place else {}), time_zone=zone)


def _clock(seen: Metadata, zone: str | None) -> Values:
    """The time on the wall and its offset, by the zone."""
    if seen.taken_at is None or zone is None:
        return {}
    if seen.taken_from in IN_GREENWICH and seen.taken_from == seen.offset_from:
        at, minutes = local_time(zone, seen.taken_at - timedelta(minutes=seen.offset_minutes or 0))
        return {"taken_at": at, "offset_minutes": minutes, "offset_from": POSITION}
    if seen.offset_from in {None, SATELLITES}:
        return _zoned(seen, zone, seen.taken_at)
    return {}


def _zoned(seen: Metadata, zone: str, local: datetime) -> Values:
    """The zone's offset; where the clock showed this time twice, the satellites know which it was."""
    possible = [offset_at(zone, local.replace(fold=fold)) for fold in (0, 1)]
    if seen.offset_minutes in possible:
        return {"offset_minutes": seen.offset_minutes, "offset_from": POSITION}
    notes = seen.notes if seen.offset_minutes is None else (*seen.notes, OTHER_ZONE)
    return {"offset_minutes": possible[0], "offset_from": POSITION, "notes": notes}


def place_of(latitude: float, longitude: float) -> Place | None:
    """The town that reaches nearest to a position, None where none lies within 100 km."""
    return _nearest(latitude, longitude, NEAR_KM) or _nearest(latitude, longitude, FURTHEST_KM)


def _nearest(latitude: float, longitude: float, most_km: float) -> Place | None:
    from processor.metadata import atlas  # late, for it takes time and memory that not everybody needs

    margin = most_km / KM_PER_DEGREE
    near = slice(*np.searchsorted(atlas.LATITUDES, (latitude - margin, latitude + margin)))
    far = distances(latitude, longitude, atlas.LATITUDES[near], atlas.LONGITUDES[near])
    if not (far <= most_km).any():
        return None
    best = near.start + int(np.where(far <= most_km, far - atlas.RADII_KM[near], np.inf).argmin())
    code, region, city = atlas.name(best)
    return Place(country=atlas.COUNTRIES.get(code, code), country_code=code, region=region or None, city=city)


def distances(latitude: float, longitude: float, latitudes: Numbers, longitudes: Numbers) -> Numbers:
    """Kilometres from a position to others, along the ground; right across the date line and at the poles."""
    up, along = np.radians(latitudes - latitude), np.radians(longitudes - longitude)
    level = math.cos(math.radians(latitude)) * np.cos(np.radians(latitudes))
    half = np.sin(up / 2) ** 2 + level * np.sin(along / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(half.clip(0, 1))))


def zone_of(latitude: float, longitude: float) -> str | None:
    """The name of the time zone at a position, `Europe/Paris`; at sea there is none."""
    zone = tzfpy.get_tz(longitude, latitude)
    return None if not zone or zone.startswith(AT_SEA) else zone


def offset_at(zone: str, local: datetime) -> int:
    """Minutes east of Greenwich of a zone's clock when it shows this time."""
    from processor.metadata import atlas

    return round((atlas.ZONES[zone].utcoffset(local) or timedelta()) / timedelta(minutes=1))


def local_time(zone: str, instant: datetime) -> tuple[datetime, int]:
    """What a zone's clock shows at a UTC time that carries no zone, and its minutes east of Greenwich."""
    from processor.metadata import atlas

    local = instant.replace(tzinfo=UTC).astimezone(atlas.ZONES[zone])
    minutes = round((local.utcoffset() or timedelta()) / timedelta(minutes=1))
    return local.replace(tzinfo=None, fold=0), minutes
