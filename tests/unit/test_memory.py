"""As many photos at once as the memory of a container is enough for."""

from pathlib import Path

import pytest

from common import memory
from processor.main import FILM_BYTES, PHOTO_BYTES, photos_at_once

GB = 1 << 30
V1 = "5:cpu,cpuacct:/docker/3f9c\n4:memory:/docker/3f9c\n0::/docker/3f9c\n"
V2_SERVICE = "0::/system.slice/lumilio.service\n"


@pytest.mark.parametrize(
    ("group", "files", "expected"),
    [
        pytest.param("0::/\n", {"memory.max": str(4 * GB)}, 4 * GB, id="container"),
        pytest.param("0::/\n", {"memory.max": "max"}, None, id="container without a limit"),
        pytest.param("0::/\n", {}, None, id="no controller"),
        pytest.param(
            V2_SERVICE,
            {"system.slice/memory.max": str(6 * GB), "system.slice/lumilio.service/memory.max": str(8 * GB)},
            6 * GB,
            id="its slice has less",
        ),
        pytest.param(V1, {"memory/memory.limit_in_bytes": str(GB)}, GB, id="v1 container"),
    ],
)
def test_a_limit_of_its_group_counts(tmp_path: Path, group: str, files: dict[str, str], expected: int | None) -> None:
    """The least that a group around the process may have."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(group)
    for name, said in files.items():
        (tmp_path / "sys/fs/cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/fs/cgroup" / name).write_text(said + "\n")

    assert memory.limit(tmp_path) == expected


@pytest.mark.parametrize(
    ("limit", "films", "expected"),
    [
        pytest.param(None, 1, 8, id="a machine of its own"),
        pytest.param(FILM_BYTES + 2 * PHOTO_BYTES, 1, 2, id="a film and two photos"),
        pytest.param(FILM_BYTES + 2 * PHOTO_BYTES, 0, 6, id="no films"),
        pytest.param(64 * GB, 1, 8, id="more than the cores can do"),
        pytest.param(GB // 4, 1, 1, id="next to nothing"),
    ],
)
def test_no_more_photos_are_decoded_than_there_is_memory_for(limit: int | None, films: int, expected: int) -> None:
    """Whoever needed more than the container has would be ended, and its photo be called one that cannot be read."""
    assert photos_at_once(8, limit, films=films) == expected
