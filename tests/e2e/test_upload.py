"""`lumilio upload` from a person's point of view: a folder full of everything, a server that dies, a change of mind."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path
from signal import SIGINT

import psycopg
import pytest
from blake3 import blake3

from tests.support import photos
from tests.support.settling import count
from tests.support.stack import Stack
from tests.support.waiting import until

PHOTOS = [photos.jpeg(64, 48, seed=number) for number in range(150)]
SENT = "from uploads join users on user_id = owner_id where username = %s"
OWNED = "from assets join users on user_id = owner_id where username = %s"
BROKEN = b"\xff\xd8\xff\xe0" + b"broken" * 900


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Many good photos, each with its own content."""
    made = tmp_path / "photos"
    (made / "deep").mkdir(parents=True)
    for number, content in enumerate(PHOTOS):
        (made / "deep" / f"{number}.jpg").write_bytes(content)
    return made


async def uploading(stack: Stack, folder: Path, *options: str) -> Process:
    """The command, started."""
    command = ["-m", "lumilio", "upload", str(folder), "--server", stack.base_url, "--user", stack.username, *options]
    environment = {**os.environ, "LUMILIO_PASSWORD": stack.password}
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, stdout=PIPE, stderr=STDOUT, preexec_fn=interruptible
    )


def interruptible() -> None:
    """As on a terminal; tests that run in the background are deaf to interrupts, and so would be what they start."""
    signal.signal(SIGINT, signal.SIG_DFL)


async def finished(process: Process) -> tuple[int | None, str]:
    """Its exit status and all that it said."""
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def upload(stack: Stack, folder: Path, *options: str) -> tuple[int | None, str]:
    """The command, from its start to its end."""
    return await finished(await uploading(stack, folder, *options))


def files(said: str, row: str) -> int:
    """The number of files in a row of the table."""
    found = re.search(rf"^ {row}[^\d\n]*? +([\d,]+)( |$)", said, re.MULTILINE)
    assert found is not None, said
    return int(found[1].replace(",", ""))


async def under_way(stack: Stack) -> None:
    """Wait until some of it was sent."""
    question = f"select (count(*) > 10)::int {SENT}"
    await until(lambda: count(stack, question, stack.username), seconds=60, what="photos arrive")


async def test_everything_in_a_folder_arrives_or_is_explained(stack: Stack, folder: Path) -> None:
    """Good photos are there though the gateway was killed meanwhile; every other file has its reason."""
    (folder / "copy.jpg").write_bytes(PHOTOS[0])
    (folder / "broken.jpg").write_bytes(BROKEN)
    (folder / "notes.txt").write_text("no photo " * 1000)
    (folder / "unreadable.jpg").write_text("root reads it all the same, but it is no photo")
    (folder / "unreadable.jpg").chmod(0)
    (folder / ".hidden.jpg").write_bytes(PHOTOS[0])
    (folder / "link.jpg").symlink_to("copy.jpg")
    Path(os.fsdecode(bytes(folder) + b"/\x1b[2J\xff.txt")).write_text("clears the screen")

    process = await uploading(stack, folder, "--parallel", "2")
    await under_way(stack)
    gateway = stack.kill_child("gateway")
    status, said = await finished(process)

    await stack.until_replaced("gateway", gateway)
    assert status == 1
    assert "waiting for the server" in said
    assert "the server answers again" in said
    assert files(said, "uploaded") + files(said, "duplicate") == len(PHOTOS) + 1
    assert (files(said, "uploaded, not processed"), files(said, "skipped"), files(said, "failed")) == (1, 2, 3)
    assert re.search(r"notes.txt: the file is none of ", said)
    assert re.search(r"broken.jpg: the original is safe", said)
    assert r"\x1b[2J\xff.txt: " in said
    assert "\x1b" not in said
    assert await missing(stack, [*PHOTOS, BROKEN]) == set()

    status, said = await upload(stack, folder)

    assert (files(said, "uploaded"), files(said, "duplicate")) == (0, len(PHOTOS) + 2)


async def test_ctrl_c_says_how_to_go_on(stack: Stack, folder: Path) -> None:
    """A run that was interrupted ends soon with its table; the same command brings the rest."""
    process = await uploading(stack, folder, "--parallel", "1")
    await under_way(stack)
    process.send_signal(SIGINT)
    status, said = await finished(process)

    assert status == 130
    assert "run the same command again" in said
    assert 10 < files(said, "uploaded") < len(PHOTOS)

    sent = await count(stack, f"select count(*) {SENT}", stack.username)
    status, said = await upload(stack, folder)

    assert status == 0, said
    assert files(said, "duplicate") >= sent - 1
    assert await missing(stack, PHOTOS) == set()


async def test_a_wrong_call_is_told_from_a_wrong_password(stack: Stack, folder: Path) -> None:
    """Both say in a line what to do, with neither the password nor a traceback."""
    assert (await upload(stack, folder / "nowhere"))[0] == 2
    assert (await upload(stack, folder, "--parallel", "0"))[0] == 2

    stack.password = "not-the-password"
    status, said = await upload(stack, folder)

    assert status == 1
    assert said == f"lumilio: signing in as {stack.username} failed: wrong user name or password\n"


async def missing(stack: Stack, contents: list[bytes]) -> set[bytes]:
    """Those of the contents that the server does not have."""
    async with await psycopg.AsyncConnection.connect(stack.database_url) as conn:
        rows = await (await conn.execute(f"select content_hash {OWNED}", [stack.username])).fetchall()
    return {blake3(content).digest() for content in contents} - {row[0] for row in rows}
