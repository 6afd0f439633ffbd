"""What is wrong with a value is said in sentences, whatever it is."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta, Struct

from gateway import wording


class Asked(Struct, forbid_unknown_fields=True, kw_only=True):
    """A body with fields of every kind."""

    few: Annotated[int, Meta(ge=2, le=9)] = 5
    text: Annotated[str, Meta(min_length=2, max_length=4, pattern="^a")] = "ab"
    entries: Annotated[list[int], Meta(min_length=1, max_length=2)] | None = None
    one: UUID | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None
    way: Literal["up", "down"] = "up"
    is_so: bool = True
    share: float = 0.5
    inner: "Inner | None" = None


class Inner(Struct, forbid_unknown_fields=True, kw_only=True):
    needed: int


SENTENCES: list[tuple[dict[str, Any], str]] = [
    ({"few": 10}, "send a whole number of at most 9"),
    ({"few": 1}, "send a whole number of at least 2"),
    ({"few": "many"}, "send a whole number, not text"),
    ({"few": 2.5}, "send a whole number, not a number"),
    ({"text": "a"}, "send text of at least 2 letters"),
    ({"text": "abcde"}, "send text of at most 4 letters"),
    ({"text": "ba"}, "send text that fits '^a'"),
    ({"entries": []}, "send a list that is not empty"),
    ({"entries": [1, 2, 3]}, "send a list of at most 2 entries"),
    ({"entries": {}}, "send a list or null, not an object"),
    ({"one": "x"}, "send an id, like 0198e1c5-8f0a-7b3e-9d21-5a4c3b2d1e0f"),
    ({"at": "2026-05-04T18:30:00"}, "send it whole, like 2026-05-04T18:30:00, with a zone (Z, +02:00) for a moment"),
    ({"at": "soon"}, "send it whole, like 2026-05-04T18:30:00, with a zone (Z, +02:00) for a moment"),
    ({"way": "sideways"}, "this is none of its values: /api/docs says which there are"),
    ({"is_so": None}, "send true or false, not null"),
    ({"share": True}, "send a number, not true or false"),
    ({"inner": {}}, "`needed` is missing"),
    ({"inner": {"needed": 1, "odd": 2}}, "`odd` means nothing here"),
]


@pytest.mark.parametrize(("body", "words"), SENTENCES)
def test_every_complaint_is_a_sentence(body: dict[str, Any], words: str) -> None:
    """Without backticks around types of ours, and without the value."""
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(body, Asked)

    assert wording.sentence(str(error.value).partition(" - at `$")[0]) == words


def test_what_nobody_knows_stays_as_it_is() -> None:
    """A newer reader's complaint is better than none."""
    assert wording.sentence("Something new") == "Something new"
