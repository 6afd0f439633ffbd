"""What people say about their photos: kept beside what the file says, which it goes before."""

from uuid import UUID

from litestar import patch, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import structs

from common import outbox
from common import queries as core_queries
from common.edits import POSITION, Edits, Name
from common.messages import AssetUpdated
from common.process import Core
from common.stages import Stage
from common.trash_queries import is_known
from gateway import editing, specific_metadata
from gateway.asset_schemas import AssetDetail
from gateway.declared import may
from gateway.edit_schemas import DescribeRequest, EditRequest, RateRequest, ReplaceRequest
from gateway.errors import NotFound, Unusable
from gateway.organising_schemas import RateLikeRequest
from gateway.policies import EDIT
from gateway.queries import edits as queries
from gateway.queries import organising
from gateway.queries.users import User
from gateway.routes.assets import show, show_all
from gateway.schemas import Envelope, Message


@patch("/assets/{asset_id:uuid}", status_code=200, opt=EDIT)
async def edit_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[EditRequest]
) -> Envelope[AssetDetail]:
    """Say something of one of the caller's assets; what is not named stays as it is.

    null wants nothing to be shown there, and `reset` names what the file is to be asked for again. `taken_time` is the
    time on the clock where it was taken, without a zone; `tags` are all of its tags, with `/` between levels.
    """
    given = Edits(**{field.name: getattr(data, field.name) for field in structs.fields(Edits)})
    await _save(core, user, asset_id, given, data.reset)
    async with core.pool.connection() as conn:
        return Envelope(data=await show_all(conn, asset_id, owner=user.user_id))


@put("/assets/{asset_id:uuid}", opt=EDIT | may(Unusable))
async def replace_metadata(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[ReplaceRequest]
) -> Envelope[Message]:
    """Keep what is different in the `specific_metadata` of one of the caller's assets from what is shown.

    What is left out stays, and what only the file says is refused when it is different. `PATCH` takes things back.
    """
    async with core.pool.connection() as conn:
        shown = (await show(conn, asset_id, owner=user.user_id, with_thumbnails=False)).specific_metadata
    said = specific_metadata.edits(data.specific_metadata, shown)
    if said == Edits():
        return Envelope(data=Message(message="nothing is different"))
    await _save(core, user, asset_id, said)
    return Envelope(data=Message(message="the metadata is kept"))


@put("/assets/{asset_id:uuid}/rating", opt=EDIT)
async def rate_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[RateRequest]
) -> Envelope[Message]:
    """Give one of the caller's assets so many stars; 0 are none."""
    await _save(core, user, asset_id, Edits(rating=data.rating))
    return Envelope(data=Message(message="the rating is kept"))


@put("/assets/{asset_id:uuid}/rating-and-like", opt=EDIT)
async def rate_and_like_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[RateLikeRequest]
) -> Envelope[Message]:
    """Give one of the caller's assets so many stars, and say whether they like it."""
    await _save(core, user, asset_id, Edits(rating=data.rating), liked=data.liked)
    return Envelope(data=Message(message="the rating and the like are kept"))


@put("/assets/{asset_id:uuid}/description", opt=EDIT)
async def describe_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[DescribeRequest]
) -> Envelope[Message]:
    """Describe one of the caller's assets."""
    await _save(core, user, asset_id, Edits(description=data.description))
    return Envelope(data=Message(message="the description is kept"))


async def _save(
    core: Core, user: User, asset_id: UUID, said: Edits, reset: list[Name] | None = None, *, liked: bool | None = None
) -> None:
    """One transaction: the words, their place in the timeline, the event, and the sidecar that is to tell them."""
    given, taken_back = editing.checked(said, reset or [])
    is_moved = bool(POSITION & (given.keys() | taken_back))
    async with core.pool.connection() as conn:
        if not await is_known(conn, asset_id, owner=user.user_id):
            raise NotFound(f"no asset {asset_id}")
        await core_queries.demand(conn, asset_id, Stage.SIDECAR, owner=user.user_id)  # stages are locked before assets
        await queries.lock_asset(conn, asset_id)
        await queries.save_edits(conn, asset_id, given=given, reset=sorted(taken_back), is_moved=is_moved)
        await queries.sort_as_edited(conn, asset_id)
        if liked is not None:
            await organising.mark_liked(conn, [asset_id], liked=liked, owner=user.user_id)
        await outbox.add(conn, AssetUpdated(owner_id=user.user_id, asset_id=asset_id))
    core.relay.wake()


HANDLERS = [edit_asset, replace_metadata, rate_asset, rate_and_like_asset, describe_asset]
