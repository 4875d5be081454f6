"""Metrics against a slow, obvious second implementation: plain Python over the list of events."""

import json
import math
import shutil
import tempfile
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from factories import NOW, make_customer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lake_events import arrow, event

from gengyun.customers.models import FieldChange
from gengyun.lake.compaction import compact
from gengyun.lake.store import Lake
from gengyun.usage.actions.compute import compute_day, compute_days
from gengyun.usage.actions.metrics import create_metric
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.queries.metrics import values_as_of

FIRST = date(2026, 1, 20)  # windows reach over a month's end
DEFINITIONS = {
    "events_7d": {"aggregate": "count", "window_days": 7},
    "events_3d": {"aggregate": "count", "window_days": 3, "events": ["a", "b'c"]},
    "users_7d": {"aggregate": "users", "window_days": 7},
    "users_40d": {"aggregate": "users", "window_days": 40, "events": ["a"]},
    "users_1d": {"aggregate": "users", "window_days": 1},
    "days_7d": {"aggregate": "active_days", "window_days": 7},
    "days_a_30d": {"aggregate": "active_days", "window_days": 30, "events": ["a"]},
    "rows_10d": {"aggregate": "sum", "property": "row.count/~", "window_days": 10},
    "breadth_7d": {"aggregate": "breadth", "window_days": 7},
    "modules_20d": {"aggregate": "breadth", "feature": "module", "window_days": 20},
    "since": {"aggregate": "days_since"},
    "since_a": {"aggregate": "days_since", "events": ["a"]},
    "users_change": {"change": "users_7d"},
    "rows_change": {"change": "rows_10d"},
    "stickiness": {"ratio": {"numerator": "users_1d", "denominator": {"metric": "users_7d"}}},
    "seat_use": {"ratio": {"numerator": "users_7d", "denominator": {"field": "seats"}}},
    "a_10d": {"aggregate": "count", "window_days": 10, "events": ["a"], "if_none": "unknown"},
    "without_a": {"aggregate": "days_without", "events": ["a"]},
    "average": {"aggregate": "count", "window_days": 20, "per_days": 5},
    "since_start": {
        "aggregate": "sum", "property": "row.count/~", "window_days": 20, "per_days": 5,
        "fewest_days": 9,
    },
    "tenure": {"days": {"since": "started_on"}},
    "renewal": {"days": {"until": "renews_on"}},
    "a_and_more": {"total": ["a_10d", "events_3d"]},
    "a_share": {
        "ratio": {
            "numerator": "a_10d", "denominator": {"metric": "a_and_more"}, "unknown_is_zero": True
        }
    },
    "a_change": {"change": {"metric": "a_and_more", "days": 4}},
}  # fmt: skip
STARTED, RENEWS = date(2026, 1, 24), date(2026, 2, 10)

properties = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "row.count/~": st.one_of(
                st.integers(-5, 10**9),
                st.decimals(-100, 100, places=3).map(float),
                st.sampled_from(["7", True, None, [1]]),
            ),
            "module": st.sampled_from(["x", "y", "", 7, True, None, ["x"], {"a": 1}]),
        },
    ),
)
events = st.builds(
    dict,
    customer=st.integers(0, 2),
    day=st.integers(0, 25),
    late=st.sampled_from([0, 0, 0, 1, 2, 9]),
    user=st.sampled_from(["u1", "u2", "u3", None]),
    name=st.sampled_from(["a", "b'c", "d"]),
    kind=st.sampled_from(["track", "track", "page", "identify"]),
    properties=properties,
)
# several deliveries; True: the same delivery comes again, as after a kill between commit and cleanup
deliveries = st.lists(
    st.tuples(st.lists(events, max_size=12), st.booleans(), st.booleans()), max_size=4
)


def oracle(rows, definition, customer, as_of, *, seats):
    """The value of a metric from the list of events, one rule after the other."""
    if "days" in definition:
        ((direction, field),) = definition["days"].items()
        days = (as_of - {"started_on": STARTED, "renews_on": RENEWS}[field]).days
        return -days if direction == "until" else days if days >= 0 else None
    if "total" in definition:
        parts = [
            oracle(rows, DEFINITIONS[key], customer, as_of, seats=seats)
            for key in definition["total"]
        ]
        found = [part for part in parts if part is not None]
        return sum(found) if found else None
    if "change" in definition:
        body = definition["change"]
        key, back = (body, None) if isinstance(body, str) else (body["metric"], body["days"])
        keys = DEFINITIONS[key].get("total", [key])
        if not known(rows, customer, as_of):
            return None
        now, before = (
            sum(
                counted(
                    rows, DEFINITIONS[one], customer, as_of,
                    as_of - timedelta(days=there * (back or DEFINITIONS[one]["window_days"])),
                )
                for one in keys
            )
            for there in (0, 1)
        )  # fmt: skip
        return (now - before) / before if before else None
    if "ratio" in definition:
        ratio = definition["ratio"]
        above = oracle(rows, DEFINITIONS[ratio["numerator"]], customer, as_of, seats=seats)
        below = ratio["denominator"]
        divisor = (
            seats
            if "field" in below
            else oracle(rows, DEFINITIONS[below["metric"]], customer, as_of, seats=seats)
        )
        if above is None and ratio.get("unknown_is_zero"):
            above = 0
        return None if above is None or not divisor else above / divisor
    if not known(rows, customer, as_of):
        return None
    found = counted(rows, definition, customer, as_of, as_of)
    if definition.get("if_none") == "unknown" and not found:
        return None
    if "per_days" not in definition:
        return found
    days = definition["window_days"]
    if "fewest_days" in definition:
        tenure = (as_of - STARTED).days
        if tenure < definition["fewest_days"]:
            return None
        days = min(days, tenure)
    return found * definition["per_days"] / days


