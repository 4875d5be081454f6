"""A database of its own for each deployment that a test starts: SQLite, or PostgreSQL where
GENGYUN_DATABASE_URL names a server that may be used for tests."""

import os
import secrets
import sqlite3
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

SERVER = os.environ.get("GENGYUN_DATABASE_URL", "")


def new_database():
    """The URL of an empty database on the server of the test run; "" for SQLite."""
    if not SERVER:
        return ""
    import psycopg

    name = f"gengyun_test_{secrets.token_hex(6)}"
    with psycopg.connect(SERVER, autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def own_environment(folder):
    """What a process needs to have a data folder and a database to itself."""
    return {
        **os.environ,
        "GENGYUN_DATA": str(folder),
        "GENGYUN_DATABASE_URL": new_database(),
    }


def drop_database(url):
    if url:
        import psycopg

        with psycopg.connect(SERVER, autocommit=True) as db:
            db.execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')


@contextmanager
def open_database(folder, url):
    """A plain connection beside Django's; `?` marks the places of values on both."""
    if not url:
        db = sqlite3.connect(folder / "gengyun.sqlite3", timeout=20, isolation_level=None)
        try:
            yield db
        finally:
            db.close()
        return
    import psycopg

    class Db:
        def __init__(self, connection):
            self.connection = connection

        def execute(self, sql, parameters=()):
            return self.connection.execute(sql.replace("?", "%s"), parameters)

    with psycopg.connect(url, autocommit=True) as connection:
        yield Db(connection)
