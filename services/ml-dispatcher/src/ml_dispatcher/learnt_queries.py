"""The SQL of labels that people taught: what is to be learnt, from which vectors, and of which assets it is said."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct

from common.db import Connection, struct_row


class Claim(Struct, frozen=True, kw_only=True):
    """The right to learn or to apply a label, until somebody newer has it; and the space that counts at the moment."""

    label_id: int
    owner_id: int
    label: str
    lease_epoch: int
    lesson: bytes | None
    space_id: int | None
    model: str | None


class Taught(Struct, frozen=True, kw_only=True):
    """A label that was learnt: how vectors of a space are weighed, and whose pictures they are."""

    label_id: int
    owner_id: int
    label: str
    space_id: int
    model: str
    weights: bytes


class Example(Struct, frozen=True, kw_only=True):
    """Where an example lies in a space, as the database sends it."""

    shows_it: bool
    vector: bytes


class Seen(Struct, frozen=True, kw_only=True):
    """A vector of an asset, as the database sends it."""

    asset_id: UUID
    vector: bytes


async def claim(conn: Connection, *, lease_seconds: float) -> Claim | None:
    """What is to be learnt, or said of the rest, or learnt anew because another space counts; leased to the caller.

    `lesson` is what was learnt already in the space that counts.
    """
    async with conn.cursor(row_factory=struct_row(Claim)) as cursor:
        await cursor.execute(
            """
            update learnt_labels l
            set lease_epoch = l.lease_epoch + 1, lease_until = now() + make_interval(secs => %s)
            from (
                select w.label_id, s.space_id, s.model
                from learnt_labels w
                left join embedding_spaces s on s.state = 'current'
                where (w.state in ('waiting', 'applying') or w.state = 'ready' and w.space_id <> s.space_id)
                  and w.turn_at <= now()
                  and (w.lease_until is null or w.lease_until <= now())
                order by w.turn_at, w.label_id
                limit 1
                for update of w skip locked
            ) due
            where l.label_id = due.label_id
            returning l.label_id, l.owner_id, l.label, l.lease_epoch, due.space_id, due.model,
                      case when l.state = 'applying' and l.space_id = due.space_id then l.weights end as lesson
            """,
            (lease_seconds,),
        )
        return await cursor.fetchone()


async def give_back(conn: Connection, claim: Claim) -> None:
    """Let another one have it at once, if there is anything left to do."""
    await conn.execute(
        "update learnt_labels set lease_until = null where label_id = %s and lease_epoch = %s",
        (claim.label_id, claim.lease_epoch),
    )


async def put_off(conn: Connection, claim: Claim, reason: str, *, seconds: float) -> None:
    """Let others go first, and say why."""
    await conn.execute(
        """
        update learnt_labels
        set lease_until = null, turn_at = now() + make_interval(secs => %s), error = %s
        where label_id = %s and lease_epoch = %s
        """,
        (seconds, reason, claim.label_id, claim.lease_epoch),
    )


async def give_up(conn: Connection, claim: Claim, reason: str) -> None:
    """It cannot be learnt, for a reason that people can act on."""
    await conn.execute(
        """
        update learnt_labels
        set state = 'failed', error = %s, lease_until = null
        where label_id = %s and lease_epoch = %s
        """,
        (reason, claim.label_id, claim.lease_epoch),
    )


async def list_examples(conn: Connection, claim: Claim) -> list[Example]:
    """The pictures that it is learnt by, as far as they have been looked at."""
    async with conn.cursor(binary=True, row_factory=struct_row(Example)) as cursor:
        await cursor.execute(
            """
            select x.shows_it, halfvec_send(e.vector) as vector
            from learnt_examples x
            join embeddings e on e.asset_id = x.asset_id and e.space_id = %s and e.frame = 0
            where x.label_id = %s
            order by x.asset_id
            """,
            (claim.space_id, claim.label_id),
        )
        return await cursor.fetchall()


async def count_vectors(conn: Connection, claim: Claim) -> int:
    """How many vectors the owner has in the space."""
    cursor = await conn.execute(
        "select count(*) from embeddings where owner_id = %s and space_id = %s", (claim.owner_id, claim.space_id)
    )
    return int((await cursor.fetchall())[0][0])


async def pick_few(conn: Connection, claim: Claim, *, most: int) -> list[bytes]:
    """So many other vectors of the owner at random, of which there are not very many."""
    cursor = conn.cursor(binary=True)
    await cursor.execute(
        """
        select halfvec_send(e.vector)
        from embeddings e
        where e.owner_id = %s
          and e.space_id = %s
          and e.frame = 0
          and not exists (select from learnt_examples x where x.label_id = %s and x.asset_id = e.asset_id)
        order by random()
        limit %s
        """,
        (claim.owner_id, claim.space_id, claim.label_id, most),
    )
    return [row[0] for row in await cursor.fetchall()]


async def pick_of_many(conn: Connection, claim: Claim, *, most: int, percent: float) -> list[bytes]:
    """The same where there are very many: only a part of the table is looked at."""
    cursor = conn.cursor(binary=True)
    await cursor.execute(
        """
        select halfvec_send(e.vector)
        from embeddings e tablesample system (%s)
        where e.owner_id = %s
          and e.space_id = %s
          and e.frame = 0
          and not exists (select from learnt_examples x where x.label_id = %s and x.asset_id = e.asset_id)
        order by random()
        limit %s
        """,
        (percent, claim.owner_id, claim.space_id, claim.label_id, most),
    )
    return [row[0] for row in await cursor.fetchall()]


async def save_lesson(conn: Connection, claim: Claim, weights: bytes, *, total: int, lease_seconds: float) -> bool:
    """What was learnt, to be said of all from the first on; False when it is not the caller's any more."""
    cursor = await conn.execute(
        """
        update learnt_labels
        set state = 'applying', weights = %s, space_id = %s, applied_to = null, done = 0, total = %s, error = null,
            learnt_at = now(), lease_until = now() + make_interval(secs => %s)
        where label_id = %s and lease_epoch = %s
        """,
        (weights, claim.space_id, total, lease_seconds, claim.label_id, claim.lease_epoch),
    )
    return bool(cursor.rowcount)


