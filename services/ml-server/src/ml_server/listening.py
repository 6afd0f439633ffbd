"""The port, and what probes of gRPC are told there."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio
from grpc_health.v1.health_pb2 import HealthCheckResponse

from common import log
from home_native.v1.ml_service_pb2_grpc import add_InferenceServicer_to_server
from ml_server.inference import Inference
from ml_server.settings import MlServerSettings

MOST_CALLS = 512
LARGEST_MESSAGE = 5 << 20
"""What others send in one part is at most four megabytes, and a little around it."""
OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.so_reuseport", 0),  # two servers at one port would share its callers
)
NAMES = ("", "home_native.v1.Inference")

Told = Callable[[], Awaitable[None]]


@asynccontextmanager
async def listen(config: MlServerSettings, inference: Inference) -> AsyncIterator[Told]:
    """A port that answers; probes hear NOT_SERVING until what this yields is called, and again at the end."""
    probes = aio.HealthServicer()
    await _tell(probes, HealthCheckResponse.NOT_SERVING)
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MOST_CALLS)
    add_InferenceServicer_to_server(inference, server)  # type: ignore[no-untyped-call]
    health_pb2_grpc.add_HealthServicer_to_server(probes, server)
    await _bound(server, config)
    try:
        yield partial(_tell, probes, HealthCheckResponse.SERVING)
    finally:
        inference.close()
        await probes.enter_graceful_shutdown()
        await server.stop(config.stop_seconds)


async def _tell(probes: aio.HealthServicer, status: HealthCheckResponse.ServingStatus) -> None:
    for name in NAMES:
        await probes.set(name, status)


async def _bound(server: grpc.aio.Server, config: MlServerSettings) -> None:
    host = f"[{config.ml_host}]" if ":" in config.ml_host else config.ml_host
    try:
        port = server.add_insecure_port(f"{host}:{config.ml_port}")
    except RuntimeError:
        sys.exit(f"port {config.ml_port} of {config.ml_host} cannot be used: name another LUMILIO_ML_PORT")
    await server.start()
    log.get().info("listening", host=config.ml_host, port=port)
