"""Pictures are found that look like another one, and where nothing can be compared people hear why."""

from uuid import UUID

import numpy as np

from common import db
from common.db import Pool
from tests.support.gateway import JPEG, Api
from tests.support.given import User
from tests.support.vectors import embed, new_space, unit


async def test_similar_pictures_come_in_the_order_of_likeness(
    api: Api, pool: Pool, database_url: str, user: User
) -> None:
    """Without the asset itself and without what is in the trash; before it was looked at, the answer says so."""
    ids = [(await api.uploaded(JPEG + bytes([number])))["asset_id"] for number in range(5)]

    async def similar(asset: str, limit: int = 20) -> tuple[list[str], list[float], str | None]:
        answer = await api.client.get(f"/api/v1/assets/{asset}/similar", params={"limit": limit})
        assert answer.status_code == 200, answer.text
        data = answer.json()["data"]
        found = data["assets"]
        return [one["asset_id"] for one in found], [one["similarity"] for one in found], data.get("reason")

    _, _, reason = await similar(ids[0])
    assert reason is not None
    assert "any picture" in reason

    turned = unit(np.array([[np.cos(angle), np.sin(angle), 0, 0] for angle in (0, 0.9, 0.3, 0.6)]))
    async with db.alone(database_url) as conn:
        space = await new_space(conn, dimension=4)
        await embed(conn, space, [UUID(asset) for asset in ids[:4]], [user.user_id] * 4, turned)
    found, similarities, reason = await similar(ids[0])
    assert (found, reason) == ([ids[2], ids[3], ids[1]], None)
    assert np.allclose(similarities, np.cos([0.3, 0.6, 0.9]), atol=1e-3)
    assert (await similar(ids[0], limit=1))[0] == [ids[2]]
    assert "this asset" in str((await similar(ids[4]))[2])

    assert (await api.client.delete(f"/api/v1/assets/{ids[2]}")).status_code == 200
    assert (await similar(ids[0]))[0] == [ids[3], ids[1]]
    assert (await similar(ids[2]))[0] == [ids[0], ids[3], ids[1]]
