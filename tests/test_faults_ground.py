"""The ground shakes: a full disk, a folder that cannot be written, a clock that jumps, a database
that restarts under load. Clear errors, nothing corrupted, and it goes on by itself."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from databases import SERVER
from deployment import Deployment
from test_faults import LATE_CUSTOMER, SET_UP, Sender, check

pytestmark = pytest.mark.slow
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@contextmanager
def small_disk(folder, megabytes, *options):
    folder.mkdir(exist_ok=True)
    size = ",".join([f"size={megabytes}m", *options])
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def senders_of(deployment, count=2):
    senders = [Sender(deployment, f"s{n}") for n in range(count)]
    for sender in senders:
        sender.start()
    try:
        yield senders
    finally:
        for sender in senders:
            sender.stopping.set()
        for sender in senders:
            sender.join(60)


def ended(senders):
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join(60)
        assert not sender.is_alive()
    assert [sender.refused for sender in senders] == [[] for _ in senders]
    return {key: value for sender in senders for key, value in sender.acknowledged.items()}


def acknowledged(senders):
    return sum(len(sender.acknowledged) for sender in senders)


def grows(senders, seconds=30):
    """More is acknowledged than now."""
    before, until = acknowledged(senders), time.monotonic() + seconds
    while acknowledged(senders) <= before + 50:
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def test_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_room(tmp_path):
    with small_disk(tmp_path / "small", 120) as folder:
        deployment = Deployment(folder)
        deployment.python(SET_UP + LATE_CUSTOMER)
        deployment.start(workers=1).start_worker()
        try:
            with senders_of(deployment) as senders:
                assert grows(senders)
                _wait_for_rows(deployment)
                ballast = folder / "ballast"
                _fill(ballast)
                time.sleep(3)
                full = acknowledged(senders)
                status, _, answer = deployment.post("/v1/batch", b'{"batch":[]}' * 1)
                again = sum(sender.again for sender in senders)
                assert again > 0, "a full disk was answered as if all were well"
                assert status in {200, 400, 429, 503}, answer
                time.sleep(2)
                assert acknowledged(senders) <= full + 200  # what fits into the last free page
                ballast.unlink()
                assert grows(senders), "it did not go on by itself"
                sent = ended(senders)
            assert deployment.worker.poll() is None
            assert deployment.process.poll() is None
            deployment.wait_until_drained()
            check(deployment, sent)
            assert _is_whole(deployment)
        finally:
            deployment.stop_all()


def _wait_for_rows(deployment):
    """The worker is up and draining."""
    until = time.monotonic() + 60
    while not deployment.events(["message_key"]).num_rows:
        assert time.monotonic() < until
        time.sleep(0.3)


def _fill(ballast):
    """Until not a byte more fits."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            while True:
                try:
                    if not file.write(b"x" * size):
                        break
                except OSError:
                    break


def _is_whole(deployment):
    if deployment.url:
        return True
    return deployment.rows("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("command", [["init", "--email", "a@b.example"], ["start"], ["doctor"]])
def test_folder_that_cannot_be_written_is_told_in_a_line(tmp_path, command):
    with small_disk(tmp_path / "home", 5, "ro") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "gengyun", *command],
            env=os.environ
            | {
                "GENGYUN_DATA": str(folder / "data"),
                "HOME": str(folder),
                "GENGYUN_DATABASE_URL": "",
            },
            input="a-long-password-1\na-long-password-1\n",
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    output = done.stdout + done.stderr  # what doctor finds is its output
    assert str(folder) in output, output
    assert "GENGYUN_DATA" in output or "gengyun init" in output, output
    assert len(done.stderr.strip().splitlines()) <= 3, done.stderr


@pytest.mark.parametrize("jump", ["+3d", "-2d"])
def test_clock_that_jumps_stops_nobody(tmp_path, jump):
    if FAKETIME is None:
        pytest.skip("libfaketime is not installed (Debian: faketime)")
    now = tmp_path / "now"
    now.write_text("+0")
    deployment = Deployment(
        tmp_path / "data",
        LD_PRELOAD=str(FAKETIME),
        FAKETIME_TIMESTAMP_FILE=str(now),
        FAKETIME_NO_CACHE="1",
        # waiting and timeouts go by the time that passes
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    deployment.python(SET_UP + LATE_CUSTOMER)
    deployment.start(workers=1).start_worker()
    try:
        with senders_of(deployment) as senders:
            assert grows(senders)
            now.write_text(jump)
            assert grows(senders), "nothing is acknowledged after the jump"
            time.sleep(3)
            now.write_text("+0")
            assert grows(senders), "nothing is acknowledged after the jump back"
            sent = ended(senders)
        deployment.wait_until_drained()
        check(deployment, sent)
        assert deployment.worker.poll() is None
    finally:
        deployment.stop_all()


def test_database_that_restarts_under_load_is_found_again(tmp_path):
    if not SERVER:
        pytest.skip("SQLite has no server: runs where GENGYUN_DATABASE_URL names PostgreSQL")
    import psycopg

    deployment = Deployment(tmp_path)
    deployment.python(SET_UP + LATE_CUSTOMER)
    deployment.start(workers=2).start_worker()
    name = deployment.url.rsplit("/", 1)[1]
    try:
        with senders_of(deployment) as senders:
            for _ in range(5):
                assert grows(senders)
                with psycopg.connect(SERVER, autocommit=True) as db:  # as a restart does
                    db.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
                    db.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                        (name,),
                    )
                    time.sleep(1.5)
                    db.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            assert grows(senders), "it did not go on by itself"
            status, _, _ = deployment.ask("GET", "/login/", key=None)
            assert status == 200
            sent = ended(senders)
        assert deployment.worker.poll() is None
        deployment.wait_until_drained()
        check(deployment, sent)
    finally:
        deployment.stop_all()
