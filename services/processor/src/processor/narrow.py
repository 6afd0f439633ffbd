"""Stands between the processor and a program that reads foreign files: it becomes the program, with next to no rights.

It is run as `python -m processor.narrow PARENT FOLDER LIMITS PROGRAM ARGUMENT...`.
"""

import os
import platform
import resource
import signal
import sys
import traceback
from typing import Literal

import msgspec
from msgspec import Struct

from processor import confine, seccomp

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
SCRIPTS = (*LIBRARIES, "/usr", "/bin", "/etc/perl", "/dev/null")
DRIVERS = ("/usr", "/sys", "/proc/self", "/proc/driver", "/proc/devices", "/proc/cpuinfo", "/proc/meminfo")
"""What drivers of devices read to find them."""
FILES, DEVICE_FILES = 64, 256
CWD = "cwd"
NOT_BEGUN = 126
"""How this ends where it could not become the program, which is nobody's fault whose file it is."""
LAST_SECONDS = 30  # should nobody watch the clock who could say why it was ended
IDLE = 3 << 13  # the class of disk accesses that come after everybody else's
IOPRIO_SET, IOPRIO_WHO_PROCESS = {"x86_64": 251, "aarch64": 30}, 1

Priority = Literal["low", "idle"]


class Limits(Struct, frozen=True, kw_only=True):
    """What the program may use: bytes of memory and of what it writes, threads, seconds of processor time.

    It may read and run what it is itself, what is `readable`, and its folder.
    """

    memory: int = 1 << 30
    written: int = 0
    threads: int = 0
    seconds: int | None = None
    nicer: int = 10
    priority: Priority = "low"
    readable: tuple[str, ...] = SCRIPTS
    devices: tuple[str, ...] = ()
    """Files of /dev that it may use, with all that their drivers need."""


def command(folder: str, limits: Limits, program: str, *arguments: str) -> list[str]:
    """The command line that runs a program so, for as long as this process lives."""
    told = msgspec.json.encode(limits).decode()
    return [sys.executable, "-P", "-m", "processor.narrow", str(os.getpid()), folder, told, program, *arguments]


def main(parent: str, folder: str, told: str, program: str, *arguments: str) -> None:
    """Become the program: no network, no new process, nothing written, nothing read but libraries and the folder.

    The system calls are filtered as well, for where a namespace without a network is not to be had.
    """
    limits = msgspec.json.decode(told, type=Limits)
    # Ctrl+C is for the server, which gives its work back. The session stays the same: Linux shares the processor
    # between sessions first, and in one of its own a program would give way to nobody.
    os.setpgid(0, 0)
    os.chdir(os.path.join(folder, CWD))
    confine.go_first()  # before stepping down: what is of a process belongs to whoever it was
    confine.LIBC.unshare(CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWUSER | CLONE_NEWNET)
    confine.step_down(groups=[os.stat(device).st_gid for device in limits.devices])
    confine.die_with(int(parent))  # after stepping down: a change of user clears it
    for kind, most in {
        # Drivers reserve far more addresses than there is memory.
        resource.RLIMIT_DATA if limits.devices else resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_FSIZE: limits.written,
        resource.RLIMIT_NOFILE: DEVICE_FILES if limits.devices else FILES,
        resource.RLIMIT_NPROC: limits.threads,
        resource.RLIMIT_CPU: resource.RLIM_INFINITY if limits.seconds is None else limits.seconds + LAST_SECONDS,
        resource.RLIMIT_CORE: 0,
    }.items():
        resource.setrlimit(kind, (most, most))
    give_way(limits)
    confine.forbid_privileges()
    known = confine.walls()
    if known.landlock:
        readable = (program, folder, *limits.readable, *(DRIVERS if limits.devices else ()))
        usable = [os.fsencode(one) for one in limits.devices]
        confine.restrict(known.landlock, readable=[os.fsencode(one) for one in readable], usable=usable)
    if known.seccomp:
        seccomp.keep_in(confine.LIBC)
    for number in (signal.SIGXFSZ, signal.SIGPIPE):  # Python ignores them, and whoever it becomes would as well
        signal.signal(number, signal.SIG_DFL)
    os.execve(program, [program, *arguments], {"PATH": "/usr/bin:/bin", "LC_ALL": "C"})  # noqa: S606 - never a shell


def give_way(limits: Limits) -> None:
    """Let others have the processor first, and where it is to be idle the disk as well."""
    os.nice(limits.nicer)
    if limits.priority == "idle":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        confine.LIBC.syscall(IOPRIO_SET[platform.machine()], IOPRIO_WHO_PROCESS, 0, IDLE)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    finally:  # it has become the program, or this is not reached
        traceback.print_exc()
        os._exit(NOT_BEGUN)
