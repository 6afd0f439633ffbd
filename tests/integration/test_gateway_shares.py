"""Links to albums, as strangers follow them: what they open, what they never tell, and when they lead nowhere."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID, uuid4
from zipfile import ZipFile

import httpx
import pytest

from common.db import Pool
from tests.support import thumbs
from tests.support.albums import ALBUMS, another, assets_of, created, data, filled, shared
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import PHOTO
from tests.support.rows import ask, do

XSS = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "</title><svg onload=alert(1)>"]
PASSWORD = "sesame-street"


class Link(NamedTuple):
    """A link to an album of anna's with two of her three assets in it; the client is nobody in particular."""

    album: int
    share: int
    token: str
    inside: list[str]
    outside: str
    anna: str

    @property
    def at(self) -> str:
        return f"/api/v1/shared/{self.token}"


@pytest.fixture
async def mine(pool: Pool, repository: Repository, user: User) -> list[str]:
    """Three assets of anna's, with thumbnails and a place."""
    found = await assets_of(pool, repository, user, 3)
    for asset in found:
        await thumbs.keep(pool, repository, UUID(asset), "medium")
        await do(
            pool,
            f"""insert into asset_metadata (asset_id, version, facts)
            values ('{asset}', 1, '{{"gps_latitude": 48.875, "gps_longitude": 2.375, "city": "Paris"}}')""",
        )
    return found


async def linked(api: Api, mine: list[str], **said: Any) -> Link:
    """A new link, followed by somebody who is not signed in."""
    album = await filled(api, mine[:2])
    made = data(await api.client.post(f"{ALBUMS}/{album}/shares", json=said))
    anna = api.client.headers.pop("Authorization")
    return Link(album, made["share_id"], made["token"], mine[:2], mine[2], anna)


async def opened(api: Api, link: Link, password: str | None = PASSWORD) -> dict[str, str]:
    """The headers of a visitor who was let in."""
    visit = data(await api.client.post(f"{link.at}/open", json={"password": password} if password else None))
    return {"Authorization": f"Share {visit['visitor']}"}


async def as_anna(api: Api, link: Link, method: str, path: str, **said: Any) -> httpx.Response:
    return await api.client.request(method, path, headers={"Authorization": link.anna}, **said)


async def test_a_link_shows_the_pictures_of_its_album(api: Api, mine: list[str]) -> None:
    """Without an account: the album, its assets, and addresses that need nothing else."""
    link = await linked(api, mine)

    head = data(await api.client.get(link.at))
    page = data(await api.client.get(f"{link.at}/assets"))
    picture = await api.client.get(page["assets"][0]["urls"]["medium"])

    assert (head["album_name"], head["asset_count"]) == ("Summer", 2)
    assert ([one["asset_id"] for one in page["assets"]], page["total"]) == (link.inside, 2)
    assert (picture.status_code, picture.content) == (200, thumbs.PICTURE)


async def test_pages_of_a_share_follow_each_other(api: Api, mine: list[str]) -> None:
    """As those of the album do."""
    link = await linked(api, mine)

    first = data(await api.client.get(f"{link.at}/assets", params={"limit": 1}))
    second = data(await api.client.get(f"{link.at}/assets", params={"limit": 1, "after": first["next"]}))

    assert [page["assets"][0]["asset_id"] for page in (first, second)] == link.inside


async def test_a_link_is_told_once(api: Api, pool: Pool, mine: list[str]) -> None:
    """256 bits of it; the database keeps a hash, and no list says it again."""
    link = await linked(api, mine, password=PASSWORD, label="for grandma")

    listed = await as_anna(api, link, "GET", f"{ALBUMS}/{link.album}/shares")
    kept = await ask(pool, "select shares::text from shares")

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", link.token)
    (share,) = data(listed)["shares"]
    assert (share["label"], share["has_password"], share["allow_download"]) == ("for grandma", True, False)
    for text in (listed.text, str(kept)):
        assert link.token not in text
        assert PASSWORD not in text


