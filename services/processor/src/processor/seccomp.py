"""The system calls that decoding needs; every other one is answered with EPERM."""

import ctypes
import errno
import fcntl
import os
import platform
import struct
from collections.abc import Iterator
from typing import NamedTuple

PR_SET_SECCOMP, MODE_FILTER = 22, 2
GET_ACTION_AVAILABLE = 2
ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AND, RETURN = 0x20, 0x15, 0x54, 0x06  # the four instructions that a filter is made of

PROT_EXEC = 4
CLONE_THREAD_AND_VM = 0x10000 | 0x100
PR_SET_NAME = 15
WORD = 0xFFFFFFFF
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # where `struct seccomp_data` keeps them
SECOND_WORD = 4  # of an argument; both machines are little-endian


class Machine(NamedTuple):
    """A processor family: its audit name and which of the two columns of numbers it uses."""

    audit: int
    column: int


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}

# Whatever reads what is open already, asks for memory, keeps threads in step or tells the time.
FREE = {
    "read": (0, 63),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "readv": (19, 65),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "fadvise64": (221, 223),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "newfstatat": (262, 79),  # how new C libraries ask for the size of an open file
    "set_robust_list": (273, 99),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
}
CLONE3 = 435


class Check(NamedTuple):
    """A condition on one argument: the bits under the mask are the value; `word` 4 looks at its upper half."""

    argument: int
    value: int
    mask: int = WORD
    word: int = 0


def conditional(*, answers: int) -> list[tuple[tuple[int, int], tuple[Check, ...]]]:
    """The system calls that are harmless with certain arguments only."""
    no_code = (Check(2, 0, PROT_EXEC),)
    return [
        ((44, 206), (Check(0, answers),)),  # sendto
        ((9, 222), no_code),  # mmap
        ((10, 226), no_code),  # mprotect
        ((56, 220), (Check(0, CLONE_THREAD_AND_VM, CLONE_THREAD_AND_VM),)),  # clone: threads, never processes
        ((72, 25), (Check(1, 0, ~3 & WORD),)),  # fcntl: the flags of a descriptor
        ((72, 25), (Check(1, fcntl.F_DUPFD_CLOEXEC),)),
        ((157, 167), (Check(0, PR_SET_NAME),)),  # prctl: a thread's name
        ((234, 131), (Check(0, os.getpid()),)),  # tgkill: its own end, by abort()
        ((302, 261), (Check(2, 0), Check(2, 0, word=SECOND_WORD))),  # prlimit64: ask, never set
    ]


def available(libc: ctypes.CDLL) -> bool:
    """Whether this kernel and processor can filter system calls."""
    number = {"x86_64": 317, "aarch64": 277}.get(platform.machine())
    action = ctypes.c_uint32(ERRNO)
    return number is not None and libc.syscall(number, GET_ACTION_AVAILABLE, 0, ctypes.byref(action)) == 0


def install(libc: ctypes.CDLL, *, answers: int) -> None:
    """Filter this process and whatever threads it starts, for ever; needs no-new-privileges."""
    instructions = b"".join(program(MACHINES[platform.machine()], answers=answers))
    code = ctypes.create_string_buffer(instructions, len(instructions))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(instructions) // 8, ctypes.addressof(code)))
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refused the system call filter")


def program(machine: Machine, *, answers: int) -> Iterator[bytes]:
    """The filter in the kernel's own instructions."""
    yield instruction(LOAD, ARCHITECTURE)
    yield instruction(EQUAL, machine.audit, skip_unless=0, skip_if=1)
    yield instruction(RETURN, KILL_PROCESS)
    yield instruction(LOAD, NUMBER)
    for numbers in FREE.values():
        yield from when(numbers[machine.column], [instruction(RETURN, ALLOW)])
    # Its flags lie in memory where a filter cannot see them; told that it does not exist, C libraries use `clone`.
    yield from when(CLONE3, [instruction(RETURN, ERRNO | errno.ENOSYS)])
    for numbers, checks in conditional(answers=answers):
        yield instruction(LOAD, NUMBER)
        yield from when(numbers[machine.column], list(allow_if(checks)))
    yield instruction(RETURN, ERRNO | errno.EPERM)


def allow_if(checks: tuple[Check, ...]) -> Iterator[bytes]:
    """Allow if every check holds, else go on behind."""
    for left, check in zip(reversed(range(len(checks))), checks, strict=True):
        yield instruction(LOAD, ARGUMENTS + 8 * check.argument + check.word)
        yield instruction(AND, check.mask)
        yield instruction(EQUAL, check.value, skip_unless=3 * left + 1)
    yield instruction(RETURN, ALLOW)


def when(value: int, then: list[bytes]) -> Iterator[bytes]:
    """Run `then` only if the loaded value is this one."""
    yield instruction(EQUAL, value, skip_unless=len(then))
    yield from then


def instruction(code: int, value: int, *, skip_if: int = 0, skip_unless: int = 0) -> bytes:
    """One instruction; a comparison skips as many of the next ones as its outcome says."""
    return struct.pack("HBBI", code, skip_if, skip_unless, value)
