"""One box takes plain words: times, places, names and what pictures show, with or without anybody who can tell that."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from common.bus import Bus
from common.db import Pool
from common.questions import EmbedText, TextVectors
from gateway import query_vectors
from gateway.queries.vectors import Space
from gateway.query_vectors import QueryVectors, Unanswered
from ml_dispatcher.questions import Questions
from tests.support import inference
from tests.support.answering import answering, colours
from tests.support.gateway import Api, serving
from tests.support.given import Repository, User
from tests.support.inference import Fake
from tests.support.meaning import pictured, staffed
from tests.support.rows import ask, do
from tests.support.waiting import until

# By name: when and where it was taken, and how much of red, green and blue it has.
LIBRARY = {
    "rose.jpg": ("2023-07-14", "Zürich", "Switzerland", "[1,0,0]"),
    "tomato.jpg": ("2022-12-24", "Rome", "Italy", "[0.8,0.6,0]"),
    "lawn.jpg": ("2022-07-01", "Zürich", "Switzerland", "[0,1,0]"),
    "shore.jpg": ("2021-05-03", "Rome", "Italy", "[0,0,1]"),
    "harbour.jpg": ("2020-01-01", None, None, "[0,0.6,0.8]"),
    "IMG_2041.jpg": ("2019-08-08", None, None, None),
}


@pytest.fixture
async def library(pool: Pool, user: User) -> None:
    """Six pictures of anna's; one of them nobody has looked at."""
    async with pool.connection() as conn:
        for name, (taken, city, country, _) in LIBRARY.items():
            await conn.execute(
                """
                insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at, city,
                                    country, camera_make, camera)
                values (%(owner)s, sha256(convert_to(%(name)s, 'UTF8')), 1, 'photo', 'image/jpeg', %(name)s, %(taken)s,
                        %(city)s, %(country)s, 'Apple', case when %(name)s = 'lawn.jpg' then 'iPhone 12' end)
                """,
                {"owner": user.user_id, "name": name, "taken": taken, "city": city, "country": country},
            )
        await conn.execute(
            """
            insert into asset_metadata (asset_id, facts)
            select asset_id, '{"keywords": ["Trips/Sailing boats"], "description": "An evening in May"}'
            from assets where original_filename = 'harbour.jpg'
            """
        )
        await conn.execute(
            """
            insert into labels (asset_id, label, owner_id, sort_at, score, source)
            select asset_id, 'golden retriever', owner_id, sort_at, 0.9, 'classify'
            from assets where original_filename = 'lawn.jpg'
            """
        )


@pytest.fixture
async def space(pool: Pool, library: None) -> Space:  # its pictures have vectors
    """The space of three colours, in which five of the pictures lie."""
    await do(pool, "insert into embedding_spaces (model, dimension, state) values ('colours', 3, 'current')")
    async with pool.connection() as conn:
        for name, (*_, vector) in LIBRARY.items():
            await conn.execute(
                """
                insert into embeddings (asset_id, space_id, owner_id, vector)
                select asset_id, space_id, owner_id, %s::halfvec
                from assets, embedding_spaces
                where original_filename = %s and %s::text is not null
                """,
                (vector, name, vector),
            )
    return Space(space_id=(await ask(pool, "select space_id from embedding_spaces"))[0], dimension=3, model="colours")


@pytest.fixture
async def served(pool: Pool, user: User, bus: Bus) -> AsyncIterator[Api]:
    """A gateway with a bus."""
    async with serving(pool, bus=bus) as api:
        await api.login(user.username, user.password)
        yield api


async def found(api: Api, query: str, **asked: Any) -> dict[str, Any]:
    answer = await api.client.post("/api/v1/assets/search", json={"query": query, **asked})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def names(data: dict[str, Any]) -> list[str]:
    return [asset["original_filename"].removesuffix(".jpg") for asset in data["assets"]]


