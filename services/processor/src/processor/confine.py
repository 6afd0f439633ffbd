"""Takes every right from the process that it does not need to decode a file."""

import contextlib
import ctypes
import os
import resource
import signal
import stat
import sys
from collections.abc import Sequence

from msgspec import Struct

from processor import seccomp

NOBODY = 65534
OOM_SCORE = "800"  # of 1,000; the largest of those that say so is the first
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
LANDLOCK_ADD_RULE, LANDLOCK_PATH_BENEATH = 445, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, IOCTL_DEVICE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 15
LANDLOCK_VERSION = 1
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38

LIBC = ctypes.CDLL(None, use_errno=True)


class Limits(Struct, frozen=True, kw_only=True):
    """What one kind of file may cost: seconds of wall clock, bytes of address space, bytes of answer."""

    seconds: float
    memory: int
    answer: int
    files: int = 64


class Walls(Struct, frozen=True, kw_only=True):
    """Which walls this kernel can put around a process; a Landlock version of 0 means none."""

    landlock: int
    seccomp: bool


class Ruleset(ctypes.Structure):
    """What Landlock shall forbid: `struct landlock_ruleset_attr`."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class Beneath(ctypes.Structure):
    """What is allowed below a path: `struct landlock_path_beneath_attr`."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("path", ctypes.c_int32))


def walls() -> Walls:
    """The walls of this kernel, asked without putting any up."""
    version = LIBC.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION)
    return Walls(landlock=max(version, 0), seccomp=seccomp.available(LIBC))


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, however that happens."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)  # the parent was gone before the kernel was asked


def go_first() -> None:
    """When memory runs out, let the kernel end this process and its children before the service or the database."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write(OOM_SCORE)


def confine(*, parent: int, answers: int, limits: Limits) -> None:
    """Give up root, the file system, the network and other processes; only `answers` may be written to, for ever."""
    step_down()
    die_with(parent)  # after stepping down: a change of user clears it
    limit(limits)
    forbid_privileges()
    known = walls()
    if known.landlock:
        restrict(known.landlock)
    if known.seccomp:
        seccomp.install(LIBC, answers=answers)


def step_down(*, groups: Sequence[int] = ()) -> None:
    """Stop being root; what these groups may use is still allowed."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a user namespace may know no second user; the walls below stand anyway
            os.setgroups([group for group in groups if group != 0])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)


def forbid_privileges() -> None:
    """Let no program that this process might run give it rights; both walls ask for that."""
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def limit(limits: Limits) -> None:
    """Bound memory, open files and, should nobody watch the clock, the processor time of all files together."""
    bounds = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_CPU: int(limits.seconds * limits.files),
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in bounds.items():
        resource.setrlimit(kind, (most, most))


def restrict(version: int, *, readable: Sequence[bytes] = (), usable: Sequence[bytes] = ()) -> None:
    """Forbid by Landlock every file, port, foreign signal and abstract socket that this version knows of.

    What is `readable`, or lies below, may still be read and run; devices that are `usable` may be spoken to.
    """
    files = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}.get(version, 0xFFFF)
    size = {1: 8, 2: 8, 3: 8, 4: 16, 5: 16}.get(version, 24)
    ruleset = Ruleset(files=files, network=0b11, scopes=0b11)
    descriptor = LIBC.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0)
    wanted = [(path, EXECUTE | READ_FILE) for path in readable]
    wanted += [(path, (READ_FILE | WRITE_FILE | IOCTL_DEVICE) & files) for path in usable]
    for path, allowed in wanted:
        with contextlib.suppress(FileNotFoundError):
            _allow(descriptor, path, allowed)
    if descriptor < 0 or LIBC.syscall(LANDLOCK_RESTRICT_SELF, descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "Landlock refused its rules")
    os.close(descriptor)


def _allow(ruleset: int, path: bytes, allowed: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        folder = READ_DIR if stat.S_ISDIR(os.fstat(descriptor).st_mode) else 0
        rule = Beneath(allowed=allowed | folder, path=descriptor)
        LIBC.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
