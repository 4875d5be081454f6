"""A table that a kill or a power cut left half made is made whole; one that exists is opened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable
from lake_events import arrow, event

from gengyun.lake import tables
from gengyun.lake.store import Lake

FIRST = f"{0:020d}.json"
# the process kills itself before the named call, or after it, while it makes the table
KILLED = """
import os, pathlib, signal, sys
import deltalake
from gengyun.lake.store import Lake
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
owner, name, when, nth = {step!r}
owner = {{"path": pathlib.Path, "delta": deltalake.DeltaTable, "os": os}}[owner]
old, calls = getattr(owner, name), []
def call(*args, **named):
    calls.append(1)
    if when == "before" and len(calls) == nth:
        die()
    answer = old(*args, **named)
    if when == "after" and len(calls) == nth:
        die()
    return answer
setattr(owner, name, call)
with Lake(sys.argv[1]).writing("events"):
    print("made")
"""
STEPS = [
    ("path", "touch", "before", 1),
    ("path", "touch", "after", 1),
    ("delta", "create", "before", 1),
    ("delta", "create", "after", 1),
    ("os", "fsync", "before", 2),
    ("os", "fsync", "after", 4),
]


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Version 0 as it should be."""
    lake = Lake(tmp_path_factory.mktemp("whole"))
    with lake.writing("events"):
        return (lake.path / "events" / "_delta_log" / FIRST).read_bytes()


def takes_rows(lake):
    """The table is written by this lake and by another, and both read all of it."""
    assert lake.append("events", arrow([event(1)]), app="inbox", version=1)
    assert not lake.append("events", arrow([event(1)]), app="inbox", version=1)
    other = Lake(lake.path)
    assert other.append("events", arrow([event(2)]), app="inbox", version=2)
    for reader in (lake, other, Lake(lake.path)):
        assert sorted(reader.read("events")["customer_id"].to_pylist()) == [1, 2]
        assert reader.app_version("events", "inbox") == 2


@pytest.mark.parametrize("step", STEPS, ids=lambda step: "-".join(map(str, step[1:])))
def test_a_maker_that_was_killed(lake, step):
    assert lake.version("events") == -1
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(step=step), str(lake.path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (-9, ""), done.stderr
    takes_rows(lake)


def _lines(count):
    return lambda text: b"".join(text.splitlines(keepends=True)[:count])


LEFT = {
    "empty": lambda _: b"",
    "zeros": lambda text: bytes(len(text)),
    "cut": lambda text: text[: len(text) // 2],
    "no-protocol": _lines(1),
    "no-columns": _lines(2),
}


@pytest.mark.parametrize("left", LEFT)
def test_a_power_cut_left_version_0_half_written(lake, whole, left):
    log = lake.path / "events" / "_delta_log"
    log.mkdir(parents=True)
    (log / FIRST).write_bytes(LEFT[left](whole))
    assert lake.version("events") == -1
    assert lake.read("events").num_rows == 0
    takes_rows(lake)


@pytest.mark.parametrize("name", [f"{FIRST}#1", "_commit_1.json.tmp", None])
def test_a_log_without_any_version(lake, whole, name):
    log = lake.path / "events" / "_delta_log"
    log.mkdir(parents=True)
    if name:
        (log / name).write_bytes(whole)
    assert lake.version("events") == -1
    takes_rows(lake)


def test_a_table_that_others_made_meanwhile(lake):
    assert lake.version("events") == -1
    with Lake(lake.path).writing("events"):
        pass
    takes_rows(lake)


def test_a_table_without_the_mark_of_its_making(lake):
    """Made by another program, or by the version before this one."""
    assert lake.version("events") == -1
    DeltaTable.create(lake.path / "events", tables.EVENTS, partition_by=tables.PARTITIONS["events"])
    takes_rows(lake)


def test_a_program_that_knows_no_lock_makes_it_at_the_same_moment(lake, monkeypatch):
    create = DeltaTable.create

    def twice(*args, **named):
        create(*args, **named)
        return create(*args, **named)

    monkeypatch.setattr(DeltaTable, "create", twice)
    takes_rows(lake)


def test_a_log_with_rows_is_never_begun_anew(lake):
    """An unreadable table is a loud error: nothing may be taken for empty and overwritten."""
    lake.append("events", arrow([event(1)]))
    first = lake.path / "events" / "_delta_log" / FIRST
    whole = first.read_bytes()
    first.write_bytes(b"")
    with pytest.raises(Exception, match="No table metadata"):
        Lake(lake.path).append("events", arrow([event(2)]))
    first.write_bytes(whole)
    assert Lake(lake.path).read("events").num_rows == 1


def test_what_a_killed_writer_committed_is_on_disk_before_anybody_reads_it(lake, monkeypatch):
    lake.append("events", arrow([event(1)]), app="inbox", version=1)
    synced = []
    fsync = os.fsync

    def noted(handle):
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    assert Lake(lake.path).app_version("events", "inbox") == 1
    assert synced == [f"{1:020d}.json", "_delta_log"]