async def list_following(conn: Connection, claim: Claim, *, most: int) -> list[Seen]:
    """The owner's next vectors that it was not said of yet, in the order of their assets."""
    async with conn.cursor(binary=True, row_factory=struct_row(Seen)) as cursor:
        await cursor.execute(
            """
            select e.asset_id, halfvec_send(e.vector) as vector
            from embeddings e
            where e.owner_id = %(owner)s
              and e.space_id = %(space)s
              and e.asset_id > coalesce(
                  (select applied_to from learnt_labels where label_id = %(label)s),
                  '00000000-0000-0000-0000-000000000000'
              )
            order by e.asset_id
            limit %(most)s
            """,
            {"owner": claim.owner_id, "space": claim.space_id, "label": claim.label_id, "most": most},
        )
        return await cursor.fetchall()


async def mark_applied(conn: Connection, claim: Claim, to: UUID, *, count: int, lease_seconds: float) -> bool:
    """So far it is said of all; nobody changes that until the transaction ends. False when it is not the caller's."""
    cursor = await conn.execute(
        """
        update learnt_labels
        set applied_to = %s, done = done + %s, lease_until = now() + make_interval(secs => %s)
        where label_id = %s and lease_epoch = %s and state = 'applying'
        """,
        (to, count, lease_seconds, claim.label_id, claim.lease_epoch),
    )
    return bool(cursor.rowcount)


async def mark_ready(conn: Connection, claim: Claim) -> None:
    """It is said of all."""
    await conn.execute(
        """
        update learnt_labels
        set state = 'ready', done = greatest(done, total), lease_until = null
        where label_id = %s and lease_epoch = %s and state = 'applying'
        """,
        (claim.label_id, claim.lease_epoch),
    )


async def list_told(conn: Connection, label_id: int, asset_ids: Sequence[UUID]) -> dict[UUID, bool]:
    """Of which of these assets a person said themselves whether they show it."""
    cursor = await conn.execute(
        "select asset_id, shows_it from learnt_examples where label_id = %s and asset_id = any(%s)",
        (label_id, list(asset_ids)),
    )
    return dict(await cursor.fetchall())


async def hold_assets(conn: Connection, asset_ids: Iterable[UUID]) -> None:
    """Assets stay as they are until the transaction ends."""
    await conn.execute("select from assets where asset_id = any(%s) order by asset_id for share", (list(asset_ids),))


async def take_due(conn: Connection, *, limit: int) -> list[UUID]:
    """Take out assets with new vectors, those that wait longest; they are back if the transaction fails."""
    cursor = await conn.execute(
        """
        delete from learnt_due
        where due_id in (
            select due_id
            from learnt_due
            order by due_id
            limit %s
            for update skip locked
        )
        returning asset_id
        """,
        (limit,),
    )
    return sorted({row[0] for row in await cursor.fetchall()})


async def list_taught(conn: Connection, asset_ids: Sequence[UUID]) -> list[Taught]:
    """What was learnt that is to be said of these assets; it stays so until the transaction ends."""
    async with conn.cursor(row_factory=struct_row(Taught)) as cursor:
        await cursor.execute(
            """
            select l.label_id, l.owner_id, l.label, l.space_id, s.model, l.weights
            from learnt_labels l
            join embedding_spaces s on s.space_id = l.space_id
            where l.owner_id in (select owner_id from assets where asset_id = any(%s))
              and l.state in ('applying', 'ready')
            order by l.label_id
            for share of l
            """,
            (list(asset_ids),),
        )
        return await cursor.fetchall()


async def list_vectors(conn: Connection, asset_ids: Sequence[UUID], *, owner: int, space: int) -> list[Seen]:
    """The vectors in a space of those of the assets that are the owner's."""
    async with conn.cursor(binary=True, row_factory=struct_row(Seen)) as cursor:
        await cursor.execute(
            """
            select asset_id, halfvec_send(vector) as vector
            from embeddings
            where asset_id = any(%s) and owner_id = %s and space_id = %s
            order by asset_id
            """,
            (list(asset_ids), owner, space),
        )
        return await cursor.fetchall()
