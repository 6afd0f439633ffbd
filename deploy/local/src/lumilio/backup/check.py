"""Whether a backup is still what was written, and whether the originals that it lists are where it says."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from common import files
from common.names import shown
from lumilio.backup import carrying, record
from lumilio.backup.carrying import Troubles
from lumilio.backup.manifest import Original
from lumilio.backup.record import Backup
from lumilio.showing import Screen, unseen
from lumilio.terminal import say

MISSING = "is missing"


@dataclass(frozen=True)
class Wish:
    """How thorough a check is; `copies` is a folder of copies to look at instead of the repositories themselves."""

    originals: bool = False
    deep: bool = False
    copies: Path | None = None


def check(folder: Path, wish: Wish, *, say: Callable[[str], None] = say, screen: Screen = unseen) -> bool:
    """Say what is wrong with a backup; True when nothing is."""
    backup = record.read(folder)
    wrong = record.faults(folder, backup)
    for fault in wrong:
        say(f"WRONG {fault}")
    if wrong:
        return False
    say(f"ok    the backup of {backup.made_at.astimezone():%Y-%m-%d %H:%M} is what was written")
    return _check_originals(folder, backup, wish, say, screen) if wish.originals or wish.copies else True


def _check_originals(folder: Path, backup: Backup, wish: Wish, say: Callable[[str], None], screen: Screen) -> bool:
    troubles = Troubles()
    with screen() as draw:
        for fault in _faults(carrying.listed(folder, backup, draw), backup, wish):
            troubles.add(fault)
    troubles.tell("WRONG", say)
    if not troubles.count:
        how = "with its very bytes" if wish.deep else "with its size"
        say(f"ok    each of {backup.originals:,} originals is there {how}")
    return not troubles.count


def _faults(originals: Iterable[Original], backup: Backup, wish: Wish) -> Iterator[str]:
    roots = {tree.id: tree.place for tree in backup.repositories}
    for original in originals:
        root = roots[original.repository]
        if wish.copies is not None:
            root = bytes(wish.copies / str(original.repository))
        wrong = _fault(root, original, deep=wish.deep)
        if wrong == MISSING and original.is_staged and wish.copies is None:
            continue  # it waited for its place then, and has it by now
        if wrong:
            yield f"{shown(root)}/{shown(original.relative)} {wrong}"


def _fault(root: bytes, original: Original, *, deep: bool) -> str | None:
    try:
        seen = files.see(root, original.relative)
        found = files.hash_file(root, original.relative) if deep and seen is not None else None
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if seen is None:
        return MISSING
    if seen.size != original.size:
        return f"has {seen.size:,} bytes instead of {original.size:,}"
    return "has other bytes" if deep and found != bytes.fromhex(original.hash) else None
