"""kill -9 of web and worker, at random and at chosen moments, under load.

What was acknowledged is in the lake or in quarantine, exactly once; every job is done.
`FAULT_ROUNDS=100` kills a hundred times; the default is every moment three times and one more.
"""

import gzip
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
import zlib
from http.client import HTTPException

import pytest
from deployment import Deployment

from gengyun.lake.keys import message_key

pytestmark = pytest.mark.slow
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "25"))
# the worker kills itself there; "web" and "worker" are killed from outside at a random moment
MOMENTS = [
    "worker",
    "drain.noted",
    "web",
    "job.ran",
    "lake.written",
    "drain.appended",
    "drain.counted",
    "drain.deleted",
]
SET_UP = """
from datetime import UTC, datetime
from gengyun.customers.actions.customers import create_customer
from gengyun.usage.actions.sources import create_source
now = datetime.now(UTC)
source = create_source(actor=None, now=now, name="app", key="app")
source.keys.update(key="test-write-key")
for n in range(20):
    create_customer(actor=None, now=now, values={"external_id": f"acct_{n}", "name": f"客户 {n}"})
"""
LATE_CUSTOMER = """
from datetime import UTC, datetime
from gengyun.customers.actions.customers import create_customer
create_customer(actor=None, now=datetime.now(UTC), values={"external_id": "late", "name": "后来"})
"""
JOBS = """
import job_tasks
from django.db import transaction
from gengyun.kernel.jobs import add
with transaction.atomic():
    for n in range({start}, {start} + 20):
        add(job_tasks.leave_mark, {folder!r}, f"job-{{n}}")
"""


class Sender(threading.Thread):
    """A client: sends batches, and sends each again under the same ids until it hears 200."""

    def __init__(self, deployment, name):
        super().__init__(daemon=True)
        self.deployment, self.label = deployment, name
        self.stopping = threading.Event()
        self.acknowledged = {}  # message id -> group
        self.again = 0
        self.refused = []

    def run(self):
        for number in itertools.count():
            if self.stopping.is_set():
                return
            groups = {
                f"{self.label}-{number}-{i}": random.choice([f"acct_{i % 20}", "late", "never"])
                if i % 10 == 0
                else f"acct_{i % 20}"
                for i in range(50)
            }
            body = {"batch": [event(message, group) for message, group in groups.items()]}
            self.send(json.dumps(body).encode())
            self.acknowledged |= groups
            time.sleep(0.01)

    def send(self, body):
        while True:
            try:
                status, _, answer = self.deployment.post("/v1/batch", body, timeout=10)
            except (OSError, HTTPException):
                status = 0
            if status == 200:
                return
            if 400 <= status < 500 and status != 429:
                self.refused.append((status, answer))
                return
            self.again += 1
            time.sleep(0.1)


def event(message, group):
    return {
        "type": "track",
        "messageId": message,
        "userId": f"u{hash(group) % 7}",
        "event": "report.export",
        "context": {"groupId": group},
        "properties": {"rows": 3},
    }


def test_nothing_is_lost_or_doubled_in_25_kills(tmp_path):
    deployment = Deployment(tmp_path)
    deployment.python(SET_UP)
    marks = tmp_path / "marks"
    marks.mkdir()
    deployment.start(workers=1).start_worker()
    senders = [Sender(deployment, f"s{n}") for n in range(3)]
    for sender in senders:
        sender.start()
    own_kills = 0
    try:
        for number in range(ROUNDS):
            moment = MOMENTS[number % len(MOMENTS)]
            deployment.python(JOBS.format(start=20 * number, folder=str(marks)))
            if number == ROUNDS // 2:
                deployment.python(LATE_CUSTOMER)
            own_kills += kill(deployment, moment)
        for sender in senders:
            sender.stopping.set()
        for sender in senders:
            sender.join(60)
            assert not sender.is_alive()
        deployment.wait_until_drained()
        wait_for_jobs(deployment, marks, 20 * ROUNDS)
    finally:
        for sender in senders:
            sender.stopping.set()
        deployment.stop_all()
    assert own_kills >= ROUNDS // 2
    assert [sender.refused for sender in senders] == [[], [], []]
    check(deployment, {k: v for sender in senders for k, v in sender.acknowledged.items()})
    print(f"{sum(sender.again for sender in senders)} requests sent again")


def kill(deployment, moment):
    """One kill; returns 1 where the process died at the chosen moment by its own hand."""
    if moment == "web":
        time.sleep(random.random())
        deployment.kill_web()
        deployment.start(workers=1)
        return 0
    deployment.kill_worker()
    if moment == "worker":
        deployment.start_worker()
        time.sleep(1 + 3 * random.random())
        deployment.kill_worker()
        deployment.start_worker()
        return 0
    deployment.start_worker(fault=moment)
    code = deployment.worker.wait(60)
    assert code == -9
    deployment.start_worker()
    return 1


def wait_for_jobs(deployment, marks, count):
    """A killed worker's job is taken when its lease of a minute has run out."""
    open_jobs = (
        "SELECT task, state, attempts FROM kernel_job WHERE state IN ('ready', 'running')"
        " AND task = 'job_tasks.leave_mark'"
    )
    until = time.monotonic() + 180
    while deployment.rows(open_jobs):
        assert time.monotonic() < until, deployment.rows(open_jobs)
        time.sleep(0.5)
    done = "SELECT state, count(*) FROM kernel_job WHERE task = 'job_tasks.leave_mark' GROUP BY 1"
    assert deployment.rows(done) == [("done", count)]
    assert len(list(marks.iterdir())) == count


