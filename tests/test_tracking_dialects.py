"""RudderStack's and PostHog's paths, browsers of other sites, keys that change; over HTTP."""

import base64
import gzip
import json
import threading
import time
import zlib

import pytest
from test_tracking_http import code
from tracking_server import KEY, web_server

EVENT = {"event": "报表导出", "distinct_id": "u_1", "uuid": "m-1", "properties": {"rows": 3}}
SINGLE = json.dumps(EVENT | {"api_key": KEY}, ensure_ascii=False).encode()
BATCH = json.dumps({"api_key": KEY, "batch": [EVENT, EVENT]}, ensure_ascii=False).encode()
SITE = {"Origin": "https://app.example.cn"}
MORE = """
import django; django.setup()
from datetime import UTC, datetime
from gengyun.usage.models import Source, WriteKey
now = datetime.now(UTC)
web = Source.objects.create(key="web", name="Web", created_at=now, is_browser=True,
                            origins=["https://app.example.cn", "https://*.example.com"])
WriteKey.objects.create(source=web, key="web-key", created_at=now)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with web_server(tmp_path_factory.mktemp("web"), workers=1) as server:
        server.python(MORE)
        yield server


@pytest.fixture
def empty(server):
    with server.inbox() as inbox:
        inbox.delete_through(2**62)
    return server


@pytest.mark.parametrize("path", ["/i/v0/e/", "/e/", "/e", "/capture/", "/track/", "/batch/"])
@pytest.mark.parametrize("body", [SINGLE, BATCH], ids=["single", "batch"])
def test_posthog_paths_store_and_answer_in_its_words(empty, path, body):
    status, _, answer = empty.post(path, body, key=None)
    assert (status, answer) == (200, b'{"status":1}')
    (row,) = empty.waiting()
    assert (row.kind, row.body, row.events) == ("posthog", body, 1 if body is SINGLE else 2)


@pytest.mark.parametrize(
    "wire",
    [
        gzip.compress(BATCH),
        b"data=" + base64.b64encode(BATCH).replace(b"+", b"%2B").replace(b"=", b"%3D"),
        json.dumps([EVENT | {"properties": {"token": KEY}}] * 2).encode(),
    ],
    ids=["gzip-without-a-word", "form", "list"],
)
def test_posthog_bodies_of_all_times_are_read(empty, wire):
    assert empty.post("/e/?ip=1", wire, key=None, headers={"Content-Type": "text/plain"})[0] == 200
    assert empty.waiting()[0].events == 2
    assert len(json.loads(empty.waiting()[0].body)["batch"]) == 2


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_posthog_v1_takes_its_bearer_and_tells_of_every_event(empty, encoding):
    body = json.dumps({"created_at": "2026-11-21T00:00:00Z", "batch": [EVENT]}).encode()
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    headers = {
        "Authorization": f"Bearer {KEY}",
        "Content-Encoding": encoding,
        "PostHog-Sdk-Info": "posthog-python/7.91.1",
        "PostHog-Request-Timestamp": "2026-01-15T08:30:00+00:00",
    }
    status, _, answer = empty.post("/i/v1/analytics/events", packed, key=None, headers=headers)
    assert (status, json.loads(answer)) == (200, {"results": {"m-1": {"result": "ok"}}})
    (row,) = empty.waiting()
    assert row.sent_at == 1768465800_000_000
    assert json.loads(row.body)["_received"] == {"library": "posthog-python/7.91.1"}
    headers["Authorization"] = "Bearer wrong"
    answer = empty.post("/i/v1/analytics/events", packed, key=None, headers=headers)
    assert code(answer) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (json.dumps(EVENT).encode(), (401, "unauthorized")),
        (json.dumps(EVENT | {"api_key": "wrong"}).encode(), (401, "unauthorized")),
        (json.dumps({"api_key": KEY, "batch": 1}).encode(), (400, "invalid_json")),
        (b'"text"', (400, "invalid_json")),
        (b"data=%%%", (400, "invalid_json")),
        (b"data=" + b"&a" * 30, (400, "invalid_json")),
        (b"", (400, "invalid_json")),
        (b"[" + b"{}," * 2500 + b"{}]", (400, "too_many_events")),
        (b"data=" + base64.b64encode(gzip.compress(b"\0" * 90_000_000)), (413, "too_large")),
    ],
)
def test_posthog_requests_that_cannot_be_used_say_why(empty, body, expected):
    assert code(empty.post("/e/", body, key=None)) == expected
    assert empty.waiting() == []


def test_browser_clients_get_what_they_start_with(empty):
    status, headers, body = empty.ask("GET", f"/array/{KEY}/config.js", key=None)
    assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    status, _, body = empty.ask("GET", f"/array/{KEY}/config?v=1", key=None)
    assert (status, json.loads(body)["sessionRecording"]) == (200, False)
    for path in ("/flags/?v=2", "/decide/?v=3", "/flags"):
        status, _, body = empty.post(path, gzip.compress(SINGLE), key=None)
        assert (status, json.loads(body)["featureFlags"]) == (200, {})
    status, _, body = empty.ask("GET", "/sourceConfig/?p=npm&v=3.34.1", key=KEY)
    assert (status, json.loads(body)["source"]["writeKey"]) == (200, KEY)
    assert empty.ask("GET", f"/sourceConfig/?writeKey={KEY}", key=None)[0] == 200
    for path in ("/array/wrong/config", "/sourceConfig/?writeKey=wrong", "/sourceConfig/"):
        assert code(empty.ask("GET", path, key=None)) == (401, "unauthorized")
    assert code(empty.ask("GET", "/e/", key=None)) == (405, "method_not_allowed")
    answer = empty.post("/sourceConfig/", b"")
    assert (code(answer)[0], answer[1]["allow"]) == (405, "GET, OPTIONS")
    assert code(empty.post("/array/x/y/z", b""))[0] == 404
    assert code(empty.post("/i/v9/e/", b""))[0] == 404


def test_preflight_allows_what_clients_send_and_networks_of_the_company(empty):
    asks = SITE | {
        "Access-Control-Request-Headers": "anonymousid,sentat,x-new-thing",
        "Access-Control-Request-Private-Network": "true",
    }
    status, headers, _ = empty.ask("OPTIONS", "/e/", key=None, headers=asks)
    assert (status, headers["access-control-allow-origin"]) == (204, SITE["Origin"])
    for name in ("anonymousid", "sentat", "x-new-thing", "rsa-retry-attempt"):
        assert name in headers["access-control-allow-headers"]
    assert headers["access-control-allow-private-network"] == "true"
    assert headers["access-control-expose-headers"] == "retry-after, x-ratelimit-reset"


def test_sites_of_a_source_may_send_and_others_may_not(empty):
    body = json.dumps({"userId": "u", "event": "x"}).encode()
    for origin in ("https://app.example.cn", "https://a.b.example.com", None):
        headers = {"Origin": origin} if origin else {}
        assert empty.post("/v1/t", body, key="web-key", headers=headers)[0] == 200
    for origin in ("https://evil.cn", "http://app.example.cn", "https://evilexample.com", "null"):
        answer = empty.post("/v1/t", body, key="web-key", headers={"Origin": origin})
        assert code(answer) == (403, "origin_not_allowed")
        # the page may read why
        assert answer[1]["access-control-allow-origin"] == origin
    answer = empty.ask("GET", "/v1/projects/web-key/settings", key=None, headers={"Origin": "https://evil.cn"})  # fmt: skip
    assert code(answer) == (403, "origin_not_allowed")
    assert len(empty.waiting()) == 3


def test_address_and_agent_are_noted_for_browsers_only(empty):
    body = json.dumps({"userId": "u", "event": "x"}).encode()
    headers = {"User-Agent": "Mozilla/5.0", "X-Forwarded-For": "203.0.113.9"}
    empty.post("/v1/t", body, key="web-key", headers=headers)
    empty.post("/v1/t", body, headers=headers)
    browser, server = empty.waiting()
    # nobody said that a proxy stands in front: what the client claims does not count
    assert json.loads(browser.body)["_received"] == {"ip": "127.0.0.1", "agent": "Mozilla/5.0"}
    assert server.body == body


def test_address_comes_from_the_proxy_where_there_is_one():
    from gengyun.tracking.dialects import client_address

    forwarded = "1.2.3.4, 203.0.113.9"
    assert client_address("10.0.0.1:99", forwarded, behind_proxy=True) == "203.0.113.9"
    assert client_address("10.0.0.1:99", None, behind_proxy=True) == "10.0.0.1"
    assert client_address("[::1]:99", forwarded, behind_proxy=False) == "::1"
    assert client_address("10.0.0.1:99", "nonsense", behind_proxy=True) == ""


def test_key_is_changed_under_load_without_losing_an_event(empty):
    """New key made, taken into use, the old one revoked: every request is answered with 200."""
    key = {"now": KEY}
    statuses = []
    stop = threading.Event()

    def send():
        while not stop.is_set():
            statuses.append(
                empty.post("/v1/track", b'{"userId":"u","event":"x"}', key=key["now"])[0]
            )

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    action = (
        "import django; django.setup()\nfrom datetime import UTC, datetime\n"
        "from gengyun.usage.actions.sources import create_key, revoke_key\n"
        "from gengyun.usage.models import Source, WriteKey\nnow = datetime.now(UTC)\n"
    )
    empty.python(action + "key = create_key(actor=None, now=now, source=Source.objects.get(key='app'))\n"
                 "WriteKey.objects.filter(pk=key.pk).update(key='second-key')")  # fmt: skip
    key["now"] = "second-key"
    empty.python(action + f"revoke_key(actor=None, now=now, key=WriteKey.objects.get(key={KEY!r}))")
    stop.set()
    for sender in senders:
        sender.join()
    try:
        assert set(statuses) == {200}
        assert len(empty.waiting()) == len(statuses) > 10
        used = (
            "SELECT count(*) FROM usage_writekey WHERE last_used_at IS NOT NULL"
            " AND key IN ('test-write-key', 'second-key')"
        )
        until = time.monotonic() + 30
        while empty.rows(used) != [(2,)]:
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        with empty.database() as database:
            database.execute(
                "UPDATE usage_writekey SET revoked_at = NULL WHERE key = 'test-write-key'"
            )
