"""A restore that dies at any moment leaves nothing that anybody serves, and is finished by the same command."""

from contextlib import nullcontext
from pathlib import Path
from signal import SIGKILL

import msgspec
import pytest
from msgspec import structs
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from common import db
from common.db import Pool
from lumilio import data as directory
from lumilio.backup import proof, record
from lumilio.data import Secrets
from lumilio.postgres import Postgres
from lumilio.refusal import CannotStart
from lumilio.restore.directory import begin, serving
from lumilio.restore.run import Restore, look_through
from tests.support.backups import Kept, ignore
from tests.support.given import User
from tests.support.rows import ask
from tests.support.servers import open_way
from tests.support.stack import running

DATABASES = "select datname from pg_database where starts_with(datname, %s) order by 1"
MOMENTS = [
    "rename restoring",
    "rename secrets.json",
    "restoring the catalogue",
    "everybody has to sign in",
    "looking for what came",
    "unlink restoring",
]


async def died(moment: str, folder: Path, *arguments: str, **environment: str) -> bool:
    """Whether a restore was killed just then, and did not end before."""
    async with running("tests.support.mortal", moment, "restore", str(folder), *arguments, **environment) as process:
        return await process.wait() == -SIGKILL


async def test_a_database_in_use_is_only_replaced_on_request_and_kept(
    shelved: Kept, database_url: str, user: User, pool: Pool, postgres: Postgres
) -> None:
    """Without --replace nothing is touched; with it the old one can be had back by its other name."""
    await pool.close()
    name = str(conninfo_to_dict(database_url)["dbname"])

    with pytest.raises(CannotStart, match="is in use: with --replace"):
        await Restore(shelved.folder, look_through(shelved.folder), database_url, replace=False, say=ignore).run()
    assert await died("the database that was there", shelved.folder, "--replace", LUMILIO_DATABASE_URL=database_url)
    await Restore(shelved.folder, look_through(shelved.folder), database_url, replace=True, say=ignore).run()

    async with await AsyncConnection.connect(postgres.url("postgres"), autocommit=True) as conn:
        (ours, before) = [row[0] for row in await (await conn.execute(DATABASES, (name,))).fetchall()]
        assert (ours, before.startswith(f"{name}_before_")) == (name, True)
        async with await AsyncConnection.connect(proof.elsewhere(database_url, before)) as old:
            assert (await (await old.execute("select username from users")).fetchall()) == [(user.username,)]
        await conn.execute(sql.SQL("drop database {}").format(sql.Identifier(before)))


@pytest.mark.timeout(300)
async def test_a_restore_that_dies_at_any_moment_is_finished_by_the_same_command(kept: Kept, tmp_path: Path) -> None:
    """Until then nobody serves half of it, and afterwards nothing tells of it."""
    open_way(tmp_path)
    root = tmp_path / "data"
    secrets = given_secrets(kept.folder)

    for moment in MOMENTS:
        assert await died(moment, kept.folder, "--data", str(root)), moment
        with directory.hold(str(root)) as data:
            is_refused = moment != MOMENTS[-1]
            with pytest.raises(CannotStart, match="run the same") if is_refused else nullcontext():
                directory.check_whole(data)
    async with running("lumilio", "restore", str(kept.folder), "--data", str(root)) as process:
        assert await process.wait() == 1

    with directory.hold(str(root)) as data:
        assert directory.read_secrets(data).jwt_secret == secrets.jwt_secret
        async with serving(data, directory.read_secrets(data)) as server, db.open_pool(server.url()) as pool:
            assert await ask(pool, "select count(*) from assets") == [3]
            assert await ask(pool, "select datname from pg_database where datname like 'lumilio%'") == ["lumilio"]


def given_secrets(folder: Path) -> Secrets:
    """Secrets of the server whose backup this is, in it."""
    secrets = Secrets(postgres_password="p" * 32, nats_password="n" * 32, jwt_secret="j" * 48)
    (folder / record.SECRETS).write_bytes(msgspec.json.encode(secrets))
    known = record.read(folder)
    parts = {**known.parts, record.SECRETS: record.measure(folder / record.SECRETS)}
    record.write(folder, structs.replace(known, parts=parts))
    return secrets


def test_a_server_that_gets_anothers_catalogue_tells_no_first_password(kept: Kept, tmp_path: Path) -> None:
    """A backup of a database elsewhere has no secrets, and its people have the passwords that they had."""
    with directory.hold(str(tmp_path / "data")) as data:
        secrets = begin(data, kept.folder)

        assert directory.read_secrets(data) == secrets
    assert secrets.first_password is None
