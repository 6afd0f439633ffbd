from pathlib import Path

import pytest

from tests.chaos.storm import storm


@pytest.mark.timeout(600)
async def test_a_folder_arrives_through_a_storm(tmp_path: Path) -> None:
    """While things are killed, stopped and wiped, every good file becomes ready and every broken one is explained."""
    figures = await storm(tmp_path, files=60)

    assert figures["good"] == 54
