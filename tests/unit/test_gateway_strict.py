"""JSON that two readers could read differently is refused, fast; everything else means what it says."""

import json
import time

import pytest

from gateway import strict_json
from gateway.errors import Invalid

REFUSED = {
    "deep": b"[" * 33 + b"]" * 33,
    "very deep": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "endless": b'{"a": 1e400}',
    "minus endless": b'{"a": -1e400}',
    "no number": b'{"a": NaN}',
    "infinity": b'{"a": Infinity}',
    "a number of many digits": b'{"a": ' + b"9" * 100_000 + b"}",
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, written otherwise": b'{"a": 1, "\\u0061": 2}',
    "a name twice, inside": b'[{"x": {"a": 1, "a": 1}}]',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "a mark before it": b'\xef\xbb\xbf{"a": 1}',
    "half a letter": b'{"a": "\\ud800"}',
    "half a letter in a name": b'{"\\udc00": 1}',
    "two things": b"{} {}",
    "a comma too many": b'{"a": 1,}',
    "a part": b'{"a": ',
    "a raw line in a text": b'{"a": "x\ny"}',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_is_uncertain_is_refused_at_once(body: bytes) -> None:
    """In words, and within a tenth of a second of work."""
    began = time.process_time()

    with pytest.raises(Invalid, match="body"):
        strict_json.decode(body)

    assert time.process_time() - began < 0.1


def test_what_is_certain_is_read() -> None:
    """As deep as 32, with every letter that there is; and no body at all is null."""
    deep = json.loads("[" * 32 + "]" * 32)
    said = {"a": [1, -2.5, True, None, "ü \U0001f468\u200d\U0001f469 \\"], "b": {"a": {}}}

    assert strict_json.decode(json.dumps(said).encode()) == said
    assert strict_json.decode(json.dumps(deep).encode()) == deep
    assert strict_json.decode(b"") is None
