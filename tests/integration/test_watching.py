"""What people do in their folders is told, with the real kernel: nothing is missed, and only the folders are named."""

import asyncio
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.volumes import mounted
from tests.support.waiting import until
from tests.support.watch import watched

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")

HOME = Path(__file__).parent.parent.parent
LIMITED = """
import asyncio, sys
from pathlib import Path
from tests.support.watch import watched

LIMIT = Path("/proc/sys/user/{name}")

async def main():
    LIMIT.write_text("{limit}")
    async with watched(Path(sys.argv[1])) as watch:
        {steps}
        await watch.until_heard()
        print("told", watch.folders)

asyncio.run(main())
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with folders of a person in it, and one that tells when all was heard."""
    path = tmp_path / "repository"
    for folder in ("2024/summer", "20", "heard", ".lumilio/staging", "inbox/2024"):
        (path / folder).mkdir(parents=True)
    return path


@pytest.fixture
def short_queue() -> Iterator[None]:
    """Who listens from here on may fall behind by 64 events; others are not harmed, for the limit is read at once."""
    before = QUEUE.read_text()
    try:
        QUEUE.write_text("64")
    except OSError:
        pytest.skip("only root may shorten the queue of the kernel")
    yield
    QUEUE.write_text(before)


async def test_a_file_that_is_copied_with_its_times_is_told(root: Path) -> None:
    """Creating, writing, and setting mode and time within a moment is a change, whichever comes last."""
    source = root.parent / "photo.jpg"
    source.write_bytes(b"x")
    os.utime(source, (1, 1))
    async with watched(root) as watch:
        subprocess.run(["cp", "-p", source, root / "2024/summer"], check=True)

        await watch.until_covered("2024/summer")

        assert watch.folders == {b"2024/summer"}
        assert watch.trees == set()


async def test_a_time_or_mode_that_changes_is_told(root: Path) -> None:
    """A touch is a change, for a scan goes by times."""
    photo = root / "2024/photo.jpg"
    photo.write_bytes(b"x")
    async with watched(root) as watch:
        os.utime(photo, (1, 1))

        await watch.until_covered("2024")


async def test_a_program_that_keeps_writing_is_told_when_it_closes(root: Path) -> None:
    """Not every write wakes somebody: a film of gigabytes is one change when it is there, and one when it is whole."""
    with (root / "2024/film.mp4").open("wb", buffering=0) as film:
        async with watched(root) as watch:
            for _ in range(100):
                film.write(b"x")
            await watch.until_heard()
            assert not watch.covers("2024")

            film.close()

            await watch.until_covered("2024")


async def test_a_file_that_is_removed_or_renamed_is_told(root: Path) -> None:
    """With the folder it left and the one it came to."""
    for name in ("2024/a.jpg", "2024/b.jpg"):
        (root / name).touch()
    async with watched(root) as watch:
        (root / "2024/a.jpg").unlink()
        await watch.until_covered("2024")
        watch.forget()

        (root / "2024/b.jpg").rename(root / "20/b.jpg")

        await watch.until_covered("2024", "20")
        assert watch.trees == set()


async def test_a_tree_that_is_copied_in_is_told_with_all_below(root: Path) -> None:
    """What was there before the folder could be watched is told with it, and what comes later is told too."""
    source = root.parent / "holiday"
    for folder in range(20):
        (source / f"day {folder}/raw").mkdir(parents=True)
        (source / f"day {folder}/raw/photo.jpg").touch()
    async with watched(root) as watch:
        subprocess.run(["cp", "-a", source, root / "2024"], check=True)

        await watch.until_covered("2024", *(f"2024/holiday/day {folder}/raw" for folder in range(20)))
        await watch.until_watched(5 + 1 + 40)
        await watch.until_heard()
        watch.forget()
        (root / "2024/holiday/day 7/raw/later.jpg").touch()
        await watch.until_covered("2024/holiday/day 7/raw")
        assert watch.folders == {b"2024/holiday/day 7/raw"}


async def test_a_tree_that_is_unpacked_is_told_with_all_below(root: Path) -> None:
    """Tar sets times and modes after the fact, and hurries."""
    packed = root.parent / "packed.tar"
    (root.parent / "photo.jpg").write_bytes(b"x")
    with tarfile.open(packed, "w") as archive:
        for number in range(60):
            archive.add(root.parent / "photo.jpg", f"from a friend/{number % 6}/{number % 4}/{number}.jpg")
    async with watched(root) as watch:
        subprocess.run(["tar", "-xf", packed, "-C", root], check=True)

        await watch.until_covered("", *(f"from a friend/{n % 6}/{n % 4}" for n in range(60)))


