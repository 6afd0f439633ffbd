"""JSON schemas of what goes over the wire, made of the very types that read and write it."""

import re
import types
from inspect import cleandoc
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from litestar.params import ParameterKwarg
from litestar.types import Empty
from litestar.typing import FieldDefinition
from msgspec import Meta, inspect

from gateway.contract.operations import Operation
from gateway.schemas import Envelope

REFERENCE = "#/components/schemas/{name}"
LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")
Schema = dict[str, Any]


def describe(operations: list[Operation], more: list[Any]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """The schema of every body and answer by its type, and the parts that these name.

    What is answered says all of its fields; what is asked may leave out those with defaults.
    """
    asked = [one.body.annotation for one in operations if one.body is not None]
    answered = [*more, *(one.answer for one in operations if one.answers_json)]
    wanted = list(dict.fromkeys([*asked, *answered]))
    _refuse_namesakes(_structs(wanted))
    found, parts = msgspec.json.schema_components(wanted, ref_template=REFERENCE)
    structs = {_name(kind.cls): kind for kind in _structs(wanted)}
    only_answered = structs.keys() - {_name(kind.cls) for kind in _structs(asked)}
    for name, kind in structs.items():
        _complete(parts[name], kind, is_answer=name in only_answered)
    return dict(zip(wanted, map(_tidied, found), strict=True)), {name: _tidied(parts[name]) for name in sorted(parts)}


def of_parameter(field: FieldDefinition) -> Schema:
    """The schema of one value in the path, the query or a header: null cannot be said there."""
    kind = field.annotation
    if get_origin(kind) in {Union, types.UnionType}:
        kind = Union[tuple(arm for arm in get_args(kind) if arm is not type(None))]  # noqa: UP007  # made at run time
    said = field.kwarg_definition
    limits = {name: getattr(said, name) for name in LIMITS} if isinstance(said, ParameterKwarg) else {}
    limits = {name: limit for name, limit in limits.items() if limit is not None}
    schema: Schema = _tidied(_inlined(msgspec.json.schema(Annotated[kind, Meta(**limits)] if limits else kind)))
    if field.default is not None and field.default is not Empty:
        schema["default"] = field.default
    return schema


def _inlined(schema: Any, named: dict[str, Schema] | None = None) -> Any:
    """The same schema without references."""
    if isinstance(schema, list):
        return [_inlined(one, named) for one in schema]
    if not isinstance(schema, dict):
        return schema
    named = schema.get("$defs", named) or {}
    if "$ref" in schema:
        return _inlined(named[schema["$ref"].rpartition("/")[2]], named)
    return {name: _inlined(part, named) for name, part in schema.items() if name != "$defs"}


def _structs(kinds: list[Any]) -> list[inspect.StructType]:
    """Every struct that can be reached from these types."""
    found: dict[Any, inspect.StructType] = {}
    left: list[Any] = [inspect.type_info(kind) for kind in kinds]
    while left:
        kind = left.pop()
        if isinstance(kind, inspect.StructType):
            if kind.cls in found:
                continue
            found[kind.cls] = kind
            left += [field.type for field in kind.fields]
        left += [getattr(kind, name) for name in ("type", "item_type", "value_type") if hasattr(kind, name)]
        left += [*getattr(kind, "types", ()), *(getattr(kind, "item_types", ()))]
    return list(found.values())


def _refuse_namesakes(kinds: list[inspect.StructType]) -> None:
    """LookupError where two shapes have one name, for the document and generated clients know them by it."""
    known: dict[str, Any] = {}
    for kind in sorted(kinds, key=lambda kind: bool(get_args(kind.cls))):
        other = known.setdefault(_name(kind.cls), kind.cls)
        if other != kind.cls:
            raise LookupError(f"two shapes are called {_name(kind.cls)}, so rename one of them: {other}, {kind.cls}")


def _name(cls: Any) -> str:
    """What a struct is called in the document."""
    if not get_args(cls):
        return str(cls.__name__)
    of = ", ".join(getattr(one, "__name__", str(one)) for one in get_args(cls))
    return re.sub(r"[^\w.-]", "_", f"{getattr(get_origin(cls), '__name__', '')}[{of}]")


def _complete(schema: Schema, kind: inspect.StructType, *, is_answer: bool) -> None:
    """What msgspec leaves open: which fields an answer always has, and which words are moments."""
    for field in kind.fields:
        _date(schema["properties"][field.encode_name], field.type)
    config = (get_origin(kind.cls) or kind.cls).__struct_config__
    if is_answer and not config.omit_defaults:
        schema["required"] = [field.encode_name for field in kind.fields if _is_always_said(kind, field)]
        for one in schema["properties"].values():
            one.pop("default", None)


def _is_always_said(kind: inspect.StructType, field: inspect.Field) -> bool:
    """Unset values are left out; the data of an answer stands there unless it has none."""
    if get_origin(kind.cls) is Envelope and field.name == "data":
        return get_args(kind.cls) != (type(None),)
    return field.required or field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT


def _date(schema: Schema, kind: inspect.Type) -> None:
    """A moment is RFC 3339; a time on the clock of where it was taken has no zone, so that it is no `date-time`."""
    for arm, told in _arms(schema, kind):
        if isinstance(arm, inspect.DateTimeType) and arm.tz is None:
            told.setdefault("format", "date-time")
        elif isinstance(arm, inspect.DateTimeType) and arm.tz is False:
            told["format"] = "local-date-time"


def _arms(schema: Schema, kind: inspect.Type) -> list[tuple[inspect.Type, Schema]]:
    if not isinstance(kind, inspect.UnionType):
        return [(kind, schema)]
    return list(zip(kind.types, schema.get("anyOf", [schema]), strict=False))


def _tidied(schema: Any) -> Any:
    """Texts without the indentation of their source; words that are counted are said to be words."""
    if isinstance(schema, list):
        return [_tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {name: _tidied(part) for name, part in schema.items()}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = cleandoc(tidy["description"])
    if isinstance(tidy.get("enum"), list) and all(isinstance(word, str) for word in tidy["enum"]):
        tidy = {"type": "string"} | tidy
    return tidy
