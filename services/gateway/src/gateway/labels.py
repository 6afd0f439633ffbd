"""What people teach: a label by a few pictures, and more of them later."""

from collections.abc import Sequence
from uuid import UUID

from common import edits, outbox
from common.db import Connection
from common.edits import Edits
from common.messages import LabelTaught
from gateway.errors import Conflict, Invalid, NotFound
from gateway.label_schemas import ExamplesRequest, TaughtDTO, TeachRequest
from gateway.queries import labels as queries
from gateway.queries import organising
from gateway.queries.labels import Taught

MOST_TAUGHT = 200
MOST_EXAMPLES = 200
LEAST = 5


async def teach(conn: Connection, asked: TeachRequest, *, owner: int) -> int:
    """Have a label learnt; returns which one that is."""
    label = edits.tidied(Edits(title=asked.label)).title
    if not label:
        raise Invalid("a label is a word or several, in which something can be seen")
    if len(set(asked.examples)) < LEAST:
        raise Invalid(f"it takes {LEAST} different examples at least")
    await _require_own(conn, asked, owner=owner)
    if await queries.count_taught(conn, owner=owner) >= MOST_TAUGHT:
        raise Conflict(f"you taught {MOST_TAUGHT} labels already: remove one that is not used")
    label_id = await queries.add(conn, label, owner=owner)
    if label_id is None:
        raise Conflict(f"you taught {label!r} already: add examples to that")
    await _save(conn, label_id, asked, owner=owner)
    return label_id


async def add_examples(conn: Connection, label_id: int, asked: ExamplesRequest, *, owner: int) -> None:
    """Have a label learnt anew, by more examples."""
    if not await queries.reopen(conn, label_id, owner=owner):
        raise unknown(label_id)
    if not asked.examples and not asked.counter_examples:
        raise Invalid("no picture is named: say `examples` or `counter_examples`")
    await _require_own(conn, asked, owner=owner)
    await _save(conn, label_id, asked, owner=owner)
    (taught,) = await queries.list_taught(conn, owner=owner, label_id=label_id)
    if max(taught.examples, taught.counter_examples) > MOST_EXAMPLES:
        raise Conflict(f"it would have more than {MOST_EXAMPLES} examples of one kind; nothing was done")


async def show(conn: Connection, label_id: int, *, owner: int) -> TaughtDTO:
    """A label that the owner taught."""
    found = await queries.list_taught(conn, owner=owner, label_id=label_id)
    if not found:
        raise unknown(label_id)
    return view(found[0])


def view(taught: Taught) -> TaughtDTO:
    """How far a label is, as clients see it."""
    part = min(taught.done / taught.total, 1.0) if taught.total else 0.0
    return TaughtDTO(
        label_id=taught.label_id,
        label=taught.label,
        state=taught.state,
        progress={"ready": 1.0, "applying": part}.get(taught.state, 0.0),
        examples=taught.examples,
        counter_examples=taught.counter_examples,
        error=taught.error,
        created_at=taught.created_at,
        learnt_at=taught.learnt_at,
    )


def unknown(label_id: int) -> NotFound:
    """There is no such label, or somebody else taught it."""
    return NotFound(f"no label {label_id}")


async def _require_own(conn: Connection, asked: TeachRequest | ExamplesRequest, *, owner: int) -> None:
    if both := sorted(set(asked.examples) & set(asked.counter_examples)):
        raise Invalid(f"asset {both[0]} is either an example or a counter-example")
    named: Sequence[UUID] = [*asked.examples, *asked.counter_examples]
    foreign = await organising.find_foreign(conn, named, owner=owner)
    if foreign is not None:
        raise NotFound(f"no asset {foreign}; nothing was done")


async def _save(conn: Connection, label_id: int, asked: TeachRequest | ExamplesRequest, *, owner: int) -> None:
    await queries.save_examples(conn, label_id, asked.examples, shows_it=True)
    await queries.save_examples(conn, label_id, asked.counter_examples, shows_it=False)
    await outbox.add(conn, LabelTaught(owner_id=owner, label_id=label_id))
