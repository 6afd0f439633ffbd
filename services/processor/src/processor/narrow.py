"""Stands between the processor and a program that reads foreign files: it becomes the program, with next to no rights.

It is run as `python -m processor.narrow PARENT FOLDER PROGRAM ARGUMENT...`.
"""

import os
import resource
import sys

from processor import confine

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
MEMORY = 1 << 30
NICER = 10
LIBRARIES = (b"/usr", b"/lib", b"/lib64", b"/bin", b"/etc/perl", b"/etc/ld.so.cache", b"/dev/null")
CWD = "cwd"


def main(parent: str, folder: str, program: str, *arguments: str) -> None:
    """Become the program: no network, no new process, nothing written, nothing read but libraries and the folder."""
    os.chdir(os.path.join(folder, CWD))
    confine.LIBC.unshare(CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWUSER | CLONE_NEWNET)
    confine.step_down()
    confine.die_with(int(parent))  # after stepping down: a change of user clears it
    for kind, most in {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
    }.items():
        resource.setrlimit(kind, (most, most))
    os.nice(NICER)
    confine.forbid_privileges()
    known = confine.walls()
    if known.landlock:
        own = os.path.dirname(os.path.realpath(program))
        confine.restrict(known.landlock, readable=[*LIBRARIES, os.fsencode(own), os.fsencode(folder)])
    os.execve(program, [program, *arguments], {"PATH": "/usr/bin:/bin", "LC_ALL": "C"})  # noqa: S606 - never a shell


if __name__ == "__main__":
    main(*sys.argv[1:])
