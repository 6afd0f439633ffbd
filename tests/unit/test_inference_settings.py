"""Which inference servers are asked, as it is set."""

from pathlib import Path

import pytest

from common.settings import WrongSetting, load
from ml_dispatcher import settings
from ml_dispatcher.settings import DispatcherSettings
from ml_dispatcher.tasks import NAMES, Task

GIVEN = {"LUMILIO_DATABASE_URL": "postgresql://", "LUMILIO_NATS_URL": "nats://"}


def config(**given: str) -> DispatcherSettings:
    return load(DispatcherSettings, {**GIVEN, **{f"LUMILIO_INFERENCE_{name.upper()}": given[name] for name in given}})


def test_servers_are_named_one_by_one_or_by_the_name_that_others_document() -> None:
    """Ours counts before theirs, and whoever switches it off by theirs has none."""
    ours = config(servers=" gpu:50051, [fd00::1]:1,unix:/run/ml.sock ,10.0.0.9:65535,")
    theirs = {"ML_SERVICE_ADDR": "ml:50051"}
    assert settings.addresses(ours, theirs) == ["gpu:50051", "[fd00::1]:1", "unix:/run/ml.sock", "10.0.0.9:65535"]
    assert settings.addresses(config(), theirs) == ["ml:50051"]
    assert settings.addresses(config(), {}) == []
    assert settings.addresses(ours, {"CLIP_ENABLED": "False"}) == []
    assert settings.addresses(ours, {"CLIP_ENABLED": "true"}) != []


@pytest.mark.parametrize("wrong", ["gpu", "gpu:", "gpu:0", "gpu:65536", "http://gpu:1", "a b:1", "::1:50051", "unix:"])
def test_an_address_that_is_none_is_told_at_the_start(wrong: str) -> None:
    """Rather than a server that never can be reached."""
    with pytest.raises(WrongSetting, match="LUMILIO_INFERENCE_SERVERS"):
        settings.addresses(config(servers=f"fine:1,{wrong}"), {})


def test_names_of_tasks_can_be_set(tmp_path: Path) -> None:
    """Those of a task take the place of ours; a task that nobody knows, or a name that is none, is told."""
    assert settings.names(config()) == NAMES
    given = settings.names(config(tasks='{"classify": ["mine", "bioclip_classify"]}'))
    assert given == {**NAMES, Task.CLASSIFY: ["mine", "bioclip_classify"]}
    for wrong in ('{"dream": ["x"]}', '{"classify": "x"}', '{"classify": []}', '{"classify": [""]}', "[]", "{"):
        with pytest.raises(WrongSetting, match="LUMILIO_INFERENCE_TASKS"):
            settings.names(config(tasks=wrong))
    with pytest.raises(WrongSetting, match="LUMILIO_INFERENCE_CA"):
        settings.dial(config(ca=str(tmp_path / "none")))
