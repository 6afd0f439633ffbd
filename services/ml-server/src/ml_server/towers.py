"""One half of a model, run by onnxruntime: pictures or texts in, vectors of length 1 out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ml_server.folders import Unusable

Vector = NDArray[np.float32]
Prepared = NDArray[Any]

NUMBER_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}
PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")
VECTORS = ("embedding", "image_embeds", "text_embeds", "image_embedding", "text_embedding")
MASK = "attention_mask"
SHORTEST = 1e-6
ERRORS_ONLY = 3


class BadVector(Exception):
    """The model's answer has no direction: not a number, or nothing at all."""


@dataclass(frozen=True)
class Tower:
    """A session, and what it takes; `batch` is 1 for models that were written for one picture at a time."""

    path: Path
    session: onnxruntime.InferenceSession
    output: str
    batch: int | None

    @property
    def runtime(self) -> str:
        """What it runs on, in a word."""
        return str(self.session.get_providers()[0]).removesuffix("ExecutionProvider").lower()

    @property
    def precision(self) -> str:
        """How exact its numbers are, as far as the input tells."""
        return "fp16" if self.session.get_inputs()[0].type == "tensor(float16)" else "fp32"

    def side(self) -> tuple[int, int] | None:
        """Height and width of the pictures it takes, if it takes no others."""
        shape = self.session.get_inputs()[0].shape or []
        fixed = len(shape) == 4 and all(isinstance(size, int) for size in shape[2:])
        return (int(shape[2]), int(shape[3])) if fixed else None

    def dimension(self, prepared: Prepared) -> int:
        """How many numbers its vectors have, by trying."""
        return int(self._run(prepared[None]).reshape(-1).shape[0])

    def embed(self, prepared: Sequence[Prepared]) -> list[Vector | BadVector]:
        """Their vectors, in their order; whichever has no direction is told as such, and spoils no other."""
        size = self.batch or len(prepared)
        runs = [self._run(np.stack(prepared[start : start + size])) for start in range(0, len(prepared), size)]
        return [_unit(vector) for vectors in runs for vector in vectors]

    def _run(self, stacked: Prepared) -> Prepared:
        inputs = self.session.get_inputs()
        feeds = {given.name: _fed(given.name, stacked).astype(NUMBER_TYPES[given.type], copy=False) for given in inputs}
        return np.asarray(self.session.run([self.output], feeds)[0])


def has_card() -> bool:
    """Whether the installed onnxruntime can use a graphics card."""
    return PREFERRED[0] in onnxruntime.get_available_providers()


def load(path: Path, *, threads: int) -> Tower:
    """The model in a file, on the graphics card where the installed onnxruntime can; Unusable if it is none."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # who waits leaves the core
    available = onnxruntime.get_available_providers()
    providers = [name for name in PREFERRED if name in available]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # noqa: BLE001  # the library has no common class for them
        raise Unusable(f"{path} cannot be run: {error}") from None
    return Tower(path, session, _output(path, session), _batch(path, session))


def _fed(name: str, stacked: Prepared) -> Prepared:
    """Pictures go in as they are; of texts, one input is for the tokens and another for which of them count."""
    if stacked.ndim == 4:
        return stacked
    return stacked[:, 1] if name == MASK else stacked[:, 0]


def _output(path: Path, session: onnxruntime.InferenceSession) -> str:
    outputs = {output.name: output.shape for output in session.get_outputs()}
    flat = [name for name, shape in outputs.items() if shape is None or len(shape) in {0, 2}]
    named = [name for name in VECTORS if name in flat] or flat
    if not named:
        raise Unusable(f"{path} gives no vectors: its outputs are {', '.join(outputs)}")
    return named[0]


def _batch(path: Path, session: onnxruntime.InferenceSession) -> int | None:
    """1 if the model takes one at a time, None if it takes any number at once."""
    inputs = session.get_inputs()
    odd = [f"{given.name} of {given.type}" for given in inputs if given.type not in NUMBER_TYPES]
    main = [given.shape for given in inputs if given.name != MASK]
    sizes = [shape[0] for shape in main if shape and isinstance(shape[0], int)]
    if odd or len(main) != 1 or sizes not in ([], [1]):
        raise Unusable(f"{path} takes what nobody can give: {', '.join(odd) or [(i.name, i.shape) for i in inputs]}")
    return 1 if sizes else None


def _unit(vector: Prepared) -> Vector | BadVector:
    whole = vector.astype(np.float32, copy=False).reshape(-1)
    length = float(np.linalg.norm(whole.astype(np.float64)))
    if not np.isfinite(length):
        return BadVector("the model's answer is not a number")
    return whole / np.float32(length) if length > SHORTEST else BadVector("the model's answer is nothing at all")
