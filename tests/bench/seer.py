# ruff: noqa: T201
"""The bare loop beside ml-server: onnxruntime with nothing around it, at the batch that is best for it."""

import os
import sys
import time

import numpy as np
import onnxruntime

SIDE = 224
BATCHES = (1, 4, 8, 16, 32)
WARM_SECONDS = 1.0
TRIAL_SECONDS = 1.5


def main(path: str, threads: str, nice: str, seconds: str, batch: str) -> None:
    """Print the pictures per second of a batch, or, for batch 0, which one is the best."""
    os.nice(int(nice))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    _pace(session, BATCHES[0], WARM_SECONDS)
    if batch == "0":
        print(max(BATCHES, key=lambda batch: _pace(session, batch, TRIAL_SECONDS)))
    else:
        print(_pace(session, int(batch), float(seconds)))


def _pace(session: onnxruntime.InferenceSession, batch: int, seconds: float) -> float:
    pictures = np.random.default_rng(0).random((batch, 3, SIDE, SIDE), dtype=np.float32)
    began, runs = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        session.run(None, {"image": pictures})
        runs += 1
    return runs * batch / (time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
