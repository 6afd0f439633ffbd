from pathlib import Path

import pytest

from tests.chaos.power import cut_power
from tests.support import loops


@pytest.mark.skipif(loops.why_not() != "", reason=loops.why_not())
@pytest.mark.timeout(600)
async def test_what_was_acknowledged_survives_power_cuts(tmp_path: Path) -> None:
    """After each cut every acknowledged photo is there, byte for byte, and nothing lies around."""
    figures = await cut_power(tmp_path, cuts=2, whole=False)

    assert figures["acknowledged"] > 0
