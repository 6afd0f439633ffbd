"""Watching the folders of a repository: the kernel tells what changes in them, and that becomes hints."""

import asyncio
import errno
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal

from msgspec import Struct
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from common import folders
from syncer.dirty import Dirty
from syncer.hints import Hints
from syncer.watches import Held, Watches, join

# Not every write: a file is read once it rests, which closing it tells; what is kept open for days is found by scans.
MASK = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
    | InotifyConstants.IN_EXCL_UNLINK
)
APPEARED = InotifyConstants.IN_CREATE | InotifyConstants.IN_MOVED_TO
VANISHED = InotifyConstants.IN_DELETE | InotifyConstants.IN_MOVED_FROM
SELF_VANISHED = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF | InotifyConstants.IN_UNMOUNT
STEP = 256
BREATH = 0.002
SUGGESTED = 524_288


class Unwatchable(Exception):
    """The kernel takes nobody more who wants to be told; the text says what to do."""


class Watched(Struct, frozen=True, kw_only=True):
    """How changes in a repository are noticed, in figures and, where a person should do something, in words."""

    mode: Literal["kernel", "partly", "polling", "off"]
    folders: int = 0
    unwatched: int = 0
    overflows: int = 0
    note: str | None = None


class Watching:
    """The folders below a root, watched by two threads until closed: one hears, one goes about and sets watches.

    Whatever is told is told as a hint; of a folder that appeared, after all below it is watched, so that nothing can
    happen unseen between the scan that the hint leads to and the first watch.
    """

    def __init__(self, root: bytes, hints: Hints, is_passed_over: Callable[[bytes], bool]) -> None:
        """Begin to watch; `is_passed_over` judges paths. May be Unwatchable."""
        self._root = root
        self._hints = hints
        self._is_passed_over = is_passed_over
        self._loop = asyncio.get_running_loop()
        self._watched = asyncio.Event()
        self._kernel, self._identity = _begin(root)
        self._lock = threading.Condition()
        self._watches = Watches()
        self._keys, self._round = itertools.count(), 0
        self._unvisited, self._loose = Dirty(), list[Held]()
        self._gone: set[bytes] = set()  # what vanished since the walk began that is on its way now
        self._is_round_due, self._is_lost, self._is_closing = True, False, threading.Event()
        self._unwatched = self._overflows = 0
        self._walker = threading.Thread(target=self._go_about, name="watch", daemon=True)
        self._kernel.start()
        self._walker.start()

    async def until_watched(self) -> None:
        """Return when every folder that was there at the beginning is watched, as far as the kernel allows."""
        await self._watched.wait()

    def state(self) -> Watched:
        """How far this goes at the moment."""
        with self._lock:
            count, unwatched, overflows = len(self._watches), self._unwatched, self._overflows
        if not unwatched:
            return Watched(mode="kernel", folders=count, overflows=overflows)
        mode: Literal["partly", "polling"] = "partly" if count else "polling"
        note = _too_few_watches(count, count + unwatched)
        return Watched(mode=mode, folders=count, unwatched=unwatched, overflows=overflows, note=note)

    def stands(self) -> bool:
        """Whether what is watched is what lies at the root now; if not, close this and watch anew."""
        is_alive = self._kernel.is_alive() and self._walker.is_alive()
        return is_alive and not self._is_lost and _is_still(self._root, self._identity)

    def go_round(self) -> None:
        """See soon whether every folder is watched; to be asked for now and then, for scans find what is not."""
        with self._lock:
            self._is_round_due = True
            self._lock.notify_all()

    def close(self) -> None:
        """Stop, and give back to the kernel all it lent; returns when both threads have ended."""
        with self._lock:
            self._is_closing.set()
            self._lock.notify_all()
        self._walker.join()
        self._kernel.stop()
        self._kernel.join()

    # What the kernel tells; called by its thread.

    def on_event(self, event: InotifyEvent) -> None:
        """Something happened in a watched folder, or to it."""
        with self._lock:
            folder = self._watches.folder(event.wd)
        if folder is None:
            return
        if not event.name:
            if folder == b"" and event.mask & SELF_VANISHED:
                self._lose()
            return
        path, is_folder = join(folder, event.name), bool(event.mask & InotifyConstants.IN_ISDIR)
        if self._is_passed_over(path):
            return
        if is_folder:
            self._on_folder(path, event.mask)
        self._hints.add(folder)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The watched folder is no more."""
        with self._lock:
            folder = self._watches.folder(wd)
            self._watches.forget(wd)
        if folder == b"" and not self._is_closing.is_set():
            self._lose()

    def on_queue_overflow(self) -> None:
        """More happened than the kernel could remember: look at everything."""
        with self._lock:
            self._overflows += 1
            self._visit(b"")

    def _on_folder(self, path: bytes, mask: int) -> None:
        with self._lock:
            if mask & VANISHED:
                self._loose += self._watches.drop(path)
                self._gone.add(path)
                self._lock.notify_all()
            elif mask & APPEARED or path not in self._watches:
                self._visit(path)
        if mask & VANISHED:
            self._hints.add_tree(path)
        elif not mask & APPEARED:
            self._hints.add(path)

    def _visit(self, tree: bytes) -> None:
        self._unvisited.add_tree(tree)
        self._lock.notify_all()

    def _lose(self) -> None:
        self._is_lost = True
        self._hints.add_tree(b"")

    # Going about; by a thread of its own, because a hundred thousand watches take seconds.

    def _go_about(self) -> None:
        try:
            while self._wait():
                self._visit_all()
                self._tell(self._watched.set)
        finally:  # nobody waits for a thread that ended, however it did
            self._tell(self._watched.set)

    def _visit_all(self) -> None:
        with self._lock:
            is_round, self._is_round_due = self._is_round_due, False
            loose, self._loose = self._loose, []
            trees = self._unvisited.take().trees
            self._gone.clear()
        self._let_go(loose)
        if is_round:
            self._walk(b"", hint_each=self._watched.is_set())
        for tree in trees:
            self._walk(tree)
            self._hints.add_tree(tree)

    def _wait(self) -> bool:
        """Wait for something to do; False when there will be nothing more."""
        with self._lock:
            self._lock.wait_for(
                lambda: self._is_closing.is_set() or self._is_round_due or self._loose or self._unvisited
            )
        return not self._is_closing.is_set()

    def _let_go(self, loose: list[Held]) -> None:
        """Give watches back in steps: the kernel tells of each, and would else have more to tell than it remembers."""
        for start in range(0, len(loose), STEP):
            if start and self._is_closing.wait(BREATH):
                return
            step = loose[start : start + STEP]
            self._kernel.remove_callbacks([(WatchDescriptor(held.watch), CallbackId(held.key)) for held in step])

    def _walk(self, tree: bytes, *, hint_each: bool = False) -> None:
        """Watch a folder and all below it, the upper ones first; then, after the root's, forget what was not found."""
        unwatched, is_full, self._round = 0, False, self._round + 1
        waiting = deque([tree])
        for step in itertools.count(1):
            if not waiting or (step % STEP == 0 and self._is_closing.wait(BREATH)):
                break
            folder = waiting.popleft()
            with suppress(OSError), folders.folder(self._root, folder) as directory:
                if os.fstat(directory).st_dev != self._identity.st_dev:
                    continue  # another disk, mounted here; nobody looks at it
                was_watched = folder in self._watches
                is_full = is_full or not self._watch(folder, directory)
                unwatched += is_full
                if hint_each and not was_watched and not is_full:
                    self._hints.add(folder)
                waiting.extend(self._folders_in(folder, directory))
        self._settle(tree, unwatched)

    def _watch(self, folder: bytes, directory: int) -> bool:
        """Watch an open folder, unless it vanished meanwhile; False when the kernel takes no more."""
        with self._lock:
            if any(path in self._gone for path in _upwards(folder)):
                return True
            key = CallbackId(next(self._keys))
            try:
                watch = self._kernel.add_callback(b"/proc/self/fd/%d" % directory, MASK, self, key)
            except OSError:
                return folder in self._watches
            former = self._watches.put(folder, Held(watch, key), seen_in=self._round)
        self._let_go(former)
        return True

    def _folders_in(self, folder: bytes, directory: int) -> Iterator[bytes]:
        with os.scandir(directory) as entries:
            for entry in entries:
                path = join(folder, os.fsencode(entry.name))
                if entry.is_dir(follow_symlinks=False) and not self._is_passed_over(path):
                    yield path

    def _settle(self, tree: bytes, unwatched: int) -> None:
        with self._lock:
            self._unwatched = unwatched if tree == b"" else self._unwatched + unwatched
            if tree == b"" and not self._is_closing.is_set():
                self._loose += self._watches.sweep(self._round)

    def _tell(self, function: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop may have ended before us
            self._loop.call_soon_threadsafe(function)


def _begin(root: bytes) -> tuple[InotifyFD, os.stat_result]:
    """The kernel's ear, and which folder it is to be put to."""
    try:
        seen = os.stat(root)
        return InotifyFD(), seen
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise Unwatchable(f"the kernel does not tell of changes here: {error.strerror}") from None
        raise Unwatchable(
            "too many programs let the kernel tell them of changes, so folders are compared every minute instead: "
            "raise the limit, as root: sysctl fs.inotify.max_user_instances=1024"
        ) from None


def _is_still(root: bytes, seen: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.stat(root), seen)
    return False


def _upwards(folder: bytes) -> Iterator[bytes]:
    yield folder
    while folder:
        folder = os.path.dirname(folder)
        yield folder


def _too_few_watches(watched: int, needed: int) -> str:
    limit = max(SUGGESTED, 1 << (2 * needed - 1).bit_length())
    return (
        f"the kernel watches {watched} of {needed} folders, the others are compared every minute: "
        f"raise the limit, as root: sysctl fs.inotify.max_user_watches={limit}"
    )
