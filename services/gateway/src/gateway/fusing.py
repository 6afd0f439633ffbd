"""Makes one list of several that rank the same things in their own ways."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing", bound=Hashable)

K = 60
"""How little the first places of a list are ahead of those that follow: of reciprocal rank fusion as published."""


def fuse(ranked: Iterable[Sequence[Thing]], behind: Iterable[Sequence[Thing]] = ()) -> list[Thing]:
    """What stands high in any of the lists, or in many of them, first; of equals that which the earlier list has.

    Lists that are `behind` count as if so many others were before their first.
    """
    scores: dict[Thing, float] = defaultdict(float)
    for first, lists in ((1, ranked), (K + 1, behind)):
        for things in lists:
            for place, thing in enumerate(dict.fromkeys(things), start=first):
                scores[thing] += 1 / (K + place)
    return sorted(scores, key=lambda thing: -scores[thing])
