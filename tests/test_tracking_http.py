"""The web server as a client meets it: tracking and pages on one port, answers, durability."""

import gzip
import json
import os
import signal
import sqlite3
import threading
import time

import pytest
from tracking_server import KEY, web_server

TRACK = {"userId": "u-1", "event": "报表导出", "context": {"groupId": "acct-1"}}
BODY = json.dumps(TRACK, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with web_server(tmp_path_factory.mktemp("web"), workers=1) as server:
        yield server


@pytest.fixture
def empty(server):
    with server.inbox() as inbox:
        inbox.delete_through(2**62)
    return server


def code(answer):
    status, headers, body = answer
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    assert told["message"]
    return status, told["code"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/track", "track"),
        ("/v1/identify", "identify"),
        ("/v1/group", "group"),
        ("/v1/page", "page"),
        ("/v1/screen", "screen"),
        ("/v1/alias", "alias"),
        ("/v1/t", "track"),
        ("/v1/p", "page"),
        ("/v1/track/", "track"),
    ],
)
def test_event_is_stored_as_it_came_before_the_answer(empty, path, kind):
    before = time.time_ns() // 1000
    status, _, body = empty.post(path, BODY)
    assert (status, body) == (200, b'{"success":true}')
    (row,) = empty.waiting()
    assert (row.kind, row.body, row.events, row.sent_at) == (kind, BODY, 1, None)
    assert before <= row.received_at <= time.time_ns() // 1000


def test_batch_is_counted_and_inflated(empty):
    body = json.dumps({"batch": [TRACK] * 7}).encode()
    for wire in (body, gzip.compress(body)):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert empty.post("/v1/batch", wire, headers=headers)[0] == 200
    assert [(row.events, row.body) for row in empty.waiting()] == [(7, body)] * 2


def test_batch_without_events_is_fine_and_not_stored(empty):
    assert empty.post("/v1/batch", b'{"batch":[]}')[0] == 200
    assert empty.waiting() == []


def test_write_key_may_come_in_the_header_body_or_query(empty):
    with_key = json.dumps(TRACK | {"writeKey": KEY}).encode()
    batch = json.dumps({"batch": [TRACK], "writeKey": KEY}).encode()
    bare = {"Authorization": "Basic dGVzdC13cml0ZS1rZXk="}  # the key without its colon
    bearer = {"Authorization": "Bearer something"}
    assert empty.post("/v1/track", BODY, key=None, headers=bare)[0] == 200
    assert empty.post("/v1/track", with_key, key=None)[0] == 200
    assert empty.post("/v1/track", with_key, key=None, headers=bearer)[0] == 200
    assert empty.post("/v1/b", batch, key=None)[0] == 200
    assert empty.post(f"/beacon/v1/batch?writeKey={KEY}", b'{"batch":[{}]}', key=None)[0] == 200
    assert len(empty.waiting()) == 5


def test_write_key_that_is_wrong_missing_or_revoked_is_refused(empty):
    assert code(empty.post("/v1/track", BODY, key="wrong")) == (401, "unauthorized")
    assert code(empty.post("/v1/track", BODY, key="revoked-key")) == (401, "unauthorized")
    assert code(empty.post("/v1/track", BODY, key=None)) == (401, "unauthorized")
    broken = {"Authorization": "Basic ???"}
    assert code(empty.post("/v1/track", BODY, key=None, headers=broken)) == (401, "unauthorized")
    assert code(empty.post("/v1/track", BODY, key="off-key")) == (403, "source_disabled")
    # nothing is read for a stranger
    assert code(empty.post("/v1/track", b"nonsense", key="wrong")) == (401, "unauthorized")
    assert empty.waiting() == []


