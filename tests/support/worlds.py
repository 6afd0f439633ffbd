"""Some people, what one of them has, and what of it she shares: for asking a gateway as each of them."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from blake3 import blake3

from common import passwords
from common.db import Pool, glance
from gateway import share_visits, tokens
from gateway.contract import samples
from gateway.queries import sessions, users
from gateway.queries.users import User
from gateway.tokens import Tokens
from tests.support import given, matrix
from tests.support.gateway import JPEG, SECRET, Api
from tests.support.given import Repository
from tests.support.matrix import Heard, Route, Who
from tests.support.rows import ask

Things = dict[str, Any]
PEOPLE = ("owner", "other", "viewer", "editor", "disabled", "admin", "leaving")
WORD = "canary"
"""Stands in every name and text of the owner's that nobody else may read."""
SAID = '{"title": "a canary", "description": "a canary", "tags": ["canaries/canary"]}'
REVOKED, READING = (tokens.KEY_PREFIX + word * 32 for word in ("ab", "cd"))


@dataclass(frozen=True)
class World:
    """A gateway with some people; `private` is what nobody else sees, `shared` what lies in an album of three."""

    api: Api
    pool: Pool
    people: dict[str, User]
    private: Things
    shared: Things
    links: dict[str, str]
    secrets: tuple[str, ...]

    async def hear(self, route: Route, who: Who, things: Things) -> Heard:
        """What somebody is told about things, and about such as nobody has."""
        status, text = await self.ask(route, who, things)
        if not route.is_of_somebody or who in matrix.NOT_SIGNED_IN:
            return Heard(status, text, status, text)
        nothing = matrix.nowhere(things)
        nothing_status, nothing_text = await self.ask(route, who, nothing)
        return Heard(status, _named(text, things), nothing_status, _named(nothing_text, nothing))

    async def ask(self, route: Route, who: Who, things: Things) -> tuple[int, str]:
        """The status and the body of an answer."""
        answer = await self.api.client.request(
            route.method,
            route.url(things),
            params=route.query,
            json=matrix.filled(route.body, things) if route.body is not None else None,
            headers=route.headers | await self.sign_in(who),
        )
        return answer.status_code, answer.content.decode(errors="replace")

    def leaks(self, text: str) -> list[str]:
        """What an answer tells that nobody else may know."""
        return [secret for secret in self.secrets if secret in text]

    async def kept(self) -> dict[str, str]:
        """All that the database holds of the owner, in short."""
        found = {}
        async with self.pool.connection() as conn:
            cursor = await conn.execute(OWNED_TABLES)
            for table, condition in await cursor.fetchall():
                sums = await conn.execute(
                    f"select md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from {table} t "
                    f"where {condition}".encode(),
                    {"owner": self.people["owner"].user_id},
                )
                found[table] = (await sums.fetchall())[0][0]
        return found

    async def sign_in(self, who: Who) -> dict[str, str]:
        """A new sign-in for each request, for some requests end one."""
        if who == "anonymous":
            return {}
        if who in {"revoked key", "read-only key"}:
            return {"Authorization": f"Bearer {REVOKED if who == 'revoked key' else READING}"}
        if who in {"visitor", "former visitor"}:
            return {"Authorization": f"Share {self.links['visitor' if who == 'visitor' else 'expired']}"}
        session, user = uuid4(), self.people[who]
        async with glance(self.pool) as conn:
            await sessions.save_session(conn, session, user=user.user_id, lives_seconds=3600, user_agent="", address="")
        return {"Authorization": f"Bearer {Tokens(SECRET, 900).access(user, session, datetime.now(UTC))}"}


OWNED_TABLES = """
    select table_name,
           case when bool_or(column_name = 'owner_id') then 'owner_id = %(owner)s'
                when bool_or(column_name = 'asset_id')
                then 'asset_id in (select asset_id from assets where owner_id = %(owner)s)'
                when bool_or(column_name = 'album_id')
                then 'album_id in (select album_id from albums where owner_id = %(owner)s)'
                else 'user_id = %(owner)s' end
    from information_schema.columns
    where table_schema = 'public'
      and column_name in ('owner_id', 'asset_id', 'album_id', 'user_id')
      and table_name not in ('sessions', 'refresh_tokens', 'api_keys', 'audit')
    group by table_name
"""


async def create(api: Api, pool: Pool, repository: Repository) -> World:
    """Everybody and everything, the owner's first, so that what is numbered has the number of the examples, 1."""
    people = {name: await _new_person(pool, name) for name in PEOPLE}
    world = World(api, pool, people, {}, {}, {}, (WORD, blake3(JPEG).hexdigest()))
    common = {"repository_id": str(repository.repository_id), "user_id": people["leaving"].user_id, **matrix.WORDS}
    common["invite_id"] = await _make_invite(pool, people["admin"].user_id)
    own = await _make_own(pool, people["owner"].user_id)
    for things, content in ((world.shared, JPEG + b"shared"), (world.private, JPEG)):
        things.update(common | own | await _upload(world, content))
        name = f"a {WORD}" if things is world.private else "shared"
        things["album_id"] = await _make_album(pool, people["owner"].user_id, things["asset_id"], name)
        things.update(await _gather(pool, people["owner"].user_id, things["asset_id"]))
    for name, maker in matrix.MADE_BY.items():
        for things in (world.shared, world.private):
            things[name] = await _made_by(world, maker, name, things)
    await _make_links(world)
    async with pool.connection() as conn:
        await conn.execute("update users set is_admin = true where username = 'admin'")
        await conn.execute("update users set is_active = false where username = 'disabled'")
        await conn.execute(
            """
            insert into album_members (album_id, user_id, role)
            select %s, user_id, username from users where username in ('viewer', 'editor')
            """,
            (world.shared["album_id"],),
        )
    return world


