"""A whole model, loaded: both halves, what goes into them, and proof that they fit each other."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml_server import folders, pictures, towers, words
from ml_server.folders import SMALL_NAMES, Folder, Unusable
from ml_server.pictures import Preprocess
from ml_server.towers import Tower
from ml_server.words import Words


@dataclass(frozen=True)
class Eyes:
    """The half that sees."""

    tower: Tower
    preprocess: Preprocess

    def prepare(self, payload: bytes) -> pictures.Numbers:
        """A picture's numbers."""
        return pictures.prepare(payload, self.preprocess)


@dataclass(frozen=True)
class Reader:
    """The half that reads."""

    tower: Tower
    words: Words

    def prepare(self, text: str) -> towers.Prepared:
        """A text's numbers."""
        return self.words.prepare(text)


@dataclass(frozen=True)
class Model:
    """What a folder holds, ready to run; at least one half is there."""

    folder: Folder
    model_id: str
    dimension: int
    precision: str
    eyes: Eyes | None
    reader: Reader | None

    @property
    def runtime(self) -> str:
        half = self.eyes or self.reader
        return half.tower.runtime if half else ""


def load(folder: Folder, *, threads: int) -> Model:
    """The model of a folder, each half tried once; Unusable if something is wrong with it.

    People wait for words, so those are read by all `threads` together. Pictures come in numbers: each run of them has
    one thread, for threads that work together wait for whichever of them is interrupted.
    """
    try:
        return _load(folder, threads)
    except OSError as error:
        raise Unusable(f"{folder.path} cannot be read ({error.strerror})") from None


def _load(folder: Folder, threads: int) -> Model:
    eyes = _eyes(folder.visual) if folder.visual else None
    reader = Reader(towers.load(folder.textual, threads=threads), words.load(folder)) if folder.textual else None
    lengths = [*([_seen(eyes)] if eyes else []), *([_read(reader)] if reader else [])]
    if len(set(lengths)) > 1:
        raise Unusable(f"{folder.path}: visual gives vectors of {lengths[0]} numbers, textual of {lengths[1]}")
    small = {path.name for path in (folder.visual, folder.textual) if path} & set(SMALL_NAMES)
    precision = "int8" if small else eyes.tower.precision if eyes else "fp32"
    return Model(folder, folders.identity(folder), lengths[0], precision, eyes, reader)


def _eyes(path: Path) -> Eyes:
    tower = towers.load(path, threads=1)
    config = path.parent / "preprocess_cfg.json"
    wanted, side = folders.read(config, Preprocess), tower.side()
    if wanted is None:
        return Eyes(tower, Preprocess(size=side or Preprocess().size))
    height_width = wanted.width_height[::-1]
    if side not in {None, height_width}:
        raise Unusable(f"{config} says a size of {height_width}, and the model takes {side}")
    return Eyes(tower, wanted)


def _seen(eyes: Eyes) -> int:
    width, height = eyes.preprocess.width_height
    return _tried(eyes.tower, np.full((3, height, width), 0.1, dtype=np.float32))


def _read(reader: Reader) -> int:
    return _tried(reader.tower, reader.words.prepare("a photo"))


def _tried(tower: Tower, prepared: towers.Prepared) -> int:
    """How long the vectors of a tower are."""
    try:
        return tower.dimension(prepared)
    except Exception as error:  # noqa: BLE001  # the library has no common class for them
        raise Unusable(f"{tower.path} does not run: {error}") from None
