"""A library of a million assets, looked at over the API at a steady pace: what a page costs, however deep it lies."""

import asyncio
import json
from itertools import islice
from typing import Any
from uuid import UUID

from tests.bench import pacer
from tests.bench.figures import Bench, Results, pause
from tests.bench.pacer import Question, Times
from tests.support import million

ASKED = 500
BIG_MONTH = "2019-08"
FILTERS = {
    "a kind": {"type": "VIDEO"},
    "a camera of years ago": {"camera": "PowerShot G3"},
    "a camera with a dozen photos": {"camera": "M11"},
    "a city and stars": {"city": "City 7", "rating_range": {"from": 3}},
    "a tag": {"tag": "Family/Anna"},
    "a box on the map": {"bbox": {"west": 10, "south": 40, "east": 20, "north": 50}},
    "a year": {"taken": {"from": "2010-01-01T00:00:00", "to": "2011-01-01T00:00:00"}},
}
PLAIN_WORDS = ("zeppelin in summer 2015", "christmas", "City 7", "grandma cake", "img since 2018", "nothing like that")
SEARCHES = ("IMG_1234", "IMG", "cake", "東京", "zeppelin", "夏")
IDS = """
    select asset_id from assets where owner_id = %s and is_shown and asset_id > %s order by asset_id limit %s
"""


async def library(bench: Bench) -> Results:
    """Pages and details of an owner of 800,000, 50 times a second; what the slowest hundredth took."""
    await pause(bench)
    made = await million.seed(bench.stack.database_url)
    answer = await bench.client.http.post("/auth/login", json={"username": "million", "password": million.PASSWORD})
    visitor = Visitor(bench, answer.json()["data"]["token"])
    ids = await _ids(bench, made.owners["million"])
    results = {
        **await visitor.measure("months", [Question("/api/v1/timeline/months")] * ASKED, mark=5),
        **await visitor.pages("list", "/api/v1/assets?limit=100"),
        **await visitor.pages("timeline bucket", f"/api/v1/timeline/bucket?month={BIG_MONTH}&limit=500"),
        **await visitor.pages("album", f"/api/v1/albums/{made.album_id}/assets?limit=100"),
        **await visitor.measure("detail", [Question(f"/api/v1/assets/{one}") for one in ids]),
    }
    for name, wanted in FILTERS.items():
        results |= await visitor.pages(f"filter by {name}", "/api/v1/assets/filter", {"filter": wanted, "limit": 100})
    for text in SEARCHES:
        asked = {"query": text, "search_type": "filename", "limit": 100}
        results |= await visitor.pages(f"search for {text}", "/api/v1/assets/search", asked)
    for text in PLAIN_WORDS:
        results |= await visitor.pages(f"plain words: {text}", "/api/v1/assets/search", {"query": text}, mark=60)
    first = [Question(f"/api/v1/timeline/bucket?month={BIG_MONTH}&limit=5000")] * 50
    return results | await visitor.measure("first 5,000 of a month of 100,000", first, mark=100, per_second=5)


class Visitor:
    """Somebody who is signed in and asks without a break."""

    def __init__(self, bench: Bench, token: str) -> None:
        self._port, self._token, self._http = bench.stack.port, token, bench.client.http
        self._http.headers["Authorization"] = f"Bearer {token}"

    async def pages(self, name: str, path: str, body: dict[str, Any] | None = None, *, mark: int = 20) -> Results:
        """Pages one after the other, as deep as so many go, and from the start again where they end."""
        questions = [one async for one in self._following(path, body)]
        asked = (questions * (1 + ASKED // len(questions)))[:ASKED]
        return await self.measure(f"{name}, {len(questions)} pages deep", asked, mark=mark)

    async def measure(self, name: str, asked: list[Question], *, mark: int = 20, per_second: float = 50) -> Results:
        """How long the answers take at that pace, the first few left out."""
        await asyncio.to_thread(pacer.ask, self._port, self._token, asked[:5])
        times: Times = await asyncio.to_thread(pacer.ask, self._port, self._token, asked, per_second=per_second)
        return {f"million: {name}, ms (median)": times.p50, f"million: {name}, ms p99 (<= {mark})": times.p99}

    async def _following(self, path: str, body: dict[str, Any] | None) -> Any:
        after = None
        for _ in range(ASKED):
            question = _question(path, body, after)
            yield question
            answer = await self._ask(question)
            after = answer["data"].get("next")
            if after is None:
                return

    async def _ask(self, question: Question) -> dict[str, Any]:
        path = question.path.removeprefix("/api/v1")
        headers = {"Content-Type": "application/json"}
        if question.body:
            answer = await self._http.post(path, content=question.body, headers=headers)
        else:
            answer = await self._http.get(path)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def _question(path: str, body: dict[str, Any] | None, after: str | None) -> Question:
    if body is None:
        return Question(path if after is None else f"{path}&after={after}")
    return Question(path, json.dumps(body if after is None else {**body, "after": after}).encode())


async def _ids(bench: Bench, owner: int) -> list[UUID]:
    """Assets from all over the library."""
    found = await bench.conn.execute(IDS, (owner, UUID(int=0), 200 * ASKED))
    return [row[0] for row in islice(await found.fetchall(), 0, None, 200)]
