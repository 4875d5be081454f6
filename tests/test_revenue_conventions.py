"""Every convention that changes a metric is listed with it: by `--policies` and in its rows."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from factories import make_customer
from revenue_rows import add_line, at, make_contract

from gengyun.revenue.calc.figure import Figure
from gengyun.revenue.calc.policies import choices, choose, options
from gengyun.revenue.calc.spans import spans
from gengyun.revenue.models import ExchangeRate, Movement, RevenueSettings, Spend
from gengyun.revenue.queries.answers import METRICS, Question, ask
from gengyun.revenue.queries.frames import movement_frame

pytestmark = pytest.mark.django_db
NUMBERS = {
    "grouping_days": ("0", "40"),
    "win_back_days": ("10",),
    "grace_days": ("0",),
    "churn_floor_bp": ("6000",),
}
# some conventions matter only beside others
BASES = (
    {},
    {"basis": "events", "zero_churn": "floor", "churn_floor_bp": "5000", "ltv": "revenue"},
)


@pytest.fixture
def ledger():
    """Customers who grew, shrank, paused, left, came back and came for a few days."""
    lives = (
        ("CNY", ("2024-01-10", "new", 90_000)),
        ("CNY", ("2024-03-01", "new", 50_000), ("2025-02-03", "churn", -50_000),
         ("2025-02-24", "win_back", 55_000), ("2025-05-06", "upsell", 5_000)),
        ("CNY", ("2024-01-01", "new", 80_000), ("2025-03-05", "downsell", -30_000),
         ("2025-03-20", "upsell", 60_000)),
        ("USD", ("2024-02-01", "new", 10_000), ("2025-04-11", "upsell", 2_000)),
        ("CNY", ("2024-02-15", "new", 60_000), ("2025-02-10", "pause", -60_000),
         ("2025-04-10", "resume", 60_000)),
        ("CNY", ("2025-03-03", "new", 20_000), ("2025-03-17", "churn", -20_000)),
        ("CNY", ("2024-03-10", "new", 30_000), ("2025-03-20", "churn", -30_000)),
        ("CNY", ("2025-02-15", "new", 30_000), ("2025-03-06", "upsell", 10_000)),
    )  # fmt: skip
    for number, (currency, *moves) in enumerate(lives):
        customer = make_customer(f"客户{number}")
        for day, kind, yuan in moves:
            on = date.fromisoformat(day)
            Movement.objects.create(
                customer=customer, kind=kind, effective_on=on, arr_minor=yuan * 100,
                currency=currency, known_at=at(on), created_at=at(on),
            )  # fmt: skip
    for day, value in (("2024-01-01", "7.2"), ("2025-02-01", "7.0"), ("2025-05-01", "7.3")):
        on = date.fromisoformat(day)
        ExchangeRate.objects.create(
            currency="USD", base="CNY", on=on, rate=Decimal(value), known_at=at(on)
        )
    for month in range(1, 7):
        Spend.objects.create(
            kind="sales_marketing", month=date(2025, month, 1), amount_minor=3_000_000,
            known_at=at(date(2025, month, 1)),
        )  # fmt: skip
    RevenueSettings.objects.update_or_create(pk=1, defaults={"gross_margin_bp": 8_000})
    renewals()


def renewals():
    """Of one customer: one early, one late, one not."""
    for customer, signed in (("甲", "2025-02-20"), ("甲", "2025-04-15"), ("乙", None)):
        held = make_customer(f"{customer}{signed}")
        start, end = date(2024, 4, 1), date(2025, 3, 31)
        first = add_line(
            make_contract(held, starts_on=start, ends_on=end),
            amount=12_000_00, starts_on=start, ends_on=end, now=at(start),
        ).line  # fmt: skip
        if signed:
            start, end = date(2025, 4, 1), date(2026, 3, 31)
            on = date.fromisoformat(signed)
            add_line(
                make_contract(held, starts_on=start, ends_on=end),
                amount=15_000_00, starts_on=start, ends_on=end, previous=first, signed_on=on,
                now=at(on),
            )  # fmt: skip


def said(name, policy, frame):
    question = Question(
        actor=None,
        spans=spans("quarter", date(2025, 1, 1), date(2025, 6, 30)),
        policy=policy,
        as_of=date(2025, 6, 30),
    )
    question.frame = frame  # read once: the ledger is the same
    return [
        (row.span.key, row.segment, {key: plain(value) for key, value in row.values.items()})
        for row in ask(name, question)
    ]


def plain(value):
    if isinstance(value, Figure):
        return value.value, value.reason
    return value


def test_what_changes_a_metric_is_listed_with_it(ledger):
    found, frame = defaultdict(set), movement_frame()
    for given in BASES:
        for name in METRICS:
            usual = said(name, choose(given), frame)
            for key in options():
                for value in choices(key) or NUMBERS[key]:
                    if said(name, choose({**given, key: value}), frame) != usual:
                        found[name].add(key)
    unlisted = {
        name: keys - set(METRICS[name].keys)
        for name, keys in found.items()
        if keys - set(METRICS[name].keys)
    }
    assert not unlisted
    assert found["ltv-cac"] >= {"ltv", "zero_churn", "churn_floor_bp", "pause", "fx"}
    assert found["cac"] >= {"basis", "win_back_days", "same_period"}
    assert found["ltv"] >= {"returned", "cohort"}
