"""Whatever is thrown at uploads ends in one clear answer, harms nothing, and leaves only what was taken."""

import asyncio
import gzip
import itertools
import os
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from common.db import Pool
from ingest.handlers import Ingest
from tests.support.gateway import (
    FORM,
    JPEG,
    Api,
    batch_of,
    form,
    nothing_left,
    parts,
    post,
    serving,
    staged,
)
from tests.support.given import Repository, User
from tests.support.placing import originals, place_all
from tests.support.rows import ask
from tests.support.waiting import until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
GIF = b"GIF89a" + bytes(range(256)) * 20
HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
ENTITY = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

# What no decoder of ours is for, however it is dressed up.
UNKNOWN = {
    "a drawing": SVG,
    "a drawing after a comment": b"<!-- a -->\n" + SVG,
    "a drawing with an entity": ENTITY,
    "a drawing in two bytes a letter": SVG.decode().encode("utf-16"),
    "a drawing behind a mark": b"\xef\xbb\xbf" + SVG,
    "a packed drawing": gzip.compress(SVG),
    "a page": HTML,
    "a program": b"\x7fELF" + bytes(5000),
    "a script": b"#!/bin/sh\nrm -rf /\n",
    "an archive": b"PK\x03\x04" + bytes(5000),
    "a document": b"%PDF-1.7\n" + JPEG,
    "a macro": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
    "a playlist": b"#EXTM3U\nhttp://127.0.0.1/\n",
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a postscript": b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file\n",
    "a virus": EICAR,
    "zeros": bytes(5000),
    "nearly a photo": b"\xff\xd8",
    "a photo with a byte before it": b"\0" + JPEG,
    "a photo in letters": b"/9j/4AAQSkZJRgABAQ" * 300,
}
POLYGLOTS = {
    "image/jpeg": [JPEG + HTML, JPEG + b"PK\x03\x04" + bytes(400), b"\xff\xd8\xff\xfe" + HTML + JPEG, JPEG + EICAR],
    "image/png": [PNG + HTML],
    "image/gif": [b"GIF89a/*" + GIF + b"*/=1;alert(1)//"],
}
LEADS = [
    "../",
    "..\\",
    "/",
    "C:\\",
    "....//",
    "%2e%2e%2f",
    "..%00/",
    "./",
    "~/",
    "file:///",
    "\\\\host\\share\\",
    ".../",
]
LEAVES = [
    *("etc/passwd", "etc/cron.d/x.jpg", ".lumiliorepo", ".lumilio", ".lumilio/staging/incoming/x.part", ".trash"),
    *("..", "CON.jpg", "-rf", ".bashrc"),
]
LITERAL = {
    "touch x |": "touch x |",
    "-ver.jpg": "-ver.jpg",
    "$(id).jpg": "$(id).jpg",
    "`id`": "`id`",
    "a;b&c.jpg": "a;b&c.jpg",
    "%s%n%x.jpg": "%s%n%x.jpg",
    "{0}${jndi:x}.jpg": "{0}${jndi:x}.jpg",
    "'; drop table assets;--.jpg": "'; drop table assets;--.jpg",
    "<img src=x onerror=alert(1)>.jpg": "<img src=x onerror=alert(1)>.jpg",
    "=cmd()!A1.jpg": "=cmd()!A1.jpg",
}
PAIRS = [
    ("caf\u00e9.jpg", "cafe\u0301.jpg"),
    ("Photo.JPG", "photo.jpg"),
    ("same.jpg", "same.jpg"),
    ("ä" * 150, "ä" * 151),
]
OURS = [
    ".lumiliorepo",
    ".lumilio",
    ".tmp-1",
    "x.part",
    ".trash",
    ".part",
    "x.jsonl",
    "con",
    "NUL.jpg",
    "lpt1",
    "trailing. ",
]


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, max_upload_bytes=1_000_000) as served:
        await served.enter(user.username)
        yield served


async def test_what_we_know_no_decoder_for_is_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """Neither a photo's name nor a declared type makes a photo; nothing of it is stored, alone or in a batch."""
    alone = {
        kind: await api.client.post("/api/v1/assets", files={"file": ("photo.jpg", content, "image/jpeg")})
        for kind, content in UNKNOWN.items()
    }
    together = (await api.batch(parts(*UNKNOWN.values()))).json()["data"]["results"]

    assert {kind: answer.status_code for kind, answer in alone.items()} == dict.fromkeys(UNKNOWN, 415)
    assert [result["success"] for result in together] == [False] * len(UNKNOWN)
    assert await nothing_left(pool, repository)


