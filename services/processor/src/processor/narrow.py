"""Stands between the processor and a program that reads foreign files: it becomes the program, with next to no rights.

It is run as `python -m processor.narrow PARENT FOLDER LIMITS PROGRAM ARGUMENT...`.
"""

import os
import resource
import sys

import msgspec
from msgspec import Struct

from processor import confine

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
LIBRARIES = (b"/usr", b"/lib", b"/lib64", b"/bin", b"/etc/perl", b"/etc/ld.so.cache", b"/dev/null")
DRIVERS = (b"/sys", b"/proc/self", b"/proc/driver", b"/proc/devices", b"/proc/cpuinfo", b"/proc/meminfo")
"""What drivers of devices read to find them."""
FILES, DEVICE_FILES = 64, 256
CWD = "cwd"


class Limits(Struct, frozen=True, kw_only=True):
    """What the program may use: bytes of memory and of what it writes, threads, seconds of processor time."""

    memory: int = 1 << 30
    written: int = 0
    threads: int = 0
    seconds: int | None = None
    nicer: int = 10
    devices: tuple[str, ...] = ()
    """Files of /dev that it may use, with all that their drivers need."""


def command(folder: str, limits: Limits, program: str, *arguments: str) -> list[str]:
    """The command line that runs a program so, for as long as this process lives."""
    told = msgspec.json.encode(limits).decode()
    return [sys.executable, "-P", "-m", "processor.narrow", str(os.getpid()), folder, told, program, *arguments]


def main(parent: str, folder: str, told: str, program: str, *arguments: str) -> None:
    """Become the program: no network, no new process, nothing written, nothing read but libraries and the folder."""
    limits = msgspec.json.decode(told, type=Limits)
    os.chdir(os.path.join(folder, CWD))
    confine.LIBC.unshare(CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWUSER | CLONE_NEWNET)
    confine.step_down(groups=[os.stat(device).st_gid for device in limits.devices])
    confine.die_with(int(parent))  # after stepping down: a change of user clears it
    for kind, most in {
        # Drivers reserve far more addresses than there is memory.
        resource.RLIMIT_DATA if limits.devices else resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_FSIZE: limits.written,
        resource.RLIMIT_NOFILE: DEVICE_FILES if limits.devices else FILES,
        resource.RLIMIT_NPROC: limits.threads,
        resource.RLIMIT_CPU: resource.RLIM_INFINITY if limits.seconds is None else limits.seconds,
        resource.RLIMIT_CORE: 0,
    }.items():
        resource.setrlimit(kind, (most, most))
    os.nice(limits.nicer)
    confine.forbid_privileges()
    known = confine.walls()
    if known.landlock:
        own = os.path.dirname(os.path.realpath(program))
        readable = [*LIBRARIES, os.fsencode(own), os.fsencode(folder), *(DRIVERS if limits.devices else ())]
        confine.restrict(known.landlock, readable=readable, usable=[os.fsencode(one) for one in limits.devices])
    os.execve(program, [program, *arguments], {"PATH": "/usr/bin:/bin", "LC_ALL": "C"})  # noqa: S606 - never a shell


if __name__ == "__main__":
    main(*sys.argv[1:])
