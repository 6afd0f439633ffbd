"""Metrics as Prometheus reads them."""

from collections.abc import Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

from common import metrics
from common.metrics import Source

Numbers = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


async def scrape(sources: Sequence[Source] = ()) -> Numbers:
    """Each number by its name and its labels in order."""
    return read((await metrics.page(sources)).decode())


def read(page: str) -> Numbers:
    """The numbers of a page; one that is told twice is an error, as it is to Prometheus."""
    numbers: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in numbers, key
            numbers[key] = sample.value
    return numbers


def value(numbers: Numbers, name: str, **labels: str) -> float:
    """One number, 0 where it is not told."""
    return numbers.get((name, tuple(sorted(labels.items()))), 0.0)
