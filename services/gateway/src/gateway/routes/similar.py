"""Which assets look alike."""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import structs

from common.db import Connection
from gateway import views
from gateway.filter_schemas import AssetFilter
from gateway.paging import Limit
from gateway.policies import READ
from gateway.queries import assets, vectors
from gateway.queries.users import User
from gateway.schemas import Envelope
from gateway.similar_schemas import SimilarAssetDTO, SimilarList

NO_SPACE = "no inference server has looked at any picture yet: docs/meaning.md says how to have one"
NO_VECTOR = "this asset is a recording, or no inference server has looked at it yet: then ask again when one has"


@get("/assets/{asset_id:uuid}/similar", opt=READ)
async def list_similar(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    owner: NamedDependency[int],  # noqa: ARG001  # it is why the caller may ask
    asset_id: FromPath[UUID],
    limit: Limit = 20,
) -> Envelope[SimilarList]:
    """Those of the caller's own assets that look most like one that they may see, without what is hidden."""
    space = await vectors.find_current_space(conn)
    if space is None:
        return Envelope(data=SimilarList(assets=[], limit=limit, reason=NO_SPACE))
    vector = await vectors.find_vector(conn, asset_id, space)
    if vector is None:
        return Envelope(data=SimilarList(assets=[], limit=limit, reason=NO_VECTOR))
    found = dict(await vectors.nearest(conn, space, vector, AssetFilter(), owner=user.user_id, limit=limit + 1))
    found.pop(asset_id, None)
    shown = await assets.list_assets(conn, list(found)[:limit], owner=user.user_id)
    similar = [
        SimilarAssetDTO(**structs.asdict(views.card(asset)), similarity=1 - found[asset.asset_id]) for asset in shown
    ]
    return Envelope(data=SimilarList(assets=similar, limit=limit))


HANDLERS = [list_similar]
