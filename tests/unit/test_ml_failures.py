"""How the ways in which a question goes unanswered are told apart."""

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from ml_dispatcher import failures
from ml_dispatcher.failures import Away, Broken

INTERNAL, CANCELLED = grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (CANCELLED, "CANCELLED", Away),
        (INTERNAL, "Internal error from Core", Away),
        (INTERNAL, "the model has no answer", Broken),
    ],
)
def test_a_server_that_ends_is_away(code: grpc.StatusCode, details: str, kind: type[Exception]) -> None:
    """A call that was cut short in a stop counts against no photo; what the server says went wrong does."""
    assert type(failures.by_status(AioRpcError(code, Metadata(), Metadata(), details))) is kind