async def test_a_file_of_two_kinds_is_served_as_the_photo_that_it_starts_as(api: Api) -> None:
    """Byte for byte what was sent, under the sniffed type, in a sandbox; shown only where its name agrees."""
    for mime_type, contents in POLYGLOTS.items():
        for content, name in itertools.product(contents, ("page.html", "photo")):
            sent = await api.client.post("/api/v1/assets", files={"file": (name, content, "text/html")})
            answer = await api.client.get(f"/api/v1/assets/{sent.json()['data']['asset_id']}/original")

            assert (answer.content, answer.headers["content-type"]) == (content, mime_type)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]
            assert answer.headers["content-disposition"].startswith('attachment; filename="page.html"')


async def test_names_lead_nowhere(api: Api, pool: Pool, repository: Repository, ingest: Ingest) -> None:
    """A hundred and twenty names that want out, alone and in a batch, end as plain files in the inbox."""
    names = ["".join(pieces) for pieces in itertools.product(LEADS, LEAVES)]
    files = {name: JPEG + str(number).encode() for number, name in enumerate(names)}
    outside = sorted(Path(os.fsdecode(repository.root)).parent.iterdir())

    results = (await api.batch(batch_of(files))).json()["data"]["results"]
    for name in names[:: len(LEAVES)]:
        body = form(files[name] + b"alone", f'form-data; name="file"; filename="{name}"')
        assert (await api.client.post("/api/v1/assets", content=body, headers=FORM)).status_code == 200
    await place_all(pool, ingest)

    assert all(result["success"] and not set(result["file_name"]) & set("/\\\r\n\0") for result in results)
    placed = originals(repository)
    assert len(placed) == len(names) + len(LEADS)
    assert set(files.values()) <= set(placed.values())
    assert not [name for name in placed if name.startswith((".", "-", "~"))]
    assert sorted(Path(os.fsdecode(repository.root)).parent.iterdir()) == outside
    assert {path.name for path in Path(os.fsdecode(repository.root)).iterdir()} == {".lumilio", ".lumiliorepo", "inbox"}


async def test_names_are_kept_as_they_are_meant(api: Api, pool: Pool, repository: Repository, ingest: Ingest) -> None:
    """What looks like a command, an option, a format or markup is only a name."""
    files = {name: JPEG + name.encode() for name in LITERAL}

    results = (await api.batch(batch_of(files))).json()["data"]["results"]
    await place_all(pool, ingest)

    assert [result["file_name"] for result in results] == list(LITERAL.values())
    assert sorted(originals(repository).values()) == sorted(files.values())


async def test_two_files_of_one_name_are_two_files(
    api: Api, pool: Pool, repository: Repository, ingest: Ingest
) -> None:
    """Names that are the same to a disk or to a person, or that are ours, never cost a file."""
    names = [name for pair in [*PAIRS, *zip(OURS, OURS, strict=True)] for name in pair]
    contents = [JPEG + str(number).encode() for number in range(len(names))]
    for name, content in zip(names, contents, strict=True):
        assert (await api.upload(content, name=name)).status_code == 200

    await place_all(pool, ingest)

    assert sorted(originals(repository).values()) == sorted(contents)
    assert await ask(pool, "select distinct state from uploads") == ["stored"]
    assert staged(repository) == []


async def test_a_cut_at_any_byte_leaves_nothing(api: Api, pool: Pool, repository: Repository) -> None:
    """However a connection ends in the middle of a file, politely or not, there are no rows and no files."""
    request = post(api, form(JPEG * 40), length=len(form(JPEG * 40)))
    head = request.index(JPEG)
    choose = random.Random(39)

    for number in range(100):
        cut = choose.randrange(1, len(request))
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(request[:cut])
        if cut > head + 10:
            await until(lambda: staged(repository), every=0.005, what="the file has begun")
        if number % 2:
            writer.write_eof()
        else:
            writer.transport.abort()
        assert await until(lambda: not staged(repository), every=0.005, what="nothing is left of it")
        writer.close()

    assert await nothing_left(pool, repository)


BODY = form(JPEG)


