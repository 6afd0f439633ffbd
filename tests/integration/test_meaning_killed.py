"""Processes of ml-dispatcher and of an inference server, ended in the middle of their work."""

from functools import partial

from common.db import Pool
from lumilio import ports
from tests.support.given import Repository, User
from tests.support.meaning import many_pictured
from tests.support.rows import ask
from tests.support.stack import running
from tests.support.waiting import until


async def test_killed_in_the_middle_each_asset_has_one_vector(
    pool: Pool, repository: Repository, user: User, database_url: str, nats_url: str
) -> None:
    """Dispatcher and server end without a word, twice each, while many photos from before are looked at."""
    count, address = 400, f"127.0.0.1:{ports.choose(0)}"
    await many_pictured(pool, repository, user, count)
    settings = {
        "LUMILIO_DATABASE_URL": database_url,
        "LUMILIO_NATS_URL": nats_url,
        "LUMILIO_INFERENCE_SERVERS": address,
    }
    for least in (1, 150, count):
        async with running("ml_dispatcher", **settings), running("tests.support.inferring", address):
            await until(partial(ask, pool, f"select 1 from embeddings having count(*) >= {least}"), seconds=60)
    assert await ask(pool, "select count(*), count(distinct asset_id) from embeddings") == [(count, count)]
    assert await ask(pool, "select distinct failures from asset_stages where stage = 'embed:1'") == [0]
