"""From the inbox to metrics: repeated and late deliveries through the real drain count once."""

import json
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from factories import NOW, make_customer
from test_metrics_oracle import DEFINITIONS, oracle, same

from gengyun.kernel.days import start_of
from gengyun.lake.compaction import tidy
from gengyun.lake.inbox import Inbox, NewBatch
from gengyun.lake.store import Lake
from gengyun.usage.actions.compute import compute_day
from gengyun.usage.actions.deliveries import micros
from gengyun.usage.actions.drain import drain_all
from gengyun.usage.actions.metrics import create_metric
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.actions.sources import create_source
from gengyun.usage.queries.metrics import values_as_of

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 20)
AS_OF = date(2026, 2, 8)
# what needs no field of the customer: there are no seats and no dates here
FIELDS = ('"field"', '"fewest_days"', '"since"', '"until"')
ASKED = {
    key: raw
    for key, raw in DEFINITIONS.items()
    if not any(word in json.dumps(raw) for word in FIELDS)
}


def call(number, dice):
    """One call of a client, and the day on which it arrives first."""
    happened = start_of(FIRST) + timedelta(minutes=dice.randrange(20 * 24 * 60))
    arrives = happened + timedelta(days=dice.choice([0, 0, 0, 1, 4]), minutes=1)
    body = {
        "type": "track",
        "messageId": f"m{number}",
        "userId": f"u{dice.randrange(4)}",
        "event": dice.choice(["a", "b'c", "d"]),
        "timestamp": happened.isoformat(),
        "context": {"groupId": f"acct_{dice.randrange(3)}"},
        "properties": {"row.count/~": dice.randrange(100), "module": dice.choice("xyz")},
    }
    return arrives, body


def as_row(arrives, body, customers):
    """What the call should be in the lake, told from the call alone."""
    happened = datetime.fromisoformat(body["timestamp"])
    return {
        "customer_id": customers[body["context"]["groupId"]],
        "kind": "track",
        "event": body["event"],
        "user_id": body["userId"],
        "day": (happened + timedelta(hours=8)).date(),  # Shanghai
        "known_day": (arrives + timedelta(hours=8)).date(),
        "properties": json.dumps(body["properties"]),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_deliveries_that_come_again_and_late_count_once(seed, tmp_path, settings):
    dice = random.Random(seed)
    settings.INBOX_PATH = tmp_path / "inbox.sqlite3"
    lake = Lake(tmp_path / "lake")
    source = create_source(actor=None, now=NOW, name="产品", key="product")
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    customers = {
        name: make_customer(external_id=name, known_at=long_ago).pk
        for name in ("acct_0", "acct_1", "acct_2")
    }
    for key, definition in ASKED.items():
        names = {"name_zh": key, "name_en": key}
        create_metric(actor=None, now=NOW, key=key, values=names, definition=definition)
    calls = sorted((call(number, dice) for number in range(120)), key=lambda pair: pair[0])
    with Inbox(settings.INBOX_PATH) as inbox:
        for start in range(0, len(calls), 15):
            part = calls[start : start + 15]
            now = part[-1][0] + timedelta(minutes=1)
            # the client was not answered and sends again, with some of the calls before
            for again in range(dice.choice([1, 2, 3])):
                for arrives, body in part + dice.sample(calls[:start], min(start, 4)):
                    received = max(arrives, part[0][0]) + timedelta(seconds=again)
                    text = json.dumps({"batch": [body]}).encode()
                    row = NewBatch(source.pk, "batch", micros(received), None, 1, text)
                    inbox.append_many([row])
                if dice.random() < 0.5:
                    drain_all(inbox=inbox, lake=lake, now=now)
                    roll_up(lake=lake, now=NOW)
            drain_all(inbox=inbox, lake=lake, now=now)
            if dice.random() < 0.3:
                tidy(lake)
    rows = [as_row(arrives, body, customers) for arrives, body in calls]
    assert lake.read("events").num_rows == len(calls)
    for as_of in (AS_OF - timedelta(days=6), AS_OF):
        compute_day(as_of, lake=lake, now=NOW)
        values = values_as_of(as_of, lake=lake)
        for pk in customers.values():
            for key, definition in ASKED.items():
                expected = oracle(rows, definition, pk, as_of, seats=None)
                assert same(values[pk][key], expected), (key, pk, as_of)
