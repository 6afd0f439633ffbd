"""Databases of tests: each a copy of one migrated template, which takes a fiftieth of a second."""

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
    """The schema as it is today, to be copied; a password is hashed once for each connection instead of 4,096 times."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute("set scram_iterations = 1")
        conn.execute(sql.SQL("alter role current_user password {}").format(server.password))
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    asyncio.run(migrate.migrate(server.url(TEMPLATE)))


@contextmanager
def fresh(server: Postgres, template: str = TEMPLATE) -> Iterator[str]:
    """The address of a new database, which is gone in the end; copied as files it takes half as long as by WAL."""
    name = sql.Identifier(database := f"test_{uuid4().hex}")
    create = sql.SQL("create database {} template {} strategy file_copy").format(name, sql.Identifier(template))
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(create)
        yield server.url(database)
        conn.execute(sql.SQL("drop database {} with (force)").format(name))


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
