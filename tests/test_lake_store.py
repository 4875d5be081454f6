"""The lake's door: durable commits, exactly once, replaceable partitions, safe for several hands."""

import json
import multiprocessing
import shutil
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from lake_events import arrow, days, event

from gengyun.lake import tables
from gengyun.lake.compaction import compact, tidy, vacuum
from gengyun.lake.keys import hash64, message_key
from gengyun.lake.store import Lake, LostRace

DAY = date(2026, 1, 10)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def values(as_of, *pairs):
    return pa.Table.from_pylist(
        [
            {"as_of": as_of, "customer_id": pk, "metric": "m", "version": 1, "value": value}
            for pk, value in pairs
        ],
        schema=tables.METRIC_VALUES,
    )


def test_keys_stay_what_they_are():
    """Written into every lake: these numbers may never change."""
    assert hash64("u1") == -7883184562601301291
    assert hash64("张伟") == 2749797862856821907
    assert message_key(1, "m1") == 7221670580329556950
    assert message_key(1, "m1") != message_key(2, "m1")


def test_an_empty_lake_answers(lake):
    assert lake.version("events") == -1
    assert lake.app_version("events", "inbox") is None
    assert lake.files("events") == []
    assert lake.read("events").num_rows == 0
    assert lake.read("events", columns=["event"]).column_names == ["event"]


def test_rows_come_back_as_they_went_in(lake):
    rows = arrow(
        [event(properties={"名": "值"}), event(2, user=None, known=DAY + timedelta(days=1))]
    )
    lake.append("events", rows)
    again = Lake(lake.path).read("events").sort_by("customer_id")
    assert again == rows.sort_by("customer_id")


def test_a_version_that_was_committed_is_not_written_again(lake):
    rows = arrow([event()])
    assert lake.append("events", rows, app="inbox", version=0)
    assert not lake.append("events", rows, app="inbox", version=0)
    assert Lake(lake.path).append("events", rows, app="inbox", version=7)
    assert not lake.append("events", rows, app="inbox", version=5)
    assert lake.read("events").num_rows == 2
    assert lake.app_version("events", "inbox") == 7


def test_a_partition_is_replaced_wholly_and_alone(lake):
    lake.replace_partition("metric_values", "as_of", DAY, values(DAY, (1, 1.0), (2, None)))
    other = DAY + timedelta(days=1)
    lake.replace_partition("metric_values", "as_of", other, values(other, (1, 5.0)))
    for _ in range(2):
        lake.replace_partition("metric_values", "as_of", DAY, values(DAY, (1, 3.0)))
    assert lake.read("metric_values", where=[("as_of", "=", DAY)])["value"].to_pylist() == [3.0]
    assert lake.read("metric_values", where=[("as_of", "=", other)])["value"].to_pylist() == [5.0]
    assert lake.partitions("metric_values") == [DAY, other]
    lake.replace_partition("metric_values", "as_of", DAY, values(DAY))
    assert lake.partitions("metric_values") == [other]


def test_files_are_pruned_by_partition_and_by_ranges(lake):
    for day, customer in zip(days(DAY, 4), (5, 6, 7, 8), strict=True):
        lake.append("events", arrow([event(customer, on=day)]))
    assert len(lake.files("events")) == 4
    assert len(lake.files("events", where=[("received_day", ">=", DAY + timedelta(days=2))])) == 2
    assert len(lake.files("events", where=[("customer_id", "=", 6)])) == 1
    assert len(lake.files("events", where=[("customer_id", "in", [6, 8, 99])])) == 2
    assert len(lake.files("events", where=[("day", "<", DAY)])) == 0
    late = datetime(2026, 1, 13, 4, tzinfo=UTC)
    assert len(lake.files("events", where=[("received_at", ">=", late)])) == 1


def test_compaction_keeps_every_row_and_is_no_change(lake):
    for number in range(6):
        lake.append("events", arrow([event(number), event(number)]), app="inbox", version=number)
    before, version = lake.read("events").sort_by("message_key"), lake.version("events")
    assert compact(lake, "events") == 6
    assert len(lake.files("events")) == 1
    assert lake.read("events").sort_by("message_key") == before
    assert lake.app_version("events", "inbox") == 5
    changes = lake.changes("events", after=version, to=lake.version("events"))
    assert (changes.added, changes.removed, changes.complete) == ([], False, True)
    assert compact(lake, "events") == 0


def test_readers_keep_replaced_files_for_a_while(lake):
    for number in range(3):
        lake.append("events", arrow([event(number)]))
    held = lake.files("events")
    compact(lake, "events")
    vacuum(lake, "events")
    assert all(Path(name).read_bytes()[:4] == b"PAR1" for name in held)


