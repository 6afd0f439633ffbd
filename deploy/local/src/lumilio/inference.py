"""The inference server of this machine: it runs where there is a model, and nothing waits for it."""

import os
import sys
from functools import partial
from pathlib import Path

from msgspec import Struct

from common.settings import Port, Text
from lumilio import ports, probe
from lumilio.data import Data
from lumilio.supervisor import Program

MODELS = tuple(f"{depth}/{part}/*.onnx" for depth in ("*", "*/*", "*/*/*") for part in ("visual", "textual"))
NAME = "ml-server"
NO = {"false", "0", "no"}


class InferenceSettings(Struct, frozen=True, kw_only=True):
    """What runs for search by meaning, and who is asked instead."""

    models: str = ""
    """Where models for search by meaning lie; without it in `models` of the data directory."""
    ml_host: Text = "127.0.0.1"
    """The address on which their server is asked; it knows no passwords, so others need a network of their own."""
    ml_port: Port = 50051
    """Its port, or the next that is free."""
    ml_cache: str = ""
    """Where vectors of labels are kept from one start to the next; without it in `labels` of the data directory."""
    inference_servers: str = ""
    """Who is asked instead of a server on this machine, as ml-dispatcher is told."""


def beside(data: Data, settings: InferenceSettings, *, stops_by: float, health: int) -> Program | None:
    """The program that serves the models that are there and says how it is at the port `health`.

    None where there are no models, or nobody wants them.
    """
    models = _models(data, settings)
    if _is_off() or not any(next(models.glob(pattern), None) for pattern in MODELS):
        return None
    port = ports.choose(settings.ml_port, host=settings.ml_host)
    environment = {
        "LUMILIO_MODELS": str(models),
        "LUMILIO_ML_HOST": settings.ml_host,
        "LUMILIO_ML_PORT": str(port),
        "LUMILIO_ML_CACHE": settings.ml_cache or os.path.join(data.root, "labels"),
        "LUMILIO_HEALTH_PORT": str(health),
    }
    ready = partial(probe.is_well, "127.0.0.1", health, "/ready")
    return Program(NAME, [sys.executable, "-m", "ml_server"], ready, stops_by, environment=environment)


def told(program: Program | None, settings: InferenceSettings) -> dict[str, str]:
    """Whom the other services are to ask, unless the operator says whom."""
    if program is None or _is_elsewhere(settings):
        return {}
    host, port = program.environment["LUMILIO_ML_HOST"], program.environment["LUMILIO_ML_PORT"]
    return {"LUMILIO_INFERENCE_SERVERS": f"{_reached(host)}:{port}"}


def advice(data: Data, settings: InferenceSettings) -> str | None:
    """What to do about a missing model; None for who does without on purpose."""
    if _is_off() or _is_elsewhere(settings):
        return None
    place = _models(data, settings) / "NAME"
    return f"no model, so no search by meaning: put visual/ and textual/ of one into {place} (see docs/meaning.md)"


def _models(data: Data, settings: InferenceSettings) -> Path:
    return Path(settings.models or os.path.join(data.root, "models")).absolute()


def _reached(host: str) -> str:
    """The address of this machine at which a server that listens so is reached."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound
    return f"[{host}]" if ":" in host else host


def _is_off() -> bool:
    return os.environ.get("CLIP_ENABLED", "").lower() in NO


def _is_elsewhere(settings: InferenceSettings) -> bool:
    return bool(settings.inference_servers or os.environ.get("ML_SERVICE_ADDR"))
