"""The SQL condition that a filter is, over `assets a`: only what is asked for, so that an index can serve it."""

from collections.abc import Callable, Iterator
from typing import Any, LiteralString, NamedTuple

from psycopg.sql import SQL, Composed

from gateway.filter_schemas import AssetFilter, FileName, StageIs, Type, WallTimes, Whereabouts

KINDS = {"PHOTO": "photo", "VIDEO": "video", "AUDIO": "audio"}
PILES = {"done": None, "failed": "failed"}
PATTERNS = {"contains": "%{}%", "matches": "{}", "startswith": "{}%", "endswith": "%{}"}

STARS: LiteralString = "coalesce(a.rating, 0::smallint)"

Values = dict[str, Any]


class Part(NamedTuple):
    """One condition and the values in it."""

    text: LiteralString
    values: Values = {}  # noqa: RUF012  # never changed


def condition(wanted: AssetFilter, *, owner: int) -> tuple[Composed, Values]:
    """What holds of the owner's assets that are wanted, and of no others."""
    parts = [Part("a.owner_id = %(owner)s", {"owner": owner}), *_scope(wanted), *_parts(wanted, owner)]
    values = {name: value for part in parts for name, value in part.values.items()}
    return SQL(" and ").join(SQL(part.text) for part in parts), values


def scope(wanted: AssetFilter) -> Composed:
    """Which assets are in the lists at all."""
    return SQL(" and ").join(SQL(part.text) for part in _scope(wanted))


def within(span: WallTimes | None, column: LiteralString) -> Composed:
    """The wanted times again, of another column that has the same."""
    return SQL(_span("taken", column)(span or WallTimes()).text).format()


def _scope(wanted: AssetFilter) -> Iterator[Part]:
    """In the trash or not, in the archive or not; what has no file is in no list."""
    if wanted.trashed:
        yield Part("a.trashed_at is not null")
        return
    if wanted.archived == "no":
        yield Part("a.is_shown")
        return
    yield Part("a.trashed_at is null and a.missing_since is null")
    if wanted.archived == "only":
        yield Part("a.archived_at is not null")


def _parts(wanted: AssetFilter, owner: int) -> Iterator[Part]:
    if wanted.owner_id not in {None, owner}:
        yield Part("false")
    for name, write in PARTS.items():
        value = getattr(wanted, name)
        if value is not None:
            yield write(value)
    if wanted.folder is not None:
        yield _folder(wanted.folder)


def _equals(column: LiteralString) -> Callable[[Any], Part]:
    return lambda value: Part(f"a.{column} = %({column})s", {column: value})


def _span(name: LiteralString, text: LiteralString, *, is_closed: bool = False) -> Callable[[Any], Part]:
    """Between two values; either may be missing."""
    before: LiteralString = "<=" if is_closed else "<"

    def between(span: Any) -> Part:
        texts: list[LiteralString] = ["true"]
        if span.start is not None:
            texts.append(f"{text} >= %({name}_from)s")
        if span.end is not None:
            texts.append(f"{text} {before} %({name}_to)s")
        return Part(" and ".join(texts), {f"{name}_from": span.start, f"{name}_to": span.end})

    return between


def _any_time(spans: list[WallTimes]) -> Part:
    """In one of the spans: each of them is a part of the index of times."""
    parts = [_span(f"taken_in_{number}", "a.sort_at")(span) for number, span in enumerate(spans)]
    texts = " or ".join(part.text for part in parts)
    return Part(f"({texts or 'false'})", {name: value for part in parts for name, value in part.values.items()})


def _everywhere(places: list[Whereabouts]) -> Part:
    """In one of each: a country, a region or a city."""
    texts, values = ["true"], Values()
    for number, place in enumerate(places):
        named = {"country": place.countries, "region": place.regions, "city": place.cities}
        there = [f"a.{column} = any(%({column}_{number})s)" for column, names in named.items() if names]
        texts.append(f"({' or '.join(there) or 'false'})")
        values |= {f"{column}_{number}": names for column, names in named.items()}
    return Part(" and ".join(texts), values)


def _flag(yes: LiteralString, no: LiteralString) -> Callable[[bool], Part]:
    return lambda is_so: Part(yes if is_so else no)


def _types(some: list[Type]) -> Part:
    if len(some) == 1:
        return Part("a.kind = %(only_kind)s", {"only_kind": KINDS[some[0]]})
    return Part("a.kind = any(%(kinds)s)", {"kinds": [KINDS[one] for one in some]})


