"""The contract is what the server does: it is written down, complete, and breaks nobody who built on it."""

import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from common import messages
from common.messages import EVENTS, Event
from gateway import errors
from gateway.contract import apart, breaks, document, operations, reference, refusals
from gateway.contract.operations import Operation
from lumilio.main import parser
from tests.support import reach

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CLIENT = ROOT / "libs/client"
SOURCES = [path for folder in ("services", "libs", "deploy") for path in (ROOT / folder).rglob("src/**/*.py")]
SETTINGS_PAGES = ("docs/configuration.md", "deploy/.env.example")
STANDS_FOR = {"ID": "00000000-0000-0000-0000-000000000000", "FOLDER": ".", "~/Pictures": "."}
OPERATIONS = [one for one in operations.find(apart.build()) if one.method != "HEAD"]


@pytest.fixture(scope="module")
def served() -> dict[str, Any]:
    """The document, as the server gives it."""
    described: dict[str, Any] = document.describe(apart.build())
    return described


def test_the_contract_is_written_down(served: dict[str, Any]) -> None:
    """Who reads docs/openapi.json reads what the server says of itself."""
    is_same = document.written(served) == (DOCS / "openapi.json").read_bytes()

    assert is_same, "docs/openapi.json is not what the server says of itself: run `make contract` and commit it"


def test_the_page_for_people_shows_every_operation(served: dict[str, Any]) -> None:
    """Who has only curl finds a command for whatever the server can do."""
    page = (DOCS / "clients.md").read_text()

    is_same = reference.renewed(page, msgspec.to_builtins(served)) == page

    assert is_same, "docs/clients.md does not show every operation as it is: run `make contract` and commit it"


def test_the_client_is_made_of_the_contract(tmp_path: Path) -> None:
    """The typed client knows every call and every shape as they are now."""
    made = tmp_path / "api.py"
    command = [sys.executable, str(CLIENT / "generate.py"), str(DOCS / "openapi.json"), str(made)]
    subprocess.run(command, check=True, timeout=60)

    is_same = made.read_bytes() == (CLIENT / "src/lumilio_client/api.py").read_bytes()

    assert is_same, "libs/client is not made of the contract as it is: run `make contract` and commit what it writes"


def test_events_are_written_down(tmp_path: Path) -> None:
    """Who listens on the bus reads which events there are, as they are now."""
    document, page = tmp_path / "asyncapi.json", tmp_path / "events.md"
    page.write_bytes((DOCS / "events.md").read_bytes())
    command = [sys.executable, str(ROOT / "libs/common/generate_events.py"), str(document), str(page)]
    subprocess.run(command, check=True, timeout=60)

    is_same = all(one.read_bytes() == (DOCS / one.name).read_bytes() for one in (document, page))

    assert is_same, (
        "docs/asyncapi.json or docs/events.md are not what the code says: run `make contract` and commit them"
    )


def test_settings_are_written_down(tmp_path: Path) -> None:
    """Who sets the server up reads of every setting what it means, and what it is where nobody sets it."""
    page = tmp_path / "configuration.md"
    page.write_bytes((DOCS / "configuration.md").read_bytes())
    command = [sys.executable, str(ROOT / "deploy/local/generate_settings.py"), str(page)]
    subprocess.run(command, check=True, timeout=60)

    is_same = page.read_bytes() == (DOCS / "configuration.md").read_bytes()

    assert is_same, "docs/configuration.md does not tell every setting as it is: run `make contract` and commit it"


def test_every_kind_of_settings_is_written_down() -> None:
    """What a program loads of its environment is in the list of what the page is made of."""
    loads = re.compile(r"(?:settings\.load\(|process\.run\(\"[\w-]+\", )(?:\w+\.)?(\w*Settings)")
    loaded = {name for path in SOURCES for name in loads.findall(path.read_text())}

    listed = (ROOT / "deploy/local/generate_settings.py").read_text().partition("PROGRAMS")[2].partition("}")[0]

    assert loaded
    assert not {name for name in loaded if name not in listed}, (
        "add these to PROGRAMS of deploy/local/generate_settings.py"
    )


def test_the_server_says_what_people_look_up() -> None:
    """Whoever searches the page of troubles for words that the server told them finds those words."""
    page = (DOCS / "troubleshooting.md").read_text()
    said = "".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text()) for path in SOURCES)
    said = re.sub(r"\{[^{}\n]*\}", "...", said)

    quoted = [part.strip(" ,;:") for text in re.findall(r'"([^"]+)"', page) for part in text.split("...")]

    assert len(quoted) > 20
    assert not [part for part in quoted if part not in said]


def test_no_variable_is_secret() -> None:
    """What a program reads of its environment by another way than its settings is on their page as well."""
    read = {name for path in SOURCES for name in re.findall(r"LUMILIO_[A-Z]+(?:_[A-Z]+)*\b", path.read_text())}

    told = set(re.findall(r"LUMILIO_[A-Z_]+", (DOCS / "configuration.md").read_text()))

    assert not read - told, "docs/configuration.md lacks these: tell them in its table of the commands"


