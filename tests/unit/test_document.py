"""What the contract says of a route is what its policy, its input and its declarations say."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from litestar import Litestar, get, post, route
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ASGIApp
from msgspec import UNSET, Struct, UnsetType

from gateway.contract import document
from gateway.declared import Header, gives, may, takes
from gateway.errors import Conflict
from gateway.policies import ACCOUNT, ADMIN, EDIT, PUBLIC, READ
from gateway.schemas import Envelope


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted."""

    name: str
    count: int = 1


class Thing(Struct, frozen=True, kw_only=True):
    """What there is."""

    name: str
    state: Literal["new", "old"] = "new"
    note: str | UnsetType = UNSET


@get("/things", opt=READ)
async def list_things(
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20, named: FromQuery[str | None] = None
) -> Envelope[Thing]:
    """All things. With more to say.

    And more.
    """
    raise NotImplementedError


@post("/things/{thing_id:uuid}", opt=EDIT | takes(None, Header("Idempotency-Key", "A name.")) | may(Conflict))
async def change_thing(thing_id: FromPath[UUID], data: JSONBody[Wish]) -> Envelope[Thing]:
    """Change one."""
    raise NotImplementedError


@route("/things/{thing_id:uuid}/picture", http_method=["GET", "HEAD"], status_code=200, opt=READ | gives("image/webp"))
async def picture(thing_id: FromPath[UUID]) -> ASGIApp:
    """What it looks like."""
    raise NotImplementedError


@get("/open", opt=PUBLIC)
async def is_open() -> Envelope[None]:
    """Whether it is open."""
    raise NotImplementedError


@get("/mine", opt=ACCOUNT)
async def mine() -> Envelope[None]:
    """Only for people."""
    raise NotImplementedError


@get("/all", opt=ADMIN)
async def everything() -> Envelope[None]:
    """Only for administrators."""
    raise NotImplementedError


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    handlers = [list_things, change_thing, picture, is_open, mine, everything]
    return document.describe(Litestar(handlers, openapi_config=None))


def statuses(operation: dict[str, Any]) -> set[str]:
    return set(operation["responses"])


def test_a_list_says_its_words_and_limits(described: dict[str, Any]) -> None:
    """A person reads a sentence first; a program reads types, limits and defaults."""
    told = described["paths"]["/things"]["get"]

    assert (told["operationId"], told["summary"]) == ("list_things", "All things.")
    assert told["description"] == "With more to say.\n\nAnd more.\n\nAn API key needs the scope `read`."
    assert [one["schema"] for one in told["parameters"]] == [
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        {"type": "string"},
    ]
    assert statuses(told) == {"200", "400", "401", "403", "503"}


def test_a_change_says_what_it_takes_and_how_it_fails(described: dict[str, Any]) -> None:
    """What is declared stands beside what follows from body, path and policy."""
    told = described["paths"]["/things/{thing_id}"]["post"]

    assert [one["name"] for one in told["parameters"]] == ["thing_id", "Idempotency-Key"]
    assert told["requestBody"]["content"]["application/json"]["example"] == {"name": "Photos", "count": 1}
    assert statuses(told) == {"201", "400", "401", "403", "404", "409", "413", "503"}


def test_an_answer_says_what_is_always_there(described: dict[str, Any]) -> None:
    """Answers say their defaults, requests may leave them out, and what may be unset is never promised."""
    schemas = described["components"]["schemas"]

    assert schemas["Thing"]["required"] == ["name", "state"]
    assert schemas["Wish"]["required"] == ["name"]
    assert schemas["Wish"]["additionalProperties"] is False
    assert schemas["Envelope_Thing_"]["required"] == ["code", "message", "data"]


def test_a_file_has_parts_and_conditions(described: dict[str, Any]) -> None:
    """Bytes come whole, in part, or not at all; who asks for the head alone gets none."""
    told, head = (described["paths"]["/things/{thing_id}/picture"][method] for method in ("get", "head"))

    assert list(told["responses"]["206"]["content"]) == ["image/webp"]
    assert statuses(told) == {"200", "206", "304", "400", "401", "403", "404", "416", "503"}
    assert all("content" not in answer for answer in head["responses"].values())
    assert (told["operationId"], head["operationId"]) == ("picture", "picture_head")


def test_who_may_ask_is_said(described: dict[str, Any]) -> None:
    """By security for programs, in words for people."""
    paths = described["paths"]

    assert (paths["/open"]["get"]["security"], statuses(paths["/open"]["get"])) == ([], {"200"})
    assert "API key may not" in paths["/mine"]["get"]["description"]
    assert "For administrators" in paths["/all"]["get"]["description"]


def test_two_shapes_of_one_name_are_refused() -> None:
    """Clients know shapes by their names."""

    class Thing(Struct):
        other: int

    @get("/other", opt=READ)
    async def other() -> Envelope[Thing]:
        """Something else."""
        raise NotImplementedError

    with pytest.raises(LookupError, match="two shapes are called Thing"):
        document.describe(Litestar([list_things, other], openapi_config=None))
