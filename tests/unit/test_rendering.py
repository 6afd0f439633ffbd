"""How thumbnails are made: by the server's settings, by the repository's own where those make sense."""

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from common import layout, marker, rendering, roots, settings
from common.marker import Marker
from common.rendering import Rendering
from processor import options
from processor.images import Options
from processor.main import ProcessorSettings

GIVEN = {"LUMILIO_DATABASE_URL": "postgresql://", "LUMILIO_NATS_URL": "nats://"}


def test_a_repository_goes_before_the_server_and_the_server_before_us() -> None:
    """Each value is taken from the first that says it."""
    given = {**GIVEN, "LUMILIO_THUMBNAIL_SMALL": "300", "LUMILIO_THUMBNAIL_QUALITY": "70"}
    server = options.adjusted(Options(), settings.load(ProcessorSettings, given))

    found = options.adjusted(server, Rendering(thumbnail_small=200, thumbnail_format="jpeg"))

    assert options.adjusted(Options(), settings.load(ProcessorSettings, GIVEN)) == Options()
    assert found == Options(small=200, quality=70, format="jpeg")


@pytest.mark.parametrize(
    ("said", "sound", "wrong"),
    [
        (None, Rendering(), []),
        ({}, Rendering(), []),
        (rendering.written(Rendering(thumbnail_small=200)), Rendering(thumbnail_small=200), []),
        ({"thumbnail_small": 200, "watermark": True}, Rendering(thumbnail_small=200), []),
        ({"thumbnail_small": 200, "thumbnail_large": 9}, Rendering(thumbnail_small=200), ["thumbnail_large"]),
        ({"thumbnail_format": "gif", "thumbnail_quality": "9"}, Rendering(), ["thumbnail_format", "thumbnail_quality"]),
        ({"thumbnail_large_quality": 101, "thumbnail_medium": True}, Rendering(), ["large_", "thumbnail_medium"]),
        ({"thumbnail_small": 10**400}, Rendering(), ["thumbnail_small"]),
        ({"web_policy": "always"}, Rendering(web_policy="always"), []),
        ({"web_policy": True}, Rendering(), ["web_policy"]),
        ([1], Rendering(), ["rendering"]),
        ("large", Rendering(), ["rendering"]),
    ],
)
def test_what_makes_no_sense_is_told_and_left_to_the_server(said: Any, sound: Rendering, wrong: list[str]) -> None:
    """The rest of the section counts all the same, and names that we do not know are nobody's business."""
    found, notes = rendering.read(said)

    assert found == sound
    assert [name in note for name, note in zip(wrong, sorted(notes), strict=True)] == [True] * len(wrong)


@pytest.mark.parametrize(
    ("name", "there_are"), [("thumbnail_format", "webp or jpeg"), ("web_policy", "smart, always or never")]
)
def test_whoever_wishes_for_another_choice_hears_which_there_are(name: str, there_are: str) -> None:
    """A choice that there is not is answered by those that there are, whichever setting it is of."""
    _, notes = rendering.read({name: "gif"})

    assert notes == [f"rendering.{name}: it is {there_are}; until it is put right the server decides"]


def test_a_wrong_wish_is_a_warning_and_no_outage(tmp_path: Path) -> None:
    """Uploads go on where thumbnails are described wrongly; whoever examines the repository hears of it."""
    identity, root = uuid4(), bytes(tmp_path / "repository")
    roots.create(root, Marker(id=identity, name="Test"))
    path = Path(os.fsdecode(os.path.join(root, layout.MARKER)))
    text = path.read_text()
    assert "rendering:\n  thumbnail_format: null\n" in text
    path.write_text(text.replace("thumbnail_small: null", "thumbnail_small: tiny"))

    found = marker.check(root, identity)
    examined = roots.validate(root, identity)

    assert rendering.read(found.rendering)[0] == Rendering()
    assert (examined.valid, examined.errors) == (True, [])
    assert examined.warnings == [
        "rendering.thumbnail_small: Expected `int | null`, got `str`; until it is put right the server decides"
    ]
