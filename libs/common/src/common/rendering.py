"""How thumbnails and web versions are made where a repository wants them otherwise than the server makes them."""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

Format = Literal["webp", "jpeg"]
Policy = Literal["smart", "always", "never"]
CHOICES: dict[str, tuple[str, ...]] = {"thumbnail_format": get_args(Format), "web_policy": get_args(Policy)}
Quality = Annotated[int, Meta(ge=1, le=95)]
Small = Annotated[int, Meta(ge=64, le=1024)]
Medium = Annotated[int, Meta(ge=64, le=2048)]
Large = Annotated[int, Meta(ge=64, le=4096)]


class Rendering(Struct, frozen=True, kw_only=True):
    """The longest edge of each thumbnail in pixels, and how they are compressed; null where the server decides.

    The format is that of the small and the medium one; the large one is always JPEG, with a quality of its own.
    The policy says of which videos and recordings a version for browsers is made: smart is where they need one.
    """

    thumbnail_format: Format | None = None
    thumbnail_quality: Quality | None = None
    thumbnail_large_quality: Quality | None = None
    thumbnail_small: Small | None = None
    thumbnail_medium: Medium | None = None
    thumbnail_large: Large | None = None
    web_policy: Policy | None = None


def written(rules: Rendering | None = None) -> dict[str, object]:
    """The section of a marker that says this; whoever opens one that says nothing finds every name in it."""
    return msgspec.structs.asdict(rules or Rendering())


def read(said: Any) -> tuple[Rendering, list[str]]:
    """What a marker says as far as it makes sense, and what is wrong with the rest, which the server decides.

    A picture that is a little too small is no reason to take no uploads. Names that we do not know are left alone.
    """
    if said is None:
        return Rendering(), []
    if not isinstance(said, dict):
        return Rendering(), ["rendering: write a name and its value on each line below it"]
    sound, wrong = Rendering(), []
    for name in Rendering.__struct_fields__:
        try:
            one = msgspec.convert({name: said.get(name)}, Rendering)
        except (msgspec.ValidationError, OverflowError) as error:
            reason = str(error).partition(" - at `$.")[0]
            if reason.startswith("Invalid enum value"):
                reason = f"it is {_listed(CHOICES[name])}"
            wrong.append(f"rendering.{name}: {reason}; until it is put right the server decides")
        else:
            sound = msgspec.structs.replace(sound, **{name: getattr(one, name)})
    return sound, wrong


def _listed(words: tuple[str, ...]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}"
