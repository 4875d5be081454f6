"""Web and worker as real processes over one data folder, for tests that kill them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tracking_server import WebServer

from gengyun.lake.store import Lake

TESTS = Path(__file__).parent


class Deployment(WebServer):
    """`start()` the web server, `start_worker()` the worker; both may be killed and started again."""

    def __init__(self, folder, **environment):
        path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
        super().__init__(folder, PYTHONPATH=path, **environment)
        self.worker = None

    def python(self, code):
        super().python(f"import django; django.setup()\n{code}")

    def run(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "gengyun", *map(str, arguments)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, *arguments):
        """The last line that a `gengyun` command prints, read as JSON."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def start_worker(self, fault=""):
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "gengyun", "worker"],
            env={**self.environment, "GENGYUN_FAULT": fault},
        )
        return self

    def kill_worker(self):
        self.worker.kill()
        self.worker.wait()

    def kill_web(self):
        """The server and its processes at once, as a power cut or the OOM killer would."""
        children = _children(self.process.pid)
        for pid in (self.process.pid, *children):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def stop_all(self):
        for process in (self.process, self.worker):
            if process is not None and process.poll() is None:
                process.terminate()
        for process in (self.process, self.worker):
            if process is not None:
                process.wait(40)

    def wait_until_drained(self, seconds=120):
        until = time.monotonic() + seconds
        with self.inbox() as inbox:
            while inbox.depth():
                assert time.monotonic() < until, f"{inbox.depth()} batches still wait"
                assert self.worker.poll() is None, "the worker ended"
                time.sleep(0.2)

    def events(self, columns=None):
        return Lake(self.folder / "lake").read("events", columns=columns)


def _children(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
