"""Learns what a few vectors have in common, as against many others, and tells of which other vectors it holds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

COUNTERS_WEIGH = 0.5
"""As much as half of all that show it; what is picked at random and what shows it weigh the same."""
STIFFNESS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
SURE = 0.9
"""How sure one is of what shows it as an ordinary example does, where one is half sure of what just does."""
ROUNDS = 4
NUMBER = np.dtype("<f4")


class Axes(NamedTuple):
    """Rows of numbers, turned so that each of a few directions stands for itself; and how long they are along each."""

    of_rows: Doubles
    lengths: Doubles
    of_columns: Doubles


class Fit(NamedTuple):
    """Numbers by which vectors are weighed, and what each one that was learnt by would get from all others."""

    weights: Doubles
    unseen: Doubles


def learn(examples: Floats, counters: Floats, others: Floats) -> bytes:
    """What weighs vectors of length 1, one a row: of those that show it, that do not, and that nobody looked at.

    Some of the last may show it, too: what is more like the examples than like the rest is left out.
    """
    left = np.ones(len(others), dtype=bool)
    for _ in range(ROUNDS):
        fit = _fit(examples, counters, others[left])
        shown, rest = fit.unseen[: len(examples)], fit.unseen[len(examples) :]
        unknown = _weighed(fit.weights, others)
        unknown[left] = rest[len(counters) :]
        is_other = unknown < (np.median(shown) + np.median(unknown[left])) / 2
        if (is_other == left).all() or not is_other.any():
            break
        left = is_other
    bound = _bound(shown, rest)
    steepness = np.log(SURE / (1 - SURE)) / max(float(np.median(shown)) - bound, 1e-3)
    weights = fit.weights * steepness
    weights[-1] -= bound * steepness
    numbers: bytes = weights.astype(NUMBER).tobytes()
    return numbers


def scores(weights: bytes, vectors: Floats) -> Floats:
    """How sure one is that each vector shows it: one half or more means that it does."""
    numbers = np.frombuffer(weights, NUMBER)
    sure: Floats = (1 / (1 + np.exp(-_weighed(numbers, vectors).clip(-30, 30)))).astype(np.float32)
    return sure


def read(sent: list[bytes]) -> Floats:
    """Vectors as the database sends them, one a row."""
    return np.stack([HalfVector.from_binary(one).to_numpy() for one in sent]).astype(np.float32)


def _fit(examples: Floats, counters: Floats, others: Floats) -> Fit:
    """Least squares towards 1 and -1, as stiff as tells best what was left out; all groups weigh what they should."""
    rows = np.concatenate([examples, counters, others]).astype(np.float64)
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    weigh = np.sqrt(np.concatenate([_shares(examples, 1), _shares(counters, COUNTERS_WEIGH), _shares(others, 1)]))
    wanted = np.where(np.arange(len(rows)) < len(examples), 1.0, -1.0)
    axes = _axes(rows * weigh[:, None])
    fits = [_solved(axes, weigh, wanted, stiffness) for stiffness in STIFFNESS]
    return min(fits, key=lambda fit: float(((weigh * (fit.unseen - wanted)) ** 2).sum()))


def _axes(rows: Doubles) -> Axes:
    """Found along whichever side is shorter."""
    is_wide = rows.shape[1] > rows.shape[0]
    values, turned = np.linalg.eigh(rows @ rows.T if is_wide else rows.T @ rows)
    kept = values > values[-1] * 1e-12
    lengths, turned = np.sqrt(values[kept]), turned[:, kept]
    other = (rows.T if is_wide else rows) @ turned / lengths
    return Axes(turned, lengths, other) if is_wide else Axes(other, lengths, turned)


def _solved(axes: Axes, weigh: Doubles, wanted: Doubles, stiffness: float) -> Fit:
    """With what each row gets where all but itself is known, which needs no second look."""
    shrunk = axes.lengths**2 / (axes.lengths**2 + stiffness)
    along = axes.of_rows.T @ (weigh * wanted)
    fitted = axes.of_rows @ (shrunk * along)
    own = (axes.of_rows**2 @ shrunk).clip(0, 1 - 1e-6)
    unseen = (fitted - own * weigh * wanted) / (1 - own) / weigh
    return Fit(axes.of_columns @ (shrunk / axes.lengths * along), unseen)


def _weighed(weights: Doubles | Floats, vectors: Floats) -> Doubles | Floats:
    weighed: Doubles | Floats = vectors @ weights[:-1] + weights[-1]
    return weighed


def _shares(group: Floats, weight: float) -> Doubles:
    return np.full(len(group), weight / max(len(group), 1))


def _bound(shown: Doubles, rest: Doubles) -> float:
    """Between what most examples get and what hardly any other does; where both get the same, half of the examples."""
    least, most = float(np.quantile(shown, 0.25)), float(np.quantile(rest, 0.99))
    return (least + most) / 2 if least > most else min(most, float(np.median(shown)))
