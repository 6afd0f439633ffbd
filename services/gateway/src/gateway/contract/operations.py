"""Every operation of an app: a method of a path, what its handler takes, and what it gives."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from inspect import getdoc
from typing import Any, get_args, get_origin

from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg, ParameterKwarg
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition
from msgspec import Struct

from gateway import policies
from gateway.declared import Bytes, Form, Header
from gateway.policies import Policy

RESERVED = {"body", "cookies", "data", "headers", "query", "request", "scope", "socket", "state"}
ENVELOPE = "Envelope"


class Parameter(Struct, frozen=True):
    """What a caller says in the path, the query or a header; the field knows its type and its limits."""

    name: str
    place: str
    field: FieldDefinition


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    handler: HTTPRouteHandler
    parameters: list[Parameter]

    @property
    def name(self) -> str:
        """What the operation is called: as its function is; asking for the head alone has a name of its own."""
        name: str = self.handler.handler_name
        return f"{name}_head" if self.method == "HEAD" else name

    @property
    def noun(self) -> str:
        """What it is about: the module that it stands in."""
        return self.handler.fn.__module__.rpartition(".")[2]

    @property
    def about(self) -> str:
        """What the function promises."""
        return getdoc(self.handler.fn) or ""

    @property
    def policy(self) -> Policy:
        return policies.of(self.handler.opt)

    @property
    def kinds(self) -> tuple[type[Exception], ...]:
        """The errors that it declares."""
        kinds: tuple[type[Exception], ...] = self.handler.opt.get("may", ())
        return kinds

    @property
    def headers(self) -> tuple[Header, ...]:
        headers: tuple[Header, ...] = self.handler.opt.get("headers", ())
        return headers

    @property
    def form(self) -> Form | None:
        return self.handler.opt.get("form")

    @property
    def gives(self) -> Bytes | None:
        return self.handler.opt.get("gives")

    @property
    def body(self) -> FieldDefinition | None:
        """The JSON body."""
        return self.handler.parsed_fn_signature.parameters.get("data")

    @property
    def answer(self) -> Any:
        """The type of a good answer, without what the framework wraps around it."""
        found = self.handler.parsed_fn_signature.return_type.annotation
        return get_args(found)[0] if get_origin(found) is Response else found

    @property
    def answers_json(self) -> bool:
        return getattr(get_origin(self.answer) or self.answer, "__name__", "") == ENVELOPE

    @property
    def status(self) -> int:
        """Of a good answer."""
        return int(self.handler.status_code)

    @property
    def also(self) -> dict[int, str]:
        """Other statuses that come with the same data, and what they say."""
        also: dict[int, str] = self.handler.opt.get("also", {})
        return also

    @property
    def asks_anything(self) -> bool:
        """Whether more than the process itself is needed to answer."""
        return bool(self.handler.parsed_fn_signature.parameters) or not self.policy.is_open


def find(app: Litestar) -> list[Operation]:
    """Every operation that an app shows to clients, by path and method."""
    return sorted(_operations(app), key=lambda operation: (operation.path, operation.method))


def _operations(app: Litestar) -> Iterator[Operation]:
    for route in (route for route in app.routes if isinstance(route, HTTPRoute)):
        for method, (handler, _) in route.route_handler_map.items():
            if method != "OPTIONS" and handler.resolve_include_in_schema():
                yield Operation(
                    str(method), route.path_format, handler, list(parameters(handler, route.path_parameters))
                )


def parameters(handler: HTTPRouteHandler, in_path: Collection[str] = ()) -> Iterator[Parameter]:
    """What a handler and what it is given are asked by; what stands in its path is to be named."""
    fields = dict(handler.parsed_fn_signature.parameters)
    for name, provider in handler.resolve_dependencies().items():
        if name in fields:
            fields |= provider.parsed_fn_signature.parameters
    given = handler.resolve_dependencies().keys() | RESERVED
    for name, field in fields.items():
        if name not in given:
            yield _parameter(name, field, in_path)


def _parameter(name: str, field: FieldDefinition, in_path: Collection[str]) -> Parameter:
    if name in in_path:
        return Parameter(name, "path", field)
    said = field.kwarg_definition
    if isinstance(said, ParameterKwarg) and not isinstance(said, BodyKwarg):
        return Parameter(said.header or said.query or said.name or name, str(said.param_type.value), field)
    return Parameter(name, "query", field)
