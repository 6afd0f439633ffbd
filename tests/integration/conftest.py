"""What tests of reading and rendering share, and those of backups."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.db import Pool
from lumilio.postgres import Postgres
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import backups, databases, sandboxes
from tests.support.backups import Kept


@pytest.fixture
def box() -> Sandbox:
    """A sandbox of two readers."""
    return sandboxes.lent()


@pytest.fixture
def processor(pool: Pool, box: Sandbox) -> Processor:
    """The work of the render stage."""
    return Processor(pool, box)


@pytest.fixture(scope="session")
def shelved(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A backup that nobody changes, one for each process of the test run."""
    with databases.fresh(postgres) as url:
        yield asyncio.run(backups.kept(url, tmp_path_factory.mktemp("backup")))


@pytest.fixture
def kept(shelved: Kept, tmp_path: Path) -> Kept:
    """A backup with its repository, to be spoilt by this test alone."""
    return shelved.copied(tmp_path)
