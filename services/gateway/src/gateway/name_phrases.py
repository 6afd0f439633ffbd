"""Finds the names that a library knows in what people type: places, tags, labels and cameras."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["country", "region", "city", "tag", "label", "camera_make", "camera"]

WORD = re.compile(r"[^\W_]+")
MOST_WORDS = 6
FIRST_WITHOUT_BLANKS = "\u2e80"
"""From here on are the scripts of China and Japan."""
SHORTEST = 3
"""Shorter names are no more than syllables, unless nothing else is said."""
TO_PLACES = re.compile(
    r"(?<!\w)(?:in|at|from|near|to|of|around|im|am|bei|aus|von|nach|um|auf)\s+(?:(?:the|der|den|dem|die)\s+)?$",
    re.IGNORECASE,
)


class Name(NamedTuple):
    """What something is called, and what it is."""

    kind: Kind
    value: str


class Found(NamedTuple):
    """Where in a text names stand, and all that is called so."""

    start: int
    end: int
    names: list[Name]


Vocabulary = Mapping[tuple[str, ...], list[Name]]


def vocabulary(names: Iterable[Name]) -> Vocabulary:
    """The names by their words; a tag has its last step's too, and a camera those that its name begins with."""
    known: dict[tuple[str, ...], list[Name]] = defaultdict(list)
    for name in names:
        for words in _called(name):
            known[words].append(name)
    return dict(known)


def find(text: str, known: Vocabulary) -> list[Found]:
    """The known names in a text, from left to right, of each place the longest; one or many is the same."""
    words = [(match.start(), match.end(), folded(match[0])) for match in WORD.finditer(text)]
    found, at = [], 0
    while at < len(words):
        longest = min(MOST_WORDS, len(words) - at)
        step = next((count for count in range(longest, 0, -1) if _named(words[at : at + count], known)), 0)
        if step:
            found.append(Found(words[at][0], words[at + step - 1][1], _named(words[at : at + step], known)))
        at += step or 1
    return found


def places(text: str, known: Vocabulary) -> list[Found]:
    """The places among them, with the little words that lead to them."""
    found = [
        one for one in find(text, known) if one.end - one.start >= SHORTEST or text[: one.start] + text[one.end :] == ""
    ]
    leads = [TO_PLACES.search(text, 0, one.start) for one in found]
    return [one._replace(start=lead.start()) if lead else one for one, lead in zip(found, leads, strict=True)]


def without(text: str, found: list[Found]) -> str:
    """The text without what was found in it."""
    edges = [0, *(edge for one in found for edge in (one.start, one.end)), len(text)]
    kept = [text[start:end] for number, (start, end) in enumerate(pairwise(edges)) if number % 2 == 0]
    return " ".join(" ".join(kept).split())


def folded(word: str) -> str:
    """Without case and accents."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def begins_in(text: str, word: str) -> bool:
    """Whether a word of the text begins so; where words stand without blanks between them, any sign may begin one."""
    at = text.find(word)
    while at > 0 and text[at - 1].isalnum() and text[at - 1] < FIRST_WITHOUT_BLANKS:
        at = text.find(word, at + 1)
    return at >= 0


def _called(name: Name) -> set[tuple[str, ...]]:
    words = tuple(folded(word) for word in WORD.findall(name.value))
    called = {words}
    if name.kind == "tag":
        called.add(tuple(folded(word) for word in WORD.findall(name.value.rpartition("/")[2])))
    if name.kind == "camera":
        called |= {words[:count] for count in range(1, len(words)) if len(words[0]) >= SHORTEST}
    return {words for words in called if 0 < len(words) <= MOST_WORDS}


def _named(words: list[tuple[int, int, str]], known: Vocabulary) -> list[Name]:
    told = tuple(word for _, _, word in words)
    return known.get(told) or known.get((*told[:-1], told[-1].removesuffix("s"))) or []
