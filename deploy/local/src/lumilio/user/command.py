"""What `lumilio user` does, with the database itself: whoever may run it on the machine may do all of it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from psycopg import AsyncConnection

from common import account_queries, accounts, audit, passwords
from common.account_queries import Account
from common.db import Connection
from lumilio.data import new_password
from lumilio.refusal import CannotStart
from lumilio.terminal import say
from lumilio.upload.progress import printable

MANY = 1000
Deed: TypeAlias = Callable[[Connection, Account], Awaitable[None]]
Question: TypeAlias = Callable[[str], Coroutine[Any, Any, None]]


async def tell(database_url: str) -> None:
    """Say who there is, a line each."""
    async with await AsyncConnection.connect(database_url) as conn:
        after = 0
        while page := await account_queries.list_accounts(conn, after=after, limit=MANY):
            for one in page:
                say(_line(one))
            after = page[-1].user_id


def add(name: str, *, email: str | None, is_admin: bool) -> Question:
    """Make a user and say their password."""

    async def ask(database_url: str) -> None:
        password = new_password()
        password_hash = await asyncio.to_thread(passwords.hashed, password)
        async with await AsyncConnection.connect(database_url) as conn:
            made = await account_queries.save_account(
                conn,
                username=_checked(accounts.username, name),
                email=_checked(accounts.email, email or f"{name}@localhost"),
                password_hash=password_hash,
                is_admin=is_admin,
            )
            if made is None:
                raise CannotStart(f"there is somebody of the name or the address already: {name}")
            await _note(conn, "user made", made)
        _tell_password(made, password)

    return ask


def to(name: str, deed: Deed) -> Question:
    """Do something to a user of that name."""

    async def ask(database_url: str) -> None:
        async with await AsyncConnection.connect(database_url) as conn:
            user_id = await account_queries.find_id(conn, name)
            found = await account_queries.find_account(conn, user_id) if user_id else None
            if found is None:
                raise CannotStart(f"nobody is called {printable(name)}: `lumilio user list` tells who there is")
            await deed(conn, found)

    return ask


async def reset_password(conn: Connection, user: Account) -> None:
    """A new password, told once; who has guessed the old one has guessed in vain, and the name is not locked."""
    password = new_password()
    await account_queries.save_password_hash(conn, user.user_id, await asyncio.to_thread(passwords.hashed, password))
    await account_queries.forget_sessions(conn, user.user_id)
    await account_queries.forget_tries(conn, accounts.tries_key(user.username))
    await _note(conn, "password reset", user)
    await conn.commit()
    _tell_password(user, password)


async def enable(conn: Connection, user: Account) -> None:
    """Who was kept out may sign in, unless they are being deleted."""
    if user.leaving:
        raise CannotStart(f"{printable(user.username)} is being deleted")
    await account_queries.mark_active(conn, user.user_id, is_active=True)
    await _note(conn, "user enabled", user)
    say(f"{printable(user.username)} may sign in")


async def disable(conn: Connection, user: Account) -> None:
    """Who is kept out is out at once; somebody must be left who can let them in again."""
    if await account_queries.lock_admins(conn) == [user.user_id]:
        raise CannotStart(f"{printable(user.username)} is the last administrator: make somebody else one first")
    await account_queries.mark_active(conn, user.user_id, is_active=False)
    await _note(conn, "user disabled", user)
    say(f"{printable(user.username)} is kept out")


async def make_admin(conn: Connection, user: Account) -> None:
    """Whoever is lost without an administrator makes one."""
    await account_queries.mark_admin(conn, user.user_id, is_admin=True)
    await _note(conn, "user made administrator", user)
    say(f"{printable(user.username)} administers this server")


async def _note(conn: Connection, action: str, user: Account) -> None:
    await audit.note(conn, action, user=None, address="this machine", about=f"user {user.user_id}")


def _checked(check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except passwords.Unfit as error:
        raise CannotStart(str(error)) from None


def _tell_password(user: Account, password: str) -> None:
    say(f"user      {printable(user.username)}")
    say(f"password  {password}")
    say("          shown this once: write it down")


def _line(one: Account) -> str:
    last = f"{one.last_login.astimezone():%Y-%m-%d %H:%M}" if one.last_login else "never"
    said = [printable(one.email), "an administrator" * one.is_admin, _standing(one)]
    return f"{one.user_id:>6}  {printable(one.username)}  ({', '.join(filter(None, said))}), signed in: {last}"


def _standing(one: Account) -> str:
    if one.leaving:
        return "being deleted"
    return "" if one.is_active else "kept out"
