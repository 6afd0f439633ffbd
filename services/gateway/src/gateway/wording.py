"""Says in words for people what the reader of requests found wrong with a value; the value itself is not repeated."""

import re

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "uuid": "an id",
    "datetime": "a time",
    "date": "a date",
}
UNITS = {"str": "letters", "array": "entries"}
BOUNDS = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
WHOLE_TIME = "send it whole, like 2026-05-04T18:30:00, with a zone (Z, +02:00) for a moment"
WORDS = {
    "Invalid enum value": "this is none of its values: /api/docs says which there are",
    "Invalid RFC3339 encoded datetime": WHOLE_TIME,
    "Expected `datetime` with a timezone component": WHOLE_TIME,
    "Invalid UUID": "send an id, like 0198e1c5-8f0a-7b3e-9d21-5a4c3b2d1e0f",
}
LIMIT = re.compile(r"Expected `(\w+)` (<=|>=|<|>) (\S+)")
LENGTH = re.compile(r"Expected `(\w+)` of length (<=|>=) (\d+)")
PATTERN = re.compile(r"Expected `str` matching regex (.+)", re.DOTALL)
KIND = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
LACKING = re.compile(r"Object missing required field (`[^`]+`)")
UNKNOWN = re.compile(r"Object contains unknown field (`[^`]+`)")


def sentence(said: str) -> str:
    """What to send instead; what is said in other words than we know stays as it is."""
    for start, words in WORDS.items():
        if said.startswith(start):
            return words
    if found := LENGTH.fullmatch(said):
        return _length(*found.groups())
    if found := LIMIT.fullmatch(said):
        return f"send {kinds(found[1])} of {BOUNDS[found[2]]} {found[3]}"
    if found := PATTERN.fullmatch(said):
        return f"send text that fits {found[1]}"
    if found := KIND.fullmatch(said):
        return f"send {kinds(found[1])}, not {kinds(found[2])}"
    if found := LACKING.fullmatch(said):
        return f"{found[1]} is missing"
    if found := UNKNOWN.fullmatch(said):
        return f"{found[1]} means nothing here"
    return said


def kinds(names: str) -> str:
    """Kinds of values as people call them."""
    return " or ".join(KINDS.get(name, name) for name in names.split(" | "))


def _length(kind: str, bound: str, count: str) -> str:
    if (bound, count) == (">=", "1"):
        return f"send {kinds(kind)} that is not empty"
    return f"send {kinds(kind)} of {BOUNDS[bound]} {count} {UNITS.get(kind, 'parts')}"
