"""Names that scans pass over: hidden ones, and those that the patterns of a repository fit."""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass

MOST_PATTERNS = 1000
HIDDEN = r"\."


@dataclass(frozen=True)
class Ignored:
    """Tells names that are passed over; patterns are shell globs for one name, and case makes no difference."""

    expression: re.Pattern[bytes]

    def fits(self, name: bytes) -> bool:
        """Whether a file or folder of this name is passed over, with all that it holds."""
        return self.expression.match(name) is not None


def compiled(patterns: Iterable[str]) -> Ignored:
    """The names that some patterns fit; of very many the first thousand count."""
    globs = [pattern for pattern in patterns if pattern][:MOST_PATTERNS]
    expressions = [HIDDEN, *(fnmatch.translate(_as_latin(pattern)) for pattern in globs)]
    return Ignored(re.compile("|".join(expressions).encode("latin-1"), re.IGNORECASE))


def _as_latin(pattern: str) -> str:
    """Each byte of a pattern as a letter, since names are bytes."""
    return pattern.encode(errors="surrogatepass").decode("latin-1")
