import msgspec
import pytest

from common import messages
from common.messages import EVENTS, Event, Malformed

OWNER = 3
HOSTILE = {
    "nothing": b"",
    "no JSON": b"\xff\xfe",
    "half": b'{"owner_id": 1',
    "another type": b"[]",
    "no fields": b"{}",
    "an owner that is a text": b'{"owner_id": "1"}',
    "an owner that is huge": b'{"owner_id": 1e400}',
    "nested deeply": b'{"owner_id":' + b"[" * 100_000,
    "nested deeply elsewhere": b'{"more":' + b'{"a":' * 100_000,
    "large": b'{"owner_id": "' + b"x" * 250_000 + b'"}',
    "half a letter": b'{"owner_id": "\\ud800"}',
    "no UTF-8": b'{"owner_id": "\xc0\xaf"}',
}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_event_is_told_as_such(kind: type[Event], body: bytes) -> None:
    """No body, on any subject, gets further than this or ends the process; the reason says what is wrong."""
    with pytest.raises(Malformed, match=kind.__name__):
        messages.decode(kind.subject, body)


@pytest.mark.parametrize("subject", ["lumilio.nothing", "lumilio.upload.stagedx", "", "lumilio"])
def test_a_subject_of_nobody_is_told_as_such(subject: str) -> None:
    """What no event has as its subject is not guessed at."""
    with pytest.raises(Malformed, match="subject"):
        messages.decode(subject, msgspec.json.encode({"owner_id": OWNER}))
