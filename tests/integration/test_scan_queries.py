"""Wishes for runs over repositories, and what is asked about runs."""

import asyncio

from common import scan_queries as queries
from common.db import Pool
from common.scan_queries import Reason
from tests.support.given import Repository
from tests.support.rows import ask, do


async def wished(
    pool: Pool,
    repository: Repository,
    folder: bytes = b"",
    *,
    reason: Reason = "requested",
    is_quick: bool = False,
    allowed: int | None = None,
) -> int:
    async with pool.connection() as conn:
        return await queries.request_scan(
            conn, repository.repository_id, folder, reason=reason, is_quick=is_quick, allowed=allowed
        )


async def test_what_waits_already_is_not_wished_for_twice(pool: Pool, repository: Repository) -> None:
    """Ten who want the same at once get one run; another folder, another kind and a run that began do not count."""
    same = await asyncio.gather(*(wished(pool, repository, b"a") for _ in range(10)))
    others = {await wished(pool, repository), await wished(pool, repository, b"a", is_quick=True)}
    await do(pool, "update sync_operations set state = 'running', started_at = now() where folder = 'a'")
    later = await wished(pool, repository, b"a")

    assert len(set(same)) == 1
    assert len({*same, *others, later}) == 4


async def test_a_persons_word_reaches_the_run_that_waits(pool: Pool, repository: Repository) -> None:
    """The larger of two words counts, and a wish without one takes none back."""
    for allowed in (None, 7, 3, None):
        await wished(pool, repository, allowed=allowed)

    assert await ask(pool, "select allowed from sync_operations") == [7]


async def test_runs_are_listed_newest_first_and_found(pool: Pool, repository: Repository) -> None:
    """Pages follow each other; a run of another repository is none of this one's."""
    made = [await wished(pool, repository, b"%d" % number) for number in range(5)]
    async with pool.connection() as conn:
        first = await queries.list_operations(conn, repository.repository_id, limit=3)
        second = await queries.list_operations(conn, repository.repository_id, before=first[-1].operation_id, limit=3)
        found = await queries.find_operation(conn, made[2], repository_id=repository.repository_id)
        none = await queries.find_operation(conn, made[-1] + 1, repository_id=repository.repository_id)

    assert [one.operation_id for one in (*first, *second)] == made[::-1]
    assert (found is not None and found.folder, none) == (b"2", None)


async def test_the_last_run_of_each_kind_and_those_that_are_not_over(pool: Pool, repository: Repository) -> None:
    """Ended runs are told once for each reason, and what runs comes before what waits."""
    for state in ("done", "failed"):
        for reason in ("daily", "quick"):
            await do(
                pool,
                f"insert into sync_operations (repository_id, reason, state) "
                f"values ('{repository.repository_id}', '{reason}', '{state}')",
            )
    await wished(pool, repository, b"waits")
    await wished(pool, repository, b"runs")
    await do(pool, "update sync_operations set state = 'running' where folder = 'runs'")

    async with pool.connection() as conn:
        last = await queries.list_last(conn, repository.repository_id)
        still = await queries.list_open(conn, repository.repository_id)

    assert [(one.reason, one.state) for one in last] == [("quick", "failed"), ("daily", "failed")]
    assert [one.folder for one in still] == [b"runs", b"waits"]


async def test_a_question_stands_until_a_run_needs_not_ask_it(pool: Pool, repository: Repository) -> None:
    """A later run that did as much and did not ask answers it; a look at another folder, or a quick one, does not."""
    asked = await wished(pool, repository, b"a")
    await do(pool, "update sync_operations set state = 'asking', asks = 60, ended_at = now()")

    async def asking() -> int | None:
        async with pool.connection() as conn:
            found = await queries.find_asking(conn, repository.repository_id)
        return found.operation_id if found else None

    for folder, is_quick in ((b"ab", False), (b"a/b", False), (b"a", True)):
        await wished(pool, repository, folder, is_quick=is_quick)
        await do(pool, "update sync_operations set state = 'done' where state = 'queued'")
        assert await asking() == asked
    await wished(pool, repository)
    assert await asking() == asked
    await do(pool, "update sync_operations set state = 'done' where state = 'queued'")
    assert await asking() is None
