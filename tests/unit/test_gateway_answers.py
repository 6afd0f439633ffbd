"""What goes wrong with a request is answered with what it says of whose fault it is."""

import pytest

from common import db
from gateway import errors


@pytest.mark.parametrize("kind", db.OUTAGES)
def test_an_outage_of_the_database_asks_to_come_again(kind: type[Exception]) -> None:
    """Also where the server ended a transaction that took too long: the same request may go well later."""
    assert errors.status_of(kind) == 503
