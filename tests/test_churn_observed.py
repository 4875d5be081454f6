"""From database and lake to columns, and from a real log of use to snapshots and outcomes."""

import csv
import gzip
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from factories import (
    NOW,
    make_activity,
    make_contact,
    make_customer,
    make_renewal,
    make_tiers,
    make_user,
)
from lake_events import arrow, event
from revenue_rows import add_line, make_contract

from gengyun.churn.calc.hazard import midterm
from gengyun.churn.calc.observed import KINDS, ON_TIME, STATES
from gengyun.churn.calc.rows import live_rows, quarters, silent_rows, training_rows
from gengyun.churn.calc.snapshot import Reader
from gengyun.churn.queries.observed import observed_as_of, tier_places
from gengyun.customers.actions.contacts import mark_left
from gengyun.customers.models import Customer, CustomerMerge, FieldChange
from gengyun.engagement.models import Risk
from gengyun.health.models import Sentiment
from gengyun.lake.store import Lake
from gengyun.revenue.actions.ending import terminate
from gengyun.revenue.actions.renewals import keep, set_forecast, write
from gengyun.revenue.models import Invoice, Payment, Renewal, RenewalState
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.calc.plan import MeasureNeed

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 3, 2)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def ago(count):
    return AS_OF - timedelta(days=count)


def at(day):
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def fill(lake, rows):
    lake.append("events", arrow(rows))
    roll_up(lake=lake, now=NOW, needs=[MeasureNeed("features")])


def of_kind(found, kind):
    facts = found.facts
    rows = facts.kind == KINDS.index(kind)
    return facts.taken(rows)


def test_people_of_a_day_are_counted_once_whenever_their_events_came(lake):
    one = make_customer("一")
    fill(
        lake,
        [
            event(one.pk, on=ago(5), user="a"),
            event(one.pk, on=ago(5), user="a", known=ago(3)),
            event(one.pk, on=ago(5), user="b", known=ago(3)),
            event(one.pk, on=ago(5), user=None),
            event(one.pk, on=ago(4), user="a", known=AS_OF),  # nobody knew of it yet
            event(one.pk, on=ago(2), user="c", name="export"),
        ],
    )
    found = observed_as_of(AS_OF, lake=lake)
    use = found.use
    assert use.events.sum() == 5
    per = {
        (str(day), str(known)): (events, users)
        for day, known in {(d, k) for d, k in zip(use.day, use.known, strict=True)}
        for rows in [(use.day == day) & (use.known == known)]
        for events, users in [(use.events[rows].sum(), use.users[rows].sum())]
    }
    assert per == {
        (str(ago(5)), str(ago(5))): (2, 1),
        (str(ago(5)), str(ago(3))): (2, 1),
        (str(ago(2)), str(ago(2))): (1, 1),
    }
    seen = Reader.of(found).snapshot(account=[one.pk], at=[AS_OF]).raw
    assert (seen["users_28"][0], seen["events_28"][0], seen["parts_28"][0]) == (3, 5, 2)
    assert seen["days_since_active"][0] == 1


def test_former_and_archived_customers_are_read_too(lake):
    """Who only reads those that stayed learns that nobody leaves (science.md 4.4)."""
    stayed = make_customer("留下")
    gone = make_customer("离开", archived_at=NOW)
    fill(lake, [event(gone.pk, on=ago(400)), event(stayed.pk, on=ago(2))])
    make_renewal(
        gone, ago(200), created_at=LONG_AGO, state=RenewalState.LOST, decided_on=ago(190),
        outcome_minor=0,
    )  # fmt: skip
    found = observed_as_of(AS_OF, lake=lake)
    assert {stayed.pk, gone.pk} <= set(found.accounts.tolist())
    table = training_rows(Reader.of(found), cutoff=AS_OF).table
    assert set(table.account.tolist()) == {gone.pk}
    assert set(table.y.tolist()) == {1.0}