def test_write_key_counts_at_once_when_new_and_soon_when_revoked(empty):
    with empty.database() as database:
        database.execute(
            "INSERT INTO usage_writekey (source_id, key, created_at)"
            " SELECT id, 'new-key', created_at FROM usage_source WHERE key = 'app'"
        )
        assert empty.post("/v1/track", BODY, key="new-key")[0] == 200
        database.execute("UPDATE usage_writekey SET revoked_at = created_at WHERE key = 'new-key'")
    until = time.monotonic() + 5
    while empty.post("/v1/track", BODY, key="new-key")[0] == 200:
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "invalid_json")),
        (b"[]", (400, "invalid_json")),
        (b'{"batch":1}', (400, "invalid_json")),
        (gzip.compress(BODY, mtime=0)[:-4], (400, "invalid_compression")),
        (gzip.compress(b"\0" * 50_000_000, mtime=0), (413, "too_large")),
        (b'{"batch":[' + b"{}," * 2500 + b"{}]}", (400, "too_many_events")),
        (b"x" * (8 * 1024 * 1024 + 1), (413, "too_large")),
        (b"x" * 20_000_000, (413, "too_large")),
    ],
)
def test_request_that_cannot_be_used_is_refused_with_the_reason(empty, body, expected):
    assert code(empty.post("/v1/batch", body)) == expected
    assert empty.waiting() == []


def test_body_in_chunks_is_read_up_to_the_limit(empty):
    assert empty.post("/v1/track", iter([BODY[:10], BODY[10:]]))[0] == 200
    assert empty.waiting()[0].body == BODY
    answer = empty.post("/v1/track", iter([b"x" * 100_000] * 120))
    assert code(answer) == (413, "too_large")


def test_path_and_method_that_do_not_exist_are_refused_as_json(empty):
    assert code(empty.post("/v1/nothing", BODY)) == (404, "not_found")
    assert code(empty.post("/v1/", BODY)) == (404, "not_found")
    answer = empty.ask("GET", "/v1/track")
    assert code(answer) == (405, "method_not_allowed")
    assert answer[1]["allow"] == "POST, OPTIONS"
    assert code(empty.post("/v1/track", BODY, headers={"Content-Encoding": "br"}))[0] == 415


def test_browser_on_another_site_may_send(empty):
    asks = {"Origin": "https://app.example.cn", "Access-Control-Request-Headers": "authorization"}
    status, headers, _ = empty.ask("OPTIONS", "/v1/t", key=None, headers=asks)
    assert status == 204
    assert headers["access-control-allow-origin"] == "https://app.example.cn"
    for name in ("authorization", "content-type", "sentat", "x-retry-count"):
        assert name in headers["access-control-allow-headers"]
    _, headers, _ = empty.post("/v1/t", BODY, headers={"Origin": "https://app.example.cn"})
    assert headers["access-control-allow-origin"] == "https://app.example.cn"
    refused = empty.post("/v1/t", b"", headers={"Origin": "https://app.example.cn"})
    assert refused[1]["access-control-allow-origin"] == "https://app.example.cn"
    assert "access-control-allow-origin" not in empty.post("/v1/t", BODY)[1]


def test_browser_client_gets_its_settings(empty):
    status, _, body = empty.ask("GET", f"/v1/projects/{KEY}/settings", key=None)
    assert status == 200
    assert json.loads(body)["integrations"]["Segment.io"]["apiKey"] == KEY
    assert code(empty.ask("GET", "/v1/projects/wrong/settings", key=None))[0] == 401


def test_clock_in_the_header_is_kept(empty):
    empty.post("/v1/track", BODY, headers={"SentAt": "2026-01-15T08:30:00Z"})
    assert empty.waiting()[0].sent_at == 1768465800_000_000


def test_pages_are_served_on_the_same_port(server):
    status, headers, body = server.ask("GET", "/login/", key=None)
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert "csrfmiddlewaretoken" in body.decode()
    status, headers, _ = server.ask("GET", "/?next=%E5%AE%A2%E6%88%B7", key=None)
    assert (status, headers["location"].startswith("/login/")) == (302, True)
    assert server.ask("GET", "/%E6%B2%A1%E6%9C%89/", key=None)[0] in {302, 404}
    assert server.ask("HEAD", "/login/", key=None)[2] == b""
    # a form without its token: Django read the body and refused
    assert server.post("/login/", b"username=a", key=None)[0] == 403


