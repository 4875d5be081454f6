"""A real log by the command line and by a real client over HTTP: the same lake."""

import csv
import gzip
import json
from datetime import datetime

import pytest
from deployment import Deployment

pytestmark = pytest.mark.slow
SOURCE = """
from datetime import UTC, datetime
from gengyun.usage.actions.sources import create_source
source = create_source(actor=None, now=datetime.now(UTC), name="log", key="log",
                       unknown_customer="create", is_history=True)
source.keys.update(key="test-write-key")
"""
# how and when a row came, and the dedupe key made of that
WAY = {"received_day", "received_at", "source_id", "message_key"}


def told(deployment):
    """Every row but for the way it came, customers by their own id, properties as data."""
    names = dict(deployment.rows("SELECT id, external_id FROM customers_customer"))
    rows = []
    for row in deployment.events().to_pylist():
        for name in WAY:
            del row[name]
        row["customer_id"] = names[row["customer_id"]]
        row["properties"] = sorted(json.loads(row["properties"] or "{}").items())
        rows.append(tuple(str(value) for value in row.values()))
    return sorted(rows)


def people(deployment):
    return deployment.rows(
        "SELECT u.external_id, c.external_id, u.first_seen_at FROM usage_productuser u"
        " JOIN customers_customer c ON c.id = u.customer_id ORDER BY 1"
    )


def customers(deployment):
    return deployment.rows("SELECT external_id, name, known_at FROM customers_customer ORDER BY 1")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_segment_client_and_command_line_give_the_same_lake(shared, tmp_path, packed):
    from segment.analytics.client import Client

    log = shared / "data" / "oss_b2b_usage" / "dev" / "events.csv.gz"
    by_file = Deployment(tmp_path / "file")
    line = by_file.command(
        "import", "events", log, "--source", "log", "--history", "--create-customers", "--json"
    )
    assert (line["rows"], line["imported"], line["errors"]) == (25_307, 25_307, {})
    again = by_file.command("import", "events", log, "--source", "log", "--json")
    assert (again["imported"], again["duplicates"]) == (0, 25_307)

    by_http = Deployment(tmp_path / "http")
    by_http.python(SOURCE)
    by_http.start(workers=1)
    by_http.start_worker()
    errors = []
    client = Client(
        "test-write-key",
        host=f"http://127.0.0.1:{by_http.port}",
        max_queue_size=30_000,
        gzip=packed,
        on_error=lambda error, batch: errors.append(error),
    )
    try:
        with gzip.open(log, "rt") as file:
            for row in csv.DictReader(file):
                properties = {"quantity": int(row["quantity"])}
                properties |= {name: row[name] for name in ("module", "feature") if row[name]}
                sent, _ = client.track(
                    row["user_id"],
                    row["event"],
                    properties,
                    {"groupId": row["account_id"]},
                    timestamp=datetime.fromisoformat(row["ts_utc"]),
                )
                assert sent
        client.flush()
        client.join()
        by_http.wait_until_drained()
    finally:
        by_http.stop_all()
    assert errors == []
    assert len(told(by_file)) == 25_307
    assert told(by_http) == told(by_file)
    assert customers(by_http) == customers(by_file)
    assert len(customers(by_file)) == 125
    assert people(by_http) == people(by_file)
    assert len(people(by_file)) == 1_746
    counted = "SELECT accepted_count, duplicate_count, quarantined_count FROM usage_source"
    assert by_http.rows(counted) == [(25_307, 0, 0)]


def test_every_call_of_the_segment_client_lands_once(tmp_path):
    """identify, group, track, page, screen, alias; Chinese text; sent twice."""
    from segment.analytics.client import Client

    deployment = Deployment(tmp_path)
    deployment.python(SOURCE)
    deployment.start(workers=1).start_worker()
    try:
        for _ in range(2):
            client = Client("test-write-key", host=f"http://127.0.0.1:{deployment.port}")
            client.identify("u1", {"name": "李雷", "email": "li@example.cn"}, message_id="m1")
            client.group("u1", "acct_88", {"name": "晨曦科技有限公司"}, message_id="m2")
            client.track("u1", "报表导出", {"rows": 1280}, message_id="m3")
            client.page("u1", "报表", "首页", {"title": "首页"}, message_id="m4")
            client.screen("u1", "报表", "看板", message_id="m5")
            client.alias("u1", "u2", message_id="m6")
            client.flush()
            client.join()
            deployment.wait_until_drained()
    finally:
        deployment.stop_all()
    rows = deployment.events(["kind", "event", "user_id", "properties"]).to_pylist()
    assert sorted((row["kind"], row["event"]) for row in rows) == [
        ("group", ""),
        ("page", "首页"),
        ("screen", "看板"),
        ("track", "报表导出"),
    ]
    assert customers(deployment)[0][:2] == ("acct_88", "晨曦科技有限公司")
    assert deployment.rows("SELECT name FROM usage_productuser WHERE external_id = 'u1'") == [
        ("李雷",)
    ]
    assert deployment.rows("SELECT previous_id, user_id FROM usage_useralias") == [("u1", "u2")]