async def test_a_link_tells_nothing_that_it_need_not(api: Api, pool: Pool, mine: list[str]) -> None:
    """No path, no place, no original, nobody's e-mail or name."""
    link = await linked(api, mine)

    pages = [await api.client.get(path) for path in (link.at, f"{link.at}/assets", f"/s/{link.token}")]

    for page in pages:
        assert page.status_code == 200
        for secret in ("48.8", "Paris", "storage_path", "repository", "@localhost", "anna", "/original", link.outside):
            assert secret not in page.text
    assert data(pages[1])["assets"][0]["location"] is None


async def test_the_owner_may_allow_more(api: Api, mine: list[str]) -> None:
    """Places and originals, when the owner says so; each by itself."""
    link = await linked(api, mine, show_location=True)
    before = data(await api.client.get(f"{link.at}/assets/{mine[0]}"))

    change = {"allow_download": True, "show_location": False}
    data(await as_anna(api, link, "PUT", f"{ALBUMS}/{link.album}/shares/{link.share}", json=change))
    after = data(await api.client.get(f"{link.at}/assets/{mine[0]}"))
    original = await api.client.get(after["urls"]["original"])

    assert before["location"] == {"latitude": 48.875, "longitude": 2.375, "country": None, "city": "Paris"}
    assert "original" not in before["urls"]
    assert (after["location"], original.status_code) == (None, 200)


async def test_a_video_that_tells_where_it_was_taken_is_not_played_from_its_original(
    api: Api, pool: Pool, mine: list[str]
) -> None:
    """Only from a version that the server made; one that tells nothing is played as it is."""
    link = await linked(api, mine)
    await do(pool, "update assets set kind = 'video'")
    await do(pool, f"update asset_metadata set facts = '{{}}' where asset_id = '{mine[1]}'")

    page = data(await api.client.get(f"{link.at}/assets"))["assets"]

    assert ["video" in one["urls"] for one in page] == [False, True]


async def test_what_nobody_has_read_yet_is_not_played_from_its_original(api: Api, pool: Pool, mine: list[str]) -> None:
    """A film that was uploaded a moment ago may say where it was taken: only what was read is known not to."""
    link = await linked(api, mine)
    await do(pool, "update assets set kind = 'video'")
    await do(pool, f"delete from asset_metadata where asset_id = '{mine[0]}'")
    await do(pool, f"update asset_metadata set facts = '{{}}', version = 0 where asset_id = '{mine[1]}'")

    page = data(await api.client.get(f"{link.at}/assets"))["assets"]

    assert ["video" in one["urls"] for one in page] == [False, False]


async def test_a_live_photo_moves_for_visitors_only_if_its_video_tells_nothing(
    api: Api, pool: Pool, mine: list[str]
) -> None:
    """A still without a place may belong to a video that has one."""
    link = await linked(api, mine)
    still, video = mine[0], mine[2]
    await do(pool, f"update asset_metadata set facts = '{{}}' where asset_id = '{still}'")
    for asset, role in ((still, "still"), (video, "motion")):
        await do(
            pool,
            f"""insert into stack_keys (asset_id, owner_id, kind, key, role)
            select asset_id, owner_id, 'live', 'one', '{role}' from assets where asset_id = '{asset}'""",
        )

    told = data(await api.client.get(f"{link.at}/assets/{still}"))["urls"]
    await do(pool, f"update asset_metadata set facts = '{{}}' where asset_id = '{video}'")
    silent = data(await api.client.get(f"{link.at}/assets/{still}"))["urls"]

    assert ("motion" in told, "motion" in silent) == (False, True)


async def test_only_what_is_in_the_album_can_be_had(api: Api, pool: Pool, mine: list[str]) -> None:
    """The id of a share and an asset of another album, of none, in the trash or taken out: 404."""
    link = await linked(api, mine)
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{mine[0]}'")
    await as_anna(api, link, "DELETE", f"{ALBUMS}/{link.album}/assets/{mine[1]}")

    answers = [await api.client.get(f"{link.at}/assets/{asset}") for asset in (*mine, uuid4())]

    assert {answer.status_code for answer in answers} == {404}
    assert data(await api.client.get(f"{link.at}/assets"))["assets"] == []


