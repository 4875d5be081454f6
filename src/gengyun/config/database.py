"""Where the relational data lives: a SQLite file in the data folder, or PostgreSQL by its URL."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

HOW = (
    "GENGYUN_DATABASE_URL must look like postgresql://user:password@host:5432/name; "
    "leave it empty for SQLite in the data folder"
)


def database(url: str, folder: Path) -> dict[str, Any]:
    """Django's settings of the one database; raises `ImproperlyConfigured` saying what is wrong."""
    if not url:
        return _sqlite(folder)
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(HOW)
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(HOW) from None
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),  # sslmode, connect_timeout, …
        "CONN_MAX_AGE": None,
        # a connection that a restart of the server broke is replaced at the next request
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite(folder: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "gengyun.sqlite3",
        "OPTIONS": {
            # IMMEDIATE: a transaction that will write takes the lock at once, so none fails late
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
                "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;"
            ),
        },
        "CONN_MAX_AGE": None,
    }
