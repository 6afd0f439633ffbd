"""One request changes many assets: all of them once, whatever dies meanwhile, and nothing that was not meant."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from nats.aio.client import Client

from common.bus import Bus
from common.db import Pool
from common.health import Health
from common.outbox import Relay
from common.process import Core
from gateway import deeds, operations
from gateway.operations import Operations
from tests.support import given
from tests.support.gateway import Api, serving
from tests.support.given import User
from tests.support.rows import END_WHO_WAITS, ask, do
from tests.support.waiting import until

MANY = 1200
OPEN = "select count(*) from operations where state in ('waiting', 'running')"
NOBODY = UUID(int=7)


@pytest.fixture
async def many(pool: Pool, user: User) -> list[UUID]:
    """Photos of anna's without files, one taken each minute of the first days of 2020, in the order of their ids."""
    return await ask(
        pool,
        f"""
        with made as (
            insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at,
                                taken_offset_minutes)
            select {user.user_id}, sha256(n::text::bytea), 10, 'photo', 'image/jpeg', n || '.jpg',
                   '2020-01-01'::timestamp + make_interval(mins => n), 60
            from generate_series(1, {MANY}) n
            returning asset_id, owner_id
        ), placed as (
            insert into asset_stages (asset_id, stage, owner_id, state)
            select asset_id, 'place', owner_id, 'done' from made
        )
        select asset_id from made order by asset_id
        """,
    )


@pytest.fixture
async def worker(pool: Pool) -> Operations:
    """What a gateway works with, to be called by hand."""
    bus = Bus(client := Client(), client.jetstream())
    return Operations(Core(pool, bus, Relay(pool, bus, poll_seconds=60), Health(pool, bus)))


async def start(api: Api, kind: str, *, key: str | None = None, **asked: Any) -> httpx.Response:
    """Ask for something; what is not `ids` or `filter` belongs to the action."""
    chosen = {name: asked.pop(name) for name in ("ids", "filter") if name in asked}
    headers = {"Idempotency-Key": key} if key else {}
    return await api.client.post(
        "/api/v1/operations", json={"action": {"kind": kind, **asked}, **chosen}, headers=headers
    )


async def started(api: Api, kind: str, **asked: Any) -> dict[str, Any]:
    """The same, which must be taken in; returns the operation."""
    answer = await start(api, kind, **asked)
    assert answer.status_code == 202, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def seen(api: Api, operation: dict[str, Any]) -> dict[str, Any]:
    """The operation as it is now."""
    data: dict[str, Any] = (await api.client.get(f"/api/v1/operations/{operation['operation_id']}")).json()["data"]
    return data


async def work_off(worker: Operations) -> None:
    """Work until nothing is left."""
    while await worker.work():
        pass


def named(assets: list[UUID]) -> list[str]:
    return [str(one) for one in assets]


async def test_few_are_done_with_the_answer(api: Api, pool: Pool, many: list[UUID]) -> None:
    """A client that changes what a person can see need not ask again."""
    done = await started(api, "edit", ids=named(many[:200]), rating=4, title="Rome")

    assert (done["state"], done["total"], done["done"], done["changed"], done["failed"]) == ("done", 200, 200, 200, 0)
    assert done["title"] == "set the title, set the rating"
    assert done["message"] == "done; 200 of 200: 200 changed"
    assert (done["asked_by"], done["kind"], done["filter"]) == ("anna", "edit", None)
    assert sorted(await ask(pool, "select asset_id from assets where rating = 4")) == many[:200]
    assert await ask(pool, "select count(*), min(lane) from asset_stages where stage = 'sidecar'") == [(200, 1)]
    assert await ask(pool, "select subject, jsonb_array_length(body -> 'asset_ids') from outbox") == [
        ("lumilio.assets.updated", 200)
    ]


