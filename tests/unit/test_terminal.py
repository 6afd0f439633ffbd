"""What the command says, to whoever listens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("arguments", [["backup", "list", "--to", "."], ["--help"]])
def test_whoever_stops_reading_is_told_of_no_error(tmp_path: Path, arguments: list[str]) -> None:
    """As behind `| head`: what is not read is left unsaid."""
    reading, writing = os.pipe()
    os.close(reading)

    command = [sys.executable, "-m", "lumilio", *arguments]
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, cwd=tmp_path, env=ours, stdout=writing, stderr=subprocess.PIPE, check=False)

    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