def _commands() -> set[str]:
    """Every `lumilio ...` in words or examples of the pages, without what stands behind it."""
    pages = [
        *DOCS.glob("*.md"),
        ROOT / "README.md",
        *(ROOT / "deploy").rglob("*.md"),
        *(ROOT / "deploy").rglob("*.yaml"),
    ]
    shown = re.compile(r"(?:^|`|bin/| -- |--rm (?:-\S+ \S+ )*)lumilio ([a-z][^`#|\n]*)", re.MULTILINE)
    return {part.strip() for page in pages for part in shown.findall(page.read_text())}


@pytest.mark.parametrize("shown", sorted(_commands()))
def test_pages_show_commands_that_there_are(shown: str) -> None:
    """Whoever copies one is understood; of one that is only named the last value, or all options, may be left out."""
    words = [STANDS_FOR.get(word, word) for word in shlex.split(shown)]
    is_bare = not any(word.startswith("-") for word in words)

    assert _is_understood(words) or _is_understood([*words, "--help" if is_bare else "."])


def _is_understood(words: list[str]) -> bool:
    try:
        parser().parse_args(words)
    except SystemExit as ended:
        return ended.code == 0
    return True


def test_pages_name_variables_that_somebody_reads() -> None:
    """A setting with a slip of the pen would be passed over in silence."""
    known = set(re.findall(r"LUMILIO_[A-Z_]+", "".join((ROOT / page).read_text() for page in SETTINGS_PAGES)))
    named = {name for page in DOCS.glob("*.md") for name in re.findall(r"LUMILIO_[A-Z_]*[A-Z]\b", page.read_text())}

    assert {name for name in named - known if not name.startswith("LUMILIO_TEST_")} == set()


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_example_of_an_event_is_one(kind: type[Event]) -> None:
    """What people copy from the document is an event, on the subject that stands beside it."""
    document = json.loads((DOCS / "asyncapi.json").read_text())
    body = document["components"]["messages"][kind.__name__]["examples"][0]["payload"]

    event = messages.decode(kind.subject, json.dumps(body).encode())

    address = document["channels"][kind.__name__]["address"]
    assert address.format_map(body) == event.subject_of()


def test_nothing_breaks_who_built_on_the_last_release(served: dict[str, Any]) -> None:
    """A client of the released contract goes on working."""
    released = json.loads((DOCS / "openapi-released.json").read_text())

    broken = breaks.find(released, json.loads(msgspec.json.encode(served)))

    assert not broken, "\n".join(["clients of the last release would break:", *broken])


def test_every_operation_has_a_name_of_its_own() -> None:
    """Generated clients have a method for each."""
    names = Counter(one.name for one in OPERATIONS)

    twice = [f"{one.noun}.{one.name}" for one in OPERATIONS if names[one.name] > 1]

    assert not twice, f"these operations have the same name, so rename a function, say to VERB_NOUN: {', '.join(twice)}"


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_every_error_that_can_be_answered_is_declared(one: Operation) -> None:
    """A client that handles what the contract names meets nothing else."""
    said = {int(status) for status in refusals.of(one)}

    kinds = {kind: at for kind, at in reach.errors_of(one.handler.fn).items() if errors.status_of(kind) not in said}

    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    places = ", ".join(sorted(set(kinds.values())))
    assert not kinds, f"{one.method} {one.path} can fail in {places}: add `| may({names})` to its opt"


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_every_answer_is_an_envelope_or_a_declared_file(one: Operation) -> None:
    """A client knows what it gets."""
    is_told = one.answers_json or one.gives is not None or one.status == 204

    assert is_told, (
        f"{one.method} {one.path} answers with {one.answer}: return an Envelope[...], or add "
        '`| gives("image/webp")` with its content types to its opt (`by_ranges=False` if it is made on the way)'
    )


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_every_operation_says_what_it_is_for(one: Operation) -> None:
    """People read a sentence for each, and one for each noun."""
    assert one.about.partition("\n")[0].rstrip().endswith((".", "`")), (
        f"{one.handler.fn.__module__}.{one.handler.fn.__name__} needs a docstring that begins with one whole sentence"
    )


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_every_example_is_one(one: Operation, served: dict[str, Any]) -> None:
    """What people copy from the documentation is accepted, and what they see there could be answered."""
    told = served["paths"][one.path][one.method.lower()]
    if one.body is not None:
        example = told["requestBody"]["content"]["application/json"]["example"]
        msgspec.json.decode(json.dumps(example), type=one.body.annotation)
    if one.answers_json:
        example = told["responses"][str(one.status)]["content"]["application/json"]["example"]
        msgspec.json.decode(json.dumps(example), type=one.answer)
