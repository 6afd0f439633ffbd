"""Whatever form a client sends, it is one whole file under a sane name, or it is refused and leaves nothing."""

from collections.abc import AsyncIterator

import pytest
from blake3 import blake3

from common.db import Pool
from tests.support.gateway import BOUNDARY, FORM, JPEG, Api, form, nothing_left, post, serving
from tests.support.given import Repository, User
from tests.support.waiting import until

NAMES = {
    "beach.jpg": "beach.jpg",
    "C:\\Users\\anna\\beach.jpg": "beach.jpg",
    "../../../etc/passwd": "passwd",
    "..": "unnamed",
    "": "unnamed",
    "\u202egpj.exe": "gpj.exe",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467.jpg": "family \U0001f468\u200d\U0001f469\u200d\U0001f467.jpg",
    "cafe\u0301.jpg": "caf\u00e9.jpg",
    "tab\there\x7f.jpg": "tabhere.jpg",
    "ä" * 150 + ".jpg": "ä" * 88 + ".jpg",
}
HOSTILE_HEADS = [
    'form-data; name="file"; filename="one.jpg"; filename="two.jpg"',
    'form-data; name="file"; filename="a%0d%0aX-Evil: 1.jpg"',
    'form-data; name=file; filename*0="one"; filename*1=".jpg"',
    "form-data; name=\"file\"; filename*=UTF-8''%2e%2e%2fx.jpg",
    'form-data; name="file"',
]
FORMS = {
    "no final boundary": b"--limit\r\nContent-Disposition: form-data; name=file\r\n\r\n" + JPEG,
    "no part": b"--limit--\r\n",
    "another name": b"--limit\r\nContent-Disposition: form-data; name=photo\r\n\r\nx\r\n--limit--\r\n",
    "no head": b"--limit\r\n\r\n" + JPEG + b"\r\n--limit--\r\n",
    "a broken head": b"--limit\r\nContent-Disposition form-data\r\n\r\nx\r\n--limit--\r\n",
    "a huge field": b"--limit\r\nContent-Disposition: form-data; name=note\r\n\r\n"
    + b"x" * 5000
    + b"\r\n--limit--\r\n",
    "two files": (b"--limit\r\nContent-Disposition: form-data; name=file\r\n\r\n" + JPEG + b"\r\n") * 2
    + b"--limit--\r\n",
    "a late repository": b"--limit\r\nContent-Disposition: form-data; name=file\r\n\r\n"
    + JPEG
    + b"\r\n--limit\r\nContent-Disposition: form-data; name=repository_id\r\n\r\nx\r\n--limit--\r\n",
    "a repository that is no UUID": b"--limit\r\nContent-Disposition: form-data; name=repository_id\r\n\r\n../x\r\n"
    b"--limit\r\nContent-Disposition: form-data; name=file\r\n\r\n" + JPEG + b"\r\n--limit--\r\n",
    "a form in the form": b"--limit\r\nContent-Disposition: form-data; name=file\r\n"
    b"Content-Type: multipart/mixed; boundary=inner\r\n\r\n"
    b"--inner\r\nContent-Disposition: attachment\r\n\r\nx\r\n--inner--\r\n--other--\r\n",
    "nothing": b"",
}
MONSTERS = {
    "a huge head": b"--limit\r\nContent-Disposition: form-data; name=file; filename="
    + b"x" * 10_000
    + b"\r\n\r\nx\r\n--limit--\r\n",
    "many heads": b"--limit\r\n" + b"X-More: 1\r\n" * 100 + b"\r\nx\r\n--limit--\r\n",
    "ten thousand parts": b"--limit\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 10_000 + b"--limit--\r\n",
}


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, max_upload_bytes=1_000_000) as served:
        await served.enter(user.username)
        yield served


async def test_lengths_that_lie_are_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """A body shorter or longer than announced, or announced twice, is no upload."""
    body = form(JPEG)
    chunked = post(api, b"zz\r\n", length=None, more="Transfer-Encoding: chunked\r\n")
    both = post(api, body, length=len(body), more="Transfer-Encoding: chunked\r\n")
    answers = [
        await api.raw(request, leaves=True)
        for request in (post(api, body, length=len(body) - 5), post(api, body, length=len(body) + 5), chunked, both)
    ]

    assert [answer for answer in answers if answer.startswith(b"HTTP/1.1 200")] == []
    assert await until(lambda: nothing_left(pool, repository))


