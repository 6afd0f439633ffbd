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


def _execute(server: Postgres, statement: sql.Composed) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(statement)
