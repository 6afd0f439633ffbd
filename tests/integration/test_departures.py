"""Deleting a user: asked back first, done in the end whatever interrupts it, and nobody else loses anything."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from common import layout, repositories, repository_queries, trash
from common.db import Pool
from common.stages import Stage
from gateway.confirming import Confirmations, purging
from ingest import departure_queries, departures, leftovers
from ingest.handlers import Ingest
from lumilio.rebuild.run import adopt_missing
from tests.support import people, thumbs
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import paths, place_all, placed, staged
from tests.support.purging import purge_all, throw
from tests.support.rows import ask, claim, do

USERS = "/api/v1/users"
OURS, THEIRS, BOTH = (b"\xff\xd8\xff " + word for word in (b"of anna", b"of berta", b"of both"))

# These hold a user who has any of it, on purpose: what is theirs is given away or goes before they do.
HOLDING = {
    *("assets", "uploads", "stack_keys", "labels", "embeddings", "findings"),
    *("stage_pauses", "repositories", "departures"),
}


@pytest.fixture
async def boss(pool: Pool) -> User:
    return await people.person(pool, "boss", is_admin=True)


@pytest.fixture
async def berta(pool: Pool) -> User:
    return await people.person(pool, "berta")


@pytest.fixture
async def admin(api: Api, boss: User) -> AsyncIterator[Api]:
    async with people.signed_in(api, boss) as client:
        yield client


async def remove(admin: Api, user: User, **body: Any) -> Any:
    return await admin.client.request("DELETE", f"{USERS}/{user.user_id}", json=body)


async def leave(pool: Pool, user: User, *, to: User | None = None) -> None:
    """The wish, as the gateway writes it down."""
    fate = "transfer" if to else "trash_and_purge"
    receiver = to.user_id if to else "null"
    await do(pool, f"insert into departures (user_id, fate, receiver_id) values ({user.user_id}, '{fate}', {receiver})")


async def owners(pool: Pool, table: str = "assets") -> list[int]:
    return await ask(pool, f"select distinct owner_id from {table} order by 1")


async def test_deleting_is_asked_back_first(admin: Api, api: Api, user: User, berta: User, pool: Pool) -> None:
    """Nothing happens until what the first answer gave comes back for the very same; then the user is out at once."""
    await api.uploaded()
    wish = {"assets": "transfer", "to": berta.user_id}
    first = await remove(admin, user, **wish)
    counted = (await remove(admin, user, **wish, only_count=True)).json()["data"]
    other = await remove(admin, user, assets="trash_and_purge", confirm=first.json()["confirm"])

    assert (first.status_code, other.status_code) == (409, 409)
    assert "1 asset of 5,124 bytes will be given to user" in first.json()["error"]
    assert (counted["assets"], counted["bytes"]) == (1, 5124)
    assert (await api.client.get("/api/v1/auth/me")).status_code == 200
    assert await ask(pool, "select count(*) from departures") == [0]

    done = await remove(admin, user, **wish, confirm=counted["confirm"])

    assert done.status_code == 200, done.text
    assert (await api.client.get("/api/v1/auth/me")).status_code == 401
    shown = (await admin.client.get(f"{USERS}/{user.user_id}")).json()["data"]
    assert (shown["leaving"], shown["is_active"]) == ("transfer", False)
    assert (await admin.client.patch(f"{USERS}/{user.user_id}", json={"is_active": True})).status_code == 409
    assert await ask(pool, "select about from audit where action = 'user deleted'") == [f"user {user.user_id}"]


async def test_what_could_not_be_done_is_refused(admin: Api, user: User, berta: User, boss: User, pool: Pool) -> None:
    """No last administrator goes, and nobody gets anything who is not there, is leaving, or is the same."""
    assert (await remove(admin, boss, assets="trash_and_purge")).status_code == 409
    assert (await remove(admin, user, assets="transfer")).status_code == 400
    assert (await remove(admin, user, assets="trash_and_purge", to=berta.user_id)).status_code == 400
    for receiver in (user.user_id, 999):
        refused = await remove(admin, user, assets="transfer", to=receiver)
        assert (refused.status_code, "confirm" in refused.json()) == (409, False)
    await leave(pool, user, to=berta)
    assert "wait" in (await remove(admin, berta, assets="trash_and_purge")).json()["error"]
    assert (await remove(admin, boss, assets="transfer", to=user.user_id)).status_code == 409
    assert (await admin.client.request("DELETE", f"{USERS}/999", json={"assets": "trash_and_purge"})).status_code == 404


async def test_assets_are_transferred_with_all_that_hangs_on_them(
    pool: Pool, repository: Repository, user: User, berta: User, sound: None
) -> None:
    """Photos, their work, albums and keywords are the receiver's, files stay where they are, and the user is gone."""
    one = await placed(pool, repository, user, OURS)
    away = await placed(pool, repository, user, OURS + b" in the trash", "q.jpg")
    await throw(pool, user, away)
    before = paths(repository, layout.INBOX)
    await do(pool, f"insert into albums (owner_id, album_name) values ({user.user_id}, 'Summer')")
    await do(pool, f"insert into album_members (album_id, user_id, role) values (1, {berta.user_id}, 'viewer')")
    await do(pool, f"""insert into asset_metadata (asset_id, edits) values ('{one}', '{{"tags": ["sea/waves"]}}')""")
    await do(pool, f"update uploads set idempotency_key = 'k' where asset_id = '{one}'")
    await do(pool, f"insert into stage_pauses values ('render', {user.user_id}, 'rest', now(), now())")
    await do(pool, f"update repositories set owner_id = {user.user_id}")

    await leave(pool, user, to=berta)
    await departures.go_on(pool)

    tables = ("assets", "asset_stages", "uploads", "albums", "tags", "repositories")
    assert {table: await owners(pool, table) for table in tables} == {one: [berta.user_id] for one in tables}
    assert await ask(pool, "select path from tags order by path") == ["sea", "sea/waves"]
    assert await ask(pool, "select count(*) from asset_tags") == [2]
    assert await ask(pool, "select count(*) from album_members") == [0]
    assert await ask(pool, "select username from users order by 1") == ["berta"]
    assert await ask(pool, f"select trashed_at is not null from assets where asset_id = '{away}'") == [True]
    assert paths(repository, layout.INBOX) == before
    counted = await ask(
        pool,
        """
        select owner_id, sum(files)
        from (select owner_id, files from day_counts union all select owner_id, files from day_count_changes) c
        group by owner_id
        """,
    )
    assert counted == [(berta.user_id, 2)]