def known(rows, customer, as_of):
    return [
        row
        for row in rows
        if row["customer_id"] == customer
        and row["kind"] in ("track", "page", "screen")
        and row["day"] < as_of
        and row["known_day"] < as_of
    ]


def counted(rows, definition, customer, as_of, end):
    rows = known(rows, customer, as_of)
    if definition.get("events"):
        rows = [row for row in rows if row["event"] in definition["events"]]
    if definition["aggregate"] in {"days_since", "days_without"}:
        less = definition["aggregate"] == "days_without"
        return (as_of - max(row["day"] for row in rows)).days - less if rows else None
    start = end - timedelta(days=definition["window_days"])
    rows = [row for row in rows if start <= row["day"] < end]
    match definition["aggregate"]:
        case "count":
            return len(rows)
        case "users":
            return len({row["user_id"] for row in rows if row["user_id"]})
        case "active_days":
            return len({row["day"] for row in rows})
        case "sum":
            return float(sum(number(row, definition["property"]) for row in rows))
        case "breadth":
            return len({feature(row, definition.get("feature")) for row in rows} - {None, ""})
    raise AssertionError(definition)


def same(found, expected):
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-12)


def number(row, name):
    value = json.loads(row["properties"] or "{}").get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Decimal(0)
    return Decimal(str(value)).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def feature(row, name):
    if name is None:
        return row["event"]
    value = json.loads(row["properties"] or "{}").get(name)
    if value is None or isinstance(value, list | dict):
        return None
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture
def customers(db):
    long_ago = NOW - timedelta(days=400)
    made = [make_customer(known_at=long_ago) for _ in range(3)]
    for customer, seats in zip(made, (10, 0, None), strict=True):
        for field, value in (
            ("seats", seats),
            ("started_on", STARTED.isoformat()),
            ("renews_on", RENEWS.isoformat()),
        ):
            FieldChange.objects.create(
                customer=customer, field=field, value=value, known_at=long_ago
            )
    for key, definition in DEFINITIONS.items():
        create_metric(
            actor=None,
            now=NOW,
            key=key,
            values={"name_zh": key, "name_en": key},
            definition=definition,
        )
    return [customer.pk for customer in made]


def check(customers, batches, as_ofs):
    folder = tempfile.mkdtemp(prefix="gengyun-oracle-")
    try:
        lake, rows = Lake(folder), []
        for number_, (batch, again, tidy) in enumerate(batches, start=1):
            made = [
                event(
                    customers[row["customer"]],
                    on=(on := FIRST + timedelta(days=row["day"])),
                    known=on + timedelta(days=row["late"]),
                    user=row["user"],
                    name=row["name"],
                    kind=row["kind"],
                    properties=row["properties"],
                )
                for row in batch
            ]
            rows += made
            for _ in range(1 + again):
                lake.append("events", arrow(made), app="inbox", version=number_)
                roll_up(lake=lake, now=NOW)
            if tidy:
                for table in ("events", "daily", "presence"):
                    compact(lake, table)
        # one day alone, the others together
        compute_day(as_ofs[0], lake=lake, now=NOW)
        compute_days(as_ofs[1:], lake=lake, now=NOW)
        for as_of in as_ofs:
            values = values_as_of(as_of, lake=lake)
            for pk, seats in zip(customers, (10, 0, None), strict=True):
                expected = {
                    key: oracle(rows, definition, pk, as_of, seats=seats)
                    for key, definition in DEFINITIONS.items()
                }
                wrong = {
                    key: (values[pk][key], value)
                    for key, value in expected.items()
                    if not same(values[pk][key], value)
                }
                assert not wrong, (pk, as_of)
    finally:
        shutil.rmtree(folder)


AS_OFS = [FIRST + timedelta(days=12), FIRST + timedelta(days=16), FIRST + timedelta(days=29)]


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries)
def test_metrics_agree_with_a_slow_obvious_count(customers, batches):
    check(customers, batches, AS_OFS[:2])


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries)
def test_metrics_agree_with_a_slow_obvious_count_often(customers, batches):
    check(customers, batches, AS_OFS)


def test_a_late_event_does_not_make_a_day_or_a_user_count_twice(customers):
    """The trap: a user-day whose events were known on two days lies in two rows."""
    row = {"customer": 0, "user": "u1", "name": "a", "kind": "track", "properties": None}
    batch = [{**row, "day": 5, "late": 0}, {**row, "day": 5, "late": 2}]
    check(customers, [(batch, False, False)], AS_OFS)
