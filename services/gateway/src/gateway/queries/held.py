"""The SQL of thumbnails that are asked for with tokens: many at once, each only for who may have it."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from gateway.queries.users import Bearer


class Question(NamedTuple):
    """Who asks for which thumbnail."""

    bearer: Bearer
    asset_id: UUID
    size: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A thumbnail that its owner asked for; `number` is the place of the question, from 1."""

    number: int
    home: bytes
    path: bytes
    mime_type: str
    length: int
    hash: bytes
    original_filename: str


async def list_held(conn: Connection, questions: Sequence[Question], *, leeway: int) -> dict[int, Held]:
    """The thumbnails of active users' own assets, by question, for as long as sign-ins and tokens last."""
    async with conn.cursor(row_factory=struct_row(Held)) as cursor:
        await cursor.execute(
            """
            select q.number, coalesce(r.private_root, r.root) as home, t.path, t.mime_type, t.bytes as length, t.hash,
                   a.original_filename
            from unnest(
                %(users)s::int[], %(sessions)s::uuid[], %(begins)s::numeric[], %(ends)s::numeric[],
                %(assets)s::uuid[], %(sizes)s::text[]
            ) with ordinality q (user_id, session_id, begins, ends, asset_id, size, number)
            join users u on u.user_id = q.user_id and u.is_active
            join sessions s on s.session_id = q.session_id and s.user_id = q.user_id
            join assets a on a.asset_id = q.asset_id and a.owner_id = q.user_id
            join thumbnails t on t.asset_id = q.asset_id and t.size = q.size
            join repositories r on r.repository_id = t.repository_id
            where extract(epoch from now()) between q.begins - %(leeway)s and q.ends + %(leeway)s
            """,
            {
                "users": [question.bearer.user_id for question in questions],
                "sessions": [question.bearer.session_id for question in questions],
                "begins": [question.bearer.begins for question in questions],
                "ends": [question.bearer.ends for question in questions],
                "assets": [question.asset_id for question in questions],
                "sizes": [question.size for question in questions],
                "leeway": leeway,
            },
        )
        return {found.number: found for found in await cursor.fetchall()}
