"""The part of docs/clients.md that shows every operation: a sentence, and a command that asks for it."""

import json
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

START = "<!-- What follows is written by `make contract`. -->\n"
JSON = "application/json"


def renewed(page: str, document: dict[str, Any]) -> str:
    """The page with its last part made anew; what people wrote before that is kept."""
    return page.partition(START)[0] + START + "\n" + "\n".join(_lines(document)) + "\n"


def command(method: str, path: str, operation: dict[str, Any]) -> str:
    """How to ask for an operation in a terminal, where SERVER and TOKEN are set."""
    words = ["curl -s", *_way(method, operation), f'"$SERVER{_variables(path)}{_query(operation)}"']
    if operation["security"]:
        words.append('-H "Authorization: Bearer $TOKEN"')
    return " \\\n    ".join([" ".join(words), *_body(operation)])


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"\n### {tag['name'].replace('_', ' ').capitalize()}\n"
        yield tag["description"]
        for path, methods in document["paths"].items():
            for method, one in methods.items():
                if tag["name"] in one["tags"] and method != "head":
                    yield f"\n{one['summary']}\n\n```sh\n{command(method, path, one)}\n```"


def _way(method: str, operation: dict[str, Any]) -> list[str]:
    """What curl does by itself need not be said: it posts what has a body, and gets the rest."""
    usual = "post" if "requestBody" in operation else "get"
    return [] if method == usual else [f"-X {method.upper()}"]


def _variables(path: str) -> str:
    """Each parameter of a path is a variable of the shell."""
    return "/".join(f"${step[1:-1].upper()}" if step.startswith("{") else step for step in path.split("/"))


def _query(operation: dict[str, Any]) -> str:
    needed = [one for one in operation.get("parameters", []) if one["in"] == "query" and one["required"]]
    return "?" + urlencode({one["name"]: one["example"] for one in needed}) if needed else ""


def _body(operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if JSON in content:
        return [f"-H 'Content-Type: {JSON}'", f"-d {shlex.quote(json.dumps(content[JSON]['example']))}"]
    return [f"-F {name}=@photo.jpg" for name in _files(content)]


def _files(content: dict[str, Any]) -> list[str]:
    """The parts that are files; where each is named by its hash, the name is a variable."""
    for form in content.values():
        schema = form["schema"]
        named = [name for name, part in schema["properties"].items() if part.get("format") == "binary"]
        return named or ["$HASH"]
    return []
