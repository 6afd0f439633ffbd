"""The gateway starts with a secret of its own or not at all."""

import pytest

from common.settings import WrongSetting, load
from gateway.main import Settings

GIVEN = {"LUMILIO_DATABASE_URL": "postgresql://", "LUMILIO_NATS_URL": "nats://"}


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, "default-secret-key-change-in-production"])
def test_a_weak_secret_stops_the_start(secret: str) -> None:
    """A short secret, or the one that everybody knows, is named and refused."""
    with pytest.raises(WrongSetting, match="LUMILIO_JWT_SECRET"):
        load(Settings, {**GIVEN, "LUMILIO_JWT_SECRET": secret})


def test_a_missing_secret_stops_the_start() -> None:
    """There is no default secret."""
    with pytest.raises(WrongSetting, match="LUMILIO_JWT_SECRET"):
        load(Settings, GIVEN)


def test_only_this_machine_is_served_unless_told_otherwise() -> None:
    """The first start is not visible to the network."""
    assert load(Settings, {**GIVEN, "LUMILIO_JWT_SECRET": "x" * 32}).host == "127.0.0.1"


@pytest.mark.parametrize("name", ["DATABASE_URL", "NATS_URL"])
def test_a_secret_has_one_use(name: str) -> None:
    """Whoever may read the database's address must not be able to sign in as everybody."""
    with pytest.raises(WrongSetting, match="make another one"):
        load(Settings, {**GIVEN, "LUMILIO_JWT_SECRET": "x" * 32, f"LUMILIO_{name}": f"scheme://us:{'x' * 32}@host"})
