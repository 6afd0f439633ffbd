"""How a question can go unanswered, whichever way the server says so: each kind is followed by something else."""

import grpc

from home_native.v1 import ml_service_pb2 as wire
from ml_dispatcher.answers import Bad

LONGEST = 300
CUT = "Internal error from Core"
"""What our own library calls it when a call ends while something is being sent; how the server ended it is lost."""


class Away(Exception):
    """The server is not there, or not ready: it is left alone for a while."""


class Busy(Exception):
    """The server has enough to do: it is asked less at once."""


class Lacking(Exception):
    """The server does not do that, whatever it told: it is not asked for it any more."""


class Late(Exception):
    """There was no answer in time."""


class Broken(Exception):
    """Something went wrong at the server: others are asked, and the question comes again later."""


KINDS: dict[grpc.StatusCode, type[Exception]] = {
    grpc.StatusCode.UNAVAILABLE: Away,
    grpc.StatusCode.FAILED_PRECONDITION: Away,
    grpc.StatusCode.UNAUTHENTICATED: Away,
    grpc.StatusCode.PERMISSION_DENIED: Away,
    grpc.StatusCode.CANCELLED: Away,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Busy,
    grpc.StatusCode.DEADLINE_EXCEEDED: Late,
    grpc.StatusCode.NOT_FOUND: Lacking,
    grpc.StatusCode.UNIMPLEMENTED: Lacking,
    grpc.StatusCode.INVALID_ARGUMENT: Bad,
    grpc.StatusCode.OUT_OF_RANGE: Bad,
}
CODES: dict[int, type[Exception]] = {
    wire.ERROR_CODE_UNAVAILABLE: Away,
    wire.ERROR_CODE_DEADLINE_EXCEEDED: Late,
    wire.ERROR_CODE_INVALID_ARGUMENT: Bad,
}


def by_status(error: grpc.aio.AioRpcError) -> Exception:
    """What the status of a call means."""
    code, details = error.code(), words(error.details() or "")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
        return Bad("a part that is larger than any may be")  # our own library says so, about what came
    if code is grpc.StatusCode.INTERNAL and details == CUT:
        return Away("the call was ended while it was being sent")
    return KINDS.get(code, Broken)(f"{code.name.lower().replace('_', ' ')}: {details or 'no reason given'}")


def by_error(error: wire.Error) -> Exception:
    """What an error means that came as an answer."""
    said = ": ".join(part for part in (words(error.message), words(error.detail)) if part)
    return CODES.get(error.code, Broken)(said or "an error without a reason")


def words(text: str) -> str:
    """What a server says, as far as a person can read it."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST]).strip()