async def test_many_are_done_by_a_worker_and_watched_meanwhile(
    api: Api, pool: Pool, worker: Operations, many: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes at once; how far it is can be asked at any time."""
    monkeypatch.setattr(operations, "TURN_SECONDS", 0.0)
    taken = await started(api, "like", filter={}, liked=True)
    assert (taken["state"], taken["total"], taken["done"]) == ("waiting", MANY, 0)

    await worker.work(seconds=0)
    amid = await seen(api, taken)
    await work_off(worker)
    after = await seen(api, taken)

    assert (amid["state"], amid["done"]) == ("running", 500)
    assert (after["state"], after["done"], after["changed"]) == ("done", MANY, MANY)
    assert await ask(pool, "select count(*) from assets where liked") == [MANY]
    assert await ask(pool, "select 1 from operation_batches") == []


async def test_doing_it_twice_changes_nothing_more(api: Api, pool: Pool, many: list[UUID]) -> None:
    """What is so already is left alone: no event, no sidecar, nothing counted as changed."""
    for kind, said in (
        ("edit", {"description": "x"}),
        ("like", {"liked": True}),
        ("archive", {"archived": True}),
        ("tag", {"add": ["A/B"], "remove": ["C"]}),
        ("set_zone", {"zone": "Europe/Paris"}),
        ("trash", {}),
        ("restore", {}),
    ):
        first = await started(api, kind, ids=named(many[:10]), **said)
        events = await ask(pool, "select count(*) from outbox")
        second = await started(api, kind, ids=named(many[:10]), **said)
        assert (first["changed"], second["changed"], second["done"]) == (10, 0, 10), kind
        assert await ask(pool, "select count(*) from outbox") == events, kind


async def test_a_repeated_request_is_the_same_operation(api: Api, pool: Pool, many: list[UUID]) -> None:
    """A shift that is sent twice, because its answer was lost, shifts once; the key stands for nothing else."""
    for _ in range(2):
        answer = await start(api, "shift_time", ids=named(many[:2]), minutes=90, key="k")
        assert (answer.status_code, answer.json()["data"]["changed"]) == (202, 2)
    other = await start(api, "shift_time", ids=named(many[:2]), minutes=91, key="k")

    assert await ask(pool, "select count(*) from operations") == [1]
    assert other.status_code == 409
    shifted = await ask(pool, "select sort_at - taken_at from assets where edited_taken_at is not null")
    assert {one.total_seconds() for one in shifted} == {5400}


async def test_a_worker_that_dies_is_followed_by_another(
    api: Api, pool: Pool, worker: Operations, many: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had done stays, what it was at is done once, and the rest follows: a relative change shows it."""
    operation = await started(api, "shift_time", filter={}, minutes=1)
    original, calls = deeds.do, 0

    async def dying(*args: Any, **more: Any) -> Any:
        nonlocal calls
        outcome = await original(*args, **more)
        calls += 1
        if calls == 2:
            raise asyncio.CancelledError  # after its work, before the commit
        return outcome

    monkeypatch.setattr(deeds, "do", dying)
    with pytest.raises(asyncio.CancelledError):
        await worker.work()
    amid = await seen(api, operation)
    assert not await worker.work(), "its lease lasts"
    await do(pool, "update operations set lease_until = now() - interval '1 s'")
    await work_off(worker)

    assert (amid["state"], amid["done"]) == ("running", 500)
    assert (await seen(api, operation))["changed"] == MANY
    shifts = await ask(pool, "select distinct edited_taken_at - taken_at from assets")
    assert [one.total_seconds() for one in shifts] == [60]


async def test_an_outage_of_the_database_gives_nothing_up(
    api: Api, pool: Pool, worker: Operations, many: list[UUID]
) -> None:
    """However often it comes, what a person asked for is done when it is over."""
    operation = await started(api, "shift_time", filter={}, minutes=1)
    await do(pool, f"update operations set tries = {operations.LAST_TRY - 1}")

    async with pool.connection() as conn:
        await conn.execute("select from assets for update")
        working = asyncio.create_task(worker.work())
        await until(lambda: ask(pool, END_WHO_WAITS))
        assert await working
    await until(worker.work)
    await work_off(worker)

    done = await seen(api, operation)
    assert (done["state"], done["changed"]) == ("done", MANY)


async def test_a_worker_that_was_away_too_long_writes_nothing(
    api: Api, pool: Pool, worker: Operations, many: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one has its turn by then."""
    operation = await started(api, "shift_time", filter={}, minutes=1)
    original = Operations._do_batch

    async def paused(self: Operations, *args: Any) -> bool:
        monkeypatch.setattr(Operations, "_do_batch", original)
        await do(pool, "update operations set lease_until = now() - interval '1 s'")
        await work_off(worker)
        return await original(self, *args)

    monkeypatch.setattr(Operations, "_do_batch", paused)
    await worker.work()

    assert (await seen(api, operation))["changed"] == MANY
    assert len(await ask(pool, "select distinct edited_taken_at - taken_at from assets")) == 1


async def test_two_workers_share_what_two_people_want(
    api: Api, pool: Pool, worker: Operations, many: list[UUID], user: User
) -> None:
    """Nothing is done twice, and nobody waits for somebody else's library."""
    await do(pool, "insert into users (username, email, password_hash) values ('berta', 'b@localhost', 'x')")
    await do(pool, "update assets set owner_id = (select max(user_id) from users) where original_filename like '1%'")
    (hers,) = await ask(pool, "select count(*) from assets where original_filename like '1%'")
    await started(api, "shift_time", filter={}, minutes=1)
    await started(api, "shift_time", filter={}, minutes=10)
    await do(
        pool,
        """
        insert into operations (owner_id, action) select max(user_id), '{"kind": "shift_time", "minutes": 5}' from users
        """,
    )
    await do(
        pool,
        """
        insert into operation_batches
        select max(operation_id), 0, (select array_agg(asset_id) from assets where original_filename like '1%')
        from operations
        """,
    )

    await asyncio.gather(*(work_off(worker) for _ in range(3)))

    shifts = await ask(
        pool, "select extract(epoch from edited_taken_at - taken_at)::int, count(*) from assets group by 1 order by 1"
    )
    assert shifts == [(300, hers), (660, MANY - hers)]


async def test_what_was_asked_for_first_is_done_first(
    api: Api, pool: Pool, worker: Operations, many: list[UUID]
) -> None:
    """The later word wins, so a small wish waits for a large one of the same person."""
    await started(api, "edit", filter={}, rating=5)
    small = await started(api, "edit", ids=named(many[-3:]), rating=1)
    assert (small["state"], small["done"]) == ("waiting", 0)
    assert "as soon as" in small["message"]

    await work_off(worker)

    assert await ask(pool, "select rating, count(*) from assets group by 1 order by 1") == [(1, 3), (5, MANY - 3)]


async def test_what_is_stopped_stays_as_it_is(api: Api, pool: Pool, worker: Operations, many: list[UUID]) -> None:
    """Stopped twice it is stopped; what was done stays done, and nobody works on it any more."""
    operation = await started(api, "like", filter={}, liked=True)
    await worker.work(seconds=0)

    stopped = [await api.client.delete(f"/api/v1/operations/{operation['operation_id']}") for _ in range(2)]
    await work_off(worker)

    assert [answer.json()["data"]["state"] for answer in stopped] == ["stopped", "stopped"]
    assert (await seen(api, operation))["done"] == 500
    assert await ask(pool, "select count(*) from assets where liked") == [500]
    assert await ask(pool, "select 1 from operation_batches") == []


async def test_the_filter_is_asked_once(api: Api, pool: Pool, worker: Operations, many: list[UUID]) -> None:
    """What changes while it is worked off is neither lost nor done twice: the change itself moves all out of it."""
    operation = await started(api, "edit", filter={"rating": 0}, rating=3)
    await do(pool, "update assets set rating = 2 where asset_id = (select max(asset_id::text)::uuid from assets)")

    await work_off(worker)

    assert (await seen(api, operation))["done"] == MANY
    assert await ask(pool, "select distinct rating from assets") == [3]


async def test_one_foreign_asset_stops_all(api: Api, pool: Pool, user: User, many: list[UUID]) -> None:
    """Foreign and unknown ones are the same, and nothing is left of the request."""
    (known,) = await ask(pool, "select password_hash from users where username = 'anna'")
    other = await given.new_user(pool, "berta", user.password, password_hash=known)
    await do(pool, f"update assets set owner_id = {other.user_id} where asset_id = '{many[0]}'")

    for foreign in (many[0], uuid4()):
        answer = await start(api, "like", ids=named([many[1], foreign]), liked=True)
        assert (answer.status_code, answer.json()["error"]) == (404, f"no asset {foreign}; nothing was done")

    assert await ask(pool, "select 1 from operations union all select 1 from assets where liked") == []
    filtered = await started(api, "like", filter={"ids": named(many[:2])}, liked=True)
    assert (filtered["total"], filtered["done"]) == (1, 1)
    async with serving(pool) as served:
        await served.login(other.username, other.password)
        path = f"/api/v1/operations/{filtered['operation_id']}"
        answers = [await served.client.get(path), await served.client.delete(path)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert (await served.client.get("/api/v1/operations")).json()["data"]["operations"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": {"kind": "like", "liked": True}},
        {"action": {"kind": "like", "liked": True}, "filter": {}, "ids": [str(NOBODY)]},
        {"action": {"kind": "like", "liked": True}, "ids": []},
        {"action": {"kind": "like", "liked": True}, "ids": ["x"]},
        {"action": {"kind": "like", "liked": True}, "ids": [str(NOBODY)] * 10_001},
        {"action": {"kind": "like"}, "filter": {}},
        {"action": {"kind": "like", "liked": True, "more": 1}, "filter": {}},
        {"action": {"kind": "like", "liked": True}, "filter": {"ownerid": 1}},
        {"action": {"kind": "like", "liked": True}, "filter": {"album_id": "1 or true"}},
        {"action": {"kind": "purge"}, "filter": {}},
        {"action": {"kind": "move_tag", "old": "a", "new": "b"}, "filter": {}},
        {"action": {"kind": "drop_tag", "path": "a"}, "filter": {}},
        {"action": {"kind": "edit"}, "filter": {}},
        {"action": {"kind": "edit", "gps_latitude": 1}, "filter": {}},
        {"action": {"kind": "edit", "rating": 1, "reset": ["rating"]}, "filter": {}},
        {"action": {"kind": "tag"}, "filter": {}},
        {"action": {"kind": "tag", "add": ["\u0007"]}, "filter": {}},
        {"action": {"kind": "tag", "add": ["a"], "remove": ["a"]}, "filter": {}},
        {"action": {"kind": "shift_time"}, "filter": {}},
        {"action": {"kind": "shift_time", "minutes": 10**12}, "filter": {}},
        {"action": {"kind": "set_zone", "zone": "../../etc/passwd"}, "filter": {}},
        {"action": {"kind": "set_zone", "zone": "Mars/Base"}, "filter": {}},
        {"action": {"kind": "set_zone", "zone": "\u0000"}, "filter": {}},
        {"action": {"kind": "reprocess", "scope": "none"}, "filter": {}},
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused_whole(api: Api, pool: Pool, body: dict[str, Any]) -> None:
    """With a reason, before anything is kept of it."""
    answer = await api.client.post("/api/v1/operations", json=body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert await ask(pool, "select 1 from operations") == []


@pytest.mark.parametrize(
    "chosen",
    [
        {"filename": {"value": "%_\\'; drop table assets; --"}},
        {"tag": "x" * 1000},
        {"camera": "\u0000"},
        {"bbox": {"west": 170, "south": -1, "east": -170, "north": 1}},
        {"owner_id": 2**31},
        {"album_id": -(2**63)},
        {"folder": "../..", "repository_id": str(NOBODY)},
        {"ids": []},
    ],
    ids=str,
)
async def test_no_filter_reaches_what_is_not_meant(
    api: Api, pool: Pool, many: list[UUID], chosen: dict[str, Any]
) -> None:
    """It is refused or chooses nothing, and an operation on nothing is done."""
    answer = await start(api, "trash", filter=chosen)

    assert answer.status_code in {202, 400}, answer.text
    if answer.status_code == 202:
        assert (answer.json()["data"]["state"], answer.json()["data"]["total"]) == ("done", 0)
    assert await ask(pool, "select count(*) from assets where trashed_at is null") == [MANY]


async def test_what_cannot_be_done_is_told_with_its_reason(api: Api, pool: Pool, many: list[UUID]) -> None:
    """The others are done; each reason says how many and which."""
    await do(pool, f"update assets set taken_at = null where asset_id = '{many[3]}'")
    await do(pool, f"update assets set taken_at = '9999-12-31 23:59' where asset_id = '{many[4]}'")

    done = await started(api, "shift_time", ids=named(many[:10]), minutes=2)

    assert (done["state"], done["done"], done["changed"], done["failed"]) == ("done", 10, 8, 2)
    assert done["message"] == "done; 10 of 10: 8 changed, 2 could not be"
    assert {one["reason"]: one["asset_ids"] for one in done["failures"]} == {
        "nobody knows when it was taken": [str(many[3])],
        "its time would be before the year 1 or after the year 9999": [str(many[4])],
    }


async def test_zones_keep_the_clock_or_the_moment(api: Api, pool: Pool, many: list[UUID]) -> None:
    """Summer time counts; with the moment kept, the photo moves in the timeline."""
    await do(pool, f"update assets set taken_at = '2020-07-01 12:00' where asset_id = '{many[0]}'")
    read = "select edited_taken_at::text, edited_offset_minutes from assets order by asset_id limit 2"

    await started(api, "set_zone", ids=named(many[:2]), zone="Europe/Paris")
    clock = await ask(pool, read)
    await started(api, "set_zone", ids=named(many[:2]), zone="Asia/Tokyo", keeps="moment")
    moment = await ask(pool, read)

    assert clock == [(None, 120), (None, 60)]
    assert moment == [("2020-07-01 19:00:00", 540), ("2020-01-01 08:02:00", 540)]


async def test_tags_are_added_to_what_the_file_says(api: Api, pool: Pool, many: list[UUID]) -> None:
    """And taken away from it; the tables follow, and tags that nobody has are gone."""
    await do(
        pool,
        f"""insert into asset_metadata (asset_id, facts) values ('{many[0]}', '{{"keywords": ["camera", "Old/x"]}}')""",
    )

    await started(api, "tag", ids=named(many[:3]), add=["Places|Paris", " camera "], remove=["Old/x"])

    tags = "select edits -> 'tags' from asset_metadata order by asset_id"
    assert await ask(pool, tags) == [["camera", "Places/Paris"], ["Places/Paris", "camera"], ["Places/Paris", "camera"]]
    assert await ask(pool, "select path from tags order by path") == ["Places", "Places/Paris", "camera"]


async def test_the_trash_takes_many_and_gives_back_what_it_can(api: Api, pool: Pool, many: list[UUID]) -> None:
    """Each is told, in the lane behind uploads; what is being purged stays and is named."""
    await started(api, "trash", ids=named(many[:20]))
    assert await ask(pool, "select count(*) from outbox where subject = 'lumilio.asset.trashed'") == [20]
    assert await ask(pool, "select lane, count(*) from asset_stages where state = 'pending' group by 1") == [(1, 20)]
    await api.client.post("/api/v1/trash/purge", json={"asset_ids": named(many[:1])})
    await do(pool, "update purges set began_at = now()")

    back = await started(api, "restore", ids=named(many[:20]))

    assert (back["changed"], back["failed"]) == (19, 1)
    assert back["failures"][0]["asset_ids"] == [str(many[0])]
    assert "is being purged" in back["failures"][0]["reason"]
    assert await ask(pool, "select asset_id from assets where trashed_at is not null") == [many[0]]


async def test_albums_take_many_in_the_order_they_were_taken(api: Api, pool: Pool, many: list[UUID]) -> None:
    """Behind what is there, none twice; and they can be taken out, its cover too."""
    album = (await api.client.post("/api/v1/albums", json={"album_name": "Rome"})).json()["data"]["album_id"]

    for count, changed in ((2, 2), (4, 2), (4, 0)):
        done = await started(api, "add_to_album", ids=named(many[:count]), album_id=album)
        assert done["changed"] == changed
    order = "select asset_id from album_assets order by position"
    taken = await ask(pool, "select asset_id from assets order by sort_at")
    first, second = ([one for one in taken if one in some] for some in (many[:2], many[2:4]))
    assert await ask(pool, order) == [*first, *second]
    await api.client.put(f"/api/v1/albums/{album}", json={"cover_asset_id": str(many[0])})

    out = await started(api, "remove_from_album", album_id=album, filter={"album_id": album})

    assert out["changed"] == 4
    assert await ask(pool, order) == []
    assert await ask(pool, "select cover_asset_id from albums") == [None]


async def test_only_who_may_write_puts_into_an_album(
    api: Api, pool: Pool, worker: Operations, many: list[UUID], user: User
) -> None:
    """An unknown album and a foreign one are the same, a viewer is told; one that goes meanwhile ends the work."""
    album = (await api.client.post("/api/v1/albums", json={"album_name": "Rome"})).json()["data"]["album_id"]
    (known,) = await ask(pool, "select password_hash from users where username = 'anna'")
    other = await given.new_user(pool, "berta", user.password, password_hash=known)
    await do(pool, f"update albums set owner_id = {other.user_id}")
    for wanted in (album, album + 1):
        assert (await start(api, "add_to_album", filter={}, album_id=wanted)).status_code == 404
    await do(pool, f"insert into album_members values ({album}, {user.user_id}, 'viewer')")
    assert (await start(api, "add_to_album", filter={}, album_id=album)).status_code == 403
    await do(pool, "update album_members set role = 'editor'")
    operation = await started(api, "add_to_album", filter={}, album_id=album)
    await worker.work(seconds=0)
    await do(pool, "delete from albums")
    await work_off(worker)

    ended = await seen(api, operation)
    assert (ended["state"], ended["error"], ended["done"]) == ("failed", f"no album {album}", 500)


async def test_assets_are_processed_again(api: Api, pool: Pool, many: list[UUID]) -> None:
    """As by the route for it, behind what people wait for."""
    done = await started(api, "reprocess", ids=named(many[:5]), scope="all")

    assert (done["changed"], done["title"]) == (5, "process again: all")
    assert await ask(pool, "select count(*), min(lane) from asset_stages where stage = 'render'") == [(5, 1)]


async def test_what_never_works_is_given_up_with_a_reason(
    api: Api, pool: Pool, worker: Operations, many: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keeps nobody from what was asked for after it."""
    broken = await started(api, "like", filter={}, liked=True)
    after = await started(api, "archive", ids=named(many[:1]), archived=True)
    original = deeds.do

    async def failing(conn: Any, deed: Any, *args: Any, **more: Any) -> Any:
        if type(deed).__name__ == "Like":
            raise ValueError("a bug")
        return await original(conn, deed, *args, **more)

    monkeypatch.setattr(deeds, "do", failing)
    while await ask(pool, OPEN) != [0]:
        await worker.work()
        await do(pool, "update operations set turn_at = now()")

    told = await seen(api, broken)
    assert (told["state"], told["done"]) == ("failed", 0)
    assert "went wrong on the server" in told["error"]
    assert (await seen(api, after))["state"] == "done"


async def test_a_running_worker_is_woken_and_ends_when_told(
    api: Api, pool: Pool, worker: Operations, many: list[UUID]
) -> None:
    """It finds what other gateways took in as well, and leaves nothing held."""
    await started(api, "like", filter={}, liked=True)
    running = asyncio.create_task(worker.run(stop := asyncio.Event()))
    await until(lambda: _none_open(pool))
    stop.set()
    await asyncio.wait_for(running, 60)

    assert await ask(pool, "select count(*) from assets where liked") == [MANY]
    assert await ask(pool, "select lease_until from operations") == [None]


async def test_operations_are_listed_page_by_page(api: Api, many: list[UUID]) -> None:
    """The newest first, each once; a page that is too long is refused."""
    for stars in range(1, 6):
        await started(api, "edit", ids=named(many[:1]), rating=stars)

    found: list[int] = []
    after: dict[str, str] = {}
    while True:
        page = (await api.client.get("/api/v1/operations", params={"limit": "2", **after})).json()["data"]
        found += [one["action"]["rating"] for one in page["operations"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}

    assert found == [5, 4, 3, 2, 1]
    assert (await api.client.get("/api/v1/operations", params={"limit": "101"})).status_code == 400


async def _none_open(pool: Pool) -> bool:
    return await ask(pool, OPEN) == [0]


async def test_a_key_that_named_other_assets_before_is_refused(api: Api, pool: Pool, many: list[UUID]) -> None:
    """Else nothing would be done with these, and the answer would say that all is well."""
    first = await start(api, "like", liked=True, ids=[str(many[0])], key="k")
    again = await start(api, "like", liked=True, ids=[str(many[0])], key="k")
    other = await start(api, "like", liked=True, ids=[str(many[1])], key="k")

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 409)
    assert await ask(pool, "select asset_id from assets where liked") == [many[0]]
