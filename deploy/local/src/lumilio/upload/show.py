"""Shows a run: a bar on a terminal, plain lines elsewhere, and a table in the end."""

import time
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lumilio.terminal import say
from lumilio.upload.ledger import SHOWN, Fate, Ledger
from lumilio.upload.progress import Sight, Watcher, duration, printable
from lumilio.upload.run import Run

LOOK_SECONDS = 0.2
LINE_SECONDS = 5.0

ROWS: dict[Fate, str] = {
    "uploaded": "uploaded",
    "unprocessed": "uploaded, not processed",
    "duplicate": "duplicate: the server has it",
    "skipped": "skipped: hidden, links, no files",
    "failed": "failed",
}
FAILED: dict[Fate, str] = {
    "failed": "failed",
    "unprocessed": "uploaded, but not processed",
}


def follow(run: Run, console: Console) -> None:
    """Show how far a run is until it ends or breaks."""
    if console.is_terminal and not console.is_dumb_terminal:
        _draw(run, console)
    else:
        _write(run)


def tell(run: Run, console: Console) -> None:
    """The table, and what did not make it with its reasons."""
    ledger = run.ledger
    tell_table(_table(run), console)
    say(_time(ledger))
    if run.processing:
        why = run.processing.silence or "the server is still at them"
        say(f"{len(run.processing):,} of the uploaded files are not known to be processed: {printable(why)}")
    for fate, title in FAILED.items():
        if ledger.counts[fate]:
            say(f"\n{title}:")
            for failure in ledger.shown(fate):
                say(f"  {printable(failure.path)}: {printable(failure.reason)}")
            if (more := ledger.counts[fate] - SHOWN) > 0:
                say(f"  ... and {more:,} more{'' if ledger.report else ' (--report FILE writes all of them)'}")


def tell_table(table: Table, console: Console) -> None:
    """Show a table, without blanks at the ends of its lines."""
    with console.capture() as capture:
        console.print(table)
    say("\n".join(line.rstrip() for line in capture.get().splitlines()))


def tell_waiting(trouble: str) -> None:
    """Say why nothing goes on."""
    say(_waiting(trouble))


def _draw(run: Run, console: Console) -> None:
    watcher = Watcher(run)
    with Live(console=console, transient=True, auto_refresh=False) as live:
        for _ in _moments(run):
            live.update(picture(watcher.look(), run.server.trouble), refresh=True)


def picture(sight: Sight, trouble: str | None) -> Table:
    """A bar, a line about it, and why it stands still if it does."""
    picture = Table.grid(expand=True)
    picture.add_row(ProgressBar(max(1, sight.total), sight.done))
    picture.add_row(Text(sight.line, no_wrap=True, overflow="ellipsis"))
    if trouble:
        picture.add_row(Text(_waiting(trouble), style="yellow", no_wrap=True, overflow="ellipsis"))
    return picture


def _write(run: Run) -> None:
    watcher, told_at, trouble = Watcher(run), time.monotonic(), None
    for now in _moments(run):
        if run.server.trouble != trouble:
            trouble = run.server.trouble
            tell_waiting(trouble) if trouble else say("the server answers again")
        if now - told_at >= LINE_SECONDS:
            told_at = now
            say(watcher.look().line)
    say(watcher.look().line)


def _moments(run: Run) -> Iterator[float]:
    """Times at which to look at the run, until it ends or breaks."""
    while not run.wait(LOOK_SECONDS) and not run.stop.is_set():
        yield time.monotonic()


def _waiting(trouble: str) -> str:
    return f"waiting for the server: {printable(trouble)}"


def _table(run: Run) -> Table:
    ledger, rows = run.ledger, ROWS if run.sends else ROWS | {"uploaded": "would be uploaded"}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column()
    table.add_column("files", justify="right")
    table.add_column("bytes", justify="right")
    for fate, title in rows.items():
        if ledger.counts[fate] or fate != "unprocessed":
            table.add_row(title, f"{ledger.counts[fate]:,}", decimal(ledger.sizes[fate]) if ledger.sizes[fate] else "")
    return table


def _time(ledger: Ledger) -> str:
    seconds, sent = time.monotonic() - ledger.began, ledger.sizes["uploaded"] + ledger.sizes["unprocessed"]
    if not sent:
        return f"took {duration(seconds)}"
    sending = (ledger.sent_at or time.monotonic()) - ledger.began
    return f"sent in {duration(sending)} ({decimal(int(sent / sending))}/s), took {duration(seconds)} in all"
