"""Where on this machine repositories may be made: an administrator names a path, the settings bound it."""

import os
import re
from dataclasses import dataclass

from common.roots import Refused
from gateway.errors import Invalid


@dataclass(frozen=True)
class Grounds:
    """Directories below which repositories may lie, and one for the own files of those that may not be written to."""

    allowed: tuple[bytes, ...] = ()
    private_roots: bytes | None = None

    def resolve(self, wanted: str) -> bytes:
        """The directory that a path means, without links on the way; Invalid or Refused for anything else."""
        path = _normal(wanted)
        for ground in self.allowed:
            if path.startswith(ground + b"/"):
                return _without_links(ground, path[len(ground) :])
        if not self.allowed:
            raise Refused("this server makes no repositories: set LUMILIO_REPOSITORY_ROOTS to where they may lie")
        raise Refused("the path does not lie below one of LUMILIO_REPOSITORY_ROOTS")


def read(repository_roots: str, private_roots: str) -> Grounds:
    """The grounds that the settings name; a colon or comma separates them where a slash follows."""
    names = re.split("[:,](?=/)", repository_roots) if repository_roots else []
    allowed = tuple(os.path.normpath(os.fsencode(name)) for name in names)
    return Grounds(allowed, os.fsencode(private_roots) if private_roots else None)


def _normal(wanted: str) -> bytes:
    path = wanted.encode()
    if not path.startswith(b"/") or b"\0" in path or {b".", b".."} & set(path.split(b"/")):
        raise Invalid("`path` is an absolute path without `.` and `..`")
    return os.path.normpath(b"/" + path.lstrip(b"/"))


def _without_links(ground: bytes, rest: bytes) -> bytes:
    """The ground itself may be a link, which is the business of whoever set it."""
    root = os.path.realpath(ground) + rest
    if os.path.realpath(root) != root:
        raise Refused("the path leads over a link: name the directory itself")
    return root
