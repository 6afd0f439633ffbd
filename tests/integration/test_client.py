"""The client for programs: whatever it is told, it says precisely what became of it, and never does harm twice."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest

from common.db import Pool
from lumilio_client import (
    AsyncClient,
    Client,
    Forbidden,
    Invalid,
    Key,
    NotFound,
    NotReady,
    NotSignedIn,
    Password,
    Retries,
    UnknownFormat,
    Unreachable,
    api,
)
from tests.support.gateway import JPEG, Api, free_port
from tests.support.given import User
from tests.support.rows import ask

QUICK = Retries(tries=3, first_seconds=0.001)


@pytest.fixture
def server(api: Api) -> str:
    """Where the gateway answers."""
    return f"http://127.0.0.1:{api.port}"


@pytest.fixture
async def client(server: str, user: User) -> AsyncIterator[AsyncClient]:
    """Anna's client."""
    async with AsyncClient(server, Password(server, user.username, user.password), retries=QUICK) as opened:
        yield opened


async def test_a_person_signs_in_with_the_first_call(client: AsyncClient, user: User) -> None:
    """Name and password are all that a program needs."""
    me = await client.ask(api.me())

    assert (me.username, me.user_id) == (user.username, user.user_id)


async def test_a_file_comes_back_as_it_was_sent(client: AsyncClient, tmp_path: Path) -> None:
    """What goes up comes down, whole or in part, byte for byte."""
    sent = await client.upload(io.BytesIO(JPEG), name="photo.jpg")
    asset = api.original(sent.asset_id)

    size = await client.download(asset, tmp_path / "photo.jpg")
    async with client.stream(asset, start=100) as answer:
        rest = await answer.aread()

    assert (tmp_path / "photo.jpg").read_bytes() == JPEG
    assert (size, rest, await client.ask(asset)) == (len(JPEG), JPEG[100:], JPEG)
    assert [path.name for path in tmp_path.glob("*.part")] == []


async def test_lists_are_walked_to_their_end(client: AsyncClient) -> None:
    """Page after page, each thing once."""
    sent = {(await client.upload(io.BytesIO(JPEG + bytes([one])), name=f"{one}.jpg")).asset_id for one in range(7)}

    pages = [page async for page in client.pages(api.list_assets(limit=3))]
    found = [asset.asset_id async for asset in client.each(api.list_assets(limit=3))]

    assert [len(page.assets) for page in pages] == [3, 3, 1]
    assert (len(found), set(found)) == (7, sent)


async def test_a_key_makes_sending_twice_the_same_as_once(client: AsyncClient) -> None:
    """A program that does not know whether its file arrived sends it again."""
    first = await client.upload(io.BytesIO(JPEG), name="photo.jpg", key="tuesday")
    second = await client.upload(io.BytesIO(JPEG), name="photo.jpg", key="tuesday")

    assert first == second


async def test_each_refusal_has_a_class_and_words(client: AsyncClient) -> None:
    """Programs tell what went wrong by the class, people by the text."""
    asset = (await client.upload(io.BytesIO(JPEG), name="photo.jpg")).asset_id

    with pytest.raises(NotFound, match="no asset") as unknown:
        await client.ask(api.get_asset(uuid4()))
    with pytest.raises(NotReady, match="is being made") as unready:
        await client.ask(api.thumbnail(asset))
    with pytest.raises(Invalid, match="rating"):
        await client.ask(api.rate_asset(asset, api.RateRequest(rating=9)))
    with pytest.raises(Forbidden, match="administrator"):
        await client.ask(api.resume_stage("render"))
    with pytest.raises(UnknownFormat):
        await client.upload(io.BytesIO(b"#!/bin/sh\n"), name="photo.jpg")

    assert type(unknown.value) is NotFound
    assert (unknown.value.code, unready.value.retry_after) == (404, 2.0)


async def test_who_may_not_come_in_is_told_at_once(server: str, user: User) -> None:
    """A wrong password and a wrong key are no reason to try again."""
    async with AsyncClient(server, Password(server, user.username, "wrong")) as mistaken:
        with pytest.raises(NotSignedIn, match="wrong user name or password"):
            await mistaken.ask(api.me())
    async with AsyncClient(server, Key("no-such-key")) as stranger:
        with pytest.raises(NotSignedIn):
            await stranger.ask(api.me())


async def test_a_sign_in_that_was_ended_elsewhere_is_renewed(client: AsyncClient, server: str, user: User) -> None:
    """Tokens that count no more are replaced, and the call is made once more; a file is sent from its beginning."""
    auth = Password(server, user.username, user.password)
    async with AsyncClient(server, auth) as other:
        await other.ask(api.me())
        pair = auth._pair
        assert pair is not None
        await client.ask(api.logout(api.RefreshRequest(refresh_token=pair.refresh_token)))
        auth._pair = msgspec.structs.replace(pair, token="not-a-token")

        sent = await other.upload(io.BytesIO(JPEG), name="photo.jpg")

    assert await client.ask(api.original(sent.asset_id)) == JPEG


async def test_tokens_are_renewed_before_they_end(client: AsyncClient, server: str, user: User, pool: Pool) -> None:
    """A program that runs for days shows its password once; however many ask at that moment, one renews."""
    auth = Password(server, user.username, user.password)
    async with AsyncClient(server, auth) as lasting:
        await lasting.ask(api.me())
        auth._ends = 0.0
        auth.password = "nobody asks for it any more"
        found = await asyncio.gather(*(lasting.ask(api.me()) for _ in range(5)))

    assert {one.username for one in found} == {user.username}
    assert await ask(pool, "select count(*) from refresh_tokens where used_at is not null") == [1]


async def test_a_server_that_is_away_is_asked_again_only_where_that_is_harmless() -> None:
    """Reading may be repeated; nobody knows what became of a change."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        raise httpx.ReadError("gone")

    async with AsyncClient("http://photos", retries=QUICK, transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(Unreachable, match="gone"):
            await client.ask(api.is_alive())
        with pytest.raises(Unreachable, match="gone"):
            await client.ask(api.trash_asset(uuid4()))

    assert asked == ["GET", "GET", "GET", "DELETE"]


async def test_threads_have_the_same_client(server: str, user: User, tmp_path: Path) -> None:
    """Programs without an event loop get the same, also by many threads of one client."""

    def work() -> list[bytes]:
        (tmp_path / "photo.jpg").write_bytes(JPEG)
        with Client(server, Password(server, user.username, user.password), retries=QUICK) as client:
            sent = client.upload(tmp_path / "photo.jpg")
            client.download(api.original(sent.asset_id), tmp_path / "back.jpg")
            names = [asset.original_filename for asset in client.each(api.list_assets())]
            with client.stream(api.original(sent.asset_id), start=5) as answer:
                return [names[0].encode(), answer.read(), (tmp_path / "back.jpg").read_bytes()]

    assert await asyncio.to_thread(work) == [b"photo.jpg", JPEG[5:], JPEG]


async def test_nobody_at_the_address_is_told() -> None:
    """A mistyped address is no mystery."""
    with Client(f"http://127.0.0.1:{free_port()}", retries=QUICK) as client, pytest.raises(Unreachable):
        await asyncio.to_thread(client.ask, api.is_alive())
