"""What `lumilio ml` does, from the sign-in to what it shows."""

import argparse

from rich import box
from rich.console import Console
from rich.table import Table

from lumilio.following import Asking, signed_in
from lumilio.terminal import say
from lumilio.upload import show
from lumilio.upload.progress import printable
from lumilio_client import api


def run(arguments: argparse.Namespace) -> None:
    """Do what the arguments say."""
    with signed_in(arguments) as asking:
        if arguments.action == "status":
            tell(asking.ask(api.get_ml_status()), Console())
        elif arguments.action == "backfill":
            backfill(asking, stage=arguments.stage, retry_failed=arguments.retry_failed)
        else:
            switch(asking, arguments.space)


def tell(found: api.MeaningStatus, console: Console) -> None:
    """Show stages, spaces and servers, and what is missing."""
    for table in (_stages(found), _spaces(found), _servers(found)):
        if table.row_count:
            show.tell_table(table, console)
    for one in found.advice:
        say(printable(one))


def backfill(asking: Asking, *, stage: str | None, retry_failed: bool) -> None:
    """Have gaps filled, of one stage or of all."""
    done = asking.ask(api.backfill_ml(api.BackfillRequest(stage=stage, retry_failed=retry_failed)))
    say(f"{', '.join(done.stages) or 'nothing'} is looked through; {done.retried:,} failures are tried again")
    say(printable(done.message))


def switch(asking: Asking, space: int) -> None:
    """Have another space count."""
    done = asking.ask(api.switch_ml(api.SwitchRequest(space_id=space)))
    say(f"space {done.space_id} is {done.state}: {printable(done.message)}")


def _stages(found: api.MeaningStatus) -> Table:
    table = _table("stage", "done", "of", "", "failed", "a second", "left")
    for one in found.stages:
        numbers = (f"{one.done:,}", f"{one.total:,}", f"{one.coverage_percent:.1f} %", f"{one.failed:,}")
        table.add_row(one.stage, *numbers, f"{one.per_second:.1f}", one.time_left)
    return table


def _spaces(found: api.MeaningStatus) -> Table:
    table = _table("space", "model", "numbers", "state")
    for one in found.spaces:
        table.add_row(str(one.space_id), printable(one.model), f"{one.dimension:,}", one.state)
    return table


def _servers(found: api.MeaningStatus) -> Table:
    table = _table("server", "is", "busy", "does")
    for one in found.servers:
        state = "there" if one.is_there else "away"
        table.add_row(printable(one.address), state, f"{one.busy} of {one.slots}", ", ".join(map(printable, one.tasks)))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table
