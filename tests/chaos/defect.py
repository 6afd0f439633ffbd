"""A mistake in the code, made on purpose."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Defect:
    """A mistake that somebody could make, as a patch of one file, and the cheapest test that must see it."""

    name: str
    file: str
    patch: str
    found_by: str

    def apply(self, copy: Path) -> None:
        """Damage a copy; an AssertionError when the code has changed so that the patch must be written anew."""
        path = copy / self.file
        text = path.read_text()
        for hunk in self.patch.strip("\n").split("\n...\n"):
            old, new = _side(hunk, without="+"), _side(hunk, without="-")
            assert text.count(old) == 1, f"the defect {self.name!r} no longer fits {self.file}: renew its patch"
            text = text.replace(old, new)
        path.write_text(text)


def _side(hunk: str, *, without: str) -> str:
    return "".join(f"{line[1:]}\n" for line in hunk.split("\n") if not line.startswith(without))
