"""A tiny model of both halves for tests: colours and words for colours have the same vectors."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
}
DIMENSION = 16
SIDE = 8
CONTEXT = 16
NAME = "colours"
PREPROCESS = {
    "size": [SIDE, SIDE],
    "mode": "RGB",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bilinear",
    "resize_mode": "squash",
    "fill_color": 0,
}

Table = NDArray[np.float32]


def write_model(
    folder: Path,
    *,
    dimension: int = DIMENSION,
    turned: int = 0,
    batch: int | None = None,
    spoiled: float | None = None,
    masked: bool = False,
) -> Path:
    """A model folder with visual, textual and all settings; returns it.

    `turned` makes another space of the same words and colours, `batch=1` a model that takes one at a time, `spoiled`
    one whose every picture gives this number instead, and `masked` one that is told which tokens count.
    """
    turn = _turn(dimension, turned)
    (folder / "visual").mkdir(parents=True)
    (folder / "textual").mkdir()
    onnx.save(_visual(turn, batch, spoiled), folder / "visual" / "model.onnx")
    onnx.save(_masked(turn) if masked else _textual(turn, batch), folder / "textual" / "model.onnx")
    _write(folder / "visual" / "preprocess_cfg.json", PREPROCESS)
    _write(folder / "textual" / "tokenizer_config.json", {"pad_token": "[PAD]"})
    _write(folder / "config.json", {"embed_dim": dimension, "text_cfg": {"context_length": CONTEXT}})
    _tokenizer().save(str(folder / "textual" / "tokenizer.json"))
    return folder


def _turn(dimension: int, turned: int) -> Table:
    """Four directions at right angles: red, green, blue, and one that every vector has a little of."""
    if not turned:
        return np.eye(4, dimension, dtype=np.float32)
    random = np.random.default_rng(turned)
    return np.linalg.qr(random.normal(size=(dimension, 4)))[0].T.astype(np.float32)


def _visual(turn: Table, batch: int | None, spoiled: float | None) -> onnx.ModelProto:
    """The mean colour from -1 to 1, and the fourth direction so that grey is no vector of length 0."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "turn"], ["turned"]),
        helper.make_node("Add", ["turned", "always"], ["sum"]),
        helper.make_node("Mul", ["sum", "spoiled"], ["embedding"]),
    ]
    constants = {
        "turn": turn[:3],
        "always": 0.5 * turn[3],
        "spoiled": np.array(1.0 if spoiled is None else spoiled, dtype=np.float32),
    }
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch or "batch", 3, SIDE, SIDE])
    return _model(nodes, [image], turn.shape[1], constants)


def _textual(turn: Table, batch: int | None) -> onnx.ModelProto:
    """The sum of the words' colours; padding is nothing, and other words are next to nothing."""
    nodes = [
        helper.make_node("Gather", ["words", "text"], ["each"]),
        helper.make_node("ReduceSum", ["each", "along"], ["embedding"], keepdims=0),
    ]
    constants = {"words": _colours() @ turn, "along": np.array([1], dtype=np.int64)}
    text = helper.make_tensor_value_info("text", TensorProto.INT32, [batch or "batch", CONTEXT])
    return _model(nodes, [text], turn.shape[1], constants)


def _masked(turn: Table) -> onnx.ModelProto:
    """The same with a second input; here padding would be as good as the word red."""
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["counting"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["counting", "last"], ["counted"]),
        helper.make_node("Mul", ["each", "counted"], ["those"]),
        helper.make_node("ReduceSum", ["those", "along"], ["text_embeds"], keepdims=0),
        helper.make_node("Identity", ["each"], ["last_hidden_state"]),
    ]
    colours = _colours()
    colours[0] = colours[2]
    last, along = np.array([2], dtype=np.int64), np.array([1], dtype=np.int64)
    constants = {"words": colours @ turn, "last": last, "along": along}
    names = ("attention_mask", "input_ids")
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in names]
    return _model(nodes, given, turn.shape[1], constants, {"last_hidden_state": 3, "text_embeds": 2})


def _colours() -> Table:
    known = [[2 * part / 255 - 1 for part in colour] + [0.5] for colour in COLOURS.values()]
    return np.array([[0, 0, 0, 0], [0, 0, 0, 0.01], *known], dtype=np.float32)


def _tokenizer() -> Tokenizer:
    words = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *COLOURS])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def _model(
    nodes: list[onnx.NodeProto],
    given: list[onnx.ValueInfoProto],
    dimension: int,
    constants: Mapping[str, NDArray[Any]],
    outputs: Mapping[str, int] = MappingProxyType({"embedding": 2}),
) -> onnx.ModelProto:
    """The outputs are named, each with how many axes it has."""
    shapes: dict[int, list[str | int | None]] = {2: ["some", dimension], 3: ["some", "length", dimension]}
    graph = helper.make_graph(
        nodes,
        NAME,
        given,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[axes]) for name, axes in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _write(path: Path, settings: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(settings))
