"""Group commit: whatever requests came during one commit share the next one.

One thread a process owns the inbox. Requests wait on futures of the event loop, so a slow disk
holds no thread and no page.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from pathlib import Path

from gengyun.lake.inbox import AnyInbox, NewBatch, open_inbox
from gengyun.tracking.refusals import Busy, NotReady

GROUP_BYTES = 8 * 1024 * 1024  # bounds how long one commit keeps the others waiting
PENDING_BYTES = 64 * 1024 * 1024  # not yet stored, in memory: a disk that hangs
SIZE_CHECK_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Writer:
    """Stores batches durably. `store` must be called on the loop given to `start`."""

    def __init__(self, place: Path | str, *, limit_bytes: int) -> None:
        self.place = place
        self.limit_bytes = limit_bytes
        self.is_full = False
        self._pending: deque[tuple[NewBatch, asyncio.Future[None]]] = deque()
        self._pending_bytes = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Store what is pending, then close the inbox."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout=20)

    def store(self, batch: NewBatch) -> asyncio.Future[None]:
        """Done when the batch is durable; fails with a refusal when it is not stored."""
        if self.is_full or self._pending_bytes > PENDING_BYTES:
            raise Busy
        stored = self._loop.create_future()
        with self._wake:
            if self._stopping:
                raise NotReady
            self._pending.append((batch, stored))
            self._pending_bytes += len(batch.body)
            self._wake.notify()
        return stored

    def _run(self) -> None:
        inbox: AnyInbox | None = None
        checked_at = 0.0
        while True:
            group = self._next_group()
            if not group and self._stopping:
                break
            failure: Exception | None = None
            try:
                if inbox is None:
                    inbox = open_inbox(self.place)
                if group:
                    inbox.append_many([batch for batch, _ in group])
                if time.monotonic() - checked_at >= SIZE_CHECK_SECONDS:
                    checked_at = time.monotonic()
                    self.is_full = inbox.size() > self.limit_bytes
            except Exception as error:  # the thread must live on, whatever it was
                logger.exception("the inbox did not take %d requests", len(group))
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop ended before us: nobody waits
                self._loop.call_soon_threadsafe(_settle, group, failure)
        if inbox is not None:
            inbox.close()

    def _next_group(self) -> list[tuple[NewBatch, asyncio.Future[None]]]:
        with self._wake:
            if not self._pending and not self._stopping:
                self._wake.wait(SIZE_CHECK_SECONDS)
            group = []
            size = 0
            while self._pending and size < GROUP_BYTES:
                entry = self._pending.popleft()
                size += len(entry[0].body)
                group.append(entry)
            self._pending_bytes -= size
        return group


def _settle(group: list[tuple[NewBatch, asyncio.Future[None]]], failure: Exception | None) -> None:
    for _, stored in group:
        if stored.cancelled():
            continue
        if failure is None:
            stored.set_result(None)
        else:
            stored.set_exception(NotReady())
