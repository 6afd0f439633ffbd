"""What a whole stack costs: processor time and memory of every process that belongs to it."""

import os
from collections import Counter
from pathlib import Path

import psutil

from tests.support.stack import Stack

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
NAMES = ("gateway", "ingest", "processor", "syncer", "ml-dispatcher", "nats", "postgres")


def spent_ms(stack: Stack) -> Counter[str]:
    """Milliseconds of processor time by service, with the children that it had."""
    totals: Counter[str] = Counter()
    for name in NAMES:
        totals[name] = round(_with_children(stack.pid(name)))
    totals["supervisor"] = round(_spent(_supervisor(stack).pid))
    return totals


def memory_mb(stack: Stack) -> tuple[float, float]:
    """Resident memory summed over all processes, and their proportional share in which shared pages count once."""
    family = [_supervisor(stack), *_supervisor(stack).children(recursive=True)]
    facts = [process.memory_full_info() for process in family]
    return sum(fact.rss for fact in facts) / 1e6, sum(fact.pss for fact in facts) / 1e6


def peak_mb(stack: Stack, name: str) -> float:
    """The most memory that a service ever had resident."""
    status = Path(f"/proc/{stack.pid(name)}/status").read_text()
    return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM"))


def _supervisor(stack: Stack) -> psutil.Process:
    assert stack._process is not None
    return psutil.Process(stack._process.pid)


def _with_children(pid: int) -> float:
    return sum(_spent(process.pid) for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)])


def _spent(pid: int) -> float:
    """User and system time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * TICK_MS
