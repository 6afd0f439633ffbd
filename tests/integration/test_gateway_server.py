from common.db import Pool
from tests.support.gateway import Api
from tests.support.rows import ask, do


async def test_a_client_sees_that_the_catalogue_was_restored(api: Api, pool: Pool) -> None:
    """Whoever keeps a list of their own knows by another epoch that it has to be compared once more."""
    before = (await api.client.get("/api/v1/server")).json()["data"]
    await do(pool, "update server set epoch = gen_random_uuid()")

    after = (await api.client.get("/api/v1/server")).json()["data"]

    assert [str(epoch) for epoch in await ask(pool, "select epoch from server")] == [after["server_epoch"]]
    assert before != after
