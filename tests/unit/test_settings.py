"""Settings are named, checked one by one, and a wrong one says which it is."""

from typing import Any

import msgspec
import pytest

from common import settings
from common.settings import Settings
from gateway.main import Settings as GatewaySettings
from ingest.main import IngestSettings
from lumilio.ballast import BallastSettings
from lumilio.status.settings import StatusSettings
from ml_dispatcher.settings import DispatcherSettings
from ml_server.settings import MlServerSettings
from processor.main import ProcessorSettings
from syncer.main import SyncerSettings

GIVEN = {
    "LUMILIO_DATABASE_URL": "postgresql://",
    "LUMILIO_NATS_URL": "nats://",
    "LUMILIO_JWT_SECRET": "x" * 32,
    "LUMILIO_MODELS": "models",
}
KINDS: list[type[msgspec.Struct]] = [
    *(GatewaySettings, IngestSettings, ProcessorSettings, SyncerSettings, BallastSettings, MlServerSettings),
    *(DispatcherSettings, StatusSettings),
]
ZERO_IS_FINE = {
    *("health_port", "port", "stop_seconds", "workers", "reserve_bytes", "reserve_percent", "ballast_bytes"),
    *("transcodes", "trash_days", "scrub_days", "ml_port", "ml_threads", "ml_batch", "ml_waiting"),
}


NUMBERS = [
    pytest.param(kind, field.name, id=f"{kind.__name__}.{field.name}")
    for kind in KINDS
    for field in msgspec.structs.fields(kind)
    if isinstance(msgspec.inspect.type_info(field.type), msgspec.inspect.IntType | msgspec.inspect.FloatType)
]


def load(kind: type[msgspec.Struct], name: str, value: str) -> Any:
    return settings.load(kind, {**GIVEN, f"LUMILIO_{name.upper()}": value})


def test_settings_are_named_after_their_variables() -> None:
    """`lease_seconds` is `LUMILIO_LEASE_SECONDS`; what is not given has its default."""
    found = settings.load(IngestSettings, {**GIVEN, "LUMILIO_LEASE_SECONDS": "1.5", "LUMILIO_SLOTS": "2", "PATH": "x"})

    assert (found.lease_seconds, found.slots, found.poll_seconds) == (1.5, 2, 15.0)


def test_a_missing_setting_names_itself() -> None:
    """A service that cannot run says which variable it misses."""
    with pytest.raises(settings.WrongSetting, match="LUMILIO_NATS_URL"):
        settings.load(Settings, {"LUMILIO_DATABASE_URL": "postgresql://"})


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "eighty", ""])
@pytest.mark.parametrize(("kind", "name"), NUMBERS)
def test_nonsense_is_refused_and_named(kind: type[msgspec.Struct], name: str, value: str) -> None:
    """Nothing lasts less than no time, is smaller than nothing or goes on for ever."""
    with pytest.raises(settings.WrongSetting, match=f"LUMILIO_{name.upper()}: "):
        load(kind, name, value)


@pytest.mark.parametrize(("kind", "name"), [case for case in NUMBERS if case.values[1] not in ZERO_IS_FINE])
def test_nothing_can_be_set_to_never_or_nobody(kind: type[msgspec.Struct], name: str) -> None:
    """Zero seconds or zero workers would stop or spin a service, so they are refused."""
    with pytest.raises(settings.WrongSetting, match=f"LUMILIO_{name.upper()}: "):
        load(kind, name, "0")


@pytest.mark.parametrize("name", ["DATABASE_URL", "NATS_URL"])
def test_an_empty_address_is_none(name: str) -> None:
    """A variable that a script forgot to fill does not mean whatever a library makes of it."""
    with pytest.raises(settings.WrongSetting, match=f"LUMILIO_{name}"):
        load(IngestSettings, name, "")


@pytest.mark.parametrize("name", ["PORT", "HEALTH_PORT"])
def test_a_port_is_a_port(name: str) -> None:
    """What no socket can be is told before a service starts."""
    with pytest.raises(settings.WrongSetting, match=f"LUMILIO_{name}"):
        load(GatewaySettings, name, "65536")
