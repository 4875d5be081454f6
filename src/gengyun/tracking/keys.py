"""Write keys in memory: read from the database every two seconds, and when an unknown one comes."""

import logging
import threading
import time
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import DatabaseError, connection, connections
from django.db.utils import InterfaceError

from gengyun.tracking.refusals import NotReady, SourceDisabled, Unauthorized
from gengyun.usage.actions.key_use import note_keys_used
from gengyun.usage.models import WriteKey

REFRESH_SECONDS = 2.0
# an unknown key asks the database at once (it may be new), but not more often than this
UNKNOWN_KEY_SECONDS = 0.25
NOTE_USE_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Entry(NamedTuple):
    """What a key lets in, and how."""

    source_id: int
    is_active: bool
    is_browser: bool = False
    origins: tuple[str, ...] = ()  # of a browser source; empty: any site may send


def may_send(origin: str | None, origins: tuple[str, ...]) -> bool:
    """Whether a page of this site may send. A request without Origin is no page of another site.

    "https://*.example.cn" stands for every site below that name.
    """
    if origin is None or origin in origins:
        return True
    for allowed in origins:
        scheme, star, rest = allowed.partition("*.")
        if star and origin.startswith(scheme) and origin.endswith("." + rest):
            return True
    return False


class Keys:
    """The keys that let events in. `find` never touches the database."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] | None = None  # None: never read yet
        self._fresh_at = float("-inf")  # when the look began that gave the entries
        self._used: set[str] = set()
        self._noted_at = time.monotonic()
        self._refreshing = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="write-keys", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def find(self, key: str) -> Entry | None:
        """What is known of a key; None when a `refresh` may know more."""
        entry = None if self._entries is None else self._entries.get(key)
        if entry is None:
            return None
        if not entry.is_active:
            raise SourceDisabled
        self._used.add(key)
        return entry

    def find_again(self, key: str, asked_at: float) -> Entry:
        """As `find`, with what the database says after `asked_at` (time.monotonic). Blocks.

        Everyone who asked before a look into the database began is answered by that look, so that
        wrong keys, however many, cost a few queries a second.
        """
        is_sure = True
        with self._refreshing:
            if self._fresh_at < asked_at:
                time.sleep(max(0.0, self._fresh_at + UNKNOWN_KEY_SECONDS - time.monotonic()))
                is_sure = self._refresh()
        entry = self.find(key)
        if entry is None:
            # 401 makes clients throw events away: only say it when the database said so
            raise Unauthorized if is_sure else NotReady
        return entry

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._refreshing:
                self._refresh()
                self._note_use()
            self._stop.wait(REFRESH_SECONDS)
        self._noted_at = float("-inf")
        self._note_use()
        connections.close_all()

    def _refresh(self) -> bool:
        began = time.monotonic()
        try:
            rows = WriteKey.objects.filter(revoked_at=None).values_list(
                "key",
                "source_id",
                "source__is_active",
                "source__is_browser",
                "source__origins",
            )
            self._entries = {
                key: Entry(pk, active, browser, tuple(origins) if browser else ())
                for key, pk, active, browser, origins in rows
            }
        except (DatabaseError, InterfaceError):
            logger.exception("write keys could not be read; the known ones stay in force")
            connection.close()
            return False
        self._fresh_at = began
        return True

    def _note_use(self) -> None:
        if not self._used or time.monotonic() - self._noted_at < NOTE_USE_SECONDS:
            return
        used, self._used = self._used, set()
        self._noted_at = time.monotonic()
        try:
            note_keys_used(keys=used, now=datetime.now(UTC))
        except (DatabaseError, InterfaceError):
            logger.warning("could not note when write keys were last used")
