"""What the control groups around this process say: in a container it may have less than the machine."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

HERE = Path("/")


def limits(controller: str, files: Sequence[Sequence[str]], root: Path = HERE) -> Iterator[list[int]]:
    """The numbers in these files, of versions 2 and 1, in every group that has such and says how much."""
    for group in _around(controller, root):
        for names in files:
            with suppress(OSError, ValueError):  # there is no such file, or it says `max`
                yield [int(number) for name in names for number in (group / name).read_text().split()]


def _around(controller: str, root: Path) -> Iterator[Path]:
    """The group of this process and those around it; a container finds its own as the topmost, whatever its name."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if not controllers or controller in controllers.split(","):
                top = root / "sys/fs/cgroup" / (controller if controllers else "")
                group = top / name.lstrip("/")
                yield from (place for place in (group, *group.parents) if place.is_relative_to(top))
