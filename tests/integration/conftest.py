"""What tests of reading and rendering share, and those of backups."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from common.db import Pool
from lumilio.postgres import Postgres
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import backups, databases, memory, sandboxes
from tests.support.backups import Kept


@pytest.fixture(scope="session")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is plenty, for all tests of this process."""
    with memory.folder(tmp_path_factory.mktemp("memory")) as folder:
        yield folder


@pytest.fixture
def tmp_path(in_memory: Path) -> Iterator[Path]:
    """A folder of this test alone, in memory as a rule, for most files are fsynced and slow disks do that slowly."""
    with TemporaryDirectory(dir=in_memory, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


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
