"""Writes the client's shapes and calls from the contract: `python generate.py openapi.json api.py`."""

import json
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

Schema = dict[str, Any]
HEAD = '''
"""Every shape and every call of the contract. Written by `make contract`: do not change it by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from lumilio_client.calls import Call, File, Listing
'''
PLAIN = {"integer": "int", "number": "float", "boolean": "bool", "null": "None", "string": "str"}
FORMATS = {"uuid": "UUID", "date-time": "datetime", "local-date-time": "datetime"}
# What the client says by itself.
OWN = {"If-None-Match", "Range"}
FORM = "multipart/form-data"
JSON = "application/json"


def generate(document: dict[str, Any]) -> str:
    """The module's source: a struct for each schema, a function for each operation but uploads, which are by hand."""
    schemas = document["components"]["schemas"]
    asked = _reached(_bodies(document), schemas)
    shapes = [_struct(name, schemas[name], is_asked=name in asked) for name in schemas if _is_shape(name)]
    calls = [_call(path, method, one, schemas) for path, method, one in operations(document)]
    return _formatted("\n\n".join([dedent(HEAD).strip(), *shapes, *calls]) + "\n")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation that has a function, by its name: asking for the head alone and sending files have none."""
    found = [(path, method, one) for path, item in document["paths"].items() for method, one in item.items()]
    for path, method, one in sorted(found, key=lambda it: it[2]["operationId"]):
        if method != "head" and FORM not in one.get("requestBody", {}).get("content", {}):
            yield path, method, one


def _struct(name: str, schema: Schema, *, is_asked: bool) -> str:
    lines = [f"class {name}(Struct, frozen=True, kw_only=True):"]
    if about := schema.get("description"):
        lines.append(_docstring(about))
    for field, part in schema.get("properties", {}).items():
        lines.append(_field(field, part, is_required=field in schema.get("required", []), is_asked=is_asked))
    return "\n".join([*lines, *(["    pass"] if len(lines) == 1 else [])])


def _field(name: str, schema: Schema, *, is_required: bool, is_asked: bool) -> str:
    kind, called = _type(schema, is_asked=is_asked), _snake(name)
    alias = f'name="{name}"' if called != name else ""
    if is_required:
        return f"    {called}: {kind}" + (f" = field({alias})" if alias else "")
    if not is_asked and "default" in schema and not alias:
        return f"    {called}: {kind} = {_default(schema['default'])}"
    default = f"field(default=UNSET, {alias})" if alias else "UNSET"
    return f"    {called}: {kind} | UnsetType = {default}"


def _default(value: Any) -> str:
    """What an answer leaves out because it is the usual."""
    return f"field(default_factory={type(value).__name__})" if isinstance(value, list | dict) else repr(value)


def _call(path: str, method: str, one: dict[str, Any], schemas: dict[str, Schema]) -> str:
    """A function that says how to ask; what the path needs comes first, the rest is named."""
    parameters = [it for it in one.get("parameters", []) if it["name"] not in OWN]
    inner = [f"{_snake(it['name'])}: {_type(it['schema'], is_asked=True)}" for it in parameters if it["in"] == "path"]
    body = one.get("requestBody")
    if body:
        inner.append(_body(body))
    named = [_argument(it) for it in parameters if it["in"] != "path"]
    arguments = ", ".join([*inner, *(["*", *named] if named else [])])
    kind, more = _answer(one, schemas)
    query, headers = (_given(parameters, place) for place in ("query", "header"))
    words = {it["name"] for it in parameters if it["in"] == "path" and _type(it["schema"], is_asked=True) == "str"}
    steps = re.sub(r"{(\w+)}", lambda found: "{" + _step(found[1], words) + "}", path)
    said = [f'"{method.upper()}"', f'f"{steps}"' if "{" in steps else f'"{steps}"', more.pop("answer")]
    said += [query] * bool(query) + ["body=body"] * bool(body) + [f"headers={headers}"] * bool(headers)
    said += [f"{name}={value}" for name, value in more.items()]
    about = _docstring("\n\n".join(text for text in (one["summary"], one["description"]) if text))
    made = f"return {kind.split('[')[0]}({', '.join(said)})"
    return f"def {one['operationId']}({arguments}) -> {kind}:\n{about}\n    {made}"


def _given(parameters: list[dict[str, Any]], place: str) -> str:
    """What a function hands on of what it was given."""
    given = ", ".join(f'"{it["name"]}": {_snake(it["name"])}' for it in parameters if it["in"] == place)
    return f"{{{given}}}" if given else ""


def _step(name: str, words: set[str]) -> str:
    """What is filled in; words may hold anything."""
    return f"quote({_snake(name)}, safe='')" if name in words else _snake(name)


def _body(body: dict[str, Any]) -> str:
    kind = _type(body["content"][JSON]["schema"], is_asked=True)
    if body.get("required"):
        return f"body: {kind}"
    return f"body: {kind} | UnsetType = UNSET"


def _argument(parameter: dict[str, Any]) -> str:
    kind = _type(parameter["schema"], is_asked=True)
    return f"{_snake(parameter['name'])}: {kind}" + ("" if parameter.get("required") else " | None = None")


def _answer(one: dict[str, Any], schemas: dict[str, Schema]) -> tuple[str, dict[str, str]]:
    """The type of the call, and what it must know of the answer."""
    good = next(answer for status, answer in one["responses"].items() if status.startswith("2"))
    content = good.get("content", {})
    envelope = content.get(JSON, {}).get("schema", {}).get("$ref", "")
    if not envelope:
        return "File", {"answer": "bytes"}
    data = schemas[_ref(envelope)]["properties"]["data"]
    kind = _type(data, is_asked=False)
    page = schemas.get(_ref(data.get("$ref", "")), {}).get("properties", {})
    lists = [name for name, part in page.items() if part.get("type") == "array"]
    if "next" in page and len(lists) == 1:
        item = _type(page[lists[0]]["items"], is_asked=False)
        return f"Listing[{kind}, {item}]", {"answer": kind, "field": f'"{lists[0]}"'}
    return f"Call[{kind}]", {"answer": kind if kind != "None" else "None"}


def _type(schema: Schema, *, is_asked: bool) -> str:
    """Words that are answered are not counted: a later server may know more of them."""
    if "$ref" in schema:
        return _ref(schema["$ref"])
    if arms := schema.get("anyOf"):
        return " | ".join(dict.fromkeys(_type(arm, is_asked=is_asked) for arm in arms))
    if "enum" in schema and is_asked:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    match schema.get("type"):
        case "array":
            return f"list[{_type(schema.get('items', {}), is_asked=is_asked)}]"
        case "object":
            return f"dict[str, {_type(schema.get('additionalProperties') or {}, is_asked=is_asked)}]"
        case "string" if schema.get("contentEncoding") == "base64":
            return "bytes"
        case "string":
            return FORMATS.get(schema.get("format", ""), "str")
        case str(kind):
            return PLAIN[kind]
    return "Any"


def _bodies(document: dict[str, Any]) -> list[Any]:
    return [one["requestBody"] for item in document["paths"].values() for one in item.values() if "requestBody" in one]


def _reached(part: Any, schemas: dict[str, Schema], found: set[str] | None = None) -> set[str]:
    """The names of all schemas that a part of the document refers to."""
    found = set() if found is None else found
    if isinstance(part, dict):
        name = _ref(part.get("$ref", "")) if isinstance(part.get("$ref", ""), str) else ""
        if name in schemas and name not in found:
            found.add(name)
            _reached(schemas[name], schemas, found)
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _reached(one, schemas, found)
    return found


def _is_shape(name: str) -> bool:
    return not name.startswith("Envelope_") and name != "Failure"


def _ref(reference: str) -> str:
    return reference.rpartition("/")[2]


def _snake(name: str) -> str:
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def _docstring(text: str) -> str:
    safe = text.replace("\\", "\\\\").replace('"""', "'''")
    ends = "\n" if "\n" in safe or safe.endswith('"') else ""
    return indent(f'"""{safe}{ends}"""', "    ")


def _formatted(source: str) -> str:
    ruff = [str(Path(sys.executable).with_name("ruff")), "format", "-", "--line-length", "120"]
    return subprocess.run(ruff, input=source, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(generate(json.loads(Path(sys.argv[1]).read_text())))
