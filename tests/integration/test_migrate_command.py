"""`lumilio migrate`, for servers and services that run by themselves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common import marker, repository_queries
from common.db import Pool


def migrate(database_url: str, nats_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LUMILIO_DATABASE_URL": database_url, "LUMILIO_NATS_URL": nats_url}
    command = [sys.executable, "-m", "lumilio", "migrate", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


async def test_the_first_repository_is_made_once(database_url: str, nats_url: str, pool: Pool, tmp_path: Path) -> None:
    """Whoever migrates at every start has one place for uploads, wherever a later start says that it should be."""
    first = migrate(database_url, nats_url, "--repository", str(tmp_path / "primary"))
    second = migrate(database_url, nats_url, "--repository", str(tmp_path / "primary"))
    third = migrate(database_url, nats_url, "--repository", str(tmp_path / "other"))

    assert [first.returncode, second.returncode, third.returncode] == [0, 0, 0]
    async with pool.connection() as conn:
        (only,) = await repository_queries.list_repositories(conn)
    assert only.is_default
    assert only.root == bytes(tmp_path / "primary")
    found = marker.find(only.root)
    assert found is not None
    assert found.id == only.repository_id
    assert not (tmp_path / "other").exists()


@pytest.mark.skipif(not os.path.isdir("/sys/kernel"), reason="a place where nobody may write is needed")
async def test_a_folder_of_another_account_is_told(database_url: str, nats_url: str, pool: Pool) -> None:
    """Who mounts a folder that the services may not write to reads so at once, in one line."""
    answer = migrate(database_url, nats_url, "--repository", "/sys/kernel/primary")

    assert answer.returncode == 1
    assert "may not write to /sys/kernel/primary: give it that directory" in answer.stderr
    assert "Traceback" not in answer.stderr
    async with pool.connection() as conn:
        assert await repository_queries.list_repositories(conn) == []
