"""Changes are noticed as the marker wishes and the disk allows, whatever becomes of both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncer import listening
from syncer.dirty import Batch
from syncer.hints import Hints
from syncer.listening import Listening, Watch, Wish
from tests.support.watch import passed_over

AUTO = Wish("auto", (), passed_over)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two folders."""
    path = tmp_path / "repository"
    (path / "2024/summer").mkdir(parents=True)
    return path


@pytest.fixture
async def hints() -> Hints:
    """What is told, at once."""
    return Hints(quiet=0.02)


@pytest.fixture
async def ear(root: Path, hints: Hints) -> AsyncIterator[Listening]:
    """Nothing is listened to yet."""
    listens = Listening(bytes(root), hints)
    yield listens
    await listens.close()


async def test_a_disk_of_this_machine_is_watched(ear: Listening, root: Path, hints: Hints) -> None:
    """To its depths, as soon as that is said, and it is not begun again."""
    state = await ear.attend(AUTO)
    (root / "2024/summer/photo.jpg").touch()

    assert (state.mode, state.folders, state.note) == ("kernel", 3, None)
    assert await hints.next() == Batch([b"2024/summer"], [])
    assert await ear.attend(AUTO) == state


async def test_a_network_disk_is_polled(ear: Listening, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel would tell half the truth."""
    mountinfo = root.parent / "mountinfo"
    mountinfo.write_text(f"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {root.parent} rw - nfs4 nas:/ rw\n")
    monkeypatch.setattr(listening, "MOUNTINFO", mountinfo)

    state = await ear.attend(AUTO)

    assert state.mode == "polling"
    assert "other machines" in str(state.note)


@pytest.mark.parametrize("wished", ["polling", "off"])
async def test_the_marker_decides(ear: Listening, wished: Watch) -> None:
    """Whatever the disk could do; and what it says later goes for what is watched already."""
    await ear.attend(AUTO)

    state = await ear.attend(Wish(wished, (), passed_over))

    assert (state.mode, state.folders) == (wished, 0)
    assert (await ear.attend(AUTO)).mode == "kernel"


async def test_other_names_to_pass_over_are_passed_over_at_once(ear: Listening) -> None:
    """What may be ignored from now on need not be watched."""
    await ear.attend(AUTO)

    state = await ear.attend(Wish("auto", ("2024",), lambda path: path == b"2024"))

    assert state.folders == 1


async def test_a_repository_that_comes_back_is_watched_anew(ear: Listening, root: Path, hints: Hints) -> None:
    """What lies at its root now counts, not what was watched there before."""
    await ear.attend(AUTO)
    root.rename(root.parent / "elsewhere")
    assert await hints.next() == Batch([], [b""])
    gone = await ear.attend(AUTO)
    (root / "2025").mkdir(parents=True)

    back = await ear.attend(AUTO)

    assert gone.mode == "polling"
    assert (back.mode, back.folders) == ("kernel", 2)
    (root / "2025/photo.jpg").touch()
    assert await hints.next() == Batch([b"2025"], [])


@pytest.mark.parametrize(
    ("written", "meant", "warns"),
    [("polling", "polling", False), (False, "off", False), (True, "auto", False), ("sometimes", "auto", True)],
)
def test_a_slip_in_the_marker_is_told_and_keeps_nobody_waiting(written: object, meant: str, warns: bool) -> None:
    """What YAML makes of `off` is off, and what makes no sense is as if it were not there."""
    watch, warnings = listening.wished(written)

    assert (watch, bool(warnings)) == (meant, warns)