@cache
def _hashed() -> str:
    """The password of the contract's examples."""
    return passwords.hashed(samples.WORDS["password"])


async def _new_person(pool: Pool, name: str) -> User:
    made = await given.new_user(pool, name, "", password_hash=_hashed())
    async with glance(pool) as conn:
        found = await users.find_user(conn, made.user_id)
    assert found is not None
    return found


async def _upload(world: World, content: bytes) -> Things:
    """An asset of the owner's with words of hers; what is to be shared of it tells nothing that is not."""
    name = f"{'shared' if content != JPEG else WORD}.jpg"
    headers = await world.sign_in("owner")
    answer = await world.api.client.post("/api/v1/assets", files={"file": (name, content)}, headers=headers)
    made = answer.json()["data"]
    async with world.pool.connection() as conn:
        await conn.execute(
            """
            insert into asset_metadata (asset_id, edits) values (%(asset)s, %(edits)s)
            on conflict (asset_id) do update set edits = excluded.edits
            """,
            {"asset": made["asset_id"], "edits": SAID.replace(WORD, "shared") if content != JPEG else SAID},
        )
    return {"asset_id": made["asset_id"], "task_id": made["task_id"]}


async def _make_album(pool: Pool, owner: int, asset: str, name: str) -> int:
    async with pool.connection() as conn:
        cursor = await conn.execute(
            "insert into albums (owner_id, album_name) values (%s, %s) returning album_id", (owner, name)
        )
        album: int = (await cursor.fetchall())[0][0]
        await conn.execute("insert into album_assets (album_id, asset_id, position) values (%s, %s, 1)", (album, asset))
    return album


async def _make_links(world: World) -> None:
    """Links to the shared album, one of each kind, and a visitor who followed the first."""
    made = {"live": (None, "1 hour"), "expired": (None, "-1 hour"), "locked": ("no hash of any password", "1 hour")}
    world.links["revoked"] = share_visits.new_token()
    async with world.pool.connection() as conn:
        for kind, (password, lives) in made.items():
            world.links[kind] = share_visits.new_token()
            await conn.execute(
                """
                insert into shares (album_id, token_hash, password_hash, expires_at, allow_download)
                values (%s, %s, %s, now() + %s::interval, true)
                """,
                (world.shared["album_id"], share_visits.digest(world.links[kind]), password, lives),
            )
    opened = await world.api.client.post(f"/api/v1/shared/{world.links['live']}/open", json={})
    assert opened.status_code == 200, opened.text
    world.links["visitor"] = opened.json()["data"]["visitor"]


async def _made_by(world: World, maker: str, name: str, things: Things) -> Any:
    """What a route makes of the example of its contract."""
    route = next(route for route in matrix.routes() if str(route) == maker)
    status, text = await world.ask(route, "owner", things)
    assert status < 300, f"{maker} makes nothing of its example: {text}"
    return json.loads(text)["data"][name]


async def _gather(pool: Pool, owner: int, asset: str) -> Things:
    """The tag that an asset has by its words, a stack that it stands for, and a label that it is an example of."""
    async with pool.connection() as conn:
        cursor = await conn.execute("select tag_id from asset_tags where asset_id = %s and is_own", (asset,))
        tag = (await cursor.fetchall())[0][0]
        await conn.execute("update tags set is_kept = true where tag_id = %s", (tag,))
        cursor = await conn.execute(
            "insert into stacks (owner_id, cover_asset_id) values (%s, %s) returning stack_id", (owner, asset)
        )
        stack = (await cursor.fetchall())[0][0]
        await conn.execute("insert into stack_assets (asset_id, stack_id, position) values (%s, %s, 1)", (asset, stack))
        cursor = await conn.execute(
            "insert into learnt_labels (owner_id, label) values (%s, %s) returning label_id",
            (owner, f"a {WORD} {stack}"),
        )
        label = (await cursor.fetchall())[0][0]
        await conn.execute(
            "insert into learnt_examples (label_id, asset_id, shows_it) values (%s, %s, true)", (label, asset)
        )
    return {"tag_id": tag, "stack_id": stack, "label_id": label}


async def _make_invite(pool: Pool, user: int) -> int:
    """An invitation that nobody has used."""
    (found,) = await ask(
        pool,
        "insert into invites (token_hash, invited_by, is_admin, expires_at)"
        f" values (sha256('an invitation'), {user}, false, now() + interval '1 day') returning invite_id",
    )
    return int(found)


async def _make_own(pool: Pool, owner: int) -> Things:
    """A key that may read, and one that was revoked; a sign-in."""
    session = str(uuid4())
    async with pool.connection() as conn:
        for shown in (READING, tokens.new()):
            cursor = await conn.execute(
                "insert into api_keys (user_id, key_hash, name, scopes) values (%s, %s, %s, '{read}') returning key_id",
                (owner, tokens.digest(shown), f"a {WORD}"),
            )
            key = (await cursor.fetchall())[0][0]
        await conn.execute(
            "insert into sessions (session_id, user_id, expires_at) values (%s, %s, now() + interval '1 hour')",
            (session, owner),
        )
    return {"key_id": key, "session_id": session}


def _named(text: str, things: Things) -> str:
    """The text without the names of things, so that answers about different ones can be compared."""
    for name in sorted(map(str, things.values()), key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(name)}\b", "-", text)
    return text
