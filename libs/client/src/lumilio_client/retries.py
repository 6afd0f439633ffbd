"""When a request is made once more, and after how long: only where that does no harm."""

import random
from dataclasses import dataclass

from lumilio_client.errors import TooMany, Trouble, Unavailable, Unreachable

LONGEST_SECONDS = 10.0


@dataclass(frozen=True)
class Retries:
    """Tries a harmless request so often in all, with pauses that double from `first_seconds` on."""

    tries: int = 4
    first_seconds: float = 0.25

    def pause(self, trouble: Trouble, tried: int, *, is_harmless: bool) -> float | None:
        """How many seconds to wait before the next try; None where there is to be none."""
        if not is_harmless or tried >= self.tries or not isinstance(trouble, Unreachable | Unavailable | TooMany):
            return None
        wish: float = getattr(trouble, "retry_after", None) or 0.0
        if wish > LONGEST_SECONDS:
            return None
        usual = self.first_seconds * 2.0 ** (tried - 1) * random.uniform(0.75, 1.25)  # noqa: S311  # spreads clients
        return min(max(usual, wish), LONGEST_SECONDS)


USUAL = Retries()
NEVER = Retries(tries=1)
