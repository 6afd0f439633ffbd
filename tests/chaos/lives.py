"""Many lives of a state machine, each on a database of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from lumilio.postgres import Postgres
from tests.chaos.figures import Figures
from tests.support import databases
from tests.support.servers import running_postgres


def live(machine: type[RuleBasedStateMachine], *, runs: int, steps: int, derandomize: bool) -> None:
    """So many lives, each of up to so many steps; an AssertionError tells the one that diverged."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            derandomize=derandomize,
            phases=[Phase.generate] if derandomize else [Phase.generate, Phase.shrink],
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


async def with_own_server(folder: Path, explore: Callable[[Postgres], Figures]) -> Figures:
    """Explore with a server that nothing else uses."""

    def explore_there() -> Figures:
        with running_postgres(folder) as server:
            databases.make_template(server)
            return explore(server)

    return await asyncio.to_thread(explore_there)
