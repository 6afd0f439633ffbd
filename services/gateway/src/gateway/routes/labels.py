"""Labels: what models see in the caller's pictures, and what the caller taught by a few of them."""

from typing import Annotated

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from common.db import Connection
from common.process import Core
from gateway import labels
from gateway.declared import may
from gateway.errors import Conflict, NotFound
from gateway.label_schemas import ExamplesRequest, LabelDTO, LabelList, TaughtDTO, TeachRequest
from gateway.paging import Limit
from gateway.policies import EDIT, READ
from gateway.queries import labels as queries
from gateway.queries.users import User
from gateway.schemas import Envelope, Message

MOST_COUNTED = 1000


@post("/labels", status_code=202, opt=EDIT | may(NotFound, Conflict))
async def teach_label(
    core: NamedDependency[Core], user: NamedDependency[User], data: JSONBody[TeachRequest]
) -> Envelope[TaughtDTO]:
    """Teach a label by five to fifty of the caller's pictures; it is said of all others that show the same.

    It takes seconds, where an inference server has looked at the pictures, and holds for those to come. `GET /labels`
    tells how far it is.
    """
    async with core.pool.connection() as conn:
        label_id = await labels.teach(conn, data, owner=user.user_id)
        answer = await labels.show(conn, label_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=answer)


@get("/labels", opt=READ)
async def list_labels(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    limit: Limit = 20,
    after: Annotated[str | None, QueryParameter(max_length=500)] = None,
) -> Envelope[LabelList]:
    """The labels of the caller's pictures by name, and what the caller taught; `after` takes the `next` before."""
    found = await queries.list_page(conn, owner=user.user_id, after=after, limit=limit, most=MOST_COUNTED + 1)
    taught = await queries.list_taught(conn, owner=user.user_id)
    return Envelope(
        data=LabelList(
            labels=[_label(one) for one in found],
            taught=[labels.view(one) for one in taught],
            limit=limit,
            next=found[-1].label if len(found) == limit else UNSET,
        )
    )


@patch("/labels/{label_id:int}", status_code=202, opt=EDIT | may(NotFound, Conflict))
async def add_label_examples(
    core: NamedDependency[Core], user: NamedDependency[User], label_id: FromPath[int], data: JSONBody[ExamplesRequest]
) -> Envelope[TaughtDTO]:
    """Have a label that the caller taught learnt anew, by more pictures; it stays where it is until then."""
    async with core.pool.connection() as conn:
        await labels.add_examples(conn, label_id, data, owner=user.user_id)
        answer = await labels.show(conn, label_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=answer)


@delete("/labels/{label_id:int}", status_code=200, opt=EDIT)
async def delete_label(
    conn: NamedDependency[Connection], user: NamedDependency[User], label_id: FromPath[int]
) -> Envelope[Message]:
    """Forget a label that the caller taught: no picture has it any more, unless a model says the same."""
    if not await queries.forget(conn, label_id, owner=user.user_id):
        raise labels.unknown(label_id)
    return Envelope(data=Message(message="the label is forgotten"))


def _label(one: queries.Label) -> LabelDTO:
    return LabelDTO(label=one.label, count=min(one.count, MOST_COUNTED), count_is_at_least=one.count > MOST_COUNTED)


HANDLERS = [teach_label, list_labels, add_label_examples, delete_label]
