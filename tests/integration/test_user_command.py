"""`lumilio user`: whoever stands at the machine can always let somebody in."""

import sys
from collections.abc import Callable

import pytest

from common import passwords
from common.db import Pool
from lumilio import main
from lumilio.refusal import CannotStart
from lumilio.user import command as user_command
from tests.support.gateway import serving
from tests.support.given import User
from tests.support.rows import ask, do

Command = Callable[..., str]


@pytest.fixture
def command(database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command in a thread of its own loop and returns what it says."""

    def run(*words: str) -> str:
        monkeypatch.setenv("LUMILIO_DATABASE_URL", database_url)
        monkeypatch.setattr(sys, "argv", ["lumilio", "user", *words])
        main.main()
        return capsys.readouterr().out

    return run


def test_a_user_is_made_listed_and_kept_out(command: Command, user: User) -> None:
    """With a password that is told once, and marked in the list for what they are."""
    made = command("add", "dora", "--email", "dora@example.org", "--admin")
    command("disable", "Anna")
    listed = command("list").splitlines()

    assert [line.split()[0] for line in made.splitlines()[:2]] == ["user", "password"]
    assert "anna  (anna@localhost, kept out), signed in: never" in listed[0]
    assert "dora  (dora@example.org, an administrator), signed in: never" in listed[1]
    assert command("enable", "anna") == "anna may sign in\n"
    assert "kept out" not in command("list")


def test_the_last_administrator_is_not_kept_out(command: Command, user: User) -> None:
    """There is always somebody who administers."""
    command("make-admin", "anna")

    with pytest.raises(SystemExit, match="the last administrator"):
        command("disable", "anna")
    command("add", "dora", "--admin")
    assert command("disable", "anna") == "anna is kept out\n"


async def test_who_is_being_deleted_is_not_let_in_again(pool: Pool, user: User, database_url: str) -> None:
    """Their photos are on their way already; the list tells."""
    await do(pool, "insert into departures (user_id, fate) values (1, 'trash_and_purge')")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(user_command, "say", said.append)
        with pytest.raises(CannotStart, match="being deleted"):
            await user_command.to("anna", user_command.enable)(database_url)
        await user_command.tell(database_url)

    assert "being deleted" in said[0]


@pytest.mark.parametrize(
    "words", [("enable", "nobody"), ("add", "ab"), ("add", "ANNA"), ("add", "emil", "--email", "x")]
)
def test_what_cannot_be_done_is_told_in_a_line(command: Command, user: User, words: tuple[str, ...]) -> None:
    """Names that nobody has, that cannot be, and that somebody has."""
    with pytest.raises(SystemExit, match="lumilio: "):
        command(*words)


async def test_a_new_password_lets_in_whom_guesses_locked_out(pool: Pool, user: User, database_url: str) -> None:
    """The break-glass: earlier sign-ins end, the lock is gone, and the new password works."""
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(user_command, "say", said.append)
        async with serving(pool) as api:
            old = await api.login(user.username, user.password)
            body = {"username": user.username, "password": "a wrong guess"}
            for _ in range(11):
                locked = await api.client.post("/api/v1/auth/login", json=body)

            await user_command.to("anna", user_command.reset_password)(database_url)

            assert locked.status_code == 429
            assert (await api.client.get("/api/v1/auth/me")).status_code == 401
            await api.login("anna", said[1].removeprefix("password").strip())
            refreshed = await api.client.post("/api/v1/auth/refresh", json={"refreshToken": old["refreshToken"]})
            assert refreshed.status_code == 401
    (stored,) = await ask(pool, "select password_hash from users")
    assert not passwords.matches(stored, user.password)
    assert await ask(pool, "select address from audit where action = 'password reset'") == ["this machine"]