def _stage(wanted: StageIs) -> Part:
    """What is not done is on a pile of its owner's."""
    return Part(
        """exists (
            select
            from asset_stages s
            where s.asset_id = a.asset_id
              and s.owner_id = %(owner)s
              and s.state = %(stage_state)s
              and (%(pile)s::text is null or s.pile = %(pile)s)
              and (%(stage)s::text is null or s.stage = %(stage)s)
        )""",
        {"stage_state": wanted.state, "stage": wanted.stage, "pile": PILES.get(wanted.state, "open")},
    )


def _file_name(name: FileName) -> Part:
    escaped = name.value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Part("a.original_filename ilike %(name_like)s", {"name_like": PATTERNS[name.mode].format(escaped)})


def _box(box: Any) -> Part:
    turned: LiteralString = "or" if box.west > box.east else "and"
    return Part(
        f"a.latitude between %(south)s and %(north)s and (a.longitude >= %(west)s {turned} a.longitude <= %(east)s)",
        {"west": box.west, "south": box.south, "east": box.east, "north": box.north},
    )


def _stack(kind: str) -> Part:
    if kind == "manual":
        return Part("exists (select from stack_assets x where x.asset_id = a.asset_id)")
    return Part(
        """exists (
            select
            from stack_keys own
            join stack_keys other on other.owner_id = own.owner_id and other.kind = own.kind and other.key = own.key
            where own.asset_id = a.asset_id and own.kind = %(stack)s and other.asset_id <> own.asset_id
        )""",
        {"stack": kind},
    )


def _folder(path: str) -> Part:
    """Bytes after the last one below a folder begin with what follows the slash."""
    below = path.strip("/").encode()
    return Part(
        """exists (
            select
            from file_records f
            where f.asset_id = a.asset_id
              and f.repository_id = %(repository_id)s
              and f.state <> 'missing'
              and f.path > %(folder_from)s and f.path < %(folder_to)s
        )""",
        {"folder_from": below + b"/", "folder_to": below + b"0"},
    )


PARTS: dict[str, Callable[[Any], Part]] = {
    "ids": lambda ids: Part("a.asset_id = any(%(ids)s)", {"ids": ids}),
    "type": lambda one: Part("a.kind = %(kind)s", {"kind": KINDS[one]}),
    "types": _types,
    "raw": _flag("a.is_raw", "not a.is_raw"),
    "filename": _file_name,
    "date": _span("date", "a.uploaded_at"),
    "taken": _span("taken", "a.sort_at"),
    "taken_in": _any_time,
    "rating": lambda stars: Part(f"{STARS} = %(rating)s::smallint", {"rating": stars}),
    "rating_range": _span("rating", STARS, is_closed=True),
    "liked": _flag("a.liked", "not a.liked"),
    "camera_make": _equals("camera_make"),
    "camera": _equals("camera"),
    "lens": _equals("lens"),
    "iso": _span("iso", "a.iso", is_closed=True),
    "country": _equals("country"),
    "region": _equals("region"),
    "city": _equals("city"),
    "located_in": _everywhere,
    "has_gps": _flag("a.latitude is not null", "a.latitude is null"),
    "bbox": _box,
    "tag": lambda path: Part(
        """exists (
            select
            from asset_tags x
            join tags t on t.tag_id = x.tag_id
            where x.asset_id = a.asset_id and t.owner_id = a.owner_id and t.path = %(tag)s
        )""",
        {"tag": path},
    ),
    "untagged": _flag(
        "not exists (select from asset_tags x where x.asset_id = a.asset_id)",
        "exists (select from asset_tags x where x.asset_id = a.asset_id)",
    ),
    "label": lambda label: Part(
        "exists (select from labels l where l.asset_id = a.asset_id and l.label = %(label)s)", {"label": label}
    ),
    "album_id": lambda album: Part(
        "exists (select from album_assets m where m.asset_id = a.asset_id and m.album_id = %(album)s)", {"album": album}
    ),
    "stack": _stack,
    "repository_id": lambda repository: Part(
        """exists (
            select
            from file_records f
            where f.asset_id = a.asset_id and f.repository_id = %(repository_id)s and f.state <> 'missing'
        )""",
        {"repository_id": repository},
    ),
    "stage_state": _stage,
}
