"""Whether models of this machine are served, and whom the other services are told to ask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumilio import inference
from lumilio.data import Data
from lumilio.inference import InferenceSettings
from tests.support.towers import write_model


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Data]:
    """A data directory, where the environment says nothing of inference."""
    for name in ("CLIP_ENABLED", "ML_SERVICE_ADDR"):
        monkeypatch.delenv(name, raising=False)
    held = os.open(tmp_path, os.O_RDONLY)
    yield Data(str(tmp_path), held)
    os.close(held)


def test_without_a_model_one_line_says_what_to_do(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the files go; nothing of it where somebody does without on purpose, or has a server elsewhere."""
    Path(data.root, "models", "empty").mkdir(parents=True)
    plain, elsewhere = InferenceSettings(ml_port=0), InferenceSettings(inference_servers="there:50051")

    assert inference.beside(data, plain, stops_by=1, health=1) is None
    assert f"{data.root}/models/NAME" in (inference.advice(data, plain) or "")
    assert "/mine/NAME" in (inference.advice(data, InferenceSettings(models="/mine")) or "")
    assert inference.told(None, plain) == {}
    assert inference.advice(data, elsewhere) is None
    monkeypatch.setenv("ML_SERVICE_ADDR", "there:50051")
    assert inference.advice(data, plain) is None


def test_with_a_model_others_are_told_where_it_is_served(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless an operator says whom to ask, or wants none of it."""
    write_model(Path(data.root, "models", "clip", "one"))

    program = inference.beside(data, InferenceSettings(ml_port=0, ml_host="0.0.0.0"), stops_by=1, health=1)
    assert program is not None
    port = program.environment["LUMILIO_ML_PORT"]
    assert inference.told(program, InferenceSettings()) == {"LUMILIO_INFERENCE_SERVERS": f"127.0.0.1:{port}"}
    assert inference.told(program, InferenceSettings(inference_servers="there:50051")) == {}
    monkeypatch.setenv("CLIP_ENABLED", "false")
    assert inference.beside(data, InferenceSettings(), stops_by=1, health=1) is None
    assert inference.advice(data, InferenceSettings()) is None
