"""Keywords as paths, `Places/Paris`, whatever the program that wrote them separates with."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from processor.metadata import packet
from processor.metadata.names import KEYWORDS
from processor.metadata.packet import Properties
from processor.metadata.text import short

MOST_KEYWORDS, MOST_BYTES = 1000, 48 << 10


def read(properties: Properties) -> tuple[str, ...]:
    """All that an XMP packet calls keywords."""
    return several(
        path(word, separator) for name, separator in KEYWORDS.items() for word in packet.texts(properties.get(name))
    )


def path(written: str, separator: str) -> str | None:
    """The keyword with its steps between slashes."""
    steps = (short(step) for step in written.split(separator))
    return short("/".join(step for step in steps if step))


def listed(written: str) -> tuple[str, ...]:
    """Those between semicolons."""
    return several(short(word) for word in written.split(";"))


def several(words: Iterable[str | None]) -> tuple[str, ...]:
    """Each keyword once, in order, and no more than anybody would write."""
    once = list(dict.fromkeys(word for word in words if word))[:MOST_KEYWORDS]
    lengths = accumulate(len(word.encode()) for word in once)
    return tuple(word for word, length in zip(once, lengths, strict=True) if length <= MOST_BYTES)


def united(words: Iterable[str]) -> tuple[str, ...]:
    """The keywords of all sources, without those that a longer path says already: `Places/Paris` needs no `Paris`."""
    once = list(dict.fromkeys(words))[: 2 * MOST_KEYWORDS]
    implied = {word.casefold() for keyword in once for word in _implied(keyword)}
    return several(keyword for keyword in once if keyword.casefold() not in implied)


def _implied(keyword: str) -> Iterator[str]:
    """The steps of a path, the path to each and the path from each: a step may hold a slash itself, `AC/DC`."""
    steps = keyword.split("/")
    if len(steps) > 1:
        yield from steps
        yield from ("/".join(steps[:length]) for length in range(2, len(steps)))
        yield from ("/".join(steps[start:]) for start in range(1, len(steps) - 1))
