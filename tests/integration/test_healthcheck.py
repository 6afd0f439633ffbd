"""The question that a container asks of its own service."""

import asyncio

import pytest

from common import health, healthcheck
from common.health import Readiness
from lumilio import ports
from tests.support.waiting import until


@pytest.mark.parametrize("problems", [[], ["the database does not answer"]])
async def test_a_container_is_as_well_as_its_service(problems: list[str]) -> None:
    """Nothing is told while the service is ready, and else why it is not."""

    async def ready() -> Readiness:
        return Readiness(ready=not problems, problems=problems)

    async def told() -> str | None:
        return await asyncio.to_thread(healthcheck.problem, port)

    async def answers() -> bool:
        return "no answer" not in (await told() or "")

    port = ports.choose(0)
    serving = asyncio.create_task(health.serve("127.0.0.1", port, ready))
    await until(answers)

    said = await told()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving

    assert (said is None) == (not problems)
    assert all(problem in str(said) for problem in problems)


def test_a_service_that_is_away_is_not_well() -> None:
    """Silence is no good news."""
    port = ports.choose(0)

    assert f"no answer at port {port}" in str(healthcheck.problem(port))
