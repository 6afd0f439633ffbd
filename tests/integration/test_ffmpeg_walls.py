"""The walls around ffmpeg: it reaches nobody, reads what it is handed, and writes where it is told to."""

import asyncio
import errno
import os
import platform
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from processor import confine, ffmpeg, narrow, seccomp
from processor.ffmpeg import LIMITS
from processor.narrow import LIBRARIES
from tests.support.ffmpegs import PERL, QUIET, RAW, Run, running

needs_landlock = pytest.mark.skipif(not confine.walls().landlock, reason="this kernel knows no Landlock")
needs_seccomp = pytest.mark.skipif(not confine.walls().seccomp, reason="this kernel filters no system calls")
COLUMN = seccomp.MACHINES[platform.machine()].column


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    async with running(tmp_path / "target") as opened:
        yield opened


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """Somebody listens and would like to hear of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def is_called(canary: socket.socket) -> bool:
    try:
        canary.accept()[0].close()
    except BlockingIOError:
        return False
    return True


async def bare(*arguments: str) -> int:
    """How ffmpeg ends without any walls."""
    process = await asyncio.create_subprocess_exec(
        *(ffmpeg.bundled(), *QUIET, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


@needs_seccomp
@pytest.mark.parametrize("scheme", ["tcp", "http", "rtmp", "udp", "unix"])
async def test_it_reaches_nobody(run: Run, canary: socket.socket, scheme: str) -> None:
    """Not even told to by its own command line does it make a connection."""
    host, port = canary.getsockname()
    address = f"{scheme}://{host}:{port}/x"

    with pytest.raises(ffmpeg.Failed, match="ffmpeg"):
        await run("-f", "u8", "-i", address, *RAW)

    assert not is_called(canary)
    if scheme in {"tcp", "http"}:
        await bare("-rw_timeout", "300000", "-f", "u8", "-i", address, "-f", "null", "-")
        assert is_called(canary)


@needs_landlock
@pytest.mark.parametrize(
    "arguments",
    [
        ("-f", "u8", "-ar", "8000", "-i", "SECRET"),
        ("-f", "lavfi", "-i", "amovie=SECRET:f=wav"),
        ("-f", "concat", "-safe", "0", "-i", "LIST"),
        ("-f", "u8", "-ar", "8000", "-i", "/proc/PARENT/environ"),
        ("-f", "u8", "-ar", "8000", "-i", "/etc/passwd"),
    ],
)
async def test_it_reads_nobodys_files(run: Run, tmp_path: Path, arguments: Sequence[str]) -> None:
    """Files that it is not handed open are not there for it, however it is asked for them."""
    secret, listed = tmp_path / "secret.wav", tmp_path / "list"
    assert await bare("-f", "lavfi", "-i", "sine=d=0.1", str(secret)) == 0
    listed.write_text(f"ffconcat version 1.0\nfile {secret}\n")
    told = {"SECRET": str(secret), "LIST": str(listed), "PARENT": str(os.getpid())}
    for word, meaning in told.items():
        arguments = [argument.replace(word, meaning) for argument in arguments]

    with pytest.raises(ffmpeg.Failed):
        await run(*arguments, "-f", "s16le", "-fd", "TARGET", "fd:")

    assert run.length() == 0
    assert await bare(*arguments, "-f", "null", "-") == 0


@needs_landlock
async def test_it_writes_nowhere_else(run: Run, tmp_path: Path) -> None:
    """It makes no file, neither where it stands nor elsewhere."""
    outside = tmp_path / "made.wav"
    for place in (str(outside), "made.wav", "/dev/shm/made.wav"):
        with pytest.raises(ffmpeg.Failed, match="Permission denied"):
            await run("-f", "lavfi", "-i", "sine=d=0.1", place)

    assert not outside.exists()
    assert os.listdir(run.program.folder) == ["cwd"]
    assert os.listdir(os.path.join(run.program.folder, "cwd")) == []


@needs_seccomp
@pytest.mark.skipif(not os.path.exists(PERL), reason="there is no Perl")
@pytest.mark.parametrize(
    ("deed", "answer"),
    [
        ("socket(my $s, 2, 1, 0)", "Operation not permitted"),
        ("socketpair(my $a, my $b, 1, 1, 0)", "Operation not permitted"),
        ("defined fork", "Operation not permitted"),
        ("kill 0, getppid", "Operation not permitted"),
        ("chmod 0777, 'FOLDER'", "Operation not permitted"),
        ("open my $f, '<', '/etc/passwd'", "Permission denied"),
        ("open my $f, '>', 'FOLDER/new'", "Permission denied"),
        ("opendir my $d, '/proc'", "Permission denied"),
        ("exec '/usr/bin/true'", "Permission denied"),
        ("do { my $r; $r = syscall(DUP, 0) for 1..100; $r >= 0 }", "Too many open files"),
        ("read STDIN, my $x, 1 << 40", "Out of memory"),
    ],
)
async def test_one_that_was_taken_over_reaches_nobody(run: Run, tmp_path: Path, deed: str, answer: str) -> None:
    """Whatever runs behind the walls, as if somebody else had taken ffmpeg over, is refused what reaches others."""
    tmp_path.chmod(0o711)
    known = deed.replace("FOLDER", str(tmp_path)).replace("DUP", str(seccomp.FREE["dup"][COLUMN]))
    told = await pretended(run, f"print(({known}) ? 'escaped' : $!)")

    assert answer in told


@needs_seccomp
@pytest.mark.skipif(not os.path.exists(PERL), reason="there is no Perl")
async def test_every_call_that_reaches_others_is_refused(run: Run) -> None:
    """The kernel answers that they are not permitted before it looks at what they are asked for."""
    numbers = [numbers[COLUMN] for numbers in seccomp.REACHING_OUT.values()]
    numbers += seccomp.OLD_NAMES.values() if COLUMN == 0 else []

    told = await pretended(
        run, f"for ({','.join(map(str, numbers))}) {{ print 0 + syscall($_, (-1) x 6), 0 + $!, ' ' }}"
    )

    assert set(told.split()) == {f"-1{errno.EPERM}"}


async def pretended(run: Run, script: str) -> str:
    """What a script says that runs as ffmpeg does."""
    limits = structs.replace(LIMITS, readable=(*LIBRARIES, "/usr/share/perl", "/etc/perl", os.devnull))
    process = await asyncio.create_subprocess_exec(
        *narrow.command(run.program.folder, limits, PERL, "-e", script),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={},
    )
    return (await process.communicate())[0].decode()
