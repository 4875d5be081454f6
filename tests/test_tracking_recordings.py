"""What real clients sent, recorded on the wire: sent here twice, all taken, nothing doubled."""

import gzip
import json
from base64 import b64encode
from collections import Counter
from urllib.parse import urlencode

import pytest
from tracking_server import web_server

from gengyun.lake.keys import message_key
from gengyun.lake.store import Lake

CLIENTS = (
    "segment-python", "segment-node", "segment-browser",
    "rudder-python", "rudder-node", "rudder-browser",
    "posthog-python", "posthog-node", "posthog-browser", "posthog-v1-and-otlp",
)  # fmt: skip
OTLP = {"/v1/traces", "/v1/logs"}  # not a protocol of ours: told so
NOT_SENT = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
# what a client sends for itself
IGNORED = {"$feature_flag_called", "$autocapture", "$pageleave", "$web_vitals"}
SOURCES = """
from datetime import UTC, datetime
from gengyun.usage.actions.sources import create_source
for name in {clients}:
    source = create_source(actor=None, now=datetime.now(UTC), name=name, key=name,
                           unknown_customer="create", is_browser="browser" in name)
    source.keys.update(key="key-" + name)
"""
DRAIN = """
import django; django.setup()
from datetime import UTC, datetime
from gengyun.lake.store import Lake
from gengyun.usage.actions.drain import drain_all, inbox_here
with inbox_here() as inbox:
    drain_all(inbox=inbox, lake=Lake.default(), now=datetime.now(UTC))
"""


def recorded(shared, client):
    """The requests of every scenario, with our key for theirs; long batches are not recorded."""
    text = (shared / "reference" / "recordings" / f"{client}.json").read_text()
    text = text.replace("WK_TEST_1", f"key-{client}").replace("phc_TEST_1", f"key-{client}")
    for scenario in json.loads(text).values():
        for request in scenario["requests"]:
            body = request["body"]
            if not (isinstance(body, dict) and "batch_len" in body):
                yield request


def send(server, client, request):
    headers = {k: v for k, v in request["headers"].items() if k.lower() not in NOT_SENT}
    for name, value in headers.items():
        if name.lower() == "authorization" and value.startswith("Basic "):
            headers[name] = "Basic " + b64encode(f"key-{client}:".encode()).decode()
    body = b""
    if request["method"] == "POST":
        body = json.dumps(request["body"], ensure_ascii=False).encode()
        if "gzip" in (request["decoded_as"] or ""):
            body = gzip.compress(body)
    path = request["path"]
    if request["query"]:
        path += "?" + urlencode(request["query"])
    return server.ask(request["method"], path, body, key=None, headers=headers)


def message_ids(shared, client):
    """The ids of the events that belong to the lake or the quarantine, read by hand."""
    found = set()
    for request in recorded(shared, client):
        body = request["body"]
        if request["method"] != "POST" or request["path"] in {*OTLP, "/flags/"}:
            continue
        for event in body.get("batch") or [body]:
            kind = event.get("type") or event.get("event")
            if kind not in {"alias", "$create_alias", *IGNORED}:
                found.add(event.get("messageId") or event.get("uuid"))
    return found


@pytest.fixture
def world(shared, tmp_path):
    with web_server(tmp_path, workers=1) as server:
        server.python("import django; django.setup()" + SOURCES.format(clients=CLIENTS))
        yield server


def replay(shared, server):
    """Every recorded request once, then the drain; statuses by client and path."""
    statuses = Counter()
    for client in CLIENTS:
        for request in recorded(shared, client):
            status, headers, body = send(server, client, request)
            statuses[status] += 1
            expected = {"OPTIONS": 204}.get(request["method"], 200)
            if request["path"] in OTLP:
                expected = 404
            assert status == expected, (client, request["path"], status, body)
            if request["path"] == "/i/v1/analytics/events":
                uuids = {event["uuid"] for event in request["body"]["batch"]}
                results = json.loads(body)["results"]
                assert results == {uuid: {"result": "ok"} for uuid in uuids}
            if request["headers"].get("Origin") or request["headers"].get("origin"):
                assert headers["access-control-allow-origin"]
    server.python(DRAIN)
    return statuses


def kept(server):
    """(source, message key) of the rows of the lake, and of what waits in quarantine."""
    table = Lake(server.folder / "lake").read("events", columns=["source_id", "message_key"])
    rows = [(row["source_id"], row["message_key"]) for row in table.to_pylist()]
    waiting = set()
    for source, body in server.rows("SELECT source_id, body FROM usage_quarantinedevent"):
        event = json.loads(body)
        message = event.get("messageId") or event["uuid"]
        waiting.add((source, message_key(source, message)))
    return rows, waiting


def test_recordings_sent_twice_are_all_taken_and_nothing_is_doubled(shared, world):
    # the users of single pings belong to a customer too, so that their events can be counted
    for client in CLIENTS:
        for user in ("u", "u_1", "u_1001"):
            body = {"userId": user, "groupId": "acct_88", "messageId": f"own-{client}-{user}"}
            assert world.post("/v1/group", json.dumps(body).encode(), key=f"key-{client}")[0] == 200
    world.python(DRAIN)
    first = replay(shared, world)
    rows, waiting = kept(world)
    assert len(rows) == len(set(rows))
    again = replay(shared, world)
    assert again == first
    # a visitor who waited is a user by now and may have gone on: still once
    rows_again, waiting_again = kept(world)
    assert len(rows_again) == len(set(rows_again))
    assert set(rows_again) | waiting_again == set(rows) | waiting
    assert set(rows_again) >= set(rows)

    names = dict(world.rows("SELECT id, key FROM usage_source"))
    found = Counter(names[source] for source, _ in set(rows) | waiting)
    for client in CLIENTS:
        assert found[client] - 3 == len(message_ids(shared, client)), client
    assert first == {200: 211, 204: 32, 404: 2}
    assert sum(found.values()) - 3 * len(CLIENTS) == 191
    assert world.rows("SELECT sum(ignored_count), sum(bot_count) FROM usage_source") == [(2, 0)]
    aliases = dict(world.rows("SELECT previous_id, user_id FROM usage_useralias"))
    assert aliases["anon-7"] == "u_1001"
    assert set(aliases.values()) == {"u_1001"}
    users = dict(world.rows("SELECT external_id, name FROM usage_productuser"))
    assert users["u_1001"] == "李雷"
    assert world.rows("SELECT external_id, name FROM customers_customer") == [
        ("acct_88", "晨曦科技有限公司")
    ]