def check(deployment, acknowledged):
    [(source_id, accepted, quarantined)] = deployment.rows(
        "SELECT id, accepted_count, quarantined_count FROM usage_source"
    )
    lake = deployment.events(["message_key"]).column("message_key").to_pylist()
    waiting = [
        json.loads(body)["messageId"]
        for (body,) in deployment.rows(
            "SELECT body FROM usage_quarantinedevent WHERE replayed_at IS NULL"
        )
    ]
    in_lake = {message_key(source_id, m) for m, group in acknowledged.items() if group != "never"}
    assert len(lake) == len(set(lake)), "events counted twice"
    assert set(lake) == in_lake
    assert set(waiting) == {m for m, group in acknowledged.items() if group == "never"}
    assert (accepted, quarantined) == (len(lake), len(waiting))
    print(f"{len(acknowledged)} acknowledged: {len(lake)} in the lake, {len(waiting)} wait")


def test_hostile_requests_are_refused_with_the_reason_and_the_rest_goes_on(tmp_path):
    deployment = Deployment(tmp_path)
    deployment.python(SET_UP)
    deployment.start(workers=1).start_worker()
    good = json.dumps({"batch": [event("good-1", "acct_1")]}).encode()
    packed = gzip.compress(good)
    bomb = gzip.compress(b" " * 200_000_000)
    refused = [
        (packed[:-9], {}, 400),
        (b"\x1f\x8b" + b"junk" * 20, {}, 400),
        (bomb, {"Content-Encoding": "gzip"}, 413),
        (zlib.compress(b"x" * 60_000_000), {"Content-Encoding": "deflate"}, 413),
        (b"x" * 10_000_000, {}, 413),
        (json.dumps({"batch": [event("big", "acct_1")] * 60_000}).encode(), {}, 413),
        (b'{"batch": [{"type": "track", ', {}, 400),
        (b'{"batch": "no list"}', {}, 400),
        (b"[1, 2, 3]", {}, 400),
        (b"\xff\xfe\x00", {}, 400),
    ]
    mixed = [
        event("ok-1", "acct_1"),
        event("y1970", "acct_1") | {"timestamp": "1970-01-01T00:00:00Z"},
        event("y2099", "acct_1") | {"timestamp": "2099-01-01T00:00:00Z"},
        event("typed", "acct_1") | {"event": {"not": "text"}},
        event("typed2", "acct_1") | {"properties": "not an object"},
        event("huge", "acct_1") | {"properties": {"x": "y" * 40_000}},
        5,
        None,
        event("ok-2", "acct_2"),
    ]
    try:
        for body, headers, status in refused:
            answer, _, told = deployment.post("/v1/batch", body, headers=headers)
            told = json.loads(told)
            assert (answer, bool(told["code"]), bool(told["message"])) == (status, True, True), told
        for key in ("wrong", "", None):
            answer, _, told = deployment.post("/v1/batch", good, key=key)
            assert (answer, json.loads(told)["code"]) == (401, "unauthorized")
        assert deployment.post("/v1/batch", json.dumps({"batch": mixed}).encode())[0] == 200
        assert deployment.post("/v1/batch", packed)[0] == 200
        deployment.wait_until_drained()
    finally:
        deployment.stop_all()
    rows = deployment.events(["message_key", "happened_at", "received_at"]).to_pylist()
    [(source_id,)] = deployment.rows("SELECT id FROM usage_source")
    assert {row["message_key"] for row in rows} == {
        message_key(source_id, name) for name in ("ok-1", "ok-2", "y2099", "good-1")
    }
    assert all(row["happened_at"] <= row["received_at"] for row in rows)
    reasons = deployment.rows(
        "SELECT position, reason FROM usage_quarantinedevent ORDER BY position"
    )
    assert reasons == [
        (1, "bad_time"),
        (3, "bad_shape"),
        (4, "bad_shape"),
        (5, "too_large"),
        (6, "bad_shape"),
        (7, "bad_shape"),
    ]


def test_an_import_that_was_killed_is_simply_run_again(tmp_path):
    deployment = Deployment(tmp_path / "data")
    log = tmp_path / "log.csv"
    with log.open("w") as file:
        file.write("time,account_id,user_id,event,rows\n")
        file.writelines(
            f"2020-01-{1 + n % 28:02d}T{n % 24:02d}:00:00Z,acct_{n % 50},u{n % 900},export,{n}\n"
            for n in range(120_000)
        )
    command = [sys.executable, "-m", "gengyun", "import", "events", str(log)]
    options = ["--source", "log", "--history", "--create-customers", "--json"]
    for fault in ("lake.written:1", "lake.written:2"):
        killed = subprocess.run(
            [*command, *options],
            env={**deployment.environment, "GENGYUN_FAULT": fault},
            check=False,
            capture_output=True,
        )
        assert killed.returncode == -9
    line = deployment.command("import", "events", log, *options)
    assert line["rows"] == 120_000
    assert line["imported"] + line["duplicates"] == 120_000
    assert line["duplicates"] == 50_000  # one step of the second run had arrived
    keys = deployment.events(["message_key"]).column("message_key").to_pylist()
    assert len(keys) == len(set(keys)) == 120_000
    assert deployment.rows("SELECT count(*) FROM customers_customer") == [(50,)]
