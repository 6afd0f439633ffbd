"""A few examples tell what is meant, among very many others and whatever is hidden among those."""

from typing import Any

import numpy as np
import pytest

from ml_dispatcher import learning
from ml_dispatcher.learning import Floats


def world(classes: int, *, dimension: int = 128, count: int = 4000, noise: float = 1.5) -> tuple[Floats, Any]:
    """Vectors of length 1, all of them on one side as those of models are, and which of the classes each is of."""
    chance = np.random.default_rng(classes)
    side, *centres = chance.normal(size=(classes + 1, dimension)) / dimension**0.5
    of = chance.integers(0, classes, count)
    vectors = side + np.array(centres)[of] + noise * chance.normal(size=(count, dimension)) / dimension**0.5
    return unit(vectors), of


def unit(vectors: Any) -> Floats:
    found: Floats = (vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype(np.float32)
    return found


@pytest.mark.parametrize(("classes", "examples"), [(3, 10), (20, 5), (50, 20)])
def test_what_is_like_the_examples_is_found(classes: int, examples: int) -> None:
    """Though the others that it is learnt against have as many of it as there are among all."""
    vectors, of = world(classes)
    shown = np.flatnonzero(of == 0)[:examples]

    weights = learning.learn(vectors[shown], vectors[:0], vectors[2000:3000])

    is_found, is_meant = learning.scores(weights, vectors) >= 0.5, of == 0
    assert (is_found & is_meant).sum() / is_found.sum() > 0.97
    assert (is_found & is_meant).sum() / is_meant.sum() > 0.93


def test_what_only_seems_so_is_told_apart() -> None:
    """By a few counter-examples: the same in most ways, and meant by nobody."""
    chance = np.random.default_rng(5)
    vectors, _ = world(30)
    centre, way = chance.normal(size=(2, 128)) / 128**0.5
    noise = chance.normal(size=(2, 100, 128)) / 128**0.5
    meant, seeming = (unit(centre + sign * way + part) for sign, part in zip((0.6, -0.6), noise, strict=True))

    without = learning.learn(meant[:8], meant[:0], vectors[:1000])
    weights = learning.learn(meant[:8], seeming[:8], vectors[:1000])

    assert (learning.scores(without, seeming) >= 0.5).mean() > 0.3
    assert (learning.scores(weights, seeming[8:]) >= 0.5).mean() < 0.1
    assert (learning.scores(weights, meant[8:]) >= 0.5).mean() > 0.8


def test_nothing_is_learnt_that_is_no_number() -> None:
    """Examples that are all the same, or the same as everything, give scores that are ones."""
    same = unit(np.ones((6, 8)))
    other = unit(np.eye(8))

    for others in (same, other):
        found = learning.scores(learning.learn(same, same[:0], others), np.concatenate([same, other]))
        assert np.isfinite(found).all()
        assert ((found >= 0) & (found <= 1)).all()