async def test_words_find_what_pictures_show(served: Api, bus: Bus, space: Space) -> None:
    """The nearest first, page by page, among those that a filter wants."""
    async with answering(bus):
        red = await found(served, "something red", search_type="semantic", limit=2)
        rest = await found(served, "something red", search_type="semantic", limit=100, after=red["next"])
        skipped = await found(served, "something red", search_type="semantic", offset=1, limit=2)
        filtered = await found(served, "red", search_type="semantic", filter={"country": "Italy"})

    assert (names(red), red["total"], red["parts"]) == (["rose", "tomato"], 5, ["semantic"])
    assert names(rest)[:1] not in (["rose"], ["tomato"])
    assert (len(names(rest)), "next" in rest, "total" in rest) == (3, False, False)
    assert names(skipped)[0] == "tomato"
    assert names(filtered) == ["tomato", "shore"]


async def test_one_box_understands_what_is_typed(served: Api, bus: Bus, space: Space) -> None:
    """Times and places first, and then what is called so or looks so; the answer says what was understood."""
    async with answering(bus):
        told = {
            query: await found(served, query)
            for query in (
                *("red in summer 2023", "zurich", "in Italy on 3 May 2021", "Zürich 2022", "red christmas"),
                *("sailing boats", "golden retrievers", "iphone", "IMG_2041", "rose", "red in may"),
            )
        }

    first = {query: names(data)[: data.get("others_from", 1)] for query, data in told.items()}
    assert first == {
        "red in summer 2023": ["rose"],
        "zurich": ["rose", "lawn"],
        "in Italy on 3 May 2021": ["shore"],
        "Zürich 2022": ["lawn"],
        "red christmas": ["tomato"],
        "sailing boats": ["harbour"],
        "golden retrievers": ["lawn"],
        "iphone": ["lawn"],
        "IMG_2041": ["IMG_2041"],
        "rose": ["rose"],
        "red in may": ["shore"],
    }
    assert {
        query: data["parts"] for query, data in told.items() if query in {"red in summer 2023", "sailing boats"}
    } == {
        "red in summer 2023": ["dates", "words", "semantic"],
        "sailing boats": ["words", "tags", "semantic"],
    }
    understood = told["Zürich 2022"]["understood"]
    assert (understood["dates"], understood["places"], understood["words"]) == (["2022"], ["Zürich"], "")
    same = {"taken_in": understood["taken_in"], "located_in": understood["located_in"]}
    answer = await served.client.post("/api/v1/assets/filter", json={"filter": same})
    assert names(answer.json()["data"]) == ["lawn"]
    assert told["IMG_2041"]["left_out"] == {"semantic": "no word says what a picture is to show"}


async def test_the_middle_of_a_word_counts_for_less_than_what_is_shown(
    served: Api, bus: Bus, pool: Pool, space: Space
) -> None:
    """Whoever looks for the sea finds what shows it, and then the research; but alone the research is found as well."""
    await do(pool, "update assets set original_filename = 'research.jpg' where original_filename = 'IMG_2041.jpg'")

    async with answering(bus):
        among = await found(served, "sea")
    alone = await found(served, "esearch")

    assert (names(among)[0], names(among)[-1], len(names(among))) == ("harbour", "research", 6)
    assert names(alone) == ["research"]


async def test_what_is_hidden_or_somebody_elses_is_not_found(served: Api, bus: Bus, pool: Pool, space: Space) -> None:
    """By no part of a search; a filter brings back what is hidden, and never what is somebody else's."""
    await do(pool, "insert into users (username, email, password_hash) values ('berta', 'b@example.org', '')")
    await do(
        pool,
        """
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at, city,
                            trashed_at, archived_at)
        select u.user_id, sha256(convert_to(username || hidden, 'UTF8')), 1, 'photo', 'image/jpeg',
               format('red %s %s.jpg', username, hidden), '2021-05-03', 'Rome',
               case hidden when 'trashed' then now() end, case hidden when 'archived' then now() end
        from users u, unnest(array['trashed', 'archived', 'shown']) hidden
        where u.username = 'berta' or hidden <> 'shown'
        """,
    )
    await do(
        pool,
        f"""
        insert into embeddings (asset_id, space_id, owner_id, vector)
        select asset_id, {space.space_id}, owner_id, '[1,0,0]' from assets where original_filename like 'red %'
        """,
    )

    async with answering(bus):
        for asked in ({"search_type": "auto"}, {"search_type": "semantic"}, {"search_type": "filename"}):
            plain = await found(served, "red", **asked)
            assert [name for name in names(plain) if name.startswith("red ")] == [], asked
            trashed = await found(served, "red", filter={"trashed": True}, **asked)
            archived = await found(served, "red", filter={"archived": "only"}, **asked)
            assert (names(trashed), names(archived)) == (["red anna trashed"], ["red anna archived"]), asked
        placed = await found(served, "red in Rome 2021", filter={"trashed": True})

    assert names(placed) == ["red anna trashed"]


