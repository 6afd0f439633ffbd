"""The OpenAPI document of an app: every operation with all that a client can send and can get."""

import sys
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

import msgspec
from litestar import Litestar

from gateway.contract import bodies, operations, refusals, schemas
from gateway.contract.operations import Operation
from gateway.contract.schemas import Schema
from gateway.schemas import Failure

TITLE = "Lumilio Photos"
VERSION = "1"
ABOUT = """
Photos, videos and recordings on storage that you own.

Every good answer that is JSON is an envelope: `code` 0, `message`, and the answer proper in `data`. Every other one has
the HTTP status as `code`, and says in `error` what went wrong, in words. Lists are asked for page by page: what a page
gives as `next` is sent as `after` to get the page that follows. A list that is asked by something that it does not know
answers 400. Fields may be added at any time: leave aside what you do not know.
"""
SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token of a sign-in, or an API key with the scope that the operation asks for.",
    }
}


def describe(app: Litestar) -> dict[str, Any]:
    """The document; the same routes give the same document, word for word."""
    found = operations.find(app)
    types, parts = schemas.describe(found, [Failure])
    paths: dict[str, dict[str, Any]] = {}
    for one in found:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, types, parts)
    statuses = sorted({status for one in found for status in refusals.of(one)})
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": cleandoc(ABOUT)},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": _tags(found),
        "paths": paths,
        "components": {
            "schemas": parts,
            "responses": {refusals.name(status): refusals.describe(status) for status in statuses},
            "securitySchemes": SCHEMES,
        },
    }


def written(described: dict[str, Any]) -> bytes:
    """A document as it is kept in a file: small changes are small there."""
    return msgspec.json.format(msgspec.json.encode(described), indent=1) + b"\n"


def _operation(one: Operation, types: dict[Any, Schema], parts: dict[str, Schema]) -> dict[str, Any]:
    summary, _, more = one.about.partition("\n\n")
    first, dot, rest = " ".join(summary.split()).partition(". ")
    described = "\n\n".join(" ".join(text.split()) for text in (rest, *more.split("\n\n")) if text.strip())
    shown: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.noun],
        "summary": first + dot.rstrip(),
        "description": "\n\n".join(text for text in (described, _permission(one)) if text),
        "security": _security(one),
        "x-policy": one.policy.name,
    }
    if told := bodies.parameters(one, parts):
        shown["parameters"] = told
    if body := bodies.request(one, types, parts):
        shown["requestBody"] = body
    shown["responses"] = _answers(one, types, parts)
    return shown


def _security(one: Operation) -> list[dict[str, list[str]]]:
    return [] if one.policy.is_open else [{"token": []}]


def _permission(one: Operation) -> str:
    """Who may call it, in words."""
    policy = one.policy
    if policy.by_session:
        who = "administrators" if policy.scope == "admin" else "people"
        return f"For {who} who signed in with a password: an API key may not do this."
    if policy.scope == "admin":
        return "For administrators; an API key needs the scope `admin`."
    return f"An API key needs the scope `{policy.scope}`." if policy.scope else ""


def _answers(one: Operation, types: dict[Any, Schema], parts: dict[str, Schema]) -> dict[str, Any]:
    answers = bodies.answers(one, types, parts)
    for status in refusals.of(one):
        answers[str(int(status))] = _refusal(one, status)
    return dict(sorted(answers.items()))


def _refusal(one: Operation, status: HTTPStatus) -> dict[str, Any]:
    if one.method == "HEAD":  # no answer to it has a body
        return {"description": refusals.describe(status)["description"]}
    return {"$ref": f"#/components/responses/{refusals.name(status)}"}


def _tags(found: list[Operation]) -> list[dict[str, str]]:
    modules = {one.noun: sys.modules[one.handler.fn.__module__] for one in found}
    return [{"name": noun, "description": cleandoc(modules[noun].__doc__ or "")} for noun in sorted(modules)]
