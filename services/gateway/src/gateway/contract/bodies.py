"""What an operation takes and gives, as the document shows it."""

from http import HTTPStatus
from typing import Any

from gateway.contract import examples, samples, schemas
from gateway.contract.operations import Operation
from gateway.contract.schemas import Schema
from gateway.declared import Bytes, Form

JSON = "application/json"
FORM = "multipart/form-data"
RANGE = {"name": "Range", "in": "header", "required": False, "schema": {"type": "string"}}
CONDITION = {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
UNCHANGED = {"description": "The client has these very bytes already."}
HOLDS = {
    "ETag": {"description": "Stands for these very bytes.", "schema": {"type": "string"}},
    "Accept-Ranges": {"description": "Parts may be asked for, in bytes.", "schema": {"type": "string"}},
}
UNTOLD = Bytes(("application/octet-stream",), by_ranges=False)
PART = {"Content-Range": {"description": "Which bytes these are, and of how many.", "schema": {"type": "string"}}}


def parameters(one: Operation, parts: dict[str, Schema]) -> list[dict[str, Any]]:
    """All that can be said in path, query and headers."""
    return [*_declared(one, parts), *_headers(one), *_conditions(one.gives)]


def request(one: Operation, types: dict[Any, Schema], parts: dict[str, Schema]) -> dict[str, Any] | None:
    """The body that is to be sent, with an example."""
    if one.form is not None:
        schema = _form(one.form)
        return {"required": True, "content": {FORM: {"schema": schema, "example": examples.of(schema, parts)}}}
    if one.body is None:
        return None
    schema = types[one.body.annotation]
    example = samples.BODIES.get(one.name) or examples.of(schema, parts)
    return {"required": not one.body.is_optional, "content": {JSON: {"schema": schema, "example": example}}}


def answers(one: Operation, types: dict[Any, Schema], parts: dict[str, Schema]) -> dict[str, Any]:
    """Every answer that is no error, by its status."""
    if not one.answers_json:
        return _files(one, one.gives or UNTOLD)
    schema = types[one.answer]
    example = examples.of(schema, parts) | {"code": 0, "message": "success"}
    good = {str(one.status): _json(HTTPStatus(one.status).phrase, schema, example)}
    names = [parameter.name for parameter in one.parameters] + [header.name for header in one.headers]
    if "if-none-match" in map(str.lower, names):
        good["304"] = UNCHANGED
    for status, says in one.also.items():
        good[str(status)] = _json(says.capitalize(), schema, example | {"code": status, "message": says})
    return good


def _json(description: str, schema: Schema, example: Any) -> dict[str, Any]:
    return {"description": description, "content": {JSON: {"schema": schema, "example": example}}}


def _declared(one: Operation, parts: dict[str, Schema]) -> list[dict[str, Any]]:
    found = []
    for parameter in one.parameters:
        schema = schemas.of_parameter(parameter.field)
        said = {
            "name": parameter.name,
            "in": parameter.place,
            "required": parameter.place == "path" or parameter.field.is_required,
            "schema": schema,
        }
        found.append(said | ({"example": _example(parameter.name, schema, parts)} if said["required"] else {}))
    return found


def _example(name: str, schema: Schema, parts: dict[str, Schema]) -> Any:
    return examples.of(schema, parts, called=name)


def _headers(one: Operation) -> list[dict[str, Any]]:
    return [
        {"name": it.name, "in": "header", "required": False, "description": it.description, "schema": it.schema}
        for it in one.headers
    ]


def _conditions(gives: Bytes | None) -> list[dict[str, Any]]:
    return [CONDITION, RANGE] if gives and gives.by_ranges else []


def _form(form: Form) -> Schema:
    schema: Schema = {"type": "object", "properties": form.parts, "required": list(form.required)}
    return schema if form.others is None else schema | {"additionalProperties": form.others}


def _files(one: Operation, gives: Bytes) -> dict[str, Any]:
    """A file, a part of one, or word that the client has it; who asks for the head alone gets no bytes."""
    has_none = one.method == "HEAD" or one.status == HTTPStatus.NO_CONTENT
    content = {} if has_none else {"content": {kind: {"schema": _bytes(kind)} for kind in gives.types}}
    whole = {"description": "The file.", **content}
    if not gives.by_ranges:
        return {str(one.status): whole}
    return {
        "200": whole | {"headers": HOLDS},
        "206": {"description": "The part of the file that was asked for.", **content, "headers": HOLDS | PART},
        "304": UNCHANGED,
    }


def _bytes(kind: str) -> Schema:
    return {} if kind == JSON else {"type": "string", "format": "binary"}