async def test_little_of_a_time_is_followed_by_the_rest(served: Api, bus: Bus, space: Space) -> None:
    """Nothing twice, pages without gaps, and the total is what can be paged to."""
    async with answering(bus):
        whole = await found(served, "red 2022")
        pages: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = await found(served, "red 2022", limit=2, **after)
            pages += names(page)
            if "next" not in page:
                break
            after = {"after": page["next"]}

    assert names(whole)[:2] == ["tomato", "lawn"]
    assert (whole["others_from"], whole["total"], sorted(names(whole))) == (2, 5, sorted(pages))
    assert len(set(pages)) == 5


async def test_much_of_a_time_is_a_list_like_any_other(api: Api, pool: Pool, user: User) -> None:
    """Where nothing else is said: all of it, counted, the newest first, however far one pages."""
    await do(
        pool,
        f"""
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at)
        select {user.user_id}, sha256(n::text::bytea), n + 1, 'photo', 'image/jpeg', n || '.jpg',
               timestamp '2021-12-24' - n * interval '6 hours'
        from generate_series(0, 699) n
        """,
    )

    first = await found(api, "2021", limit=100)
    second = await found(api, "2021", limit=100, after=first["next"])
    far = await found(api, "2021", limit=100, offset=600)
    christmas = await found(api, "at christmas")

    assert (first["total"], first["parts"], names(second)[0], names(far)[-1]) == (700, ["dates"], "100", "699")
    assert (names(christmas)[0], christmas["understood"]["dates"]) == ("0", ["at christmas"])


async def test_what_models_saw_is_found_by_words(
    served: Api, bus: Bus, pool: Pool, repository: Repository, user: User
) -> None:
    """From the pictures to the dispatcher and its server, and from the words to the same two and back."""
    fake = Fake()
    assets = [await pictured(pool, repository, user, number) for number in range(3)]
    async with inference.served(fake), staffed(pool, bus, fake) as staff:
        await until(lambda: ask(pool, "select 1 from embeddings having count(*) = 3"), what="all are embedded")
        answering = asyncio.create_task(Questions(pool, bus, staff.servers).run())
        asked = {"query": "thumbnail 2", "search_type": "semantic"}  # which this server sees in one of them

        async def is_found() -> list[str]:
            told = (await served.client.post("/api/v1/assets/search", json=asked)).json()
            return [asset["asset_id"] for asset in told.get("data", {}).get("assets", [])]

        found = await until(is_found)
        answering.cancel()

    assert (found[0], sorted(found)) == (str(assets[2]), sorted(map(str, assets)))


Answer = Callable[[EmbedText], bytes | None]


def vectors(*some: list[float], space_id: int | None = None, error: str | None = None) -> Answer:
    def answer(asked: EmbedText) -> bytes:
        told = TextVectors(vectors=list(some), space_id=space_id or asked.space_id, error=error)
        return msgspec.json.encode(told)

    return answer


LIES: dict[str, Answer] = {
    "is of another space": vectors([1.0, 0.0]),
    "of another space": vectors([1.0, 0.0, 0.0], space_id=99),
    "no direction": vectors([0.0, 0.0, 0.0]),
    "length is 2": vectors([2.0, 0.0, 0.0]),
    "answer": vectors(),
    "the server is starting": vectors(error="the server is starting"),
    "no sense": lambda _: b'{"vectors": [[1, 0, NaN]], "space_id": 1}',
    "made no sense": lambda _: b"\xff" * 100,
}


