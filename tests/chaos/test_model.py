import pytest

from lumilio.postgres import Postgres
from tests.chaos.model import explore


@pytest.mark.timeout(600)
def test_files_and_rows_agree_with_a_dictionary(postgres: Postgres) -> None:
    """Whatever is sent, thrown away and taken back, and whatever crashes, nothing is lost, doubled or misplaced."""
    figures = explore(postgres, runs=15, steps=30, derandomize=True)

    assert figures["steps"] > 0