async def test_a_catalogue_made_anew_knows_the_receiver(
    pool: Pool, database_url: str, repository: Repository, user: User, berta: User, ingest: Ingest, sound: None
) -> None:
    """The manifests tell whose photos are by now, those in the trash and those of which the receiver had the same."""
    await placed(pool, repository, user, OURS, "p.jpg")
    await throw(pool, user, await placed(pool, repository, user, OURS + b" in the trash", "q.jpg"))
    await placed(pool, repository, user, BOTH, "ours.jpg")
    await placed(pool, repository, berta, BOTH, "theirs.jpg")
    await leave(pool, user, to=berta)
    await departures.go_on(pool)
    await place_all(pool, ingest)
    question = (
        "select asset_id, a.owner_id, path, trashed_from from assets a join file_records using (asset_id) order by path"
    )
    before = await ask(pool, question)
    for table in ("file_records", "uploads", "assets"):
        await do(pool, f"delete from {table}")

    await adopt_missing(database_url)

    assert await ask(pool, question) == before
    assert [row[1] for row in before] == [berta.user_id] * 4


async def test_nobody_leaves_while_the_disk_is_away_that_is_to_say_so(
    pool: Pool, repository: Repository, user: User, berta: User
) -> None:
    """What cannot be written into a manifest is done in a later round."""
    await placed(pool, repository, user, OURS)
    await leave(pool, user, to=berta)
    os.rename(repository.root, repository.root + b".away")

    await departures.go_on(pool)
    assert await owners(pool) == [user.user_id]
    os.rename(repository.root + b".away", repository.root)
    await departures.go_on(pool)

    assert await owners(pool) == [berta.user_id]


@pytest.mark.parametrize("is_handed_over", [True, False])
async def test_a_disk_that_is_lost_for_good_keeps_nobody(
    pool: Pool, repository: Repository, user: User, berta: User, ingest: Ingest, is_handed_over: bool
) -> None:
    """An empty folder in its place, with a marker written by hand, takes what is to be said of them."""
    await placed(pool, repository, user, OURS)
    await leave(pool, user, to=berta if is_handed_over else None)
    os.rename(repository.root, repository.root + b".dead")
    await departures.go_on(pool)
    assert await owners(pool) == [user.user_id]

    os.mkdir(repository.root)
    marker = f"id: {repository.repository_id}\nname: Family\n"
    Path(os.fsdecode(repository.root), ".lumiliorepo").write_text(marker)
    async with pool.connection() as conn:
        (known,) = await repository_queries.list_repositories(conn)
        await repositories.repair(conn, known, rewrite_marker=False)
    for _ in range(2):
        await departures.go_on(pool)
        await place_all(pool, ingest)
        await purge_all(pool)

    assert await owners(pool) == ([berta.user_id] if is_handed_over else [])
    assert user.user_id not in await ask(pool, "select user_id from users")


