"""Stands between a parent and a program: the program dies with its parent and, where asked, does not run as root.

The parent starts this file with a bare interpreter, which replaces itself by the program.
"""

import ctypes
import os
import pwd
import sys
from collections.abc import Sequence
from signal import Signals

SAME = "same"
NAMESPACE = "namespace"
PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def wrap(command: Sequence[str], *, death_signal: Signals, account: str = SAME) -> list[str]:
    """The command that runs `command` as a child of this process and sends it `death_signal` when this process ends.

    `account` is SAME, NAMESPACE (the same outside, an ordinary account with a name inside) or `uid:gid`. The signal is
    sent when the thread that started the child ends, so children are started from the main thread.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(death_signal)), account, *command]


def main(parent: str, death_signal: str, account: str, *command: str) -> None:
    """Become the program; an end with code 126 says why that was not possible."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        _become(libc, account)
        _call(libc.prctl, PR_SET_PDEATHSIG, int(death_signal))  # last: a change of account clears it
        if os.getppid() == int(parent):  # else the parent ended before it could be watched
            os.execv(command[0], command)  # noqa: S606  # a list, never a shell
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]} ({account}): {error}\n")
        sys.exit(126)


def _become(libc: ctypes.CDLL, account: str) -> None:
    if account == NAMESPACE:
        user, group, inside = os.geteuid(), os.getegid(), _ordinary()
        _call(libc.unshare, CLONE_NEWUSER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{inside.pw_uid} {user} 1")
        _write("/proc/self/gid_map", f"{inside.pw_gid} {group} 1")
    elif account != SAME:
        user, group = map(int, account.split(":"))
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)


def _ordinary() -> pwd.struct_passwd:
    """An account that is not root and that the system has a name for, which initdb asks for."""
    return next(account for account in pwd.getpwall() if account.pw_uid != 0)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _call(function: "ctypes._NamedFuncPointer", *arguments: int) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