def test_pages_serve_whole_files(server):
    from pathlib import Path

    import gengyun.web

    static = Path(gengyun.web.__file__).parent / "static"
    path = max(static.rglob("*.css"), key=lambda file: file.stat().st_size)
    status, _, body = server.ask("GET", f"/static/{path.relative_to(static)}", key=None)
    assert (status, body) == (200, path.read_bytes())


@pytest.mark.slow
def test_inbox_over_its_limit_says_when_to_come_back(tmp_path):
    with web_server(tmp_path, workers=1, GENGYUN_INBOX_MAX_MB="1") as server:
        body = json.dumps({"batch": [TRACK | {"properties": {"a": "x" * 400_000}}]}).encode()
        for _ in range(10):
            answer = server.post("/v1/batch", body)
            if answer[0] == 429:
                break
            time.sleep(0.3)
        assert code(answer) == (429, "busy")
        assert int(answer[1]["retry-after"]) > 0
        stored = len(server.waiting())
        with server.inbox() as inbox:
            inbox.delete_through(2**62)
        time.sleep(1.2)
        assert server.post("/v1/batch", body)[0] == 200
        assert stored < 10


@pytest.mark.slow
def test_events_are_not_dropped_while_the_database_is_away(tmp_path):
    """A 401 makes clients throw events away; without the database nobody may say so."""
    with web_server(tmp_path, workers=1) as server:
        assert server.post("/v1/track", BODY)[0] == 200
        lock = sqlite3.connect(tmp_path / "gengyun.sqlite3", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        assert server.post("/v1/track", BODY)[0] == 200
        lock.execute("ROLLBACK")
        lock.close()


def _send_until_refused(server, name, sent, acknowledged):
    number = 0
    while True:
        mark = f"{name}-{number}"
        number += 1
        sent.add(mark)
        try:
            body = json.dumps(TRACK | {"messageId": mark}).encode()
            if server.post("/v1/track", body, timeout=5)[0] != 200:
                return
        except OSError:
            return
        except Exception:  # noqa: BLE001 (a cut answer has many names)
            return
        acknowledged.add(mark)


@pytest.mark.slow
@pytest.mark.parametrize("stop_with", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_acknowledged_is_there_after_a_stop_under_load(tmp_path, stop_with):
    sent, acknowledged = set(), set()
    with web_server(tmp_path) as server:
        for turn in range(5):
            if turn:
                server.start()
            clients = [
                threading.Thread(
                    target=_send_until_refused, args=(server, f"{turn}-{n}", sent, acknowledged)
                )
                for n in range(8)
            ]
            for client in clients:
                client.start()
            time.sleep(0.7)
            os.kill(server.process.pid, stop_with)
            assert server.process.wait(30) == (0 if stop_with == signal.SIGTERM else -9)
            for client in clients:
                client.join()
            time.sleep(1)  # orphaned workers see that their master has gone
        stored = [json.loads(row.body)["messageId"] for row in server.waiting()]
    assert len(stored) == len(set(stored))
    assert acknowledged <= set(stored) <= sent
    assert len(acknowledged) > 100


@pytest.mark.slow
def test_worker_process_that_dies_comes_back(tmp_path):
    import subprocess

    with web_server(tmp_path, workers=1) as server:
        pids = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(server.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        worker = next(int(line.split()[0]) for line in pids if "resource_tracker" not in line)
        os.kill(worker, signal.SIGKILL)
        until = time.monotonic() + 20
        while True:
            assert time.monotonic() < until
            try:
                if server.post("/v1/track", BODY, timeout=2)[0] == 200:
                    break
            except OSError:
                time.sleep(0.2)