async def test_the_receivers_own_asset_wins(
    pool: Pool, repository: Repository, user: User, berta: User, ingest: Ingest, sound: None
) -> None:
    """Of the same content one asset stays, as the receiver has it, with the files of both and in the albums of both."""
    ours = await placed(pool, repository, user, BOTH, "ours.jpg")
    theirs = await placed(pool, repository, berta, BOTH, "theirs.jpg")
    await do(pool, f"insert into albums (owner_id, album_name, cover_asset_id) values ({user.user_id}, 'A', '{ours}')")
    await do(pool, f"insert into album_assets (album_id, asset_id, position) values (1, '{ours}', 0)")

    await leave(pool, user, to=berta)
    await departures.go_on(pool)
    await place_all(pool, ingest)

    assert await ask(pool, "select asset_id from assets") == [theirs]
    assert await ask(pool, "select asset_id from file_records") == [theirs, theirs]
    assert await ask(pool, "select asset_id from album_assets") == [theirs]
    assert await ask(pool, "select cover_asset_id, owner_id from albums") == [(theirs, berta.user_id)]
    assert len(paths(repository, layout.INBOX)) == 2
    assert await ask(pool, "select username from users") == ["berta"]


@pytest.mark.parametrize("thrown", ["user", "berta", "both"])
async def test_what_is_shown_stays_shown(
    pool: Pool, repository: Repository, user: User, berta: User, ingest: Ingest, sound: None, thrown: str
) -> None:
    """Where either had the photo out of the trash, the receiver has it, and no file of it lies there."""
    ours = await placed(pool, repository, user, BOTH, "ours.jpg")
    theirs = await placed(pool, repository, berta, BOTH, "theirs.jpg")
    if thrown in {"user", "both"}:
        await throw(pool, user, ours)
    if thrown in {"berta", "both"}:
        await throw(pool, berta, theirs)

    await leave(pool, user, to=berta)
    await departures.go_on(pool)
    await place_all(pool, ingest)

    is_trashed = thrown == "both"
    assert await ask(pool, "select asset_id, trashed_at is not null from assets") == [(theirs, is_trashed)]
    assert len(paths(repository, layout.INBOX)) == (0 if is_trashed else 2)


async def test_a_missing_asset_is_back_with_the_others_file(
    pool: Pool, repository: Repository, user: User, berta: User
) -> None:
    """A receiver whose own file vanished has the photo again."""
    await placed(pool, repository, user, BOTH, "ours.jpg")
    theirs = await placed(pool, repository, berta, BOTH, "theirs.jpg")
    await do(pool, f"update assets set missing_since = now() where asset_id = '{theirs}'")

    await leave(pool, user, to=berta)
    await departures.go_on(pool)

    assert await ask(pool, "select asset_id from assets where missing_since is null") == [theirs]


async def test_what_is_worked_on_goes_in_a_later_round(
    pool: Pool, repository: Repository, user: User, berta: User
) -> None:
    """An upload that waits for its place, and a photo that is being rendered, keep their owner until that is done."""
    await placed(pool, repository, user, OURS)
    running = await claim(pool, Stage.RENDER)
    await placed(pool, repository, user, THEIRS, "r.jpg")
    waiting = await staged(pool, repository, user, OURS + b"!", "q.jpg")

    await leave(pool, user, to=berta)
    await departures.go_on(pool)
    still = await ask(pool, f"select asset_id from assets where owner_id = {user.user_id} order by 1")
    assert still == sorted([running.asset_id, waiting.asset_id])
    assert await ask(pool, "select count(*) from users") == [2]

    await place_all(pool, Ingest(pool))
    async with running.settle(pool):
        pass
    await departures.go_on(pool)

    assert await owners(pool) == [berta.user_id]
    assert await ask(pool, "select count(*) from users") == [1]


async def test_a_death_amid_a_transfer_is_finished_by_the_next_round(
    pool: Pool, repository: Repository, user: User, berta: User, monkeypatch: pytest.MonkeyPatch, sound: None
) -> None:
    """Whatever was given away stays so, and what was not is, wherever the process died."""
    for number in range(5):
        await placed(pool, repository, user, OURS + bytes([number]), f"{number}.jpg")
    monkeypatch.setattr(departures, "BATCH", 2)
    await leave(pool, user, to=berta)
    given_away = departure_queries.give
    for death in range(2):
        calls = 0

        async def give(*arguments: Any, at: int = death, **more: Any) -> None:
            nonlocal calls
            await given_away(*arguments, **more)
            calls += 1
            if calls > at:
                raise InterruptedError

        monkeypatch.setattr(departure_queries, "give", give)
        with pytest.raises(InterruptedError):
            await departures.go_on(pool)
        assert sum(await ask(pool, "select count(*) from assets group by owner_id")) == 5
    monkeypatch.setattr(departure_queries, "give", given_away)

    await departures.go_on(pool)

    assert await owners(pool) == [berta.user_id]
    assert await ask(pool, "select username from users") == ["berta"]


