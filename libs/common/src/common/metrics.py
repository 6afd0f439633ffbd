"""What every process counts of its own work, and the page on which Prometheus reads it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import REGISTRY, Counter, Histogram, Metric, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from common import log

disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
ANSWER_SECONDS = 3.0
FRESH_SECONDS = 5.0

SHORT = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)
LONG = (0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800, 7200)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""Whatever else a client calls its method is told as one."""

WORK = Histogram("lumilio_work_seconds", "Claims of work by what became of them.", ["stage", "outcome"], buckets=LONG)
RELAYED = Histogram("lumilio_relay_delay_seconds", "Events published, by the age of their rows.", buckets=LONG)
CONNECTED = Counter("lumilio_bus_connects", "How often a connection to the message bus was made.")
REQUESTS = Histogram(
    "lumilio_http_request_seconds", "Requests answered by the gateway.", ["method", "route", "status"], buckets=SHORT
)
KILLED = Counter("lumilio_sandbox_kills", "Processes that read foreign files and did not survive it.", ["reason"])
SCANS = Histogram("lumilio_scan_seconds", "Scans of repositories by how they ended.", ["state"], buckets=LONG)
SCRUBBED = Counter("lumilio_scrubbed_bytes", "Bytes of originals that were compared with what was stored.")
ASKED = Histogram(
    "lumilio_ml_question_seconds", "Questions to inference servers by outcome.", ["task", "outcome"], buckets=SHORT
)
ANSWERED = Histogram(
    "lumilio_ml_answer_seconds", "Questions that this inference server answered.", ["task"], buckets=SHORT
)


def settled(stage: str, outcome: str, seconds: float) -> None:
    """One claim has come to its end; of an outcome in words, what goes before its reason is kept."""
    WORK.labels(stage, outcome.partition(":")[0].partition(" in ")[0]).observe(seconds)


def answered(method: str, template: str | None, status: int, seconds: float) -> None:
    """A request was answered; one that no route takes is told as `none`, a status as its class."""
    told = method if method in METHODS else "other"
    REQUESTS.labels(told, template or "none", f"{status // 100}xx" if status else "broken").observe(seconds)


@contextmanager
def asking(task: str) -> Iterator[None]:
    """One question to an inference server, told by what became of it."""
    outcome, started = "given up", time.monotonic()
    try:
        yield
        outcome = "answered"
    except Exception as error:
        outcome = type(error).__name__.lower()
        raise
    finally:
        ASKED.labels(task, outcome).observe(time.monotonic() - started)


@dataclass
class Source:
    """Numbers that must be asked for: seldom, once at a time, and never so that nothing is told because of it."""

    name: str
    ask: Callable[[], Awaitable[Sequence[Metric]]]
    _asking: "asyncio.Task[Sequence[Metric]] | None" = None
    _asked_at: float = 0.0

    async def read(self) -> Sequence[Metric]:
        """What was found lately; nothing while there is no answer."""
        asking = self._asking
        if asking is None or (asking.done() and time.monotonic() - self._asked_at > FRESH_SECONDS):
            asking = self._asking = asyncio.create_task(self._ask())
            self._asked_at = time.monotonic()
        await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
        return asking.result() if asking.done() else ()

    async def _ask(self) -> Sequence[Metric]:
        try:
            return await self.ask()
        except Exception as error:  # noqa: BLE001  # whatever it is, the other numbers are told
            log.get().warning("numbers missing", source=self.name, error=str(error).strip() or type(error).__name__)
            return ()


@dataclass(frozen=True)
class Together(Collector):
    """What this process counts, and what it was told."""

    told: Sequence[Metric] = field(default_factory=list)

    def collect(self) -> Iterable[Metric]:
        """All of it."""
        yield from REGISTRY.collect()
        yield from self.told


async def page(sources: Sequence[Source] = ()) -> bytes:
    """Everything, as Prometheus reads it; a source that does not answer is said to be silent."""
    found = await asyncio.gather(*(source.read() for source in sources))
    answers = GaugeMetricFamily(
        "lumilio_pulse_answers", "Whether numbers of the whole server could be had.", labels=["source"]
    )
    for source, metrics in zip(sources, found, strict=True):
        answers.add_metric([source.name], float(bool(metrics)))
    return generate_latest(Together([*([answers] if sources else []), *_flat(found)]))


def _flat(found: Iterable[Sequence[Metric]]) -> Iterator[Metric]:
    for metrics in found:
        yield from metrics
