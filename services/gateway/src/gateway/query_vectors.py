"""Asks over the bus where words lie among pictures, and remembers the answers."""

import asyncio
import math
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from common import questions
from common.bus import Bus
from common.questions import EmbedText, TextVectors, Unclear
from gateway.queries.vectors import Space

SECONDS = 2.0
QUIET_SECONDS = 5.0
"""Whoever left a question unanswered is left alone for so long."""
MOST_KEPT = 500
MOST_ASKED = 32
NEARLY = 0.01

Key = tuple[int, str]


class Unanswered(Exception):
    """Nobody says where these words lie; the text says why."""


@dataclass
class QueryVectors:
    """Each question is asked once, whoever waits for its answer; many answers are kept."""

    bus: Bus
    seconds: float = SECONDS
    _kept: OrderedDict[Key, Sequence[float]] = field(default_factory=OrderedDict)
    _asked: dict[Key, "asyncio.Task[Sequence[float]]"] = field(default_factory=dict)
    _quiet_until: float = -math.inf

    async def find(self, space: Space, text: str) -> Sequence[float]:
        """The vector of a text in a space, of length 1; Unanswered within two seconds where there is none."""
        key = (space.space_id, text)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        return await asyncio.shield(self._asked.get(key) or self._ask_for(key, space))

    def _ask_for(self, key: Key, space: Space) -> "asyncio.Task[Sequence[float]]":
        """One more question, unless nobody is there to answer it."""
        if not self.bus.connected:
            raise Unanswered("the message bus is away")
        if asyncio.get_running_loop().time() < self._quiet_until:
            raise Unanswered("nobody answered in time a moment ago")
        if len(self._asked) >= MOST_ASKED:
            raise Unanswered("too many ask at once")
        asking = asyncio.create_task(self._ask(space, key[1]))
        self._asked[key] = asking
        asking.add_done_callback(lambda asked: self._keep(key, asked))
        return asking

    def _keep(self, key: Key, asked: "asyncio.Task[Sequence[float]]") -> None:
        del self._asked[key]
        if not asked.cancelled() and asked.exception() is None:
            self._kept[key] = asked.result()
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    async def _ask(self, space: Space, text: str) -> Sequence[float]:
        question = msgspec.json.encode(EmbedText(texts=[text], space_id=space.space_id))
        try:
            answer = await self.bus.client.request(EmbedText.subject, question, timeout=self.seconds)
            return _vector(questions.read(answer.data, TextVectors), space)
        except NoRespondersError:
            raise Unanswered("no ml-dispatcher is there") from None
        except NatsTimeout:
            self._quiet_until = asyncio.get_running_loop().time() + QUIET_SECONDS
            raise Unanswered("nobody answered in time") from None
        except Unclear:
            raise Unanswered("the answer made no sense") from None
        except (NatsError, OSError):
            raise Unanswered("the message bus is away") from None


def _vector(answer: TextVectors, space: Space) -> Sequence[float]:
    """The one vector of an answer, if it is one of the space."""
    if answer.error is not None:
        raise Unanswered(answer.error)
    vector = answer.vectors[0] if len(answer.vectors) == 1 else []
    if answer.space_id != space.space_id or len(vector) != space.dimension:
        raise Unanswered("the answer is of another space")
    length = math.hypot(*vector)
    if not abs(length - 1) <= NEARLY:  # no number is near to nothing
        raise Unanswered(f"the answer is no direction: its length is {length:g}")
    return array("f", vector)
