"""What a decoder would do once somebody else had taken it over; run inside the sandbox by its tests."""

import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from processor import images
from processor.unreadable import Unreadable

LIBC = ctypes.CDLL(None, use_errno=True)
COLUMN = {"x86_64": 0, "aarch64": 1}[platform.machine()]
CALLS = {
    "bpf": (321, 280),
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "userfaultfd": (323, 282),
}


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Raise what the C library or the kernel says."""
    ctypes.set_errno(0)
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def system_call(name: str, *arguments: Any) -> None:
    call(LIBC.syscall, CALLS[name][COLUMN], *arguments)


def starve() -> None:
    """What a decoder hears that begins a thread where no more can be had."""
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def read_a_broken_disk() -> None:
    """What a decoder hears that reads where the disk cannot."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def connect() -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect("/run/somebody.sock")


def open_everything() -> None:
    for _ in range(1000):
        os.dup(0)


def write_elsewhere() -> None:
    os.write(1, b"what a stranger wants in the log")


def change_limits() -> None:
    call(LIBC.prlimit, 0, resource.RLIMIT_AS, (ctypes.c_ulong * 2)(1 << 40, 1 << 40), None)


ESCAPES: dict[str, Callable[[], object]] = {
    "read a file": lambda: Path("/etc/passwd").read_bytes(),
    "read own memory map": lambda: Path("/proc/self/maps").read_bytes(),
    "read the environment of the service": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "list a folder": lambda: os.listdir("/tmp"),
    "write a file": lambda: Path("/tmp/escaped").write_bytes(b"!"),
    "make a folder": lambda: Path("/tmp/escaped").mkdir(),
    "remove a file": lambda: Path("/tmp/escaped").unlink(),
    "link a file": lambda: Path("/tmp/escaped").symlink_to("/etc/passwd"),
    "change rights": lambda: Path("/tmp").chmod(0o777),
    "change the working folder": lambda: os.chdir("/"),
    "open an inode by its handle": lambda: system_call("open_by_handle_at", 0, 0, 0),
    "make an internet socket": lambda: socket.socket(socket.AF_INET),
    "connect to a socket": connect,
    "make a pair of sockets": socket.socketpair,
    "write where it was not told to": write_elsewhere,
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "fork": fork,
    "fork by clone3": lambda: system_call("clone3", 0, 0),
    "kill its parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "kill by group": lambda: os.kill(0, signal.SIGKILL),
    "trace its parent": lambda: call(LIBC.ptrace, 16, os.getppid(), 0, 0),
    "read another's memory": lambda: call(LIBC.process_vm_readv, os.getppid(), 0, 0, 0, 0, 0),
    "mount": lambda: call(LIBC.mount, b"none", b"/mnt", b"tmpfs", 0, None),
    "leave its namespaces": lambda: call(LIBC.unshare, 0x10000000),
    "become root": lambda: os.setuid(0),
    "change its own limits": lambda: call(
        LIBC.prlimit, 0, resource.RLIMIT_AS, (ctypes.c_ulong * 2)(1 << 40, 1 << 40), 0
    ),
    "load code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "make an anonymous file": lambda: os.memfd_create("x"),
    "program the kernel": lambda: system_call("bpf", 0, 0, 0),
    "open a ring": lambda: system_call("io_uring_setup", 8, 0),
    "read keys": lambda: system_call("keyctl", 0, -3, 0),
    "catch page faults": lambda: system_call("userfaultfd", 0),
    "open everything": open_everything,
}


def attempt(escape: str) -> str:
    """What the kernel answered; "escaped" if nothing stopped it."""
    try:
        ESCAPES[escape]()
    except OSError as refusal:
        return errno.errorcode.get(refusal.errno or 0, str(refusal))
    return "escaped"


def write_to(file: BinaryIO) -> str:
    """What the kernel answers to a write to the very file that is read."""
    try:
        os.write(file.fileno(), b"!")
    except OSError as refusal:
        return errno.errorcode[refusal.errno or 0]
    return "escaped"


def judged(file: BinaryIO, mime: str) -> tuple[str, int]:
    """What came of a file, its size or the reason against it, and the most bytes of memory that this process had."""
    try:
        photo = images.render(file, mime)
        verdict = photo.trouble or f"{photo.width} x {photo.height}"
    except Unreadable as reason:
        verdict = str(reason)
    return verdict, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def first_bytes(file: BinaryIO, count: int) -> bytes:
    return file.read(count)


def process() -> int:
    return os.getpid()


def crash() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def leave() -> None:
    os._exit(7)


def loop() -> None:
    while True:
        pass


def hang_up_and_stay() -> None:
    """Close the line to the parent and live on without using any processor time."""
    os.closerange(3, 64)
    while True:
        time.sleep(60)


def eat() -> int:
    return len(bytearray(4 << 30))


def break_down() -> None:
    raise ZeroDivisionError("nobody thought of this")


def refuse() -> None:
    raise Unreadable("the file is damaged: so it says")


def promise_a_number() -> int:
    answer: Any = "no number"
    return answer  # type: ignore[no-any-return]


def talk(length: int) -> bytes:
    return bytes(length)
