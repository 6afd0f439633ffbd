"""One readable line per unit of work: JSON for machines, colour on a terminal."""

import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO, cast

import msgspec

# structlog loads rich where it finds it, a seventh of a service's start, and for tracebacks that nobody here wants.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # so that it finds none
import structlog  # noqa: E402
from structlog.typing import FilteringBoundLogger, Processor  # noqa: E402

if sys.modules["rich"] is None:
    del sys.modules["rich"]


def configure(service: str) -> None:
    """Send this process's log lines to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *_rendering()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # whoever asked for a connection tells it


@dataclass(frozen=True)
class Patient:
    """A stream whose disk may be full: then lines are lost, and nothing else."""

    stream: TextIO

    def write(self, text: str) -> None:
        with suppress(OSError):
            self.stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self.stream.flush()


def get() -> FilteringBoundLogger:
    """The logger of the process."""
    return cast("FilteringBoundLogger", structlog.get_logger())


def _rendering() -> list[Processor]:
    if sys.stderr.isatty():
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_written)]


def _written(facts: Any, **_: Any) -> str:
    """A line is written for every request, so it is written fast; what JSON has no word for is told as Python does."""
    return msgspec.json.encode(facts, enc_hook=repr).decode()