async def test_whatever_is_missing_the_rest_finds(
    api: Api,
    served: Api,
    bus: Bus,
    pool: Pool,
    library: None,
) -> None:
    """Without a space, a bus, a dispatcher or a usable answer names are found all the same, and it is said why."""

    async def without(api: Api, reason: str, **asked: Any) -> None:
        told = await found(api, "rose", **asked)
        assert names(told) == ["rose"], reason
        assert reason in told["left_out"]["semantic"]
        answer = await api.client.post("/api/v1/assets/search", json={"query": "rose", "search_type": "semantic"})
        assert (answer.status_code, reason in answer.json()["error"]) == (422, True), answer.text

    await without(served, "no inference server")
    await do(pool, "insert into embedding_spaces (model, dimension, state) values ('colours', 3, 'current')")
    await without(api, "bus is away")
    await without(served, "no ml-dispatcher")
    for reason, lie in LIES.items():
        async with answering(bus, lie):
            await without(served, reason)


async def test_a_question_is_asked_once(bus: Bus, space: Space) -> None:
    """By however many at once, and not again; somebody who leaves takes no answer away from others."""
    asking = QueryVectors(bus)
    async with answering(bus) as asked:
        leaving = asyncio.create_task(asking.find(space, "red"))
        waiting = [asyncio.create_task(asking.find(space, "red")) for _ in range(10)]
        await asyncio.wait([leaving], timeout=0)
        leaving.cancel()
        told = await asyncio.gather(*waiting, asking.find(space, "green"))
        again = await asking.find(space, "red")

    assert [list(one) for one in told] == [[1.0, 0.0, 0.0]] * 10 + [[0.0, 1.0, 0.0]]
    assert (list(again), sorted(asked)) == ([1.0, 0.0, 0.0], ["green", "red"])


async def test_only_so_much_is_remembered_and_asked(bus: Bus, space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody asked for longest is forgotten first; who comes when too many wait is told so at once."""
    monkeypatch.setattr(query_vectors, "MOST_KEPT", 2)
    monkeypatch.setattr(query_vectors, "MOST_ASKED", 2)
    asking = QueryVectors(bus)
    async with answering(bus) as asked:
        for query in ("red", "green", "red", "blue", "red", "green"):
            await asking.find(space, query)
        crowd = await asyncio.gather(*(asking.find(space, f"sea {n}") for n in range(3)), return_exceptions=True)

    assert asked[:4] == ["red", "green", "blue", "green"]
    assert [isinstance(one, Unanswered) for one in crowd] == [False, False, True]


async def test_silence_is_waited_for_once(bus: Bus, space: Space) -> None:
    """Who asks next is told at once; known answers stay known."""
    asking = QueryVectors(bus)
    async with answering(bus, lambda asked: colours(asked) if asked.texts == ["red"] else None) as asked:
        await asking.find(space, "red")
        asking.seconds = 0.05
        for query in ("a cat", "a dog"):
            with pytest.raises(Unanswered, match="in time"):
                await asking.find(space, query)
        await asking.find(space, "red")

    assert asked == ["red", "a cat"]


async def test_anything_may_be_typed(served: Api, bus: Bus, space: Space) -> None:
    """Two hundred letters of whatever it is; only what is no text is refused."""
    typed = [
        "x",
        " ",
        "%",
        "\\",
        "'",
        "😀",
        "\u202eא",
        "1999 ",
        "in ",
        "1/2/2020 ",
        "é",
        "𠮷",
        "\ud7ff",
        "\ufeff",
        "ﷺ",
        "\n",
    ]
    async with answering(bus):
        for kind in ("auto", "semantic"):
            for piece in typed:
                body = {"query": (piece * 200)[:200], "search_type": kind}
                answer = await served.client.post("/api/v1/assets/search", json=body)
                assert answer.status_code in {200, 422} - ({422} if kind == "auto" else set()), (piece, answer.text)
        nul = await served.client.post("/api/v1/assets/search", json={"query": "red\0"})
        day = await served.client.post("/api/v1/assets/search", json={"query": "today", "today": "1999-01-01"})

    assert (nul.status_code, day.status_code) == (400, 400)
