"""As many workers as there are cores for them, not as many as the machine has."""

import os
from pathlib import Path

import pytest

from common import cores

MACHINE = 8
V1 = "12:pids:/docker/3f9c\n5:cpu,cpuacct:/docker/3f9c\n4:cpuset:/docker/3f9c\n0::/docker/3f9c\n"
V2_SERVICE = "0::/system.slice/lumilio.service\n"


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(MACHINE)))


@pytest.mark.parametrize(
    ("group", "files", "expected"),
    [
        pytest.param("0::/\n", {"cpu.max": "200000 100000"}, 2, id="container"),
        pytest.param("0::/\n", {"cpu.max": "150000 100000"}, 2, id="one and a half"),
        pytest.param("0::/\n", {"cpu.max": "10000 100000"}, 1, id="a tenth"),
        pytest.param("0::/\n", {"cpu.max": "6400000 100000"}, MACHINE, id="more than the machine has"),
        pytest.param("0::/\n", {"cpu.max": "max 100000"}, MACHINE, id="container without a limit"),
        pytest.param("0::/\n", {}, MACHINE, id="no controller"),
        pytest.param("0::/../../outside\n", {}, MACHINE, id="moved out of its namespace"),
        pytest.param(V2_SERVICE, {"system.slice/lumilio.service/cpu.max": "300000 100000"}, 3, id="service"),
        pytest.param(
            V2_SERVICE,
            {"system.slice/cpu.max": "400000 100000", "system.slice/lumilio.service/cpu.max": "max 100000"},
            4,
            id="its slice has a limit",
        ),
        pytest.param(V1, {"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 3, id="v1 container"),
        pytest.param(
            V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, MACHINE, id="v1 without a limit"
        ),
        pytest.param(
            V1,
            {
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/docker/3f9c/cpu.cfs_quota_us": "50000",
                "cpu/docker/3f9c/cpu.cfs_period_us": "25000",
            },
            2,
            id="v1 seen from the machine",
        ),
    ],
)
def test_a_limit_of_its_group_counts(tmp_path: Path, group: str, files: dict[str, str], expected: int) -> None:
    """What a control group allows is rounded up to whole cores, and never more than there are."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(group)
    for name, said in files.items():
        (tmp_path / "sys/fs/cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/fs/cgroup" / name).write_text(said + "\n")

    assert cores.count(tmp_path) == expected


def test_without_control_groups_all_cores_count(tmp_path: Path) -> None:
    """A machine that has none, or shows none, is no trouble."""
    assert cores.count(tmp_path) == MACHINE