async def test_an_address_is_good_for_its_own_asset_alone(api: Api, mine: list[str]) -> None:
    """Another asset, another variant or another share in it, and the signature is none."""
    link = await linked(api, mine)
    url = data(await api.client.get(f"{link.at}/assets"))["assets"][0]["urls"]["medium"]

    forged = [
        url.replace(link.inside[0], link.outside),
        url.replace("/medium", "/original"),
        url.replace(f"for=s{link.share}", "for=s999"),
    ]

    assert [(await api.client.get(one)).status_code for one in forged] == [403, 403, 403]


@pytest.mark.parametrize("end", ["revoked", "deleted", "owner disabled", "expired"])
async def test_a_link_that_ended_leads_nowhere(api: Api, pool: Pool, mine: list[str], end: str) -> None:
    """At once, for the album, its assets, opening and the page; an expired one says so."""
    link = await linked(api, mine)
    if end == "revoked":
        data(await as_anna(api, link, "DELETE", f"{ALBUMS}/{link.album}/shares/{link.share}"))
    elif end == "deleted":
        data(await as_anna(api, link, "DELETE", f"{ALBUMS}/{link.album}"))
    elif end == "expired":
        await do(pool, "update shares set expires_at = now() - interval '1 second'")
    else:
        await do(pool, "update users set is_active = false")

    answers = [
        await api.client.get(link.at),
        await api.client.get(f"{link.at}/assets"),
        await api.client.get(f"{link.at}/assets/{mine[0]}"),
        await api.client.post(f"{link.at}/open"),
        await api.client.get(f"/s/{link.token}"),
    ]

    assert {answer.status_code for answer in answers} == {410 if end == "expired" else 404}
    assert all("Summer" not in answer.text for answer in answers)


async def test_a_time_to_come_opens_until_then(api: Api, mine: list[str]) -> None:
    """And is told."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    link = await linked(api, mine, expires_at=end.isoformat())

    assert datetime.fromisoformat(data(await api.client.get(link.at))["expires_at"]) == end


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 5000, "..%2f..", "%00"])
async def test_what_is_no_link_leads_nowhere(api: Api, token: str) -> None:
    """Whatever it says."""
    del api.client.headers["Authorization"]

    assert (await api.client.get(f"/api/v1/shared/{token}")).status_code == 404
    assert (await api.client.get(f"/s/{token}")).status_code == 404


async def test_a_password_is_said_in_the_body_and_nowhere_else(
    api: Api, mine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it nothing is to be seen; in the query string it is ignored, and written to no log."""
    link = await linked(api, mine, password=PASSWORD)

    without = [await api.client.get(link.at), await api.client.get(f"{link.at}/assets")]
    by_query = [
        await api.client.get(link.at, params={"password": PASSWORD}),
        await api.client.post(f"{link.at}/open", params={"password": PASSWORD}),
    ]
    wrong = await api.client.post(f"{link.at}/open", json={"password": "open barley"})
    head = await api.client.get(link.at, headers=await opened(api, link))

    assert {answer.status_code for answer in (*without, *by_query, wrong)} == {401}
    assert data(head)["album_name"] == "Summer"
    said = capsys.readouterr()
    assert PASSWORD not in said.out + said.err
    assert link.token not in said.out + said.err


