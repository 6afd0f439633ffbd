"""Vectors of labels, kept from one start to the next: making them takes as long as hundreds of pictures."""

import zipfile
from pathlib import Path

import numpy as np

from common import log
from ml_server.labels import List
from ml_server.models import Model
from ml_server.towers import Vector

LARGEST_FILE = 256 << 20


def find(folder: str, model: Model, listed: List) -> Vector | None:
    """What was kept of exactly this model and list; a file that is damaged is as good as none."""
    path = _path(folder, model)
    try:
        if not folder or path.stat().st_size > LARGEST_FILE:
            return None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            fits = str(kept["of"]) == _of(model, listed) and kept["vectors"].shape == _shape(model, listed)
            return kept["vectors"].astype(np.float32) if fits else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def keep(folder: str, model: Model, listed: List, vectors: Vector) -> None:
    """Keep them if there is a place for it; without one they are made again."""
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        np.savez(_path(folder, model), of=np.array(_of(model, listed)), vectors=vectors)
    except OSError as error:
        log.get().warning("vectors of labels not kept", folder=folder, reason=error.strerror)


def _path(folder: str, model: Model) -> Path:
    return Path(folder) / f"{model.folder.name}.npz"


def _of(model: Model, listed: List) -> str:
    return f"{model.model_id} {listed.digest}"


def _shape(model: Model, listed: List) -> tuple[int, int]:
    return len(listed.labels), model.dimension
