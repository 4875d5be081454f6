"""A real `gengyun web` in a data folder of its own, for tests over HTTP."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import contextmanager

from databases import drop_database, migrated_database, open_database

KEY = "test-write-key"
SET_UP = """
import django; django.setup()
from datetime import UTC, datetime
from gengyun.usage.models import Source, WriteKey
now = datetime.now(UTC)
source = Source.objects.create(key="app", name="App", created_at=now)
off = Source.objects.create(key="off", name="Off", created_at=now, is_active=False)
WriteKey.objects.create(source=source, key="test-write-key", created_at=now)
WriteKey.objects.create(source=source, key="revoked-key", created_at=now, revoked_at=now)
WriteKey.objects.create(source=off, key="off-key", created_at=now)
"""


class WebServer:
    def __init__(self, folder, **environment):
        self.folder = folder
        self.url = self.new_database()
        self.environment = {
            **os.environ,
            "GENGYUN_DATA": str(folder),
            "GENGYUN_DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "gengyun.config.settings",
            **environment,
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None

    def new_database(self):
        """One with all tables, and nothing in them."""
        return migrated_database(self.folder)

    def python(self, code):
        subprocess.run([sys.executable, "-c", code], env=self.environment, check=True)

    def start(self, workers=2):
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gengyun",
                "web",
                "--port",
                str(self.port),
                "--workers",
                str(workers),
            ],
            env=self.environment,
        )
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        raise AssertionError("the web server did not come up")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def ask(self, method, path, body=b"", key=KEY, headers=None, timeout=20):
        """Status, headers and body of one request."""
        headers = dict(headers or {})
        if key is not None:
            headers["Authorization"] = "Basic " + b64encode(f"{key}:".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def post(self, path, body, **kwargs):
        return self.ask("POST", path, body, **kwargs)

    def inbox(self):
        from gengyun.lake.inbox import open_inbox

        return open_inbox(self.url or self.folder / "inbox.sqlite3")

    def database(self):
        return open_database(self.folder, self.url)

    def rows(self, sql, *parameters):
        with self.database() as db:
            return db.execute(sql, parameters).fetchall()

    def waiting(self):
        with self.inbox() as inbox:
            return inbox.read(limit_bytes=10**9)


@contextmanager
def web_server(folder, workers=2, **environment):
    server = WebServer(folder, **environment)
    server.python(SET_UP)
    server.start(workers)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        drop_database(server.url)