def test_renewals_come_with_what_was_known_before_the_day(lake):
    one = make_customer("一")
    common = {"created_at": LONG_AGO, "group": "core"}
    make_renewal(
        one, ago(500), state=RenewalState.RENEWED, decided_on=ago(510), outcome_minor=9_000_000,
        **common,
    )  # fmt: skip
    make_renewal(
        one, ago(135), state=RenewalState.LOST, decided_on=AS_OF, outcome_minor=0, **common
    )
    waiting = make_renewal(one, AS_OF + timedelta(days=100), **common)
    make_renewal(one, AS_OF + timedelta(days=400), created_at=at(AS_OF), group="core")
    found = observed_as_of(AS_OF, lake=lake).dues
    assert found.nth.tolist() == [0, 1, 2]
    assert found.kept_minor[0] == 9_000_000
    assert np.isnan(found.kept_minor[1:]).all()
    assert np.isnat(found.decided).tolist() == [False, True, True]  # the loss was said that day
    live = live_rows(Reader.of(observed_as_of(AS_OF, lake=lake)), as_of=AS_OF)
    assert live.renewal.tolist() == [waiting.pk]
    assert live.table.lag.tolist() == [100]


def test_a_price_is_known_from_the_day_it_was_told_to_the_day_it_was_not_asked_any_more(lake):
    one, other = make_customer("一"), make_customer("二")
    common = {"created_at": LONG_AGO, "group": "core", "due_minor": 1_000_000}
    waiting = make_renewal(one, AS_OF + timedelta(days=60), **common)
    make_renewal(other, AS_OF + timedelta(days=60), **common)

    def asks(minor, days, why=""):
        set_forecast(actor=None, now=at(ago(days)), renewal_id=waiting.pk, asked_minor=minor)

    asks(1_100_000, 60)
    asks(1_050_000, 40)
    # what comes due grew afterwards: what was asked was more of what came due then
    keep(waiting, {"due_minor": [1_000_000, 1_050_000]}, actor=None, now=at(ago(20)))
    Renewal.objects.filter(pk=waiting.pk).update(due_minor=1_050_000)
    asks(None, 10)
    asks(1_260_000, 0)

    def told(day):
        rows = of_kind(observed_as_of(day, lake=lake), "price_rise")
        days = [str(on) for on in rows.happened.tolist()]
        ends = [None if np.isnat(end) else str(end) for end in rows.until]
        assert rows.known.tolist() == rows.happened.tolist()
        return list(zip(days, ends, np.round(rows.value, 6).tolist(), strict=True))

    days = [str(ago(count)) for count in (60, 40, 20, 10)]
    assert told(ago(60)) == []
    assert told(ago(59)) == [(days[0], None, 0.1)]
    assert told(ago(40)) == [(days[0], None, 0.1)]
    assert told(ago(39)) == [(days[0], days[1], 0.1), (days[1], None, 0.05)]
    assert told(AS_OF)[1:] == [(days[1], days[2], 0.05), (days[2], days[3], 0.0)]
    assert told(AS_OF + timedelta(days=1))[-1] == (str(AS_OF), None, 0.2)

    def rises(day):
        live = live_rows(Reader.of(observed_as_of(day, lake=lake)), as_of=day)
        return live.table.x[:, live.table.keys.index("price_increase")].round(6).tolist()

    # nobody records prices; one of two is asked more; it is taken back; it is asked again
    assert np.isnan(rises(ago(60))).all()
    assert rises(ago(59)) == [0.1, 0.0]
    assert rises(ago(39)) == [0.05, 0.0]
    assert rises(AS_OF) == [0.0, 0.0]
    assert rises(AS_OF + timedelta(days=1)) == [0.2, 0.0]


def test_a_price_asked_is_over_once_the_renewal_is_decided(lake):
    row = make_renewal(make_customer("一"), ago(30), created_at=LONG_AGO, due_minor=1_000_000)
    set_forecast(actor=None, now=at(ago(90)), renewal_id=row.pk, asked_minor=1_100_000)
    row.refresh_from_db()
    write(row, {"state": "lost", "outcome_minor": 0}, actor=None, now=at(ago(20)))
    fact = of_kind(observed_as_of(AS_OF, lake=lake), "price_rise")
    assert fact.until.astype(str).tolist() == [str(ago(20))]
    before = of_kind(observed_as_of(ago(20), lake=lake), "price_rise")
    assert np.isnat(before.until).all()


