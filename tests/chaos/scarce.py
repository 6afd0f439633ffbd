"""Full disks, spent inodes, few descriptors and little memory, by the tests that know what must hold then."""

import asyncio
import re
import sys
from pathlib import Path

from tests.chaos.figures import Figures

TESTS = ("tests/chaos/test_full_disks.py", "tests/chaos/test_scarcity.py")


async def run_short(folder: Path, *, rounds: int) -> Figures:
    """Run every case so many times; an AssertionError tells the first that does not hold."""
    totals = {"passed": 0, "skipped": 0}
    for number in range(rounds):
        told = await _round(folder / str(number))
        for outcome in totals:
            found = re.search(rf"(\d+) {outcome}", told)
            totals[outcome] += int(found[1]) if found else 0
    return {"rounds": rounds, **totals}


async def _round(folder: Path) -> str:
    arguments = ("-m", "pytest", "-n", "0", f"--basetemp={folder}", *TESTS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()
