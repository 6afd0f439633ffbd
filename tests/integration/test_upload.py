"""`lumilio upload` against a gateway: everything that can be sent is, and everything else is told with its reason."""

import asyncio
import errno
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from blake3 import blake3
from rich.console import Console

from common.db import Pool
from ingest.handlers import Ingest
from lumilio.upload import patience, show
from lumilio.upload.copies import Copies
from lumilio.upload.deliver import Delivery
from lumilio.upload.ledger import Ledger
from lumilio.upload.patience import Gone
from lumilio.upload.processing import Processing
from lumilio.upload.run import Options
from lumilio.upload.walk import File, hash_file
from tests.support import clips, films, recordings
from tests.support.gateway import JPEG, Api, free_port, serving, staged
from tests.support.given import Repository, User
from tests.support.placing import place_all
from tests.support.rows import ask, do
from tests.support.sending import Sender, ended, sending
from tests.support.waiting import until

OTHER = JPEG + b"other"


@pytest.fixture
async def api(pool: Pool, repository: Repository) -> AsyncIterator[Api]:
    async with serving(pool, max_upload_bytes=10_000_000) as served:
        yield served


@pytest.fixture
async def sender(api: Api, user: User, tmp_path: Path) -> AsyncIterator[Sender]:
    with sending(api.port, user, bytes(tmp_path / "photos")) as opened:
        yield opened


@pytest.fixture
def delivery(sender: Sender) -> Delivery:
    ledger = Ledger()
    return Delivery(sender.server(), ledger, Processing(ledger), sender.stop.is_set, Copies())


def given_files(sender: Sender, *contents: bytes) -> list[File]:
    """Files that were hashed and may be sent, each the first of its content."""
    paths = [sender.put(f"{number}.jpg", content) for number, content in enumerate(contents)]
    return [hash_file(path, lambda: False) for path in paths]


async def deliver(delivery: Delivery, *files: File) -> Ledger:
    """What becomes of a file and its copies."""
    for file in files:
        delivery.copies.is_first(file)
    await asyncio.to_thread(delivery.send, files[0])
    return delivery.ledger


async def test_a_folder_is_sent_with_all_that_is_in_it(sender: Sender, repository: Repository) -> None:
    """Files of every folder arrive under any name; hidden ones, links and what is no file are left alone."""
    names: list[str | bytes] = [
        "a.jpg",
        "deep/er/b.jpg",
        b"caf\xe9.jpg",
        'quo"te.jpg',
        "new\nline.jpg",
        "\u202egpj.exe",
        "grüße 📷.jpg",
    ]
    contents = [JPEG + b"%d" % number for number in range(len(names))]
    for name, content in zip(names, contents, strict=True):
        sender.put(name, content)
    sender.put(".hidden.jpg", b"hidden")
    sender.put(".lumilio/assets/c.jpg", b"private")
    os.symlink("a.jpg", os.path.join(sender.folder, b"link.jpg"))
    os.mkfifo(os.path.join(sender.folder, b"fifo.jpg"))

    ledger = await sender.sent()

    assert ledger.counts == {"uploaded": len(names), "skipped": 4}
    assert ledger.sizes["uploaded"] == sum(map(len, contents))
    assert {path.read_bytes() for path in staged(repository)} == set(contents)


