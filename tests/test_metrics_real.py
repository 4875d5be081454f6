"""Metrics of a real usage log against the features that its data set carries (made elsewhere)."""

import csv
import gzip
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from factories import NOW, make_customer
from lake_events import arrow, event

from gengyun.lake.store import Lake
from gengyun.usage.actions.compute import compute_day
from gengyun.usage.actions.metrics import create_metric
from gengyun.usage.queries.metrics import values_as_of

pytestmark = pytest.mark.django_db
DAYS = ["2014-01-01", "2016-07-01", "2019-10-01", "2022-01-01"]
# column of the data set -> our definition
SAME = {
    f"{letter}{days}": {"aggregate": aggregate, "window_days": days, **more}
    for days in (30, 90, 180, 365)
    for letter, aggregate, more in (
        ("n", "count", {}),
        ("u", "users", {}),
        ("m", "breadth", {"feature": "module"}),
    )
}


def test_a_real_log_gives_the_features_of_its_data_set(shared, tmp_path):
    folder = shared / "data/oss_b2b_usage/dev"
    with gzip.open(folder / "events.csv.gz", "rt") as file:
        log = list(csv.DictReader(file))
    ids = sorted({row["account_id"] for row in log})
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    customers = {name: make_customer(name, external_id=name, known_at=long_ago).pk for name in ids}
    lake = Lake(tmp_path / "lake")
    lake.append("events", arrow(real_event(row, customers) for row in log))
    for key, definition in {**SAME, "rec": {"aggregate": "days_since"}}.items():
        names = {"name_zh": key, "name_en": key}
        create_metric(actor=None, now=NOW, key=key, values=names, definition=definition)
    with (folder / "snapshots_180d.csv").open() as file:
        snapshots = [row for row in csv.DictReader(file) if row["t"][:10] in DAYS]
    values = {}
    for text in DAYS:
        day = date.fromisoformat(text)
        compute_day(day, lake=lake, now=NOW)
        values[text] = values_as_of(day, lake=lake)
    wrong = Counter()
    for row in snapshots:
        ours = values[row["t"][:10]][customers[row["account_id"]]]
        for key in SAME:
            wrong[key] += ours[key] != float(row[key] or 0)
        # theirs counts whole days up to the instant, ours days of the calendar
        wrong["rec"] += ours["rec"] - 1 != float(row["rec"])
    assert len(snapshots) > 100
    assert +wrong == {}


def real_event(row, customers):
    """In UTC days, as the data set's own windows are."""
    happened = datetime.fromisoformat(row["ts_utc"])
    made = event(
        customers[row["account_id"]],
        on=happened.date(),
        user=row["user_id"],
        name=row["event"],
        properties={"module": row["module"]},
    )
    return made | {"happened_at": happened, "known_at": happened}
