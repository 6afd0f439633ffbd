"""What lies beside originals and tells of them, as copies keep it: the newest word, and every line of a manifest."""

import os
import shutil
from collections.abc import Iterator

from common import folders, layout, sidecars
from lumilio.rebuild.manifests import DAY

Paths = Iterator[bytes]
CHUNK = 1 << 20


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
    """What the server writes down of a repository where its own files lie."""
    yield layout.MARKER
    for path, _ in folders.walk(home, layout.MANIFESTS):
        yield path
    for path, _ in folders.walk(home, layout.TRASH):
        if path.endswith(layout.SIDECAR):
            yield path
    for path, _ in folders.walk(home, layout.SIDECARS):
        yield path


def bring(root: bytes, kept: bytes, path: bytes, *, part: bytes) -> None:
    """Have the copy of a note say what the note says; that of a manifest loses no line that it ever had."""
    source, target = os.path.join(root, path), os.path.join(kept, path)
    if not os.path.isfile(source) or _is_same_age(source, target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if DAY.fullmatch(os.path.basename(path)) and os.path.exists(target) and not _begins(source, target):
        _merge(source, target, part)
    else:
        shutil.copyfile(source, part)
        shutil.copystat(source, part)
    _sync(part)
    os.rename(part, target)


def _is_same_age(source: bytes, target: bytes) -> bool:
    try:
        ours, theirs = os.stat(source), os.stat(target)
    except FileNotFoundError:
        return False
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _begins(source: bytes, target: bytes) -> bool:
    """Whether a manifest is what its copy is, and perhaps more."""
    with open(source, "rb") as ours, open(target, "rb") as theirs:
        while chunk := theirs.read(CHUNK):
            if ours.read(len(chunk)) != chunk:
                return False
    return True


def _merge(source: bytes, target: bytes, part: bytes) -> None:
    """The lines of the copy, and behind them those of the manifest that it lacks: the later of two counts."""
    with open(target, "rb") as theirs:
        known = {hash(line) for line in theirs}
    shutil.copyfile(target, part)
    with open(source, "rb") as ours, open(part, "ab") as merged:
        merged.write(b"\n")
        merged.writelines(line for line in ours if hash(line) not in known)


def _sync(path: bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
