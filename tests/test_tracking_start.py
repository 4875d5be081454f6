"""`gengyun start`: web and worker together, started again when killed, ended together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from databases import own_environment

pytestmark = pytest.mark.slow


def children(pid):
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return {
        ("web" if " web " in line else "worker"): int(line.split()[0])
        for line in listed.stdout.splitlines()
    }


def wait_for(condition, seconds=40):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.2)
    return found


@pytest.fixture
def start(tmp_path):
    started = []

    def start(port, *, migrated=False):
        process = subprocess.Popen(
            [sys.executable, "-m", "gengyun", "start", "--port", str(port), "--workers", "1"],
            env=own_environment(tmp_path, migrated=migrated),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def gone(pids):
    return all(not Path(f"/proc/{pid}").exists() for pid in pids)


def test_start_serves_restarts_what_is_killed_and_stops_on_interrupt(start, port):
    process = start(port)
    wait_for(lambda: answers(port), seconds=150)  # it makes all tables first
    before = wait_for(lambda: len(children(process.pid)) == 2 and children(process.pid))
    time.sleep(5)  # an end within the first seconds would be taken for a wrong set-up
    for name in ("web", "worker"):
        os.kill(before[name], signal.SIGKILL)
    after = wait_for(
        lambda: (
            len(found := children(process.pid)) == 2
            and not set(found.values()) & set(before.values())
            and found
        )
    )
    wait_for(lambda: answers(port))
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    wait_for(lambda: gone(after.values()))


def test_start_that_is_killed_leaves_nobody_behind(start, port):
    process = start(port, migrated=True)
    wait_for(lambda: answers(port))
    left = children(process.pid)
    process.kill()
    wait_for(lambda: gone(left.values()))
    wait_for(lambda: not answers(port))


@pytest.mark.parametrize("command", ["start", "web"])
def test_port_that_is_taken_is_refused_in_one_line(port, tmp_path, command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "gengyun", command, "--port", str(port)],
            env=own_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert len(done.stderr.splitlines()) == 1