def test_compaction_that_lost_a_race_changes_nothing(lake):
    for number in range(2):
        lake.append("events", arrow([event(number)]))
    paths = [row["path"] for row in lake.file_rows("events")]
    compact(Lake(lake.path), "events")
    with pytest.raises(LostRace):
        lake.commit("events", add=arrow([event(9)]), drop=paths, same_rows=True)
    assert lake.read("events").num_rows == 2


def test_a_commit_made_from_an_older_state_is_refused(lake):
    lake.commit("events", add=arrow([event()]), marks={"a": 3}, expect={"a": None})
    with pytest.raises(LostRace):
        lake.commit("events", add=arrow([event()]), marks={"a": 4}, expect={"a": None})
    assert lake.commit("events", add=arrow([event()]), marks={"a": 4}, expect={"a": 3})
    assert lake.read("events").num_rows == 2


def test_many_commits_stay_quick_to_open_and_whole(lake):
    for number in range(110):
        lake.append("events", arrow([event(number)]), app="inbox", version=number)
    tidy(lake)
    fresh = Lake(lake.path)
    assert fresh.read("events").num_rows == 110
    assert fresh.app_version("events", "inbox") == 109
    last = json.loads((lake.path / "events/_delta_log/_last_checkpoint").read_text())
    assert last["version"] >= 100


def _append_some(path, first):
    lake = Lake(path)
    for number in range(first, first + 15):
        lake.append(
            "events", arrow([event(number, message=f"m{number}")]), app=f"w{first}", version=number
        )


def test_several_processes_append_at_once(lake):
    lake.append("events", arrow([event(999, message="m999")]))
    context = multiprocessing.get_context("spawn")
    hands = [context.Process(target=_append_some, args=(lake.path, n * 100)) for n in range(2)]
    for hand in hands:
        hand.start()
    for _ in range(5):
        compact(lake, "events")
    for hand in hands:
        hand.join(60)
        assert hand.exitcode == 0
    found = sorted(lake.read("events")["customer_id"].to_pylist())
    assert found == [*range(15), *range(100, 115), 999]


def test_other_engines_can_read_the_tables(lake):
    """The log is plain Delta: delta-rs' own reader sees the same rows."""
    from deltalake import DeltaTable

    rows = arrow([event(1), event(2, on=DAY + timedelta(days=1))])
    lake.append("events", rows)
    table = DeltaTable(lake.path / "events")
    assert pa.table(table.to_pyarrow_table()).num_rows == 2
    assert table.metadata().partition_columns == ["received_day"]


def test_a_lake_that_was_made_anew_is_not_taken_for_the_old_one(tmp_path, settings):
    settings.LAKE_DIR = tmp_path / "lake"
    for number in range(3):
        Lake.default().append("events", arrow([event(number)]), app="inbox", version=number)
    assert Lake.default() is Lake.default()
    assert Lake.default().read("events").num_rows == 3
    shutil.rmtree(settings.LAKE_DIR)
    assert Lake.default().read("events").num_rows == 0
    Lake(settings.LAKE_DIR).append("events", arrow([event(7)]))
    assert Lake.default().read("events")["customer_id"].to_pylist() == [7]
    assert Lake.default().append("events", arrow([event(8)]), app="inbox", version=0)
    assert Lake.default().read("events").num_rows == 2


def test_readers_do_not_wait_for_a_writer(lake):
    lake.append("events", arrow([event(1)]))
    with lake.writing("events"):
        found = []
        reader = threading.Thread(target=lambda: found.append(lake.read("events").num_rows))
        reader.start()
        reader.join(10)
        assert found == [1]


@pytest.mark.parametrize("table", ["daily", "presence"])
def test_many_rows_lie_in_the_same_order_as_few(table, monkeypatch):
    from random import Random

    from gengyun.lake import parquet, tables

    chance, rows = Random(7), []
    for _ in range(3_000):
        on = date(2026, 1, 1) + timedelta(days=chance.randrange(90))
        common = {"customer_id": chance.randrange(9), "known_day": on}
        if table == "daily":
            rows.append(common | {"day": on, "n": chance.randrange(99), "total_micro": 0})
        else:
            more = {"key": chance.randrange(2**60), "month": on.replace(day=1), "days": 3}
            rows.append(common | more)
    schema = pa.schema([field for field in tables.SCHEMAS[table] if field.name != "measure"])
    part = pa.Table.from_pylist(rows, schema=schema)
    keys = tables.SORTED_BY[table]
    few = parquet._sorted(part, keys)
    monkeypatch.setattr(parquet, "MANY", 1)
    many = parquet._sorted(part, keys)
    assert many.schema == few.schema
    names = [name for name in keys if name != tables.MONTH_OF]
    assert many.select(names) == few.select(names)
    by_all = [(name, "ascending") for name in part.column_names]
    assert many.sort_by(by_all) == few.sort_by(by_all)
