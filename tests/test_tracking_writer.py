"""Group commit: many requests, few commits; a failure is told to all who waited."""

import asyncio
import sqlite3

import pytest

from gengyun.lake.inbox import Inbox, NewBatch
from gengyun.tracking.refusals import Busy, NotReady
from gengyun.tracking.writer import Writer

BATCH = NewBatch(1, "track", 1, None, 1, b"{}")


def run(path, scenario, limit_bytes=10**9):
    async def main():
        writer = Writer(path, limit_bytes=limit_bytes)
        writer.start(asyncio.get_running_loop())
        try:
            return await scenario(writer)
        finally:
            await asyncio.to_thread(writer.stop)

    return asyncio.run(main())


def test_requests_share_commits_and_all_are_stored(tmp_path, monkeypatch):
    sizes = []
    append_many = Inbox.append_many

    def counted(inbox, batches):
        sizes.append(len(batches))
        append_many(inbox, batches)

    monkeypatch.setattr(Inbox, "append_many", counted)

    async def scenario(writer):
        await asyncio.gather(*[writer.store(BATCH) for _ in range(500)])
        with Inbox(writer.place) as inbox:
            return inbox.depth()

    assert run(tmp_path / "i", scenario) == 500
    assert sum(sizes) == 500
    assert len(sizes) < 100


def test_failed_commit_is_told_to_everyone_in_it_and_the_next_goes_on(tmp_path, monkeypatch):
    append_many = Inbox.append_many
    failures = iter([sqlite3.OperationalError("database or disk is full")])

    def failing(inbox, batches):
        if failure := next(failures, None):
            raise failure
        append_many(inbox, batches)

    monkeypatch.setattr(Inbox, "append_many", failing)

    async def scenario(writer):
        first = writer.store(BATCH)
        with pytest.raises(NotReady):
            await first
        await writer.store(BATCH)
        with Inbox(writer.place) as inbox:
            return inbox.depth()

    assert run(tmp_path / "i", scenario) == 1


def test_full_inbox_turns_requests_away_until_it_is_drained(tmp_path):
    async def scenario(writer):
        big = BATCH._replace(body=b"x" * 400_000)

        async def flood():
            for _ in range(40):
                await writer.store(big)
                await asyncio.sleep(0.05)

        with pytest.raises(Busy):
            await flood()
        with Inbox(writer.place) as inbox:
            inbox.delete_through(2**62)
        await asyncio.sleep(1.2)
        await writer.store(big)

    run(tmp_path / "i", scenario, limit_bytes=1_000_000)


def test_stop_stores_what_is_pending(tmp_path):
    async def scenario(writer):
        for _ in range(50):
            writer.store(BATCH)

    run(tmp_path / "i", scenario)
    with Inbox(tmp_path / "i") as inbox:
        assert inbox.depth() == 50