def test_fields_are_what_was_known_and_tiers_are_places(lake):
    tiers = make_tiers()
    one = make_customer("一")
    FieldChange.objects.filter(customer=one).delete()
    for field, value, day in (
        ("seats", 20, ago(300)),
        ("seats", 35, ago(10)),
        ("seats", 99, AS_OF),
        ("tier_id", next(iter(tiers.values())).pk, ago(300)),
        ("started_on", str(ago(200)), ago(300)),
    ):
        FieldChange.objects.create(customer=one, field=field, value=value, known_at=at(day))
    found = observed_as_of(AS_OF, lake=lake)
    seen = Reader.of(found).snapshot(account=[one.pk] * 2, at=[AS_OF, ago(10)])
    assert seen.raw["seats"].tolist() == [35, 20]
    assert seen.tier.tolist() == [tier_places()[next(iter(tiers.values())).pk]] * 2
    assert seen.raw["tenure_days"].tolist() == [200, 190]
    assert len(found.states) == 4
    assert found.states.field.max() == STATES.index("started")


def test_a_departure_is_known_since_somebody_entered_it(lake):
    one = make_customer("一")
    boss = make_contact(one, part="decider", created_at=LONG_AGO)
    mark_left(actor=None, now=at(ago(20)), contact=boss, left_on=ago(60))
    found = of_kind(observed_as_of(AS_OF, lake=lake), "decider_left")
    assert (found.happened[0], found.known[0]) == (np.datetime64(ago(60)), np.datetime64(ago(20)))
    reader = Reader.of(observed_as_of(AS_OF, lake=lake))
    seen = reader.snapshot(account=[one.pk] * 2, at=[ago(20), ago(19)])
    flags = seen.column("decision_maker_change")
    assert np.isnan(flags[0])  # nobody had recorded anything of the kind
    assert flags[1] == 1


def test_noted_risks_touches_and_opinions_are_facts(lake):
    one, author = make_customer("一"), make_user("csm")
    said = {"customer": one, "author": author, "known_at": at(ago(9))}
    Risk.objects.create(cause="competitor", happened_on=ago(12), **said)
    Risk.objects.create(cause="need_unmet", happened_on=ago(12), **said)
    Risk.objects.create(
        cause="layoff", happened_on=ago(12), end="mistaken", ended_at=at(ago(5)), **said
    )
    Sentiment.objects.create(level=2, reason="x", valid_until=AS_OF, **said)
    make_activity(one, author, happened_at=at(ago(4)), recorded_at=at(ago(3)), outcome="not")
    make_activity(one, author, kind="note", happened_at=at(ago(1)), recorded_at=at(ago(1)))
    found = observed_as_of(AS_OF, lake=lake)
    kinds = sorted(found.kind_names[kind] for kind in found.facts.kind)
    assert kinds == ["competitor", "layoff", "not_solved", "risk", "sentiment", "touch"]
    seen = Reader.of(found).snapshot(account=[one.pk], at=[AS_OF])
    assert seen.column("competitor")[0] == seen.column("risk_noted")[0] == 1
    assert seen.column("sentiment")[0] == 2
    assert seen.raw["touch_days"][0] == 3
    assert seen.column("layoff")[0] == 0  # a mistake is over once it was found to be one


def test_an_invoice_is_overdue_until_all_of_it_was_paid(lake):
    one = make_customer("一")
    bill = {"customer": one, "known_at": at(ago(90)), "amount_minor": 100}
    first = Invoice.objects.create(number="1", issued_on=ago(90), due_on=ago(60), **bill)
    Invoice.objects.create(number="2", issued_on=ago(90), due_on=ago(40), **bill)
    Payment.objects.create(
        customer=one, invoice=first, received_on=ago(30), amount_minor=60, known_at=at(ago(30))
    )
    Payment.objects.create(customer=one, received_on=ago(10), amount_minor=60, known_at=at(ago(10)))
    reader = Reader.of(observed_as_of(AS_OF, lake=lake))
    days = [ago(60), ago(50), ago(10), ago(9), AS_OF]
    seen = reader.snapshot(account=[one.pk] * 5, at=days)
    assert seen.raw["overdue_days"].tolist() == [0, 10, 50, 31, 40]


def test_use_of_a_merged_customer_counts_from_the_day_of_the_merge(lake):
    kept, gone = make_customer("甲"), make_customer("乙")
    theirs = [event(gone.pk, on=ago(on), user="g") for on in (20, 21, 60)]
    fill(lake, [*theirs, event(kept.pk, on=ago(15), user="k")])
    CustomerMerge.objects.create(kept=kept, gone=gone, merged_at=at(ago(5)))
    reader = Reader.of(observed_as_of(AS_OF, lake=lake))
    seen = reader.snapshot(account=[kept.pk] * 2, at=[ago(5), ago(4)])
    assert seen.raw["users_90"].tolist() == [1, 2]
    assert seen.raw["active_days_90"].round().tolist() == [1, 4]


