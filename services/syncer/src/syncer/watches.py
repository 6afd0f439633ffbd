"""Which folders are watched, and by which watch of the kernel: a book that is kept while folders move about."""

import os
from typing import NamedTuple


class Held(NamedTuple):
    """A watch and the key under which we hold it; a watch lives as long as somebody holds it."""

    watch: int
    key: int


class Entry(NamedTuple):
    """The folder of a watch, the key under which we hold it, and the round in which it was seen last."""

    folder: bytes
    key: int
    seen_in: int


class Watches:
    """Folders by watch and watches by folder; what is returned is to be let go of."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._watches: dict[bytes, int] = {}
        self._below: dict[bytes, set[bytes]] = {}  # the names in each folder that are watched or lead to one that is

    def __len__(self) -> int:
        return len(self._entries)

    def folder(self, watch: int) -> bytes | None:
        """The folder that a watch is of."""
        entry = self._entries.get(watch)
        return None if entry is None else entry.folder

    def __contains__(self, folder: bytes) -> bool:
        return folder in self._watches

    def put(self, folder: bytes, held: Held, *, seen_in: int) -> list[Held]:
        """A folder is watched from now on; whatever was watched there, or by this watch elsewhere, is no more."""
        former = [*self.forget(held.watch), *self.forget(self._watches.get(folder))]
        self._entries[held.watch] = Entry(folder, held.key, seen_in)
        self._watches[folder] = held.watch
        self._link(folder)
        return former

    def forget(self, watch: int | None) -> list[Held]:
        """A watch is no more; those below it stay."""
        entry = None if watch is None else self._entries.pop(watch, None)
        if watch is None or entry is None:
            return []
        del self._watches[entry.folder]
        self._unlink(entry.folder)
        return [Held(watch, entry.key)]

    def drop(self, folder: bytes) -> list[Held]:
        """A folder and all below it is there no more, or called otherwise."""
        found, waiting = [], [folder]
        while waiting:
            path = waiting.pop()
            waiting += [join(path, name) for name in self._below.get(path, ())]
            found += self.forget(self._watches.get(path))
        return found

    def sweep(self, seen_in: int) -> list[Held]:
        """What an earlier round has seen and this one has not is there no more."""
        old = [watch for watch, entry in self._entries.items() if entry.seen_in < seen_in]
        return [held for watch in old for held in self.forget(watch)]

    def _link(self, folder: bytes) -> None:
        while folder:
            parent, name = os.path.split(folder)
            names = self._below.setdefault(parent, set())
            if name in names:
                return
            names.add(name)
            folder = parent

    def _unlink(self, folder: bytes) -> None:
        """Forget the way to a folder as far as it leads to nothing else."""
        while folder and folder not in self._below and folder not in self._watches:
            parent, name = os.path.split(folder)
            self._below[parent].discard(name)
            if not self._below[parent]:
                del self._below[parent]
            folder = parent


def join(folder: bytes, name: bytes) -> bytes:
    """The path of a name in a folder, b"" being the root."""
    return b"%s/%s" % (folder, name) if folder else name
