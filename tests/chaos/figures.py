"""What an experiment tells: a few numbers with names, in one line."""

from collections.abc import Sequence
from typing import TypeAlias

Figures: TypeAlias = dict[str, float]


def line(name: str, figures: Figures) -> str:
    """One experiment as people read it."""
    return f"{name:<24} {', '.join(f'{what} {round(value, 1):g}' for what, value in figures.items())}"


def spread(what: str, seconds: Sequence[float]) -> Figures:
    """The middle and the worst of some durations."""
    ordered = sorted(seconds)
    return {f"{what} p50 s": ordered[len(ordered) // 2], f"{what} max s": ordered[-1]}
