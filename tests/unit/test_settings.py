import pytest

from common import settings
from common.settings import Settings
from ingest.main import IngestSettings

GIVEN = {"LUMILIO_DATABASE_URL": "postgresql://", "LUMILIO_NATS_URL": "nats://"}


def test_settings_are_named_after_their_variables() -> None:
    """`lease_seconds` is `LUMILIO_LEASE_SECONDS`; what is not given has its default."""
    found = settings.load(IngestSettings, {**GIVEN, "LUMILIO_LEASE_SECONDS": "1.5", "LUMILIO_SLOTS": "2", "PATH": "x"})

    assert (found.lease_seconds, found.slots, found.poll_seconds) == (1.5, 2, 15.0)


def test_a_missing_setting_names_itself() -> None:
    """A service that cannot run says which variable it misses."""
    with pytest.raises(settings.WrongSetting, match="LUMILIO_NATS_URL"):
        settings.load(Settings, {"LUMILIO_DATABASE_URL": "postgresql://"})


def test_a_wrong_setting_names_itself() -> None:
    """A typing error stops the process with the variable's name."""
    with pytest.raises(settings.WrongSetting, match="LUMILIO_HEALTH_PORT"):
        settings.load(Settings, {**GIVEN, "LUMILIO_HEALTH_PORT": "eighty"})


@pytest.mark.parametrize("name", ["LEASE_SECONDS", "POLL_SECONDS", "SLOTS", "CLEAN_SECONDS"])
def test_nothing_can_be_set_to_never_or_nobody(name: str) -> None:
    """Zero seconds or zero workers would stop or spin a service, so they are refused."""
    with pytest.raises(settings.WrongSetting, match=name):
        settings.load(IngestSettings, {**GIVEN, f"LUMILIO_{name}": "0"})
