"""What people say about their photos: kept beside what the file says, which it goes before."""

from uuid import UUID

from litestar import patch, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import structs

from common import edits, outbox
from common import queries as core_queries
from common.edits import POSITION, Edits, Name
from common.messages import AssetUpdated
from common.process import Core
from common.stages import Stage
from common.trash_queries import is_known
from gateway.errors import Invalid, NotFound
from gateway.queries import edits as queries
from gateway.queries.users import User
from gateway.routes.assets import show
from gateway.schemas import AssetDetail, DescribeRequest, EditRequest, Envelope, Message, RateRequest


@patch("/assets/{asset_id:uuid}", status_code=200)
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
        return Envelope(data=await show(conn, asset_id, owner=user.user_id))


@put("/assets/{asset_id:uuid}/rating")
async def rate_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[RateRequest]
) -> Envelope[Message]:
    """Give one of the caller's assets so many stars; 0 are none."""
    await _save(core, user, asset_id, Edits(rating=data.rating))
    return Envelope(data=Message(message="the rating is kept"))


@put("/assets/{asset_id:uuid}/description")
async def describe_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[DescribeRequest]
) -> Envelope[Message]:
    """Describe one of the caller's assets."""
    await _save(core, user, asset_id, Edits(description=data.description))
    return Envelope(data=Message(message="the description is kept"))


async def _save(core: Core, user: User, asset_id: UUID, said: Edits, reset: list[Name] | None = None) -> None:
    """One transaction: the words, their place in the timeline, the event, and the sidecar that is to tell them."""
    given, taken_back = _checked(said, reset or [])
    is_moved = bool(POSITION & (given.keys() | taken_back))
    async with core.pool.connection() as conn:
        if not await is_known(conn, asset_id, owner=user.user_id):
            raise NotFound(f"no asset {asset_id}")
        await core_queries.demand(conn, asset_id, Stage.SIDECAR, owner=user.user_id)  # stages are locked before assets
        await queries.lock_asset(conn, asset_id)
        await queries.save_edits(conn, asset_id, given=given, reset=sorted(taken_back), is_moved=is_moved)
        await queries.sort_as_edited(conn, asset_id)
        await outbox.add(conn, AssetUpdated(owner_id=user.user_id, asset_id=asset_id))
    core.relay.wake()


def _checked(said: Edits, reset: list[Name]) -> tuple[dict[str, object], set[Name]]:
    try:
        given = edits.given(edits.tidied(said))
    except ValueError as error:
        raise Invalid(str(error)) from None
    taken_back = set(reset)
    if len(taken_back & POSITION) == 1:
        raise Invalid("a position is `gps_latitude` and `gps_longitude`: reset both")
    if both := sorted(given.keys() & taken_back):
        raise Invalid(f"{', '.join(both)}: either say something or reset it")
    if not given and not taken_back:
        raise Invalid("nothing is said: name what to change, or what to `reset`")
    return given, taken_back
