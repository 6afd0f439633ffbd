"""What inference servers are asked to do, and what they call it: each generation of them has names of its own."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta


class Task(StrEnum):
    """One kind of question."""

    EMBED_IMAGE = "embed_image"
    EMBED_TEXT = "embed_text"
    CLASSIFY = "classify"
    FACES = "faces"
    TEXTS = "texts"


EMBEDDING = (Task.EMBED_IMAGE, Task.EMBED_TEXT)


class Model(NamedTuple):
    """What puts pictures or words somewhere: vectors of another name or dimension are not to be compared with its."""

    name: str
    dimension: int

    def __str__(self) -> str:
        return f"{self.name} with {self.dimension} numbers"


Names: TypeAlias = Mapping[Task, Sequence[str]]
Name = Annotated[str, Meta(min_length=1, max_length=200)]

NAMES: Names = {
    Task.EMBED_IMAGE: ("semantic_image_embed", "clip_image_embed", "smartclip_image_embed"),
    Task.EMBED_TEXT: ("semantic_text_embed", "clip_text_embed", "smartclip_text_embed", "clip_embed"),
    Task.CLASSIFY: ("smart_classify", "smartclip_classify", "bioclip_classify", "clip_classify"),
    Task.FACES: ("face_recognition", "face_detect_and_embed"),
    Task.TEXTS: ("ocr",),
}
"""What servers may call each; the first that one offers is asked for."""


class Unclear(ValueError):
    """The names as they are set are none; the text says why."""


def names(setting: str) -> Names:
    """The names with those of a JSON object in their places, like `{"classify": ["bioclip_classify"]}`."""
    if not setting.strip():
        return NAMES
    try:
        return {**NAMES, **msgspec.json.decode(setting, type=dict[Task, Annotated[list[Name], Meta(min_length=1)]])}
    except msgspec.DecodeError as error:
        raise Unclear(str(error)) from None
