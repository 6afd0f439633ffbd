"""Which words are looked for in pictures: plain lists that anybody can edit, and how well a picture fits each."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
from blake3 import blake3
from msgspec import Struct

from ml_server.folders import Folder, Unusable
from ml_server.towers import Vector

LABELS, PROMPTS = "labels.txt", "prompts.txt"
LARGEST_LIST = 1 << 20
MOST_LABELS, MOST_PROMPTS = 5000, 64
LONGEST_LINE = 200
PLACE = "{}"
SHARPNESS = 100.0
"""How far a small difference between two labels is spread; what models of this kind are trained with, about."""
LEAST_SCORE = 0.03
"""Below it a label is a guess that helps nobody."""


class Label(Struct, frozen=True):
    """A label, and how much of all that the picture could be it is: the scores of a list make 1."""

    label: str
    score: float


class List(Struct, frozen=True, kw_only=True):
    """The labels, and the sentences that each is put into, whose vectors together stand for it."""

    labels: tuple[str, ...]
    prompts: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Every label in every prompt, label by label."""
        return [prompt.replace(PLACE, label) for label in self.labels for prompt in self.prompts]

    @property
    def digest(self) -> str:
        """A name for exactly this list."""
        return blake3(msgspec.json.encode(self)).hexdigest()[:32]


def read(folder: Folder, models: Path) -> List:
    """The model's own lists, else those for all models, else ours; Unusable if one makes no sense."""
    prompts = _lines(_nearest(PROMPTS, folder, models), most=MOST_PROMPTS)
    if lacking := [prompt for prompt in prompts if PLACE not in prompt]:
        raise Unusable(f"a line of {PROMPTS} has no {PLACE}, where the label goes: {lacking[0]}")
    return List(labels=_lines(_nearest(LABELS, folder, models), most=MOST_LABELS), prompts=prompts)


def merged(listed: List, vectors: Sequence[Vector]) -> Vector:
    """One vector of length 1 for each label, from those of all sentences: (labels, dimension)."""
    means = np.stack(vectors).reshape(len(listed.labels), len(listed.prompts), -1).mean(axis=1)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    if not lengths.all():
        raise Unusable(f"the model has no direction for a label of {LABELS}")
    return np.ascontiguousarray(means / lengths, dtype=np.float32)


def best(listed: List, vectors: Vector, picture: Vector, *, top: int) -> list[Label]:
    """The labels that fit best, best first."""
    fits = SHARPNESS * (vectors @ picture).astype(np.float64)
    scores = np.exp(fits - fits.max())
    scores /= scores.sum()
    chosen = [int(number) for number in np.argsort(-scores, kind="stable")[:top]]
    return [Label(listed.labels[number], float(scores[number])) for number in chosen if scores[number] >= LEAST_SCORE]


def _nearest(name: str, folder: Folder, models: Path) -> str:
    for path in (folder.path / name, models / name):
        if path.is_file():
            return _text(path)
    return (resources.files("ml_server") / "lists" / name).read_text(encoding="utf-8")


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST_LIST:
        raise Unusable(f"{path} is too large for a list of labels")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from None


def _lines(text: str, *, most: int) -> tuple[str, ...]:
    """One of each line; empty ones and those that begin with # say nothing."""
    lines = dict.fromkeys(line.strip() for line in text.splitlines())
    kept = tuple(line for line in lines if line and not line.startswith("#"))
    if not 1 <= len(kept) <= most or max(map(len, kept)) > LONGEST_LINE:
        raise Unusable(f"a list has 1 to {most} lines of at most {LONGEST_LINE} letters, this one begins {kept[:1]}")
    return kept