async def test_a_deep_tree_that_is_made_at_once_is_watched_to_its_end(root: Path) -> None:
    """Deeper than a path may be long, as a relative one can reach."""
    async with watched(root) as watch:
        directory = os.open(root, os.O_RDONLY)
        for _ in range(30):
            os.mkdir(b"d" * 200, dir_fd=directory)
            deeper = os.open(b"d" * 200, os.O_RDONLY, dir_fd=directory)
            os.close(directory)
            directory = deeper
        await watch.until_watched(5 + 30)
        await watch.until_heard()
        watch.forget()

        os.close(os.open(b"photo.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=directory))
        os.close(directory)

        await watch.until_covered("/".join(["d" * 200] * 30))


async def test_a_tree_that_is_moved_in_is_told_with_all_below(root: Path) -> None:
    """A rename makes one event, for a thousand files."""
    (root.parent / "holiday/raw").mkdir(parents=True)
    async with watched(root) as watch:
        (root.parent / "holiday").rename(root / "holiday")

        await watch.until_covered("", "holiday", "holiday/raw")
        assert b"holiday" in watch.trees


async def test_a_renamed_folder_is_told_under_both_names(root: Path) -> None:
    """Later changes in it are told by its new name only, also deep below."""
    async with watched(root) as watch:
        (root / "2024").rename(root / "2025")
        await watch.until_covered("", "2024/summer", "2025/summer")
        await watch.until_watched(5)
        await watch.until_heard()
        watch.forget()

        (root / "2025/summer/photo.jpg").touch()

        await watch.until_covered("2025/summer")
        assert watch.folders == {b"2025/summer"}
        assert watch.trees == set()


async def test_a_folder_that_is_moved_out_is_watched_no_more(root: Path) -> None:
    """It is told as gone with all below it; what happens there then is nobody's business."""
    async with watched(root) as watch:
        (root / "2024").rename(root.parent / "2024")
        await watch.until_covered("", "2024", "2024/summer")
        await watch.until_watched(3)
        await watch.until_heard()
        watch.forget()

        (root.parent / "2024/summer/photo.jpg").touch()

        await watch.until_heard()
        assert watch.folders == set()
        assert watch.trees == set()


async def test_a_folder_that_takes_the_name_of_another_is_watched(root: Path) -> None:
    """Two that change names in a moment are told and watched each by the name it has."""
    async with watched(root) as watch:
        (root / "2024").rename(root / "aside")
        (root / "20").rename(root / "2024")
        (root / "aside").rename(root / "20")
        await watch.until_watched(5)
        await watch.until_heard()
        watch.forget()

        (root / "20/summer/photo.jpg").touch()
        (root / "2024/photo.jpg").touch()

        await watch.until_covered("20/summer", "2024")
        assert watch.folders == {b"20/summer", b"2024"}


async def test_a_tree_that_is_removed_is_told_with_all_below(root: Path) -> None:
    """And its watches are given back; a neighbour whose name begins alike stays watched."""
    async with watched(root) as watch:
        shutil.rmtree(root / "2024")

        await watch.until_covered("", "2024", "2024/summer")
        await watch.until_watched(3)
        assert not watch.covers("20")
        (root / "20/photo.jpg").touch()
        await watch.until_covered("20")


async def test_what_is_nobodys_photo_is_not_told(root: Path) -> None:
    """Neither what the server does in its own folders, nor hidden and unfinished files, nor what links lead to."""
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "link").symlink_to(outside)
    async with watched(root) as watch:
        for name in (".lumilio/staging/a", "inbox/2024/b.jpg", "20/.hidden", "20/c.tmp", "link/d.jpg"):
            (root / name).touch()
        (root / "20/.cache").mkdir()
        (root / "20/.cache/e.jpg").touch()

        await watch.until_heard()

        assert watch.folders == set()
        assert watch.trees == set()
        assert watch.watching.state().folders == 5


async def test_another_disk_is_not_watched(root: Path) -> None:
    """What is mounted below a repository is not part of it."""
    with mounted(root / "usb", megabytes=1):
        (root / "usb/photos").mkdir()
        async with watched(root) as watch:
            assert watch.watching.state().folders == 5


async def test_names_that_are_no_text_are_told(root: Path) -> None:
    """Names are bytes, with anything in them but a slash."""
    name = b"\xff\xfe \n\\'" + b"n" * 240
    async with watched(root) as watch:
        os.mkdir(os.path.join(bytes(root), name))
        await until(lambda: name in watch.trees)
        watch.forget()

        os.close(os.open(os.path.join(bytes(root), name, name), os.O_CREAT | os.O_WRONLY))

        await until(lambda: name in watch.folders)


async def test_an_unreadable_folder_is_watched_once_it_can_be_read(root: Path) -> None:
    """The change of its mode is told, and from then on what happens in it."""
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (root / "20").chmod(0)
    async with watched(root) as watch:
        (root / "20").chmod(0o755)
        await watch.until_covered("20")
        await watch.until_watched(5)


async def test_what_the_kernel_could_not_remember_is_everything(root: Path, short_queue: None) -> None:
    """After an overflow the whole tree is told, counted, and watched again, those folders too that nobody heard of."""
    async with watched(root) as watch:
        with watch.watching._lock:  # who listens is held up, as on a busy machine
            for folder in range(200):
                (root / f"20/{folder}").mkdir()
            shutil.rmtree(root / "2024")

        await until(lambda: b"" in watch.trees)

        state = await watch.until_watched(3 + 200)
        assert state.mode == "kernel"
        assert state.overflows >= 1
        watch.forget()
        (root / "20/199/later.jpg").touch()
        await watch.until_covered("20/199")


async def test_five_thousand_files_at_once_are_told(root: Path, short_queue: None) -> None:
    """However much is lost on the way."""
    async with watched(root) as watch:
        burst = "import sys; [open(f'{sys.argv[1]}/{number}.jpg', 'w').close() for number in range(5000)]"
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", burst, str(root / "20")], check=True)

        await watch.until_covered("20")


async def test_too_few_watches_are_used_for_the_upper_folders(root: Path) -> None:
    """The rest is counted, and a person is told what to do; what is watched is told as ever."""
    said = limited("max_inotify_watches", 4, root, "print(watch.watching.state())", "(watch.root / '20/a.jpg').touch()")

    assert "mode='partly', folders=4, unwatched=1" in said
    assert "4 of 5 folders" in said
    assert "sysctl fs.inotify.max_user_watches=524288" in said
    assert "told {b'20'}" in said


async def test_watches_that_are_given_later_are_used(root: Path) -> None:
    """A round tries again, and tells of the folders that it could add; those that cannot be watched are not told."""
    raised = "LIMIT.write_text('100')"
    again = "watch.watching.go_round(); await watch.until_watched(5); print(watch.watching.state())"

    said = limited("max_inotify_watches", 4, root, raised, again)

    assert "mode='kernel', folders=5, unwatched=0" in said
    assert "told {b'2024/summer'}" in said


async def test_too_few_listeners_are_said(root: Path) -> None:
    """Where other programs have taken all, nothing is watched, and a person is told what to do."""
    said = limited("max_inotify_instances", 0, root, "print(watch.watching.state())")

    assert "Unwatchable" in said
    assert "sysctl fs.inotify.max_user_instances" in said


def limited(name: str, limit: int, root: Path, *steps: str) -> str:
    """What a process says that watches with a limit of its own, and then what it was told."""
    script = LIMITED.format(name=name, limit=limit, steps="\n        ".join(steps))
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", script, str(root)]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False, timeout=30)
    if "unshare" in done.stderr:
        pytest.skip(f"no limits of its own can be given to a process here: {done.stderr}")
    return done.stdout + done.stderr


async def test_a_root_that_is_moved_away_is_told(root: Path) -> None:
    """Someone must look whether the repository is still there, and another in its place is not taken for it."""
    async with watched(root) as watch:
        root.rename(root.parent / "elsewhere")
        await until(lambda: b"" in watch.trees)
        root.mkdir()

        assert not watch.watching.stands()


async def test_a_root_that_is_unmounted_is_told(tmp_path: Path) -> None:
    """What is below the mount point then is not the repository."""
    with mounted(tmp_path / "disk", megabytes=1) as disk:
        async with watched(disk.path) as watch:
            assert watch.watching.stands()
            subprocess.run(["mount", "-t", "tmpfs", "over", str(disk.path)], check=True)
            assert not watch.watching.stands()
            subprocess.run(["umount", str(disk.path)], check=True)
            assert watch.watching.stands()

            subprocess.run(["umount", str(disk.path)], check=True)

            await until(lambda: b"" in watch.trees)
            assert not watch.watching.stands()
        subprocess.run(["mount", "-t", "tmpfs", "again", str(disk.path)], check=True)


async def test_a_round_finds_what_nobody_heard_of(root: Path) -> None:
    """Asked for now and then, it changes nothing where all is well."""
    async with watched(root) as watch:
        watch.watching.go_round()
        (root / "20/photo.jpg").touch()
        await watch.until_covered("20")

        assert watch.folders == {b"20"}
        assert watch.watching.state().folders == 5


async def test_what_is_closed_leaves_nothing_behind(root: Path) -> None:
    """No thread and no open file, however often."""

    def open_things() -> tuple[set[str], set[str]]:
        threads = {thread.name for thread in threading.enumerate() if thread.name == "watch"}
        return {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_ear(fd)}, threads

    before = open_things()
    for _ in range(3):
        async with watched(root):
            assert open_things() != before

    assert open_things() == before


def _is_ear(descriptor: str) -> bool:
    try:
        return "inotify" in os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return False
