"""A picture tower of the size of ViT-B/32 with nonsense for weights, so that nothing need be downloaded to measure."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.support.towers import write_model

LAYERS, HEADS, WIDTH, PATCH, SIDE, DIMENSION = 12, 12, 768, 32, 224, 512
TOKENS = (SIDE // PATCH) ** 2 + 1


class Graph:
    """Nodes and weights as they are added; every result has a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(0)

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def random(self, *shape: int) -> str:
        return self.weight(self._random.normal(0, shape[0] ** -0.5, shape).astype(np.float32))

    def weight(self, value: "np.typing.ArrayLike") -> str:
        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def shape(self, *sizes: int) -> str:
        return self.weight(np.array(sizes, dtype=np.int64))

    def linear(self, given: str, inwards: int, outwards: int) -> str:
        product = self.add("MatMul", given, self.random(inwards, outwards))
        return self.add("Add", product, self.weight(np.zeros(outwards, dtype=np.float32)))

    def normed(self, given: str) -> str:
        ones, zeros = np.ones(WIDTH, dtype=np.float32), np.zeros(WIDTH, dtype=np.float32)
        return self.add("LayerNormalization", given, self.weight(ones), self.weight(zeros), axis=-1)


def write(folder: Path) -> Path:
    """A model folder that sees with the large tower and reads with a tiny one; returns it."""
    write_model(folder, dimension=DIMENSION)
    onnx.save(_model(), folder / "visual" / "model.onnx")
    (folder / "visual" / "preprocess_cfg.json").write_text(json.dumps({"size": SIDE}))
    return folder


def _model() -> onnx.ModelProto:
    graph = Graph()
    tokens = _patches(graph)
    for _ in range(LAYERS):
        tokens = graph.add("Add", tokens, _attended(graph, graph.normed(tokens)))
        tokens = graph.add("Add", tokens, _thought(graph, graph.normed(tokens)))
    first = graph.add("Gather", graph.normed(tokens), graph.weight(np.array(0, dtype=np.int64)), axis=1)
    graph.nodes.append(helper.make_node("MatMul", [first, graph.random(WIDTH, DIMENSION)], ["embedding"]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", DIMENSION])
    whole = helper.make_graph(graph.nodes, "vit", [image], [embedding], graph.weights)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _patches(graph: Graph) -> str:
    kernel = graph.weight(np.random.default_rng(1).normal(0, 0.02, (WIDTH, 3, PATCH, PATCH)).astype(np.float32))
    seen = graph.add("Conv", "image", kernel, strides=[PATCH, PATCH], kernel_shape=[PATCH, PATCH])
    flat = graph.add("Reshape", seen, graph.shape(0, WIDTH, TOKENS - 1))
    tokens = graph.add("Transpose", flat, perm=[0, 2, 1])
    first = graph.add("ReduceMean", tokens, axes=[1], keepdims=1)
    return graph.normed(graph.add("Add", graph.add("Concat", first, tokens, axis=1), graph.random(TOKENS, WIDTH)))


def _attended(graph: Graph, tokens: str) -> str:
    query, key, value = (_heads(graph, graph.linear(tokens, WIDTH, WIDTH), order) for order in _ORDERS)
    fits = graph.add("MatMul", query, key)
    scaled = graph.add("Mul", fits, graph.weight(np.float32((WIDTH // HEADS) ** -0.5)))
    mixed = graph.add("MatMul", graph.add("Softmax", scaled, axis=-1), value)
    joined = graph.add("Transpose", mixed, perm=[0, 2, 1, 3])
    return graph.linear(graph.add("Reshape", joined, graph.shape(0, TOKENS, WIDTH)), WIDTH, WIDTH)


_ORDERS = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])


def _heads(graph: Graph, tokens: str, order: Sequence[int]) -> str:
    split = graph.add("Reshape", tokens, graph.shape(0, TOKENS, HEADS, WIDTH // HEADS))
    return graph.add("Transpose", split, perm=order)


def _thought(graph: Graph, tokens: str) -> str:
    wide = graph.linear(tokens, WIDTH, 4 * WIDTH)
    gate = graph.add("Sigmoid", graph.add("Mul", wide, graph.weight(np.float32(1.702))))
    return graph.linear(graph.add("Mul", wide, gate), 4 * WIDTH, WIDTH)
