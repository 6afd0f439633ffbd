from pathlib import Path

import pytest

from tests.chaos.folder_storm import storm


@pytest.mark.timeout(600)
async def test_a_folder_is_known_whatever_is_killed(tmp_path: Path) -> None:
    """Syncer, ingest and Postgres die while a folder is found, read, registered and moved; nobody need do anything."""
    figures = await storm(tmp_path, files=200, blows=4)

    assert figures["killed"] == 8