async def test_malformed_forms_are_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """What is not one whole form with one file is answered with 400 and leaves nothing."""
    answers = {
        kind: await api.client.post("/api/v1/assets", content=body, headers=FORM) for kind, body in FORMS.items()
    }

    assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(FORMS, 400)
    assert await nothing_left(pool, repository)


async def test_common_mistakes_are_told_in_words(api: Api) -> None:
    """Whoever names the part of a file otherwise, or not in UTF-8, reads what to do and nothing of our insides."""
    misnamed = await api.client.post("/api/v1/assets", files={"photo": ("a.jpg", JPEG)})
    latin = await api.client.post("/api/v1/assets", content=form(JPEG).replace(b"photo", b"\xe9"), headers=FORM)

    assert "name it `file`" in misnamed.json()["error"]
    assert latin.json()["error"] == "not a whole multipart body: Segment header failed to decode"


async def test_monstrous_forms_are_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """What has more parts, or larger heads, than any honest client sends is answered with 413 and leaves nothing."""
    answers = {
        kind: await api.client.post("/api/v1/assets", content=body, headers=FORM) for kind, body in MONSTERS.items()
    }

    assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(MONSTERS, 413)
    assert await nothing_left(pool, repository)


async def test_a_body_of_another_type_is_refused(api: Api) -> None:
    """Only multipart bodies with a sane boundary are read."""
    long = "multipart/form-data; boundary=" + "b" * 10_000
    statuses = [
        (await api.client.post("/api/v1/assets", content=form(JPEG), headers={"Content-Type": kind})).status_code
        for kind in ("", "application/json", "multipart/form-data", long)
    ]

    assert statuses == [400, 400, 400, 400]


async def test_a_file_over_the_limit_is_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """The limit holds for announced and for streamed lengths."""

    async def endless() -> AsyncIterator[bytes]:
        yield form(JPEG)[:-20]
        while True:
            yield JPEG

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    announced = await api.upload(JPEG * 300)
    streamed = await api.client.post("/api/v1/assets", content=_some(endless(), 400), headers=headers)

    assert (announced.status_code, streamed.status_code) == (413, 413)
    assert await nothing_left(pool, repository)


async def test_a_hash_that_is_announced_twice_is_refused(api: Api) -> None:
    """Two announcements cannot both be checked."""
    body, right = form(JPEG), blake3(JPEG).hexdigest()

    twice = f"X-Content-Hash: {right}\r\n" * 2 + "Connection: close\r\n"
    answer = await api.raw(post(api, body, length=len(body), more=twice))

    assert answer.startswith(b"HTTP/1.1 400")


async def test_names_are_shown_in_a_sane_form(api: Api) -> None:
    """A file's name is for people: one line, no path, no turned text, at most 180 bytes."""
    shown = {}
    for sent in NAMES:
        body = form(JPEG, f'form-data; name="file"; filename="{sent}"')
        answer = await api.client.post("/api/v1/assets", content=body, headers=FORM)
        shown[sent] = answer.json()["data"]["file_name"]

    assert shown == NAMES


async def test_hostile_heads_give_one_sane_name(api: Api) -> None:
    """However a part's head is twisted, the name is one line without a path, and no header can be added with it."""
    for number, head in enumerate(HOSTILE_HEADS):
        content = JPEG + bytes([number])
        answer = await api.client.post("/api/v1/assets", content=form(content, head), headers=FORM)
        sent = answer.json()["data"]
        original = await api.client.get(f"/api/v1/assets/{sent['asset_id']}/original")

        assert sent["file_name"].isprintable()
        assert not set(sent["file_name"]) & set("/\\\r\n")
        assert "x-evil" not in original.headers
        assert original.content == content


async def _some(chunks: AsyncIterator[bytes], count: int) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        count -= 1
        if count < 0:
            return
        yield chunk
