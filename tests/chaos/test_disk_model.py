import pytest

from lumilio.postgres import Postgres
from tests.chaos.disk_model import explore


@pytest.mark.timeout(600)
def test_the_catalogue_agrees_with_the_disk(postgres: Postgres) -> None:
    """Whatever people do in their folders, and whatever crashes: once all is quiet, what is shown is what is there."""
    figures = explore(postgres, runs=4, steps=16, derandomize=True)

    assert figures["quiet"] > 0
