"""Databases of tests: each a copy of one migrated template, which takes a tenth of a second."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

from common import migrate
from lumilio.postgres import Postgres

TEMPLATE = "template_lumilio"
END_OTHERS = """
    select pg_terminate_backend(pid, 5000)
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


def make_template(server: Postgres) -> None:
    """The schema as it is today, to be copied."""
    _execute(server, sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    asyncio.run(migrate.migrate(server.url(TEMPLATE)))


@contextmanager
def fresh(server: Postgres, template: str = TEMPLATE) -> Iterator[str]:
    """The address of a new database, which is gone in the end."""
    name = sql.Identifier(database := f"test_{uuid4().hex}")
    _execute(server, sql.SQL("create database {} template {}").format(name, sql.Identifier(template)))
    yield server.url(database)
    _execute(server, sql.SQL("drop database {} with (force)").format(name))


@contextmanager
def read_only(database_url: str) -> Iterator[None]:
    """A database takes no writes meanwhile, as one that follows another; whoever is connected has to come again."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        name = sql.Identifier(conn.info.dbname)
        conn.execute("set default_transaction_read_only = off")
        conn.execute(sql.SQL("alter database {} set default_transaction_read_only = on").format(name))
        conn.execute(END_OTHERS)
        yield
        conn.execute(sql.SQL("alter database {} reset default_transaction_read_only").format(name))
        conn.execute(END_OTHERS)


def _execute(server: Postgres, statement: sql.Composed) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(statement)
