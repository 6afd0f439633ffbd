import sys
from contextlib import suppress

import pytest
import structlog

from common import log


def test_a_full_disk_loses_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telling what happens must never be what goes wrong."""
    full = open("/dev/full", "w", buffering=1)  # noqa: SIM115  # closing it fails as well
    monkeypatch.setattr(sys, "stderr", full)
    try:
        log.configure("test")
        log.get().warning("the disk is full")
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        with suppress(OSError):
            full.close()