def smuggled(body: bytes) -> dict[str, tuple[str, bytes]]:
    """Header lines and bodies of which no two servers need think the same."""
    packed = gzip.compress(body)
    return {
        "two lengths": (f"Content-Length: {len(body)}\r\nContent-Length: 5\r\n", body),
        "a list of lengths": (f"Content-Length: {len(body)}, {len(body)}\r\n", body),
        "a negative length": ("Content-Length: -1\r\n", body),
        "a length with a sign": (f"Content-Length: +{len(body)}\r\n", body),
        "a length in hex": (f"Content-Length: {len(body):#x}\r\n", body),
        "an endless length": (f"Content-Length: {10**30}\r\n", body),
        "a length and chunks": (f"Content-Length: {len(body)}\r\nTransfer-Encoding: chunked\r\n", body),
        "a short length": (f"Content-Length: {len(body) - 5}\r\n", body),
        "no length": ("", body),
        "a chunk of no size": ("Transfer-Encoding: chunked\r\n", b"zz\r\n" + body),
        "a negative chunk": ("Transfer-Encoding: chunked\r\n", b"-5\r\n" + body),
        "an endless chunk": ("Transfer-Encoding: chunked\r\n", b"f" * 40 + b"\r\n" + body),
        "a chunk that is longer": ("Transfer-Encoding: chunked\r\n", b"5\r\n" + body + b"\r\n0\r\n\r\n"),
        "another coding": ("Transfer-Encoding: gzip\r\n", body),
        "a coding twice": ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", body),
        "a packed body": (f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n", packed),
        "a part of a file": (f"Content-Range: bytes 0-99/200\r\nContent-Length: {len(body)}\r\n", body),
        "a part far ahead": (f"Content-Range: bytes {2**63}-*/*\r\nContent-Length: {len(body)}\r\n", body),
    }


@pytest.mark.parametrize("path", ["/api/v1/assets", "/api/v1/assets/batch"])
async def test_requests_that_lie_about_their_body_are_refused(
    api: Api, pool: Pool, repository: Repository, path: str
) -> None:
    """Lengths and codings that two servers could read differently are no upload: a 4xx or a closed connection."""
    token = f"Authorization: {api.client.headers['Authorization']}\r\nContent-Type: {FORM['Content-Type']}\r\n"

    cases = smuggled(parts(JPEG) if path.endswith("batch") else BODY)
    for kind, (lines, body) in cases.items():
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{token}{lines}\r\n".encode()
        status = await asyncio.wait_for(api.status(head + body), 20)
        assert status == 0 or 400 <= status < 500, (kind, status)

    assert await until(lambda: nothing_left(pool, repository))
    assert (await api.upload()).status_code == 200


BOUNDARIES = {
    "none": ("multipart/form-data", BODY),
    "empty": ("multipart/form-data; boundary=", BODY),
    "of a megabyte": (f"multipart/form-data; boundary={'b' * 60_000}", BODY),
    "with a line": ('multipart/form-data; boundary="a\\\nb"', BODY),
    "of another body": ("multipart/form-data; boundary=other", BODY),
    "of another form": ("multipart/mixed; boundary=limit", BODY),
    "of a mail": ("multipart/related; boundary=limit", BODY),
    "no form": ("image/jpeg", JPEG),
    "a simple form": ("application/x-www-form-urlencoded", b"file=x"),
    "JSON": ("application/json", b'{"file": "x"}'),
}


async def test_bodies_that_are_no_form_are_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """Without a sane boundary, and a body that keeps to it, there is nothing to read."""
    for path in ("/api/v1/assets", "/api/v1/assets/batch"):
        for kind, (content_type, body) in BOUNDARIES.items():
            body_of = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n".encode() + b"\r\n" + body
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {api.client.headers['Authorization']}\r\n"
            status = await asyncio.wait_for(api.status(head.encode() + body_of), 20)
            assert 400 <= status < 500, (path, kind, status)

    assert await nothing_left(pool, repository)


FIELD = "Content-Disposition: form-data; "
HEAD = f"{FIELD}name=file; filename=a.jpg\r\n"
PHOTO = "\r\n\xff\xd8\xff a photo\r\n--limit--\r\n"
PARTS = {
    "in letters": f"--limit\r\n{HEAD}Content-Transfer-Encoding: base64\r\n\r\n/9j/4AAQSkZJRg==\r\n--limit--\r\n",
    "with a wrong length": f"--limit\r\n{HEAD}Content-Length: 5\r\n{PHOTO}",
    "with two lengths": f"--limit\r\n{HEAD}Content-Length: 11\r\nContent-Length: 11\r\n{PHOTO}",
    "of no disposition": f"--limit\r\nContent-Type: image/jpeg\r\n{PHOTO}",
    "of a mail": f"--limit\r\nContent-Disposition: attachment; filename=a.jpg\r\n{PHOTO}",
    "with bare lines": f"--limit\r\n{HEAD}{PHOTO}".replace("\r\n", "\n"),
    "with text before": f"junk--limit\r\n{HEAD}{PHOTO}",
    "behind a NUL": f"--limit\r\n{FIELD}name=repository_id\r\n\r\n\0\r\n--limit\r\n{HEAD}{PHOTO}",
    "behind bytes": f"--limit\r\n{FIELD}name=note\r\n\r\n\xff\xfe\r\n--limit\r\n{HEAD}{PHOTO}",
}


async def test_parts_that_are_twisted_are_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """A part that says one thing and is another is answered with 400 or 415."""
    for kind, body in PARTS.items():
        answer = await api.client.post("/api/v1/assets", content=body.encode("latin-1"), headers=FORM)
        assert answer.status_code in {400, 415}, (kind, answer.text)

    assert await nothing_left(pool, repository)


async def test_a_client_that_asks_first_is_answered_first(api: Api) -> None:
    """Who waits for leave to send a body hears a refusal at once, and leave only when the file would be read."""
    expect = "Expect: 100-continue\r\n"
    request = post(api, b"", length=len(BODY), more=expect)

    refused = await api.status(post(api, b"", length=5_000_000, more=expect))
    stranger = await api.status(request.replace(b"Authorization: Bearer ", b"Authorization: Bearer x"))
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(request)
    leave = await reader.readuntil(b"\r\n\r\n")
    writer.write(BODY)
    answer = await reader.readuntil(b"\r\n")
    writer.close()

    assert (refused, stranger) == (413, 401)
    assert (leave.split()[1], answer.split()[1]) == (b"100", b"200")


async def test_other_methods_upload_nothing(api: Api, pool: Pool, repository: Repository) -> None:
    """There is one way in; what looks like another is refused, and an override is not heard."""
    for method in ("PUT", "PATCH", "DELETE"):
        for path in ("/api/v1/assets", "/api/v1/assets/batch", "/api/v1/assets/uploads", "/api/v1/assets/uploads/1"):
            answer = await api.client.request(method, path, content=BODY, headers=FORM)
            assert answer.status_code in {404, 405}, (method, path)
    overridden = await api.client.get("/api/v1/assets", headers={"X-HTTP-Method-Override": "POST"})

    assert overridden.json()["data"]["assets"] == []
    assert await nothing_left(pool, repository)


async def test_media_answers_are_harmless_in_every_case(api: Api, pool: Pool) -> None:
    """Whole, in part, unchanged, out of range, absent: no answer of a media route can be taken for a page."""
    asset = (await api.uploaded(name="beach.png"))["asset_id"]
    etag = (await api.client.head(f"/api/v1/assets/{asset}/original")).headers["etag"]
    asked: list[dict[str, Any]] = [
        {},
        {"Range": "bytes=0-9"},
        {"Range": "bytes=99999999-"},
        {"If-None-Match": etag},
        {"Accept": "text/html"},
    ]

    for media, headers, method in itertools.product(("original", "thumbnail"), asked, ("GET", "HEAD")):
        answer = await api.client.request(method, f"/api/v1/assets/{asset}/{media}", headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"].startswith(("private", "no-store"))
        if answer.status_code != 304:
            assert answer.headers["content-type"] in {"image/jpeg", "application/json"}
        if answer.headers["content-type"] == "image/jpeg":
            assert answer.headers["content-disposition"].startswith('attachment; filename="beach.png"; filename*=UTF-8')


@pytest.mark.parametrize("start", [b"GET /api/v1/health HTTP/1.1\r\nX-Long: ", b"GET /"], ids=["header", "address"])
async def test_a_head_that_never_ends_is_cut(api: Api, start: bytes) -> None:
    """Nobody makes the server keep more than a little of what is no request yet, signed in or not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(start)

    sent = 0
    with suppress(ConnectionError):
        while not reader.at_eof() and sent < 64 << 20:
            writer.write(b"a" * 65536)
            await writer.drain()
            sent += 65536
            await asyncio.sleep(0)
    writer.close()

    assert sent < 32 << 20
    assert (await api.client.get("/api/v1/health")).status_code == 200


async def test_many_requests_on_one_connection_are_not_one_long_head(api: Api) -> None:
    """What was sent in earlier requests does not count."""
    for _ in range(4):
        await api.uploaded(JPEG + os.urandom(300_000))