async def test_the_last_line_of_a_run_without_a_terminal_counts_all_of_it(
    sender: Sender, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody wonders where the last one went."""
    for number in range(3):
        sender.put(f"{number}.jpg", JPEG + b"%d" % number)

    await asyncio.to_thread(show.follow, sender.run(), Console(file=io.StringIO()))

    told = [line for line in capsys.readouterr().out.splitlines() if " files, " in line]  # the gateway writes, too
    assert told[-1].startswith("3 of 3 files, ")


async def test_videos_and_recordings_go_along(sender: Sender, pool: Pool) -> None:
    """Whatever their names end in, they are what their first bytes say; a film list is nothing of the kind."""
    for name, content in {
        "clip.mov": clips.clip(frames=2),
        "film.mkv": films.film("mkv", seconds=0.2),
        "song": recordings.recording("flac", seconds=0.2),
        "memo.txt": recordings.recording("m4a", seconds=0.2),
        "list.mp4": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    }.items():
        sender.put(name, content)

    ledger = await sender.sent()

    assert ledger.counts == {"uploaded": 4, "failed": 1}
    assert sorted(await ask(pool, "select kind from assets")) == ["audio", "audio", "video", "video"]


@pytest.mark.parametrize("at", [1_230_768_000_123_456_789, 1])
async def test_dates_arrive_as_they_are(sender: Sender, repository: Repository, at: int) -> None:
    """A photo keeps the date that it has on the disk, for it may have no other."""
    path = sender.put("a.jpg", JPEG)
    os.utime(path, ns=(at, at))

    ledger = await sender.sent()

    assert ledger.counts == {"uploaded": 1}
    assert [copy.stat().st_mtime_ns for copy in staged(repository)] == [at]


async def test_a_date_before_all_dates_is_not_sent(sender: Sender, repository: Repository) -> None:
    """A file of 1960 is sent like any other."""
    path = sender.put("a.jpg", JPEG)
    os.utime(path, (-300_000_000, -300_000_000))

    ledger = await sender.sent()

    assert ledger.counts == {"uploaded": 1}
    assert staged(repository)[0].stat().st_mtime > 0


async def test_names_arrive_as_they_are(sender: Sender, pool: Pool) -> None:
    """Quotes, line breaks and bytes that are no text do not break the form around them."""
    sender.put(b'a "caf\xe9"\r\n.jpg', JPEG)

    await sender.sent()

    assert await ask(pool, "select original_filename from assets") == ['a "caf\ufffd".jpg']


async def test_what_the_server_refuses_is_told_in_its_words(sender: Sender, api: Api) -> None:
    """A verdict about one file ends nothing else, and is asked for once."""
    sender.put("photo.jpg", JPEG)
    sender.put("text.jpg", b"text" * 2000)
    sender.put("empty.jpg", b"")
    sender.put("large.jpg", JPEG + bytes(20_000_000))

    ledger = await sender.sent()

    reasons = {os.path.basename(failure.path): failure.reason for failure in ledger.failures}
    assert ledger.counts == {"uploaded": 1, "failed": 3}
    assert reasons[b"empty.jpg"] == "the file is empty"
    assert "whatever its name says" in reasons[b"text.jpg"]
    assert "larger than" in reasons[b"large.jpg"].lower()


async def test_what_the_server_has_is_not_sent_again(sender: Sender, pool: Pool) -> None:
    """A second run finds duplicates alone; copies within a folder are sent once."""
    for number in range(5):
        sender.put(f"{number}.jpg", JPEG + b"%d" % number)
        sender.put(f"copies/{number}.jpg", JPEG + b"%d" % number)

    first = await sender.sent()
    second = await sender.sent()

    assert first.counts == {"uploaded": 5, "duplicate": 5}
    assert second.counts == {"duplicate": 10}
    assert await ask(pool, "select count(*) from uploads") == [5]


async def test_a_dry_run_sends_nothing(sender: Sender, pool: Pool) -> None:
    """It tells what a run would do."""
    sender.put("photo.jpg", JPEG)
    sender.put("copy.jpg", JPEG)

    ledger = await sender.sent(Options(sends=False))

    assert ledger.counts == {"uploaded": 1, "duplicate": 1}
    assert await ask(pool, "select count(*) from uploads") == [0]


async def test_photos_go_into_the_repository_that_is_named(sender: Sender, repository: Repository, pool: Pool) -> None:
    """Its id goes before the file; a repository that is not there ends the run, for nothing could be sent."""
    sender.put("photo.jpg", JPEG)

    unknown = sender.run(repository=uuid4())
    await ended(unknown)
    assert isinstance(unknown.error, Gone)
    assert "repository" in str(unknown.error)

    sender.stop.clear()
    known = sender.run(repository=repository.repository_id)
    await ended(known)
    assert known.ledger.counts == {"uploaded": 1}


async def test_an_access_token_that_is_over_is_renewed_once(sender: Sender, pool: Pool) -> None:
    """However many threads find it over at the same time, one refresh token is used up."""
    tokens = await asyncio.to_thread(sender.session.renew, None)
    sender.session.tokens = msgspec.structs.replace(tokens, token="over")
    for number in range(8):
        sender.put(f"{number}.jpg", JPEG + b"%d" % number)

    ledger = await sender.sent(Options(parallel=8, waits=False))

    assert ledger.counts == {"uploaded": 8}
    assert await ask(pool, "select count(*) from refresh_tokens where used_at is not null") == [1]


async def test_a_sign_in_that_is_over_is_begun_anew(sender: Sender, pool: Pool) -> None:
    """Where the refresh token is worth nothing any more, the password is used again."""
    tokens = await asyncio.to_thread(sender.session.renew, None)
    await do(pool, "delete from refresh_tokens")
    sender.session.tokens = msgspec.structs.replace(tokens, token="over")
    sender.put("photo.jpg", JPEG)

    assert (await sender.sent()).counts == {"uploaded": 1}


async def test_a_user_who_may_not_sign_in_any_more_ends_the_run(sender: Sender, pool: Pool) -> None:
    """There is no use in trying each file."""
    await asyncio.to_thread(sender.session.renew, None)
    await do(pool, "update users set is_active = false")
    sender.put("photo.jpg", JPEG)

    with pytest.raises(Gone, match="signing in as anna failed"):
        await sender.sent()


async def test_a_server_that_is_away_is_waited_for(
    pool: Pool, repository: Repository, user: User, tmp_path: Path
) -> None:
    """A run that nobody answers says so, and goes on where somebody does."""
    port = free_port()
    with sending(port, user, bytes(tmp_path / "photos")) as sender:
        for number in range(3):
            sender.put(f"{number}.jpg", JPEG + b"%d" % number)

        run = sender.run()
        await until(lambda: run.server.trouble)
        async with serving(pool, port=port):
            await ended(run)

    assert run.ledger.counts == {"uploaded": 3}
    assert run.server.trouble is None


async def test_a_full_disk_is_waited_for(
    sender: Sender, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody makes room sooner or later, and no file is given up meanwhile."""
    monkeypatch.setattr(patience, "PAUSES", ())
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.01)
    fsync, failures = os.fsync, iter([errno.ENOSPC] * 2)

    def full(descriptor: int) -> None:
        for number in failures:
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    for number in range(3):
        sender.put(f"{number}.jpg", JPEG + b"%d" % number)

    ledger = await sender.sent()

    assert ledger.counts == {"uploaded": 3}
    assert len(staged(repository)) == 3


