"""The inbox: what it acknowledged it keeps, in order, under ids that never come again."""

import multiprocessing
import time

import pytest
from databases import drop_database, new_database

from gengyun.lake.inbox import Inbox, NewBatch, open_inbox


def batch(number=0, body=b'{"batch":[]}'):
    return NewBatch(
        source_id=number, kind="batch", received_at=number, sent_at=None, events=3, body=body
    )


@pytest.fixture
def place(tmp_path):
    """A file, or a table where the tests run on PostgreSQL."""
    url = new_database()
    yield url or tmp_path / "inbox.sqlite3"
    drop_database(url)


@pytest.fixture
def inbox(place):
    with open_inbox(place) as inbox:
        yield inbox


def test_inbox_gives_back_what_it_took_in_order(inbox):
    inbox.append_many([batch(1), batch(2)])
    inbox.append_many([batch(3, b"\x00\xff")])
    rows = inbox.read()
    assert [row[1:] for row in rows] == [
        tuple(batch(1)),
        tuple(batch(2)),
        tuple(batch(3, b"\x00\xff")),
    ]
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert inbox.depth() == 3
    assert inbox.waiting_events() == 9
    assert inbox.oldest_received_at() == 1


def test_inbox_read_stops_at_the_byte_limit_but_gives_at_least_one(inbox):
    inbox.append_many([batch(n, b"x" * 100) for n in range(5)])
    first = inbox.read(limit_bytes=250)
    assert len(first) == 2
    assert len(inbox.read(first[-1].id, limit_bytes=1)) == 1
    assert len(inbox.read(first[-1].id)) == 3
    assert len(inbox.read(limit_rows=4)) == 4


def test_inbox_deletes_through_an_id_and_reuses_no_id(inbox):
    inbox.append_many([batch(1), batch(2)])
    last = inbox.read()[-1].id
    assert inbox.delete_through(last) == 2
    assert inbox.depth() == 0
    assert inbox.oldest_received_at() is None
    inbox.append_many([batch(3)])
    assert inbox.read()[0].id == last + 1


def test_inbox_remade_after_a_loss_goes_on_above_the_old_ids(tmp_path):
    with Inbox(tmp_path / "a.sqlite3") as first:
        first.append_many([batch(n) for n in range(10)])
        highest = first.read()[-1].id
    time.sleep(0.001)
    with Inbox(tmp_path / "b.sqlite3") as second:
        second.append_many([batch()])
        assert second.read()[0].id > highest


def test_inbox_keeps_nothing_of_a_failed_append(inbox):
    with pytest.raises(Exception, match=r"(?i)not.null"):
        inbox.append_many([batch(1), batch(2)._replace(kind=None)])
    assert inbox.depth() == 0
    inbox.append_many([batch(3)])
    assert inbox.depth() == 1


def test_inbox_size_falls_when_rows_go(inbox):
    empty = inbox.size()
    inbox.append_many([batch(n, b"x" * 100_000) for n in range(20)])
    assert inbox.size() > empty + 1_900_000
    inbox.delete_through(inbox.read(limit_bytes=10**9)[-1].id)
    assert inbox.size() <= empty + 100_000


def test_inbox_gives_space_back_after_a_flood(tmp_path, monkeypatch):
    monkeypatch.setattr("gengyun.lake.inbox.KEEP_FREE_BYTES", 1_000_000)
    with Inbox(tmp_path / "inbox.sqlite3") as inbox:
        inbox.append_many([batch(n, b"x" * 100_000) for n in range(50)])
        inbox.delete_through(inbox.read(limit_bytes=10**9)[-1].id)
    assert (tmp_path / "inbox.sqlite3").stat().st_size < 1_500_000


def _append(place, count):
    with open_inbox(place) as inbox:
        for n in range(count):
            inbox.append_many([batch(n), batch(n)])


def test_inbox_takes_from_several_processes_while_one_reads_and_deletes(place):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(place, 40)) for _ in range(3)]
    for writer in writers:
        writer.start()
    seen = []
    with open_inbox(place) as inbox:
        while any(writer.is_alive() for writer in writers) or inbox.depth():
            rows = inbox.read(limit_bytes=500)
            if rows:
                seen += [row.id for row in rows]
                inbox.delete_through(rows[-1].id)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(seen) == len(set(seen)) == 240
    assert seen == sorted(seen)


def test_inbox_goes_on_after_the_server_closed_its_connection(place, inbox):
    if not isinstance(place, str):
        pytest.skip("a file has no server: runs where GENGYUN_DATABASE_URL names PostgreSQL")
    import psycopg

    inbox.append_many([batch(1)])
    with psycopg.connect(place, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(psycopg.OperationalError):
        inbox.append_many([batch(2)])  # said, not swallowed: the client sends again
    inbox.append_many([batch(3)])
    assert [row.source_id for row in inbox.read()] == [1, 3]