async def test_purging_a_user_touches_nobody_else(
    pool: Pool, repository: Repository, user: User, berta: User, ingest: Ingest, sound: None
) -> None:
    """Everything of theirs goes through the trash for good, then they do; the same photo of somebody else stays."""
    await placed(pool, repository, user, OURS, "ours.jpg")
    await placed(pool, repository, user, BOTH, "both.jpg")
    kept = [await placed(pool, repository, berta, content, f"{n}.jpg") for n, content in enumerate((BOTH, THEIRS))]

    await leave(pool, user)
    for _ in range(3):
        await departures.go_on(pool)
        await place_all(pool, ingest)
        await purge_all(pool)

    assert await ask(pool, "select asset_id from assets order by 1") == sorted(kept)
    assert await ask(pool, "select username from users") == ["berta"]
    assert len(paths(repository, layout.INBOX)) == 2
    assert not paths(repository, layout.TRASH)
    assert await ask(pool, "select details ->> 'assets' from audit where action = 'user gone'") == ["trash_and_purge"]


async def test_a_changed_mind_counts_for_what_is_left(
    pool: Pool, repository: Repository, user: User, berta: User, ingest: Ingest
) -> None:
    """A purge that has not begun becomes a transfer; what was thrown away for it is transferred as that."""
    one = await placed(pool, repository, user, OURS)
    await leave(pool, user)
    await departures.go_on(pool)
    await do(pool, f"update departures set fate = 'transfer', receiver_id = {berta.user_id}")

    await place_all(pool, ingest)
    async with pool.connection() as conn:
        await trash.take_back(conn, one, owner=user.user_id)
    await place_all(pool, ingest)
    await departures.go_on(pool)

    assert await ask(pool, "select asset_id, owner_id, trashed_at from assets") == [(one, berta.user_id, None)]
    assert await ask(pool, "select count(*) from purges") == [0]


async def test_what_can_only_be_read_is_not_promised_to_go(
    admin: Api, api: Api, user: User, berta: User, pool: Pool
) -> None:
    """Where nothing can be removed the answer says so at once, and that the assets can be transferred."""
    await api.uploaded()
    await do(pool, "update repositories set private_root = '/nowhere'")
    asset = (await ask(pool, "select asset_id from assets"))[0]
    await do(
        pool,
        f"""
        insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
        select repository_id, 'a.jpg', 'a', '{asset}', 1, 1, 1 from repositories
        """,
    )

    refused = await remove(admin, user, assets="trash_and_purge")

    assert (refused.status_code, "transferred" in refused.json()["error"]) == (409, True)
    assert "confirm" in (await remove(admin, user, assets="transfer", to=berta.user_id)).json()


async def test_thumbnails_of_a_former_owner_are_no_leftovers(
    pool: Pool, repository: Repository, user: User, berta: User
) -> None:
    """Their names tell of somebody who had the photo before, and they are what the photo is shown by."""
    one = await placed(pool, repository, user, OURS)
    path = await thumbs.keep(pool, repository, one)
    os.utime(os.path.join(repository.root, path), (1, 1))

    await leave(pool, user, to=berta)
    await departures.go_on(pool)
    await leftovers.clean(pool, failed_seconds=1)

    assert os.path.exists(os.path.join(repository.root, path))


def test_a_confirmation_is_for_just_what_was_told() -> None:
    """Nor is it one for anything else, for long, or of another server's."""
    ours = Confirmations("a secret")
    token = ours.token_for("delete user 5", now=1000)

    assert ours.holds_for(token, "delete user 5", now=1599)
    assert not ours.holds_for(token, "delete user 5", now=1601)
    assert not ours.holds_for(token, "delete user 6", now=1000)
    assert not Confirmations("another").holds_for(token, "delete user 5", now=1000)
    assert not ours.holds_for(token, purging(UUID(int=5).bytes, 5), now=1000)


def test_no_table_keeps_a_user_from_going(database_url: str) -> None:
    """Whatever names a user goes with them or forgets them, but for what is given away or purged before."""
    with psycopg.connect(database_url) as conn:
        found = conn.execute(
            """
            select conrelid::regclass::text
            from pg_constraint
            where contype = 'f' and confrelid = 'users'::regclass and confdeltype not in ('c', 'n')
            """
        ).fetchall()

    names = {name for (name,) in found}
    assert names <= HOLDING, f"say `on delete cascade` or `set null` in {names - HOLDING}, or hand it over (departures)"
