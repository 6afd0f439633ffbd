"""The page for people with curl: each command in it asks for something that there is, and those of its story work."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import photos
from tests.support.stack import Stack

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/clients.md").read_text()
STORY = PAGE.partition("## Every operation")[0]

# What people see is curl; what runs here is curl that fails where the server refuses.
CURL = 'curl() { command curl --fail-with-body --max-time 20 "$@" || { echo "FAILED: $*" >&2; exit 1; }; }\n'
REFUSED = "limit=many"


def blocks(page: str, language: str) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return found


def commands(page: str) -> list[str]:
    """Every curl command, in one line."""
    whole = "\n".join(blocks(page, "sh")).replace("\\\n", " ")
    return [line.partition("curl")[2] for line in whole.splitlines() if "curl " in line]


def asked(command: str) -> tuple[str, str]:
    """The method and the path that a command asks for; an address from an answer is taken for what it is."""
    command = re.sub(r"\$\(.*\)", "$ID", command).replace("$SERVER$ARCHIVE", "$SERVER/api/v1/downloads/$TICKET")
    address = re.search(r"\$SERVER([^\s\"?]*)", command)
    said = re.search(r"-X (\w+)", command)
    assert address is not None, command
    usual = "POST" if re.search(r" -[dF] ", command) else "GET"
    return (said[1] if said else usual), re.sub(r"\$\w+", "{}", address[1])


def for_this(program: str, stack: Stack) -> str:
    """What the page says to its readers, with the address and the name of somebody here."""
    program = program.replace("http://localhost:8080", stack.base_url)
    return program.replace('"admin", "', f'"{stack.username}", "').replace("PASSWORD", stack.password)


@pytest.fixture(scope="module")
def contract() -> set[tuple[str, str]]:
    document: dict[str, Any] = json.loads((ROOT / "docs/openapi.json").read_text())
    found = ((method.upper(), path) for path, methods in document["paths"].items() for method in methods)
    return {(method, re.sub(r"{\w+}", "{}", path)) for method, path in found if method != "HEAD"}


def test_every_command_asks_for_something_that_there_is(contract: set[tuple[str, str]]) -> None:
    """Nobody copies a command that leads nowhere."""
    wrong = [command for command in commands(PAGE) if asked(command) not in contract]

    assert not wrong


def test_every_operation_has_a_command(contract: set[tuple[str, str]]) -> None:
    """Whatever the server can do, a person with a terminal finds it here."""
    assert contract - {asked(command) for command in commands(PAGE)} == set()


def test_the_story_can_be_followed_in_a_terminal(stack: Stack, tmp_path: Path) -> None:
    """From the first sign-in to the trash, command by command, as it stands there."""
    (tmp_path / "photo.jpg").write_bytes(photos.jpeg(400, 300, seed=1))
    script = CURL + for_this("".join(block for block in blocks(STORY, "sh") if REFUSED not in block), stack)

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "FAILED" not in done.stderr
    assert (tmp_path / "original.jpg").read_bytes() == (tmp_path / "photo.jpg").read_bytes()
    assert len((tmp_path / "beginning").read_bytes()) == 100


def test_the_story_can_be_followed_in_python(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines for Python run as they stand there."""
    (tmp_path / "photo.jpg").write_bytes(photos.jpeg(400, 300, seed=1))
    monkeypatch.chdir(tmp_path)
    (program,) = blocks(STORY, "python")

    exec(for_this(program, stack), {})

    assert (tmp_path / "original.jpg").read_bytes() == (tmp_path / "photo.jpg").read_bytes()
