"""What is known of a photo beside its pixels, from every source that speaks of it, in the order of trust."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, BinaryIO

from msgspec import structs

from processor.metadata import exif, iptc, keywords, picasa, regions, times, xmp
from processor.metadata.packet import LARGEST
from processor.metadata.rating import REJECTED
from processor.metadata.record import Blobs, Face, Metadata, Moment, Said, Told, Values

__all__ = ["Blobs", "Face", "Metadata", "Moment", "Said", "Told", "read"]

MOST_TEXT = 64 << 10
WORDS = ("title", "description")
FACTS = (
    *("camera_make", "camera_model", "lens_model", "exposure_time", "f_number", "iso_speed", "focal_length"),
    *("exposure", "projection", "content_identifier", "burst_identifier", "motion_length"),
)


def read(blobs: Blobs, told: Told, *, orientation: int, beside: Sequence[BinaryIO] = ()) -> Metadata:
    """All that can be true of what the sources say; never fails. A person's sidecar is believed before the camera.

    `orientation` is how the pixels are still to be turned; faces are given in the upright picture.
    """
    notes: list[str] = []
    camera = _noted(exif.read(blobs.exif), notes)
    embedded = _noted(xmp.read(blobs.xmp), notes)
    records = _noted(iptc.read(blobs.iptc), notes)
    sidecars = [_noted(xmp.read(content, "sidecar"), notes) for content in _besides("xmp", told, beside)]
    names = (told.stored_name, told.file_name)
    albums = [_noted(picasa.read(content, *names), notes) for content in _besides("picasa", told, beside)]
    by_clock = [*sidecars, camera, embedded, records, *blobs.known]
    by_words = [*sidecars, embedded, records, camera, *albums, *blobs.known]
    return bounded(
        Metadata(
            **times.decide(by_clock, told, notes),
            **_place(by_clock, notes),
            **{name: _first(by_words, name) for name in WORDS},
            **{name: _first([camera, *by_clock], name) for name in FACTS},
            rating=_rating(sidecars, by_words, notes),
            keywords=keywords.united(word for said in by_words for word in said.keywords),
            faces=_faces(by_words, orientation if orientation != 1 else camera.orientation or 1),
            notes=tuple(notes),
        )
    )


def bounded(seen: Metadata) -> Metadata:
    """The same with no more than 64 KB of text: the names of faces and the notes take what the other words leave."""
    words = [value for value in structs.asdict(seen).values() if isinstance(value, str)]
    left = MOST_TEXT - sum(len(word.encode()) for word in (*words, *seen.keywords))
    faces = []
    for face in seen.faces:
        left -= len((face.name or "").encode())
        faces.append(face if left >= 0 else structs.replace(face, name=None))
    lengths = accumulate(len(note.encode()) for note in seen.notes)
    notes = tuple(note for note, length in zip(seen.notes, lengths, strict=True) if length <= left)
    return structs.replace(seen, faces=tuple(faces), notes=notes)


def _noted(heard: tuple[Said, list[str]], notes: list[str]) -> Said:
    notes += heard[1]
    return heard[0]


def _besides(kind: str, told: Told, beside: Sequence[BinaryIO]) -> list[bytes]:
    """What stands in the files of this kind, as far as anybody reads it."""
    return [file.read(LARGEST + 1) for name, file in zip(told.beside, beside, strict=False) if name == kind]


def _first(sources: Sequence[Said], name: str) -> Any:
    return next((value for said in sources if (value := getattr(said, name)) is not None), None)


def _rating(sidecars: Sequence[Said], sources: Sequence[Said], notes: list[str]) -> int | None:
    """The first one; but cameras write 0 into every file, so one that gives stars is believed before them."""
    ratings = [said.rating for said in sources if said.rating is not None]
    by_hand = _first(sidecars, "rating")
    believed = by_hand if by_hand is not None else next(filter(None, ratings), ratings[0] if ratings else None)
    if believed == REJECTED:
        notes.append("somebody rejected the picture, which is no rating")
        return None
    return believed


def _faces(sources: Sequence[Said], orientation: int) -> tuple[Face, ...]:
    """Those of the first source that knows any, turned upright.

    Where the container has turned the picture already, programs still count from how the sensor saw it.
    """
    stored = next((said.faces for said in sources if said.faces), ())
    return tuple(regions.turned(face, orientation) for face in stored)


def _place(sources: Sequence[Said], notes: list[str]) -> Values:
    """The position of the first source that has one; half a position is none."""
    for said in sources:
        if said.latitude == said.longitude == 0:
            notes.append("the position 0, 0 is how devices say that they have none")
        elif said.latitude is not None and said.longitude is not None:
            return {"gps_latitude": said.latitude, "gps_longitude": said.longitude, "altitude": said.altitude}
    return {}