def test_a_real_log_gives_the_rows_and_outcomes_of_its_data_set(shared, lake):
    """Events -> lake -> roll-ups -> columns -> snapshots, against a table made elsewhere."""
    folder = shared / "data/oss_b2b_usage/dev"
    with gzip.open(folder / "events.csv.gz", "rt") as file:
        log = list(csv.DictReader(file))
    names = sorted({row["account_id"] for row in log})
    rows = [
        Customer(external_id=name, name=name, known_at=LONG_AGO, created_at=NOW, updated_at=NOW)
        for name in names
    ]
    Customer.objects.bulk_create(rows)
    ids = dict(Customer.objects.values_list("external_id", "pk"))
    fill(lake, (real_event(row, ids) for row in log))
    with (folder / "snapshots_180d.csv").open() as file:
        told = {
            (ids[row["account_id"]], row["t"][:10]): row
            for row in csv.DictReader(file)
            if row["t"] < "2026"
        }
    found = observed_as_of(date(2026, 9, 1), lake=lake)
    assert (found.people.known == ON_TIME).all()
    days = quarters(date(2013, 1, 1), date(2025, 12, 31))
    made = silent_rows(Reader.of(found), at=days, cutoff=date(2026, 9, 1))
    keys = list(zip(made.table.account.tolist(), made.table.at.astype(str), strict=True))
    assert set(keys) == set(told)
    assert made.table.y.tolist() == [float(told[key]["y"]) for key in keys]
    raw = made.snapshot.raw
    assert raw["days_since_active"].tolist() == [float(told[key]["rec"]) for key in keys]
    assert raw["users_90"].tolist() == [float(told[key]["u90"]) for key in keys]


def real_event(row, ids):
    """In UTC days, as the data set's own windows are."""
    happened = datetime.fromisoformat(row["ts_utc"])
    # received at once: a partition of the lake, not thousands
    made = event(ids[row["account_id"]], on=happened.date(), user=row["user_id"], received=NOW)
    return made | {"happened_at": happened, "known_at": happened}


def test_a_contract_that_ends_early_is_an_early_end_and_no_renewal(lake):
    one = make_customer("一")
    start, end = ago(300), ago(300) + timedelta(days=364)
    contract = make_contract(one, now=at(start), starts_on=start, ends_on=end)
    posted = add_line(contract, now=at(start), starts_on=start, ends_on=end)
    before = observed_as_of(ago(10), lake=lake).dues
    assert before.due.tolist() == [end]
    assert before.starts.tolist() == [start]
    terminate(
        actor=None,
        now=at(ago(5)),
        lines=[posted.line],
        last_day=ago(4),
        cause="order_shrinks",
        note="",
    )
    found = observed_as_of(AS_OF, lake=lake)
    assert found.dues.ended.tolist() == [ago(4)]
    assert live_rows(Reader.of(found), as_of=AS_OF).table.account.tolist() == []
    assert midterm(found.dues, np.array([-1]), cutoff=AS_OF).ends == 1
    assert len(training_rows(Reader.of(found), cutoff=AS_OF + timedelta(days=400)).table) == 0


def test_an_open_ended_contract_comes_due_every_month(lake):
    one = make_customer("一")
    start = date(2025, 11, 15)
    contract = make_contract(
        one, now=at(start), starts_on=start, ends_on=None, kind="open", billing_interval_months=1
    )
    add_line(contract, now=at(start), starts_on=start, ends_on=None, amount=100_000)
    found = observed_as_of(AS_OF, lake=lake)
    assert found.dues.period_months.tolist() == [1] * 4
    live = live_rows(Reader.of(found), as_of=AS_OF)
    assert live.table.due.tolist() == [date(2026, 3, 14)]
    assert live.table.amount_minor.tolist() == [1_200_000]
    later = training_rows(Reader.of(found), cutoff=date(2026, 6, 1)).table
    assert later.y.tolist() == [0, 0, 0, 1]  # nobody told of the month after the reading
