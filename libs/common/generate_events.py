"""Writes down which events there are: `python generate_events.py asyncapi.json events.md`."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from common.messages import EVENTS, Event, Kind, ScanRequested
from common.streams import DAY, DURABLES, NAME, STREAM

Schema = dict[str, Any]
START = "<!-- What follows is written by `make contract`. -->\n"
REFERENCE = "#/components/schemas/{name}"
DAYS = int(STREAM.max_age or 0) // DAY
ABOUT = f"""What happened to photos, videos and recordings, and where they lie, as messages of NATS.

Every event is delivered at least once and in no promised order. All are kept for {DAYS} days in
the stream {NAME}. Fields may be added at any time: leave aside what you do not know."""
HEADERS = {
    "type": "object",
    "required": ["Nats-Msg-Id"],
    "properties": {
        "Nats-Msg-Id": {
            "type": "string",
            "description": "One for each event: who sees it again sees the same event again.",
            "examples": ["3f0c6a52-1d0e-4c3a-9a43-1f6d8a1f0c11.4711"],
        }
    },
}
EXAMPLES: dict[str, object] = {
    "asset_id": "019aa3c5-7e1b-7c5e-8d0a-4a1f5b7c9e21",
    "asset_ids": ["019aa3c5-7e1b-7c5e-8d0a-4a1f5b7c9e21"],
    "assets": 12,
    "folder": "Holidays/2024",
    "kind": "photo",
    "label_id": 5,
    "moved_from": "Camera/IMG_0001.JPG",
    "operation_id": None,
    "owner_id": 1,
    "path": "Holidays/2024/IMG_0001.JPG",
    "reason": "the image is damaged",
    "repository_id": "019aa3c0-2b44-7f0d-9c1e-6d2f8e4b7a10",
    "stage": "render",
    "upload_id": 4711,
}


def describe() -> dict[str, Any]:
    """The AsyncAPI document: a channel and a message for each event, and what the server does with them."""
    _, shapes = msgspec.json.schema_components(EVENTS, ref_template=REFERENCE)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Lumilio Photos", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "bus": {
                "host": "127.0.0.1:4222",
                "protocol": "nats",
                "description": "The NATS server of the installation: whoever runs it says where it is.",
                "security": [{"$ref": "#/components/securitySchemes/password"}],
            }
        },
        "channels": {kind.__name__: _channel(kind) for kind in EVENTS},
        "operations": dict(_operations()),
        "components": {
            "schemas": {kind.__name__: _schema(shapes[kind.__name__]) for kind in EVENTS},
            "messages": {kind.__name__: _message(kind) for kind in EVENTS},
            "messageTraits": {"event": {"headers": HEADERS}},
            "securitySchemes": {"password": {"type": "userPassword"}},
        },
    }


def renewed(page: str, document: dict[str, Any]) -> str:
    """The page with its last part made anew; what people wrote before that is kept."""
    return page.partition(START)[0] + START + "\n".join(_lines(document)) + "\n"


def _channel(kind: type[Event]) -> dict[str, Any]:
    known = {"parameters": {"kind": {"enum": list(get_args(Kind))}}} if _is_by_kind(kind) else {}
    messages = {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"}}
    return {"address": _address(kind), "messages": messages, **known}


def _operations() -> Iterator[tuple[str, Any]]:
    """The server sends every event, and takes a wish for a scan from whoever may say it."""
    for kind in EVENTS:
        yield f"send{kind.__name__}", {"action": "send", "channel": {"$ref": f"#/channels/{kind.__name__}"}}
    scan = ScanRequested.__name__
    yield f"receive{scan}", {"action": "receive", "channel": {"$ref": f"#/channels/{scan}"}}


def _message(kind: type[Event]) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "title": _title(kind),
        "summary": kind.__doc__,
        "traits": [{"$ref": "#/components/messageTraits/event"}],
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [{"payload": {name: EXAMPLES[name] for name in kind.__struct_fields__}}],
    }


def _schema(shape: Schema) -> Schema:
    return {name: part for name, part in shape.items() if name not in {"title", "description"}}


def _address(kind: type[Event]) -> str:
    return f"{kind.subject}.{{kind}}" if _is_by_kind(kind) else kind.subject


def _is_by_kind(kind: type[Event]) -> bool:
    return kind.subject_of is not Event.subject_of


def _title(kind: type[Event]) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda found: f" {found[1].lower()}", kind.__name__)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    """Each event by what it says, then what the fields mean, which is the same in all of them."""
    parts = document["components"]
    for kind in EVENTS:
        fields = ", ".join(f"`{name}`" for name in parts["schemas"][kind.__name__]["properties"])
        yield f"\n### `{_address(kind)}`\n\n{parts['messages'][kind.__name__]['summary']}\n"
        yield f"Fields: {fields}. Listens: {_listeners(kind)}."
    yield "\n## The fields\n\n| field | type | what it is |\n|---|---|---|"
    shapes = parts["schemas"].values()
    yield from sorted({_row(name, part) for shape in shapes for name, part in shape["properties"].items()})


def _row(name: str, part: Schema) -> str:
    optional = "; may be missing" if "default" in part else ""
    return f"| `{name}` | {_type(part)}{optional} | {part['description']} |"


def _type(part: Schema) -> str:
    """The type of a field in words."""
    if arms := part.get("anyOf"):
        return " or ".join(_type(arm) for arm in arms)
    if "enum" in part:
        return ", ".join(f"`{word}`" for word in part["enum"])
    if part.get("type") == "array":
        return f"list of {_type(part['items'])}"
    return "UUID" if part.get("format") == "uuid" else str(part["type"])


def _listeners(kind: type[Event]) -> str:
    names = [f"`{one.name}`" for one in DURABLES if any(_is_heard(kind, subject) for subject in one.subjects)]
    return ", ".join(names) or "nobody here"


def _is_heard(kind: type[Event], subject: str) -> bool:
    return subject == kind.subject or (_is_by_kind(kind) and subject.rpartition(".")[0] == kind.subject)


if __name__ == "__main__":
    described = describe()
    Path(sys.argv[1]).write_bytes(msgspec.json.format(msgspec.json.encode(described), indent=1) + b"\n")
    page = Path(sys.argv[2])
    page.write_text(renewed(page.read_text(), described))
