"""The rows of stages obey the database: it takes every step that a stage may take, and no other."""

import os
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

# LUMILIO_TEST_STEPS=5000 looks longer.
STEPS = int(os.environ.get("LUMILIO_TEST_STEPS", "150"))
STATES = ("blocked", "pending", "running", "done", "failed")
ASSET = UUID(int=7)


class Steps(RuleBasedStateMachine):
    """A row beside a model of what may become of it; any step may be tried at any time."""

    conn: "psycopg.Connection[Any]"

    def __init__(self) -> None:
        super().__init__()
        self.conn.execute("delete from asset_stages")
        self.conn.execute(
            "insert into asset_stages (asset_id, stage, owner_id, state) values (%s, 'render', 1, 'blocked')", (ASSET,)
        )
        self.state, self.epoch, self.is_leased = "blocked", 0, False

    @rule(state=st.sampled_from(STATES), more=st.sampled_from((-1, 0, 1, 2)))
    def step(self, state: str, more: int) -> None:
        """Whatever is tried, the row takes it exactly when the model does."""
        legal = self._is_legal(state, more)
        assert self._write(state, more) == legal, f"{self.state} to {state}, epoch {more:+}, leased: {self.is_leased}"
        if legal:
            self.state, self.epoch, self.is_leased = state, self.epoch + more, state == "running"

    @precondition(lambda self: self.state == "running")
    @rule()
    def renew(self) -> None:
        """A lease is extended, and by that nothing else changes."""
        self.conn.execute("update asset_stages set lease_until = now() + interval '1 minute'")
        self.is_leased = True

    @precondition(lambda self: self.state == "running")
    @rule()
    def expire(self) -> None:
        """A worker dies."""
        self.conn.execute("update asset_stages set lease_until = now() - interval '1 second'")
        self.is_leased = False

    def _is_legal(self, state: str, more: int) -> bool:
        if state == "running":
            return more == 1 and (self.state == "pending" or (self.state == "running" and not self.is_leased))
        ends = state in {"done", "failed"} and self.state == "running"
        return more == 0 and (state in {"pending", self.state} or ends)

    def _write(self, state: str, more: int) -> bool:
        try:
            self.conn.execute(
                """
                update asset_stages
                set state = %(state)s, lease_epoch = lease_epoch + %(more)s,
                    next_at = case when %(state)s in ('pending', 'running') then now() end,
                    lease_until = case when %(state)s = 'running' then now() + interval '1 minute' end,
                    error = case when %(state)s = 'failed' then 'a reason' end
                """,
                {"state": state, "more": more},
            )
        except psycopg.errors.CheckViolation:
            return False
        return True


@pytest.fixture
def conn(database_url: str) -> Any:
    with psycopg.connect(database_url, autocommit=True) as opened:
        opened.execute("alter table asset_stages drop constraint asset_stages_asset_id_fkey")
        yield opened


@pytest.mark.timeout(600)
def test_the_table_takes_the_steps_of_the_model_and_no_other(conn: "psycopg.Connection[Any]") -> None:
    """Nothing is done without a claim, no lease that lasts is taken, no epoch is given twice, nothing is stuck."""

    class Connected(Steps):
        pass

    Connected.conn = conn
    run_state_machine_as_test(
        Connected,
        settings=settings(
            max_examples=max(1, STEPS // 50),
            stateful_step_count=50,
            deadline=None,
            derandomize=STEPS < 1000,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("state", ["running", "failed"])
def test_no_row_begins_in_the_middle(conn: "psycopg.Connection[Any]", state: str) -> None:
    """What runs was claimed, and what failed was tried."""
    with pytest.raises(psycopg.errors.CheckViolation, match="from nothing"):
        conn.execute(
            """
            insert into asset_stages (asset_id, stage, owner_id, state, next_at, lease_until, error)
            select %(asset)s, 'render', 1, %(state)s, case when %(state)s = 'running' then now() end,
                   case when %(state)s = 'running' then now() end, 'a reason'
            """,
            {"asset": ASSET, "state": state},
        )