@pytest.mark.parametrize("content", [OTHER, JPEG[:-1], JPEG[:-1] + b"x"], ids=["grown", "shrunk", "other"])
async def test_a_file_that_changed_is_sent_as_it_is_now(
    content: bytes, delivery: Delivery, sender: Sender, repository: Repository
) -> None:
    """Its bytes are those of a later moment than its hash, so it is read once more."""
    (file,) = given_files(sender, JPEG)
    sender.put(b"0.jpg", content)

    ledger = await deliver(delivery, file)

    assert ledger.counts == {"uploaded": 1}
    assert [path.read_bytes() for path in staged(repository)] == [content]


async def test_a_file_that_vanished_is_told_and_its_copy_sent(delivery: Delivery, sender: Sender) -> None:
    """A copy that relied on it takes its turn; another one relies on that."""
    first, second, third = given_files(sender, JPEG, JPEG, JPEG)
    os.unlink(first.path)

    ledger = await deliver(delivery, first, second, third)

    assert ledger.counts == {"failed": 1, "uploaded": 1, "duplicate": 1}
    assert ledger.failures[0].reason == "no such file or directory"


async def test_what_is_no_file_any_more_is_not_waited_for(delivery: Delivery, sender: Sender) -> None:
    """A pipe or a link that took a file's name is neither read nor followed."""
    pipe, link = given_files(sender, JPEG, OTHER)
    for file in (pipe, link):
        os.unlink(file.path)
    os.mkfifo(pipe.path)
    os.symlink("/etc/passwd", link.path)

    await deliver(delivery, pipe)
    ledger = await deliver(delivery, link)

    assert ledger.counts == {"failed": 2}


async def test_what_the_server_could_not_process_is_told(sender: Sender, pool: Pool, ingest: Ingest) -> None:
    """The run waits for the verdict about each file, which comes after its bytes are safe."""
    sender.put("good.jpg", JPEG)
    bad = sender.put("bad.jpg", OTHER)
    run = sender.run(Options())
    await until(lambda: run.is_sent)

    await place_all(pool, ingest)
    assert len(run.processing) == 2
    await do(
        pool,
        f"""
        update asset_stages s set state = 'failed', next_at = null, error_class = 'permanent', error = 'no pixels'
        from assets a
        where a.asset_id = s.asset_id and s.stage = 'render' and a.content_hash = '\\x{blake3(OTHER).hexdigest()}'
        """,
    )
    await do(pool, "update asset_stages set state = 'done', next_at = null where state <> 'failed'")
    await ended(run)

    assert run.ledger.counts == {"uploaded": 1, "unprocessed": 1}
    (failure,) = run.ledger.failures
    assert (failure.path, "no pixels" in failure.reason) == (bad, True)


async def test_a_server_that_stops_telling_does_not_end_a_run(sender: Sender, pool: Pool) -> None:
    """What is not known in the end is counted as such."""
    sender.put("photo.jpg", JPEG)
    run = sender.run(Options())
    await until(lambda: run.is_sent)

    await do(pool, "update users set is_active = false")
    await ended(run)

    assert run.error is None
    assert len(run.processing) == 1
    assert "signing in as anna failed" in str(run.processing.silence)


async def test_a_run_that_is_stopped_ends_soon_and_the_next_one_goes_on(sender: Sender, pool: Pool) -> None:
    """What was taken until then is known to the next run."""
    for number in range(200):
        sender.put(f"{number}.jpg", JPEG + b"%d" % number)

    run = sender.run()
    await until(lambda: run.ledger.counts["uploaded"] > 5)
    sender.stop.set()
    await ended(run)
    sender.stop.clear()
    first, second = run.ledger.counts, (await sender.sent()).counts

    assert 5 < first["uploaded"] < 200
    assert second["duplicate"] >= first["uploaded"]
    assert second.total() == 200
    assert await ask(pool, "select count(*) from assets") == [200]