async def test_no_log_tells_a_link(api: Api, mine: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is asked below it, and in whichever way."""
    link = await linked(api, mine)

    for at in (link.at, f"/s/{link.token}"):
        await api.client.get(f"{at}/elsewhere")
        await api.client.put(at)
        await api.client.get(f"{at}/")

    said = capsys.readouterr()
    assert "/s/" in said.out
    assert link.token not in said.out + said.err


async def test_who_was_let_in_is_let_in_here_only(api: Api, mine: list[str]) -> None:
    """Not through another link, not by what was changed, and not after another password was set."""
    link = await linked(api, mine, password=PASSWORD)
    visitor = await opened(api, link)
    other = data(await as_anna(api, link, "POST", f"{ALBUMS}/{link.album}/shares", json={"password": PASSWORD}))[
        "token"
    ]
    changed = {"Authorization": visitor["Authorization"][:-1] + ("0" if visitor["Authorization"][-1] != "0" else "1")}

    elsewhere = await api.client.get(f"/api/v1/shared/{other}", headers=visitor)
    forged = await api.client.get(link.at, headers=changed)
    before = await api.client.get(link.at, headers=visitor)
    new = {"password": "another one"}
    data(await as_anna(api, link, "PUT", f"{ALBUMS}/{link.album}/shares/{link.share}", json=new))
    after = await api.client.get(link.at, headers=visitor)

    statuses = [answer.status_code for answer in (elsewhere, forged, before, after)]
    assert statuses == [401, 401, 200, 401]


async def test_a_visitor_is_nobody_elsewhere(api: Api, mine: list[str]) -> None:
    """What lets one look at an album is no sign-in."""
    link = await linked(api, mine, password=PASSWORD)
    visitor = await opened(api, link)

    assert (await api.client.get("/api/v1/assets", headers=visitor)).status_code == 401


async def test_guessing_ends_soon(api: Api, mine: list[str]) -> None:
    """Ten wrong ones from one place, also at once, and even the right one has to wait; other links do not."""
    link = await linked(api, mine, password=PASSWORD)

    async def guess(password: str) -> int:
        return (await api.client.post(f"{link.at}/open", json={"password": password})).status_code

    guesses = await asyncio.gather(*(guess(f"guess {number}") for number in range(14)))
    right = await api.client.post(f"{link.at}/open", json={"password": PASSWORD})

    assert sorted(guesses) == [401] * 10 + [429] * 4
    assert (right.status_code, int(right.headers["retry-after"]) > 0) == (429, True)


async def test_links_and_guesses_at_them_are_written_down(api: Api, pool: Pool, mine: list[str], user: User) -> None:
    """Who made, changed and revoked one, who got part in the album, and from where somebody guessed; no password."""
    link = await linked(api, mine, password=PASSWORD)
    await api.client.post(f"{link.at}/open", json={"password": "a wrong guess"})
    api.client.headers["Authorization"] = link.anna
    share = f"{ALBUMS}/{link.album}/shares/{link.share}"
    data(await api.client.put(share, json={"password": "another password", "allow_download": True}))
    data(await api.client.delete(share))
    berta = await another(pool, "berta", user)
    await shared(api, link.album, berta)
    data(await api.client.delete(f"{ALBUMS}/{link.album}/members/{berta.user_id}"))

    told = await ask(pool, "select action, user_id, about from audit where action <> 'signed in' order by audit_id")

    about, album = f"share {link.share} of album {link.album}", f"album {link.album}"
    assert told == [
        ("share made", user.user_id, about),
        ("share password wrong", None, about),
        ("share changed", user.user_id, about),
        ("share revoked", user.user_id, about),
        ("album shared", user.user_id, album),
        ("album shared no longer", user.user_id, album),
    ]
    said = str(await ask(pool, "select audit::text from audit"))
    assert not [secret for secret in (PASSWORD, "another password", "a wrong guess", link.token) if secret in said]


async def test_who_knows_the_password_is_never_kept_out(api: Api, mine: list[str]) -> None:
    """However often it is said."""
    link = await linked(api, mine, password=PASSWORD)

    for _ in range(12):
        await opened(api, link)


async def test_members_see_which_links_there_are_and_make_none(
    api: Api, pool: Pool, mine: list[str], user: User
) -> None:
    """Whoever adds pictures to an album knows who else looks; only its owner lets in more."""
    link = await linked(api, mine)
    berta = await another(pool, "berta", user)
    api.client.headers["Authorization"] = link.anna
    await shared(api, link.album, berta, "editor")
    await api.enter("berta")
    at = f"{ALBUMS}/{link.album}/shares"

    listed = data(await api.client.get(at))["shares"]
    refused = [
        await api.client.post(at),
        await api.client.put(f"{at}/{link.share}", json={"allow_download": True}),
        await api.client.delete(f"{at}/{link.share}"),
    ]

    assert [one["share_id"] for one in listed] == [link.share]
    assert {answer.status_code for answer in refused} == {403}


async def test_a_share_of_another_album_is_none_of_this_one(api: Api, mine: list[str]) -> None:
    """The link of one album is neither changed nor revoked through another."""
    link = await linked(api, mine)
    api.client.headers["Authorization"] = link.anna
    other = await created(api, "Winter")

    answers = [
        await api.client.put(f"{ALBUMS}/{other}/shares/{link.share}", json={"allow_download": True}),
        await api.client.delete(f"{ALBUMS}/{other}/shares/{link.share}"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert (await api.client.get(link.at)).status_code == 200


@pytest.mark.parametrize("hostile", XSS)
async def test_words_of_people_are_words_in_the_page(api: Api, pool: Pool, mine: list[str], hostile: str) -> None:
    """The names of an album and of its files, and its description, come as text, and nothing may run or load."""
    link = await linked(api, mine)
    api.client.headers["Authorization"] = link.anna
    said = {"album_name": hostile, "description": hostile}
    data(await api.client.put(f"{ALBUMS}/{link.album}", json=said))
    async with pool.connection() as conn:
        await conn.execute("update assets set original_filename = %s", (hostile,))

    page = await api.client.get(f"/s/{link.token}")

    assert page.headers["content-type"].startswith("text/html")
    assert hostile not in page.text
    assert not re.search(r"<script|<svg|<img src=x|onerror=alert\(1\)>", page.text)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "unsafe" not in policy


async def test_the_page_asks_for_the_password_and_shows_the_pictures(api: Api, mine: list[str]) -> None:
    """A form, sent as browsers send it, without any script."""
    link = await linked(api, mine, password=PASSWORD)
    at = f"/s/{link.token}"

    question = await api.client.get(at, params={"password": PASSWORD})
    wrong = await api.client.post(at, data={"password": "open barley"})
    right = await api.client.post(at, data={"password": PASSWORD})
    (source,) = set(re.findall(r'<img src="([^"]+)"', right.text)[:1])
    picture = await api.client.get(source.replace("&amp;", "&"))

    assert [answer.status_code for answer in (question, wrong, right)] == [401, 401, 200]
    assert 'type="password"' in question.text
    assert "this is not the password" in wrong.text
    assert "Summer" in right.text
    assert picture.content == thumbs.PICTURE


async def test_all_originals_come_in_one_archive_where_that_is_allowed(api: Api, mine: list[str]) -> None:
    """For programs and by a button of the page; nothing is left of it when the owner thinks better of it."""
    link = await linked(api, mine, password=PASSWORD, allow_download=True)
    visitor = await opened(api, link)
    at = f"{link.at}/download"

    without = await api.client.get(at)
    found = await api.client.get(at, headers=visitor)
    form = {"visitor": visitor["Authorization"].removeprefix("Share ")}
    by_page = await api.client.post(f"/s/{link.token}/download", data=form)
    change = {"allow_download": False}
    data(await as_anna(api, link, "PUT", f"{ALBUMS}/{link.album}/shares/{link.share}", json=change))
    refused = await api.client.get(at, headers=visitor)

    assert [answer.status_code for answer in (without, found, by_page, refused)] == [401, 200, 200, 403]
    with ZipFile(BytesIO(found.content)) as archive:
        assert sorted(archive.read(name) for name in archive.namelist()) == [PHOTO + b"0", PHOTO + b"1"]
    assert by_page.content == found.content
    assert 'filename="Summer.zip"' in found.headers["content-disposition"]


async def test_pages_in_a_browser_follow_each_other(
    api: Api, pool: Pool, mine: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a form with a button, which carries what lets the visitor in."""
    monkeypatch.setattr("gateway.routes.share_page.PAGE", 1)
    link = await linked(api, mine, password=PASSWORD)

    first = await api.client.post(f"/s/{link.token}", data={"password": PASSWORD})
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', first.text))
    second = await api.client.post(f"/s/{link.token}", data=fields)

    shown = [re.findall(r'<img src="/media/([0-9a-f-]+)/', page.text) for page in (first, second)]
    assert shown == [[mine[0]], [mine[1]]]
