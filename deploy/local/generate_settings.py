"""Writes down what can be set, of every program: `python generate_settings.py configuration.md`."""

import ast
import sys
from collections.abc import Iterator
from inspect import getsource
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
from msgspec import inspect

from common.settings import PREFIX, YEAR, Settings
from gateway.main import Settings as GatewaySettings
from ingest.main import IngestSettings
from lumilio.backup.retention import BackupSettings
from lumilio.ballast import BallastSettings
from lumilio.inference import InferenceSettings
from lumilio.migrations import StreamSettings
from lumilio.status.settings import StatusSettings
from lumilio.watching import WatchingSettings
from ml_dispatcher.settings import DispatcherSettings
from ml_server.settings import MlServerSettings
from processor.main import ProcessorSettings
from syncer.main import SyncerSettings

START = "<!-- What follows is written by `make contract`. -->\n"
PROGRAMS: dict[str, list[type[msgspec.Struct]]] = {
    "Every service, but not ml-server": [Settings],
    "gateway": [GatewaySettings],
    "ingest": [IngestSettings],
    "processor": [ProcessorSettings],
    "syncer": [SyncerSettings],
    "ml-dispatcher": [DispatcherSettings],
    "ml-server": [MlServerSettings],
    "`lumilio up`": [BallastSettings, InferenceSettings, WatchingSettings, BackupSettings],
    "`lumilio migrate`": [StreamSettings],
    "`lumilio status`": [StatusSettings],
}
SPANS = ((24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"))
SIZES = ((1024**3, "GiB"), (1024**2, "MiB"))


def renewed(page: str) -> str:
    """The page with its last part made anew; what people wrote before that is kept."""
    return page.partition(START)[0] + START + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for program, kinds in PROGRAMS.items():
        yield f"\n## {program}\n\n| variable | default | may be | what it means |\n|---|---|---|---|"
        for kind in kinds:
            yield from _rows(kind)


def _rows(kind: type[msgspec.Struct]) -> Iterator[str]:
    """A row for each setting that is this program's own; SystemExit where one does not say what it means."""
    texts, shared = _texts(kind), set(Settings.__struct_fields__) if kind is not Settings else set()
    for field in msgspec.structs.fields(kind):
        if field.name in shared and issubclass(kind, Settings):
            continue
        if field.name not in texts:
            sys.exit(f"{kind.__module__}.{kind.__name__}.{field.name}: say below it, as a docstring, what it means")
        default = "required" if field.required else _default(field.name, field.default)
        values = _values(inspect.type_info(field.type))
        yield f"| `{PREFIX}{field.name.upper()}` | {default} | {values} | {texts[field.name]} |"


def _texts(kind: type[msgspec.Struct]) -> dict[str, str]:
    """What stands below each field, as its docstring."""
    body = ast.parse(dedent(getsource(kind))).body[0]
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(getattr(body, "body", []))
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def _default(name: str, value: Any) -> str:
    """A default as it would be set, and as people read it."""
    if value == "":
        return "none"
    shown = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    units = SPANS if name.endswith("_seconds") else SIZES if name.endswith("_bytes") else ()
    for size, unit in units:
        if value >= size and value % size == 0:
            many = f"{value // size:g} {unit}"
            return f"`{int(value)}` ({many}{'s' if units is SPANS and value > size else ''})"
    return f"`{shown}`"


def _values(kind: inspect.Type) -> str:
    """What can be set, as far as it is numbers or known words."""
    if isinstance(kind, inspect.LiteralType):
        return ", ".join(f"`{word}`" for word in kind.values)
    if isinstance(kind, inspect.BoolType):
        return "`true`, `false`"
    if not isinstance(kind, inspect.IntType | inspect.FloatType):
        return "text"
    least = f"more than {kind.gt:g}" if kind.gt is not None else f"{kind.ge:g}"
    if kind.le is not None and kind.le < YEAR:
        return f"{least} to {kind.le:,g}"
    return least if kind.gt is not None else f"{least} or more"


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(renewed(document.read_text()))
