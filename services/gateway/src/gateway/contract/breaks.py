"""What of a new contract would break the clients of an old one, in words; a pure comparison of two documents.

Who asks may be asked for no more, and who is answered may be given no less. What is added breaks nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
Schema = dict[str, Any]
METHODS = ("delete", "get", "head", "patch", "post", "put")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
ANY = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


def find(old: Document, new: Document) -> list[str]:
    """Every break, each as a sentence that begins with the operation it is about."""
    return list(dict.fromkeys(_operations(old, new)))


def _operations(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method in (one for one in METHODS if one in methods):
            what = f"{method.upper()} {path}"
            if method not in new["paths"].get(path, {}):
                yield f"{what} is gone: keep it, and have it answer as before beside what replaces it"
                continue
            yield from (f"{what}: {said}" for said in _operation(methods[method], new["paths"][path][method], old, new))


def _operation(was: Document, now: Document, old: Document, new: Document) -> Iterator[str]:
    if was["operationId"] != now["operationId"]:
        yield f"it was called {was['operationId']} and is called {now['operationId']}: generated clients lose a method"
    if not was.get("security") and now.get("security"):
        yield "it was open to everybody and needs a sign-in"
    yield from _parameters(was, now, Comparison(old, new, asked=True))
    yield from _bodies(was.get("requestBody"), now.get("requestBody"), Comparison(old, new, asked=True))
    yield from _answers(was["responses"], now["responses"], Comparison(old, new, asked=False))


def _parameters(was: Document, now: Document, asked: "Comparison") -> Iterator[str]:
    before = {(one["in"], one["name"]): one for one in was.get("parameters", [])}
    after = {(one["in"], one["name"]): one for one in now.get("parameters", [])}
    for (place, name), one in before.items():
        if (place, name) in after:
            yield from asked.compare(one["schema"], after[place, name]["schema"], f"the parameter {name}")
        else:
            yield f"the parameter {name} ({place}) is gone"
    for (place, name), one in after.items():
        if one.get("required") and not before.get((place, name), {}).get("required", False):
            yield f"the parameter {name} ({place}) is required, and was not"


def _bodies(was: Document | None, now: Document | None, asked: "Comparison") -> Iterator[str]:
    if now is None:
        if was is not None:
            yield "it takes no body any more"
        return
    if now.get("required") and not (was or {}).get("required"):
        yield "it needs a body, and did not"
    for kind, body in (was or {"content": {}})["content"].items():
        if kind in now["content"]:
            yield from asked.compare(body["schema"], now["content"][kind]["schema"], "body")
        else:
            yield f"it takes no {kind} any more"


def _answers(was: Document, now: Document, answered: "Comparison") -> Iterator[str]:
    for status in (one for one in was if one.startswith("2")):
        if status not in now:
            yield f"it answers {status} no more"
            continue
        for kind, body in was[status].get("content", {}).items():
            if kind in now[status].get("content", {}):
                yield from answered.compare(body["schema"], now[status]["content"][kind]["schema"], "answer")
            else:
                yield f"its answer {status} is {kind} no more"


@dataclass
class Comparison:
    """Compares schemas with all that they refer to; `asked` is what clients send, else it is what they get."""

    old: Document
    new: Document
    asked: bool
    seen: set[tuple[str, str]] = field(default_factory=set)

    def compare(self, was: Schema, now: Schema, where: str) -> Iterator[str]:
        """Each break between two schemas; a pair that was compared before says nothing more."""
        pair = (was.get("$ref", ""), now.get("$ref", ""))
        if all(pair):
            if pair in self.seen:
                return
            self.seen.add(pair)
        before, after = _arms(was, self.old), _arms(now, self.new)
        yield from self._types(set(before), set(after), where)
        for kind in [kind for kind in before if kind in after]:
            yield from self._inside(before[kind], after[kind], where)

    def _types(self, was: set[str], now: set[str], where: str) -> Iterator[str]:
        lost, won = (was - now - _also(now)), (now - was - _also(was))
        if self.asked and lost:
            yield f"{where} may be {_words(lost)} no more"
        if not self.asked and won:
            yield f"{where} may be {_words(won)} now, which clients do not expect"

    def _inside(self, was: Schema, now: Schema, where: str) -> Iterator[str]:
        yield from self._values(was, now, where)
        yield from self._fields(was, now, where)
        yield from self._required(was, now, where)
        if "items" in was and "items" in now:
            yield from self.compare(was["items"], now["items"], f"{where}[]")
        if self.asked:
            yield from _limits(was, now, where)

    def _values(self, was: Schema, now: Schema, where: str) -> Iterator[str]:
        gone = [str(one) for one in was.get("enum", []) if "enum" in now and one not in now["enum"]]
        if gone:
            yield f"{where} is {_words(gone)} no more"
        if self.asked and "enum" in now and "enum" not in was:
            yield f"{where} may be {_words(now['enum'])} only"

    def _fields(self, was: Schema, now: Schema, where: str) -> Iterator[str]:
        fields = now.get("properties", {})
        is_closed = now.get("additionalProperties") is False
        for name, one in was.get("properties", {}).items():
            if name in fields:
                yield from self.compare(one, fields[name], f"{where}.{name}")
            elif not self.asked or is_closed or was.get("additionalProperties") is False:
                yield f"{where}.{name} is gone"

    def _required(self, was: Schema, now: Schema, where: str) -> Iterator[str]:
        before, after = set(was.get("required", [])), set(now.get("required", []))
        for name in sorted(after - before) if self.asked else ():
            yield f"{where}.{name} is required, and was not"
        for name in sorted(before - after) if not self.asked else ():
            if name in now.get("properties", {}):
                yield f"{where}.{name} was always there, and may be missing"


def _arms(schema: Schema, document: Document) -> dict[str, Schema]:
    """What a schema allows, by type; one without a type allows any."""
    if "$ref" in schema:
        return _arms(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    for joint in ("anyOf", "oneOf"):
        if joint in schema:
            return {kind: arm for one in schema[joint] for kind, arm in _arms(one, document).items()}
    kinds = schema.get("type", sorted(ANY))
    return dict.fromkeys(kinds if isinstance(kinds, list) else [kinds], schema)


def _also(kinds: set[str]) -> set[str]:
    """Every integer is a number."""
    return {"integer"} if "number" in kinds else set()


def _limits(was: Schema, now: Schema, where: str) -> Iterator[str]:
    for name in LOWER:
        if name in now and now[name] > was.get(name, float("-inf")) and not _says_nothing(name, now[name]):
            yield f"{where} has the {name} {now[name]}, and had {was.get(name, 'none')}"
    for name in UPPER:
        if name in now and now[name] < was.get(name, float("inf")):
            yield f"{where} has the {name} {now[name]}, and had {was.get(name, 'none')}"
    if "pattern" in now and now["pattern"] != was.get("pattern"):
        yield f"{where} has the pattern {now['pattern']}, and had {was.get('pattern', 'none')}"


def _says_nothing(name: str, limit: float) -> bool:
    return name in {"minLength", "minItems"} and limit == 0


def _words(kinds: Any) -> str:
    return ", ".join(sorted(map(str, kinds)))
