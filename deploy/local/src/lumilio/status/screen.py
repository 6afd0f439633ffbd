"""Shows a report on a terminal of any width, and plainly where it goes elsewhere."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lumilio.status.seen import Report
from lumilio.terminal import say
from lumilio.upload.progress import printable

WELL = "All is well."
UNKNOWN = "How the server is cannot be told."


def show(report: Report, console: Console) -> None:
    """What is wrong and what to do about it, then what goes well."""
    parts: list[Table | Text] = [Text(_title(report), style="bold green" if report.state == "well" else "bold red")]
    if report.troubles:
        parts += [Text(), _troubles(report)]
    if report.facts:
        parts += [Text(), _facts(report)]
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    say("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _title(report: Report) -> str:
    if report.state == "unknown":
        return UNKNOWN
    many = len(report.troubles)
    return f"{many} thing{' needs' if many == 1 else 's need'} a person." if many else WELL


def _troubles(report: Report) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column()
    for index, one in enumerate(report.troubles):
        if index:
            table.add_row()
        table.add_row(Text("!", style="bold red"), Text(printable(one.what)))
        table.add_row("", Text(f"-> {printable(one.todo)}", style="cyan"))
    return table


def _facts(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    for one in report.facts:
        table.add_row(one.name, Text(printable(one.text)))
    return table
