"""Examples made of schemas: words that people know for known names, else the plainest value that is allowed."""

from typing import Any

from gateway.contract import samples

Schema = dict[str, Any]
DEPTH = 20


def of(schema: Schema, parts: dict[str, Schema], *, called: str = "", depth: int = 0) -> Any:
    """A value that the schema allows, as it could well be."""
    if "$ref" in schema:
        return of(parts[schema["$ref"].rpartition("/")[2]], parts, called=called, depth=depth + 1)
    if called in samples.NOTHING and {"type": "null"} in schema.get("anyOf", []):
        return None
    known = samples.WORDS.get(called)
    if known is not None and _fits(known, schema):
        return known
    if isinstance(schema.get("default"), str | int | float):
        return schema["default"]
    if "enum" in schema or "const" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    for arms in ("anyOf", "oneOf", "allOf"):
        if arms in schema:
            return of(_first(schema[arms]), parts, called=called, depth=depth)
    return _plain(schema, parts, called=called, depth=depth)


def _first(arms: list[Schema]) -> Schema:
    return next((arm for arm in arms if arm.get("type") != "null"), arms[0])


def _plain(schema: Schema, parts: dict[str, Schema], *, called: str, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            return _object(schema, parts, depth)
        case "array":
            one = of(schema.get("items", {}), parts, called=_one_of(called), depth=depth + 1)
            return [] if depth > DEPTH else [one] * max(1, schema.get("minItems", 1))
        case "string":
            return samples.FORMATS.get(schema.get("format", ""), "text")[: schema.get("maxLength")]
        case "integer" | "number":
            return max(schema.get("minimum", 1), min(1, schema.get("maximum", 1)))
        case "boolean":
            return schema.get("default", False)
        case _:
            return None


def _object(schema: Schema, parts: dict[str, Schema], depth: int) -> dict[str, Any]:
    if depth > DEPTH:
        return {}
    required = schema.get("required", [])
    fields = schema.get("properties", {})
    shown = {name: part for name, part in fields.items() if name in required or not _is_left_out(part)}
    shown = shown or dict(list(fields.items())[:1])
    return {name: of(part, parts, called=name, depth=depth + 1) for name, part in shown.items()}


def _one_of(names: str) -> str:
    """What one of several is called."""
    return names.removesuffix("es" if names.endswith("hes") else "s")


def _is_left_out(part: Schema) -> bool:
    """Whether people leave a field out as a rule: it is null, or empty, unless it is said."""
    return "default" in part and part["default"] in (None, False, [], {})


def _fits(value: Any, schema: Schema) -> bool:
    """Whether a known word is of a type that is wanted here."""
    arms = schema.get("anyOf", [schema])
    return any(_is_of(value, arm) for arm in arms)


def _is_of(value: Any, schema: Schema) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    if "format" in schema and value not in samples.FORMATTED:
        return False
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return schema.get("type") == names[type(value)]
