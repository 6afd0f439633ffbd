"""Which system calls a process may make: those that decoding needs, or for a whole program those that reach nobody."""

import ctypes
import errno
import fcntl
import os
import platform
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

PR_SET_SECCOMP, MODE_FILTER = 22, 2
GET_ACTION_AVAILABLE = 2
ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06  # the instructions that a filter is made of

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

# What no program that reads a file needs: the network, other processes, the kernel itself, the rights of files.
REACHING_OUT = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "bind": (49, 200),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "tkill": (200, 130),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "fchownat": (260, 54),
    "fchmodat": (268, 53),
    "unshare": (272, 97),
    "utimensat": (280, 88),
    "accept4": (288, 242),
    "perf_event_open": (298, 241),
    "open_by_handle_at": (304, 265),
    "sendmmsg": (307, 269),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "finit_module": (313, 273),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "fchmod": (91, 52),
    "fchown": (93, 55),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
    "fchmodat2": (452, 452),
}
OLD_NAMES = {"fork": 57, "vfork": 58, "chmod": 90, "chown": 92, "lchown": 94, "utime": 132, "utimes": 235}
"""What newer machines do by the calls above; these have numbers on x86_64 only."""
OTHER_WAYS = 0x40000000
"""From here on the same calls stand once more on x86_64, for programs with short pointers."""


class Check(NamedTuple):
    """A condition on one argument: the bits under the mask are the value; `word` 4 looks at its upper half."""

    argument: int
    value: int
    mask: int = WORD
    word: int = 0


CONFINED: list[tuple[tuple[int, int], Callable[[], Check]]] = [
    ((56, 220), lambda: Check(0, CLONE_THREAD_AND_VM, CLONE_THREAD_AND_VM)),  # clone: threads, never processes
    ((234, 131), lambda: Check(0, os.getpid())),  # tgkill: its own end, by abort()
]


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
    """Let this process and whatever threads it starts decode, for ever; needs no-new-privileges."""
    _install(libc, program(MACHINES[platform.machine()], answers=answers))


def keep_in(libc: ctypes.CDLL) -> None:
    """Let this process, and what it becomes, reach nobody else, for ever; needs no-new-privileges."""
    _install(libc, denial(MACHINES[platform.machine()]))


def _install(libc: ctypes.CDLL, program_: Iterator[bytes]) -> None:
    instructions = b"".join(program_)
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


def denial(machine: Machine) -> Iterator[bytes]:
    """The filter that keeps a program in: threads are allowed, processes are not."""
    refuse = instruction(RETURN, ERRNO | errno.EPERM)
    yield instruction(LOAD, ARCHITECTURE)
    yield instruction(EQUAL, machine.audit, skip_unless=0, skip_if=1)
    yield instruction(RETURN, KILL_PROCESS)
    yield instruction(LOAD, NUMBER)
    yield instruction(AT_LEAST, OTHER_WAYS, skip_unless=1)
    yield refuse
    for number in (numbers[machine.column] for numbers in REACHING_OUT.values()):
        yield from when(number, [refuse])
    for number in OLD_NAMES.values() if machine.column == 0 else ():
        yield from when(number, [refuse])
    yield from when(CLONE3, [instruction(RETURN, ERRNO | errno.ENOSYS)])
    for numbers, check in CONFINED:
        yield instruction(LOAD, NUMBER)
        yield from when(numbers[machine.column], [*allow_if((check(),)), refuse])
    yield instruction(RETURN, ALLOW)


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
