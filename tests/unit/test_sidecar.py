"""A sidecar says what a person says, and goes on saying all that others wrote in it."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
import pytest

from common.edits import Edits
from processor import sidecar, survey
from processor.metadata import xmp
from processor.sidecar import Clock, Merged
from processor.unreadable import Unreadable

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TAKEN = datetime(2024, 5, 17, 18, 3, 11, 250_000)  # noqa: DTZ001
TEXT = "Ümläut \"quoted\" & 'such' <b> ]]> 好吃 🎂👩‍👩‍👧 \n second\tline"
ALL = Edits(
    title="好 <&> 🎂",
    description=TEXT,
    rating=4,
    tags=["Family", "Places/France/Paris", "a & b"],
    taken_time=TAKEN,
    offset_minutes=-210,
    gps_latitude=-33.8567844,
    gps_longitude=151.2152967,
)
LIGHTROOM = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about='uuid:"x"'
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:p="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:mystery="urn:nobody:knows"
   xmp:Rating="2" xmp:CreatorTool="Lightroom" crs:Exposure2012="+0.35" mystery:note="a &gt; b">
   <!-- kept -->
   <p:title><rdf:Alt><rdf:li xml:lang="x-default">Old</rdf:li><rdf:li xml:lang="de">Alt</rdf:li></rdf:Alt></p:title>
   <crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>
   <mystery:tree rdf:parseType="Resource"><mystery:leaf>5 &lt; 6</mystery:leaf></mystery:tree>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>"""


def merged(content: bytes, edits: Edits, *, clock: Clock | None = None) -> Merged:
    """The sidecar after a write-back, which must be a sidecar that can be written back to."""
    time = edits.taken_time if isinstance(edits.taken_time, datetime) else None
    minutes = edits.offset_minutes if isinstance(edits.offset_minutes, int) else None
    before = survey.survey(BytesIO(content))
    result = sidecar.merge(content, before, sidecar.wanted(edits, clock or Clock(time, minutes)), at=NOW)
    assert survey.survey(BytesIO(result.content)).rest == before.rest
    return result


def written(content: bytes, edits: Edits) -> bytes:
    return merged(content, edits).content


def test_what_is_written_is_read_back() -> None:
    """Every value comes back equal, whatever letters are in it."""
    said, notes = xmp.read(written(sidecar.EMPTY, ALL))

    assert (said.title, said.description, said.rating) == (ALL.title, ALL.description, 4)
    assert set(ALL.tags or []) <= set(said.keywords)
    assert (said.moments[0].at, said.moments[0].offset_minutes) == (TAKEN, -210)
    assert (said.latitude, said.longitude) == (ALL.gps_latitude, ALL.gps_longitude)
    assert notes == []


@pytest.mark.parametrize("degrees", [0.0, -0.00000004, 89.99999999999, -180.0, 12.5, 0.9999999999999])
def test_no_position_is_written_with_sixty_minutes(degrees: float) -> None:
    """Whatever is rounded up is carried into the degrees."""
    said, notes = xmp.read(written(sidecar.EMPTY, Edits(gps_latitude=degrees / 2, gps_longitude=degrees)))

    assert said.longitude == pytest.approx(degrees, abs=1e-7)
    assert said.latitude == pytest.approx(degrees / 2, abs=1e-7)
    assert notes == []


def test_what_others_wrote_stays() -> None:
    """Byte by byte: settings, comments, unknown namespaces; only what the person said is replaced."""
    result = written(LIGHTROOM, ALL)

    for line in LIGHTROOM.splitlines()[6:10]:
        assert b"title" in line or line in result
    assert b'crs:Exposure2012="+0.35" mystery:note="a &gt; b"' in result
    assert result.count(b"""rdf:about='uuid:"x"'""") == 2
    said, _ = xmp.read(result)
    assert (said.title, said.rating) == (ALL.title, 4)


def test_writing_twice_changes_nothing() -> None:
    """The second time not a byte is another, and no writing makes the file grow."""
    once = written(LIGHTROOM, ALL)

    assert written(once, ALL) == once
    again = once
    for rating in (1, 2, 3, 4):
        again = written(again, msgspec.structs.replace(ALL, rating=rating))
    assert again == once


def test_what_is_taken_back_is_as_it_was() -> None:
    """Others' words that were replaced are back, translations too; ours are gone, and it is told that they are."""
    changed = written(LIGHTROOM, ALL)

    result = merged(changed, Edits())

    assert result.is_taken_back
    said, _ = xmp.read(result.content)
    assert (said.title, said.rating, said.description, said.keywords, said.latitude) == ("Old", 2, None, (), None)
    assert b">Alt</rdf:li>" in result.content
    assert b"lumilio:Written" not in result.content


def test_what_others_said_since_is_not_taken_back() -> None:
    """A rating that another program gave after ours is its word and no longer ours."""
    ours = written(sidecar.EMPTY, Edits(rating=4, title="t"))
    theirs = ours.replace(b"<xmp:Rating>4<", b"<xmp:Rating>1<")

    result = written(theirs, Edits())

    said, _ = xmp.read(result)
    assert (said.rating, said.title) == (1, None)
    assert xmp.read(written(written(theirs, Edits(rating=5)), Edits()))[0].rating == 1


def test_nothing_can_be_wanted() -> None:
    """null takes a property out, and taking that back brings it back."""
    without = written(LIGHTROOM, Edits(title=None, rating=None))

    said, _ = xmp.read(without)
    assert (said.title, said.rating) == (None, None)
    said, _ = xmp.read(written(without, Edits()))
    assert (said.title, said.rating) == ("Old", 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no XML",
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"<a/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        LIGHTROOM.replace(b"xmlns:crs", b"xmlns:src"),
        LIGHTROOM[:-5],
        LIGHTROOM.decode().encode("utf-16"),
        b"<?xml version='1.0' encoding='iso-8859-1'?>" + LIGHTROOM,
        LIGHTROOM + LIGHTROOM,
        b"<a>" * 100_000,
        LIGHTROOM.replace(b"kept", b"k" * (1 << 22)),
    ],
    ids=range(12),
)
def test_what_is_no_sidecar_is_told_as_such(content: bytes) -> None:
    """In words, and quickly."""
    with pytest.raises(Unreadable, match=r"^it .*"):
        survey.survey(BytesIO(content))


@pytest.mark.parametrize(
    "content",
    [
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
        b'\xef\xbb\xbf<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></r:RDF>',
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about=""/></r:RDF>',
    ],
)
def test_odd_but_right_sidecars_are_written_to(content: bytes) -> None:
    """With no property yet, with another prefix, with a mark of the byte order."""
    result = written(content, ALL)

    assert xmp.read(result)[0].title == ALL.title
    assert written(result, ALL) == result


def test_a_sidecar_never_gets_too_large_to_be_read_again() -> None:
    """More words than fit are refused with a reason."""
    many: Any = ["好" * 600 + str(number) for number in range(1000)]

    with pytest.raises(Unreadable, match="larger than 4 MB"):
        written(sidecar.EMPTY, Edits(tags=many))
