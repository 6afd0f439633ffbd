"""What lies beside originals and tells of them, as copies keep it: the newest word, and every line of a manifest."""

import os
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from common import files, folders, layout, sidecars
from lumilio.backup import carrying
from lumilio.rebuild.manifests import DAY

Paths = Iterator[bytes]


def beside(root: bytes, folder: bytes) -> Paths:
    """The XMP sidecars and Picasa's file in one folder, in which people's programs keep what they say."""
    for name in folders.list_names(root, folder):
        if name.endswith(sidecars.ENDINGS) or name == layout.PICASA:
            yield os.path.join(folder, name)


def of_original(path: bytes) -> Paths:
    """Where something may lie that tells of one original: beside it, and of one in the trash its note."""
    for stem in {path: None, os.path.splitext(path)[0]: None}:
        for ending in sidecars.ENDINGS:
            yield stem + ending
    yield os.path.join(os.path.dirname(path), layout.PICASA)
    if layout.is_trashed(path):
        yield layout.sidecar(path)


def of_server(home: bytes) -> Paths:
    """What the server writes down of a repository where its own files lie, and last the marker that makes it one."""
    for path, _ in folders.walk(home, layout.MANIFESTS):
        yield path
    for path, _ in folders.walk(home, layout.TRASH):
        if path.endswith(layout.SIDECAR):
            yield path
    for path, _ in folders.walk(home, layout.SIDECARS):
        yield path
    yield layout.MARKER


def bring(root: bytes, path: bytes, to: bytes, kept: bytes) -> None:
    """Have the copy of a note say what the note says; that of a manifest loses no line that it ever had."""
    target = os.path.join(to, kept)
    if not os.path.lexists(os.path.join(root, path)):
        return
    with open(files.open_original(root, path), "rb") as source:
        if _is_same_age(source, target):
            return
        with carrying.copied(to, kept) as copy:
            if DAY.fullmatch(os.path.basename(path)) and os.path.exists(target) and not _begins(source, target):
                _merge(source, target, copy)
            else:
                carrying.pour(source, copy, mode=os.fstat(source.fileno()).st_mode & 0o777)


def _is_same_age(source: BinaryIO, target: bytes) -> bool:
    try:
        ours, theirs = os.fstat(source.fileno()), os.stat(target)
    except FileNotFoundError:
        return False
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _begins(source: BinaryIO, target: bytes) -> bool:
    """Whether a manifest is what its copy is, and perhaps more."""
    with open(target, "rb") as known:
        is_same = all(source.read(len(chunk)) == chunk for chunk in iter(partial(known.read, carrying.CHUNK), b""))
    source.seek(0)
    return is_same


def _merge(source: BinaryIO, target: bytes, copy: BinaryIO) -> None:
    """The lines of the copy, and behind them those of the manifest that it lacks: the later of two counts."""
    known = set[int]()
    with open(target, "rb") as theirs:
        for line in theirs:
            known.add(hash(line))
            copy.write(line)
    copy.write(b"\n")
    copy.writelines(line for line in source if hash(line) not in known)
