"""The app without anything behind it: only its routes count."""

from litestar import Litestar
from nats.aio.client import Client

from common.bus import Bus
from common.db import Pool
from common.health import Health
from common.outbox import Relay
from common.process import Core
from gateway import app, signing
from gateway.addresses import Signer
from gateway.app import Options
from gateway.bearings import Bearings
from gateway.operations import Operations


def build() -> Litestar:
    """An app that describes itself, and can answer nothing."""
    pool, client = Pool("", open=False), Client()
    bus = Bus(client, client.jetstream())
    core = Core(pool, bus, Relay(pool, bus, poll_seconds=60), Health(pool, bus))
    signer = Signer(signing.keys(""), Bearings(pool))
    return app.create(core, Options(jwt_secret=""), signer, Operations(core))
