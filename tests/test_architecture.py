"""The house rules, as tests: who may import whom, where SQL stands, and that every statement fits the schema."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {
    "common": ROOT / "libs/common/src/common",
    "lumilio_client": ROOT / "libs/client/src/lumilio_client",
    "gateway": ROOT / "services/gateway/src/gateway",
    "ingest": ROOT / "services/ingest/src/ingest",
    "processor": ROOT / "services/processor/src/processor",
    "ml_dispatcher": ROOT / "services/ml-dispatcher/src/ml_dispatcher",
    "ml_server": ROOT / "services/ml-server/src/ml_server",
    "syncer": ROOT / "services/syncer/src/syncer",
    "lumilio": ROOT / "deploy/local/src/lumilio",
}
ALLOWED = {"lumilio_client": {"lumilio_client"}, "lumilio": {"common", "lumilio", "lumilio_client"}}
PURE = [
    *(
        SOURCES["processor"] / f"{name}.py"
        for name in (
            "images",
            "options",
            "videos",
            *("clips", "posters", "timing", "atoms", "previews", "seeking", "probes", "recipes", "reports", "commands"),
            *("complaints", "filters", "encoders", "remarks", "mp3", "audios"),
            "motion",
            "stacks",
            "opening",
            "decoders",
            "pictures",
            "colours",
            "hashes",
            "turbo",
            "raw",
            "raw_blobs",
            "raw_previews",
            *("containers", "heif", "jxl", "psd", "rasters", "tones"),
            *("spans", "survey", "sidecar"),
            *("sounds", "tags", "covers", "waveforms"),
        )
    ),
    *sorted((SOURCES["processor"] / "metadata").glob("*.py")),
    *(SOURCES["ingest"] / name for name in ("place.py", "standing.py")),
    *(SOURCES["syncer"] / f"{name}.py" for name in ("dirty", "mounts", "schedule", "watches")),
    *(
        SOURCES["common"] / f"{name}.py"
        for name in (
            "files",
            "derived_files",
            "folders",
            "layout",
            "inbox",
            "marker",
            "relocating",
            "roots",
            "sniff",
            "formats",
            "edits",
            "rendering",
        )
    ),
    *(SOURCES["common"] / f"{name}.py" for name in ("boxes", "moving", "tracks")),
    *(
        SOURCES["ml_server"] / f"{name}.py"
        for name in ("answers", "chunks", "folders", "labels", "models", "pictures", "towers", "words")
    ),
    *(SOURCES["syncer"] / f"{name}.py" for name in ("ignoring", "snapshot", "reading", "comparing", "area")),
    *(SOURCES["gateway"] / f"{name}.py" for name in ("archive", "archive_names")),
    *(SOURCES["gateway"] / f"{name}.py" for name in ("date_words", "date_spans", "date_rules", "date_phrases")),
    *(SOURCES["gateway"] / f"{name}.py" for name in ("name_phrases", "meaning", "fusing")),
    SOURCES["ml_dispatcher"] / "learning.py",
    SOURCES["common"] / "sidecars.py",
    SOURCES["common"] / "derived_files.py",
    SOURCES["common"] / "passwords.py",
    SOURCES["common"] / "readings.py",
    SOURCES["common"] / "scan_folders.py",
]
SLOW_OR_SHARED = {"psycopg", "psycopg_pool", "nats", "asyncio", "structlog", "litestar"}
STATEMENT = re.compile(r"^\s*(select|insert|update|delete|with)\b.*\b(from|into|set|as)\b", re.DOTALL)
MOVERS = {"rename", "replace", "renames", "link", "move", "copy", "copyfile", "unlink", "remove", "rmtree"}
WALL_CLOCKS = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}
TEMPORARY = re.compile(r"^\s*create temp table\b")
SESSION_STATEMENTS = re.compile(r"^\s*(set|create|alter)\b")


def modules(member: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES[member].rglob("*.py"):
        yield path, ast.parse(path.read_text())


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("member", SOURCES)
def test_members_import_common_and_themselves_only(member: str) -> None:
    """Services meet at the database and the bus; common knows none of them, and the client nobody at all."""
    allowed = ALLOWED.get(member, {"common", member})

    foreign = {
        f"{path.name} imports {', '.join(found)}"
        for path, tree in modules(member)
        if (found := (imported(tree) & SOURCES.keys()) - allowed)
    }

    assert foreign == set()


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_pure_modules_know_no_database_bus_or_loop(path: Path) -> None:
    """Slow work takes values and returns values, so that it can run in a thread or a sandbox."""
    assert imported(ast.parse(path.read_text())) & SLOW_OR_SHARED == set()


def statements(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value):
            yield node.value


def is_queries(path: Path) -> bool:
    return "queries" in path.stem or "queries" in path.parent.name


@pytest.mark.parametrize("member", SOURCES)
def test_sql_stands_in_queries_only(member: str) -> None:
    """A reader finds every question to the database in one kind of file; migrations keep their own book."""
    strays = {
        f"{path.name}: {text.strip()[:60]}"
        for path, tree in modules(member)
        if not is_queries(path) and path.name != "migrate.py"
        for text in statements(tree)
    }

    assert strays == set()


def test_only_the_relay_publishes() -> None:
    """An event is a row; nobody else speaks on the bus."""
    speakers = {
        path.name
        for member in SOURCES
        for path, tree in modules(member)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"publish", "publish_async"}
    }

    assert speakers == {"outbox.py"}


def test_no_code_can_replace_an_original() -> None:
    """Renaming, linking and removing happen in four modules, where none can hit an original."""
    movers = {
        f"{path.name}:{node.attr}"
        for member in SOURCES.keys() - {"lumilio"}
        for path, tree in modules(member)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in {"os", "shutil"} and node.attr in MOVERS
    }

    assert movers == {
        *("files.py:link", "files.py:unlink"),
        *("derived_files.py:link", "derived_files.py:rename", "derived_files.py:unlink"),  # only below `.lumilio`
        "marker.py:rename",  # only of the marker, by what was made of it
        *("sidecars.py:rename", "sidecars.py:unlink"),  # only of what is called a sidecar, and was read as one
    }


def test_nothing_ends_by_a_wall_clock() -> None:
    """Leases, tokens and clean-up go by the database's clock; a machine's own only dates what is written down."""
    clocks = {
        path.name
        for member in SOURCES.keys() - {"lumilio"}
        for path, tree in modules(member)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if (node.value.id, node.attr) in WALL_CLOCKS
    }

    assert clocks <= {
        *("marker.py", "place.py", "write_back.py", "found.py", "departures.py"),
        *("snapshot.py", "reading.py"),  # how old a file is, by the clock that dated it
    }


def test_an_outage_is_named_once() -> None:
    """How the database fails through nobody's fault stands in `db.OUTAGES`, so that no service knows a part of it."""
    knowing = {
        path.name
        for member in SOURCES.keys() - {"lumilio"}
        for path, tree in modules(member)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "OperationalError"
    }

    assert knowing == {"db.py"}


def executed(member: str) -> Iterator[tuple[str, str]]:
    """Every statement that is passed to `execute` or `executemany`, with where it stands."""
    for path, tree in modules(member):
        if not is_queries(path):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"execute", "executemany"}
                and isinstance(node.args[0], ast.Constant)
            ):
                yield f"{path.name}:{node.lineno}", str(node.args[0].value)


def numbered(statement: str) -> str:
    """The statement with the server's own placeholders."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1) or f"positional {len(names)}"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"%(?:\((\w+)\))?s", number, statement).replace("%%", "%")


async def test_every_statement_fits_the_schema(database_url: str) -> None:
    """A wrong table, column or type fails here before it ships."""
    checked = 0
    with psycopg.connect(database_url) as conn:
        for member in SOURCES:
            for _, statement in executed(member):
                if TEMPORARY.match(statement):
                    conn.execute(statement.encode())
        for member in SOURCES:
            for place, statement in executed(member):
                if SESSION_STATEMENTS.match(statement):
                    continue
                result = conn.pgconn.prepare(b"", numbered(statement).encode())
                assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, f"{place}: {result.error_message.decode()}"
                checked += 1

    assert checked > 40
