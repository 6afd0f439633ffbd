"""What breaks the clients of a contract, and what does not."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.contract import breaks

Document = dict[str, Any]
Change = Callable[[Document], object]
PATH = "/things/{id}"


def contract() -> Document:
    """One operation that takes and gives a thing."""
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    operation = {
        "operationId": "change_thing",
        "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}],
        "requestBody": body,
        "responses": {"200": answer, "404": {}},
    }
    schemas = {name: shape(name) for name in ("Thing", "Wish")}
    return {"paths": {PATH: {"put": operation}}, "components": {"schemas": schemas}}


def shape(name: str) -> Document:
    """A thing that has parts like itself."""
    return {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "state": {"type": "string", "enum": ["new", "old"]},
            "parts": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
            "note": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]},
        },
        "required": ["id", "state"],
    }


def operation(document: Document) -> Document:
    found: Document = document["paths"][PATH]["put"]
    return found


def fields(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]["properties"]
    return found


def required(document: Document, name: str) -> list[str]:
    found: list[str] = document["components"]["schemas"][name]["required"]
    return found


BROKEN: dict[str, Change] = {
    "PUT /things/{id} is gone": lambda new: new["paths"].pop(PATH),
    "it was called change_thing and is called save": lambda new: operation(new).update(operationId="save"),
    "it was open to everybody": lambda new: operation(new).update(security=[{"token": []}]),
    "the parameter limit (query) is gone": lambda new: operation(new)["parameters"].clear(),
    "the parameter limit (query) is required": lambda new: operation(new)["parameters"][0].update(required=True),
    "the parameter limit has the maximum 50": lambda new: operation(new)["parameters"][0]["schema"].update(maximum=50),
    "the parameter limit may be integer no more": lambda new: operation(new)["parameters"][0].update(
        schema={"type": "string"}
    ),
    "it takes no body": lambda new: operation(new).pop("requestBody"),
    "it needs a body": lambda new: operation(new)["requestBody"].update(required=True),
    "it takes no application/json": lambda new: operation(new)["requestBody"].update(content={}),
    "it answers 200 no more": lambda new: operation(new)["responses"].pop("200"),
    "its answer 200 is application/json no more": lambda new: operation(new)["responses"]["200"].update(content={}),
    "answer.state is gone": lambda new: fields(new, "Thing").pop("state"),
    "answer.id may be string now": lambda new: fields(new, "Thing")["id"].update(type="string"),
    "answer.id may be null now": lambda new: fields(new, "Thing")["id"].update(type=["integer", "null"]),
    "answer.state is old no more": lambda new: fields(new, "Thing")["state"]["enum"].remove("old"),
    "answer.state was always there": lambda new: required(new, "Thing").remove("state"),
    "body.note is required": lambda new: required(new, "Wish").append("note"),
    "body.note may be null no more": lambda new: fields(new, "Wish")["note"]["anyOf"].pop(),
    "body.note has the maxLength 5": lambda new: fields(new, "Wish")["note"]["anyOf"][0].update(maxLength=5),
    "body.state is old no more": lambda new: fields(new, "Wish")["state"]["enum"].remove("old"),
    "body.note is gone": lambda new: (
        fields(new, "Wish").pop("note"),
        new["components"]["schemas"]["Wish"].update(additionalProperties=False),
    ),
}

HARMLESS: dict[str, Change] = {
    "nothing": lambda _: None,
    "another path": lambda new: new["paths"].update({"/more": {"get": {}}}),
    "a parameter that may be said": lambda new: operation(new)["parameters"].append(
        {"name": "after", "in": "query", "schema": {"type": "string"}}
    ),
    "a higher limit": lambda new: operation(new)["parameters"][0]["schema"].update(maximum=500),
    "a field more in answers": lambda new: new["components"]["schemas"]["Thing"].update(
        properties=fields(new, "Thing") | {"more": {}}, required=[*required(new, "Thing"), "more"]
    ),
    "a field that may be sent": lambda new: fields(new, "Wish").update(more={"type": "string"}),
    "a field that need not be sent": lambda new: required(new, "Wish").remove("state"),
    "a word more": lambda new: fields(new, "Wish")["state"]["enum"].append("torn"),
    "an error more": lambda new: operation(new)["responses"].update({"409": {}}),
    "a number where an integer was asked": lambda new: fields(new, "Wish")["id"].update(type="number"),
    "an answer that is never null any more": lambda new: fields(new, "Thing")["note"]["anyOf"].pop(),
}


@pytest.mark.parametrize("said", BROKEN)
def test_what_takes_something_away_breaks_clients(said: str) -> None:
    """Each way to break a client is told in words."""
    new = contract()
    BROKEN[said](new)

    found = breaks.find(contract(), new)

    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("change", HARMLESS)
def test_what_is_added_breaks_nobody(change: str) -> None:
    """A contract may grow."""
    new = contract()
    HARMLESS[change](new)

    assert breaks.find(contract(), new) == []
