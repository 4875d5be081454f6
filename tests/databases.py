"""A database of its own for each deployment that a test starts: SQLite, or PostgreSQL where
GENGYUN_DATABASE_URL names a server that may be used for tests."""

import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import together

SERVER = os.environ.get("GENGYUN_DATABASE_URL", "")
FILE = "gengyun.sqlite3"
MIGRATE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""


def new_database(template=""):
    """The URL of an empty database on the server of the test run; "" for SQLite."""
    if not SERVER:
        return ""
    name = f"gengyun_test_{secrets.token_hex(6)}"
    _create(name, template)
    return _url(name)


def _url(name):
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def _create(name, template=""):
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as db:
        like = f' TEMPLATE "{template}"' if template else ""
        db.execute(f'CREATE DATABASE "{name}"{like}')


def own_environment(folder, *, migrated=False):
    """What a process needs to have a data folder and a database to itself: an empty one, or one
    that `gengyun migrate` went over."""
    url = migrated_database(folder) if migrated else new_database()
    return {**os.environ, "GENGYUN_DATA": str(folder), "GENGYUN_DATABASE_URL": url}


# ---- migrating takes half a minute: once for all processes, and copies from then on


def migrated_database(folder):
    """A database with all tables for the data folder: the URL of a copy, or "" for its file."""
    folder.mkdir(parents=True, exist_ok=True)
    if SERVER:
        return new_database(_migrated_name())
    shutil.copy(_migrated_file(), folder / FILE)
    return ""


def _migrated_file():
    return together.once("migrated", lambda part: _migrate(part, "")) / FILE


def _migrated_name():
    mark = hashlib.sha256(f"{SERVER} {together.folder()}".encode()).hexdigest()[:12]
    name = f"gengyun_migrated_{mark}"

    def make(part):
        drop_database(_url(name))  # of one that failed
        _create(name)
        _migrate(part, _url(name))

    together.once(name, make)
    return name


def _migrate(folder, url):
    more = {
        "GENGYUN_DATA": str(folder),
        "GENGYUN_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "gengyun.config.settings",
    }
    subprocess.run([sys.executable, "-c", MIGRATE], env=os.environ | more, check=True)
    if not url:  # in one file, which a database in memory can be filled from
        with sqlite3.connect(folder / FILE, isolation_level=None) as db:
            assert db.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
        db.close()


@contextmanager
def filled_from_the_migrated():
    """Django's test database begins as a copy of the migrated one; its `migrate` has nothing left
    to do."""
    from django.db import connection

    if SERVER:
        connection.settings_dict["TEST"]["TEMPLATE"] = _migrated_name()
        yield
        return
    name = connection.creation._get_test_db_name()
    assert "mode=memory" in name, name
    # open as long as the process lives: with its last connection a database in memory is gone
    filled = sqlite3.connect(name, uri=True)
    with sqlite3.connect(_migrated_file()) as made:
        made.backup(filled)
    made.close()
    yield
    filled.close()


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
