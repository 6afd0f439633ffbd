"""Where models lie: which folders hold one, what they say of themselves, and which model it is."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
from blake3 import blake3
from msgspec import Struct

from common.settings import StructT

Part = Literal["visual", "textual"]

PARTS: tuple[Part, ...] = ("visual", "textual")
DEPTHS = ("*", "*/*", "*/*/*")
"""NAME, TASK/NAME and TASK/NAME/REVISION."""
SMALL_NAMES = ("model_int8.onnx", "model.int8.onnx", "model_quantized.onnx", "model_uint8.onnx")
PLAIN_NAMES = ("model.onnx", "model_fp16.onnx", "model.fp16.onnx")
LARGEST_CONFIG = 1 << 20
LONGEST_NAME = 100
DIGITS = 8


class Unusable(Exception):
    """A model folder that cannot be served, and what is wrong with it."""


class Folder(Struct, frozen=True, kw_only=True):
    """A model as it lies on disk; `visual` and `textual` are the files that are to be run."""

    path: Path
    name: str
    visual: Path | None
    textual: Path | None

    @property
    def tokenizer(self) -> Path:
        return self.path / "textual" / "tokenizer.json"


def find(models: Path, *, small: bool) -> list[Folder]:
    """Every folder with a model, by name; `small` prefers variants of 8 bits where there are any."""
    paths = sorted({path.parent for depth in DEPTHS for part in PARTS for path in models.glob(f"{depth}/{part}")})
    folders = [_folder(models, path, small=small) for path in paths]
    return sorted((folder for folder in folders if _is_model(folder)), key=lambda folder: folder.name)


def identity(folder: Folder) -> str:
    """The model's name and a few digits of its content: one that was changed is another model."""
    digest = blake3()
    for path in _files(folder):
        digest.update(os.fsencode(path.relative_to(folder.path)) + b"\0%d\0" % path.stat().st_size)
        digest.update_mmap(path)
    return f"{folder.name}@{digest.hexdigest()[:DIGITS]}"


def read(path: Path, kind: type[StructT]) -> StructT | None:
    """What a file of settings says, as far as `kind` asks for it; None if there is no such file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_CONFIG + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unusable(f"{path} cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_CONFIG:
        raise Unusable(f"{path} is no file of settings: it has more than a megabyte")
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise Unusable(f"{path} makes no sense: {error}") from None


def _folder(models: Path, path: Path, *, small: bool) -> Folder:
    levels = path.relative_to(models).parts
    visual, textual = (_variant(path / part, small=small) for part in PARTS)
    return Folder(path=path, name=levels[min(len(levels) - 1, 1)][:LONGEST_NAME], visual=visual, textual=textual)


def _is_model(folder: Folder) -> bool:
    return bool(folder.visual or folder.textual) and folder.name.isprintable() and not folder.name.startswith(".")


def _variant(folder: Path, *, small: bool) -> Path | None:
    names = (*SMALL_NAMES, *PLAIN_NAMES) if small else (*PLAIN_NAMES, *SMALL_NAMES)
    return next((path for name in names if (path := folder / name).is_file()), None)


def _files(folder: Folder) -> Iterator[Path]:
    """What the vectors depend on: the two models that are run, and what lies beside them that is no other model."""
    for model in (folder.visual, folder.textual):
        if model is not None:
            yield model
            yield from sorted(path for path in model.parent.iterdir() if path.is_file() and not _is_other(path))
    if (config := folder.path / "config.json").is_file():
        yield config


def _is_other(path: Path) -> bool:
    return path.suffix == ".onnx" or path.name.startswith(".") or not os.access(path, os.R_OK)
