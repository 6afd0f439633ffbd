"""What a request caused can be followed through all services, where somebody collects traces."""

from pathlib import Path

from tests.support import photos
from tests.support.client import signed_in
from tests.support.collector import collecting
from tests.support.stack import running_stack
from tests.support.waiting import until


async def test_an_upload_is_one_trace_from_the_request_to_its_thumbnails(tmp_path: Path) -> None:
    """The request comes first, placing follows it, and rendering follows that, each in a service of its own."""
    with collecting() as collector:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "LUMILIO_POLL_SECONDS": "60",  # so that rows are found by the messages that ring for them
        }
        async with running_stack(tmp_path, **settings) as stack, signed_in(stack) as client:
            await client.send(photos.jpeg(40, 30), "one.jpg")
            await until(lambda: collector.of("work render"), seconds=30, what="it is rendered")
            await until(lambda: collector.of("POST /api/v1/assets") and collector.of("work place"), seconds=30)

    names = ("POST /api/v1/assets", "work place", "work render")
    request, place, render = (step for name in names if (step := collector.of(name)))
    assert (request.parent, place.parent, render.parent) == (b"", request.step, place.step)
    assert {step.trace for step in (request, place, render)} == {request.trace}
    services = [step.service.removeprefix("lumilio-") for step in (request, place, render)]
    assert services == ["gateway", "ingest", "processor"]
