"""Whatever is done to lines, in whatever order: the ledger adds up, and the past stays known."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from factories import make_customer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from revenue_rows import at, make_contract, make_product, new_line

from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions import corrections, ending, entities, pausing, renewing
from gengyun.revenue.actions.day import settle_day
from gengyun.revenue.actions.lines import append_line
from gengyun.revenue.calc.movements import Sold, allocated, change
from gengyun.revenue.calc.terms import add_months, term_end, whole_months
from gengyun.revenue.models import Line, Movement
from gengyun.revenue.queries import ledger

FIRST = date(2024, 1, 1)
VERBS = (
    "append",
    "renew",
    "upgrade",
    "extend",
    "pause",
    "resume",
    "end",
    "correct",
    "void",
    "move",
)
step = st.tuples(
    st.sampled_from(VERBS),
    st.integers(0, 120),  # days since the step before
    st.integers(0, 9),  # which line
    st.integers(1, 5_000),  # amount
    st.integers(1, 40),  # seats
)


def act(verb, day, line, amount, seats, customers):
    """One thing that people do; what is refused is no change."""
    by = {"actor": None, "now": at(day)}
    contract = line.contract
    end = term_end(day, 12)
    new = new_line(make_product(f"p{amount % 3}"), amount * 100, day, end, seats=seats)
    match verb:
        case "append":
            owner = customers[amount % 2]
            other = make_contract(owner, now=at(day), starts_on=day, ends_on=end)
            append_line(**by, contract=other, line=new, find_previous=bool(seats % 2))
        case "renew":
            renewing.renew(**by, lines=[line], new=[renewing.same_again(line)])
        case "upgrade":
            change_to = renewing.coterm(line, on=day, yearly_minor=amount * 100, seats=seats)
            renewing.upgrade(**by, line=line, new=change_to)
        case "extend":
            renewing.extend(**by, line=line, days=seats)
        case "pause":
            pausing.pause(**by, line=line, on=day)
        case "resume":
            pausing.resume(**by, line=line, on=day)
        case "end":
            ending.terminate(**by, lines=[line], last_day=day if seats % 2 else None)
        case "correct":
            right = new_line(line.product, amount * 100, line.starts_on, line.ends_on, seats=seats)
            corrections.correct_line(**by, line=line, new=right, why="x")
        case "void":
            corrections.void_line(**by, line=line, why="x")
        case "move":
            to = customers[0] if line.customer_id == customers[1].pk else customers[1]
            entities.move_lines(**by, lines=[line], to=to, on=day)
    assert contract.pk


def balances(known_by=None):
    days = [FIRST + timedelta(days=90 * n) for n in range(20)]
    return {day: ledger.arr_on(day, known_by=known_by) for day in days}


@pytest.mark.django_db(transaction=False)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(step, min_size=1, max_size=9))
def test_ledger_adds_up_and_the_past_stays_known(db, steps):
    from django.db import transaction

    with transaction.atomic():
        live(steps)
        transaction.set_rollback(True)


def live(steps):
    customers = [make_customer(), make_customer()]
    first = make_contract(customers[0], now=at(FIRST), starts_on=FIRST, ends_on=term_end(FIRST, 12))
    append_line(
        actor=None,
        now=at(FIRST),
        contract=first,
        line=new_line(make_product("p0"), 1_000_000, FIRST, term_end(FIRST, 12), seats=10),
    )
    day = FIRST
    for verb, gap, which, amount, seats in steps:
        day += timedelta(days=gap)
        settle_day(as_of=day, now=at(day), report=lambda done, total: None)
        lines = list(Line.objects.filter(voided_at__isnull=True).order_by("pk"))
        known = at(day) - timedelta(minutes=1)
        before, rows = balances(known), Movement.objects.count()
        try:
            if lines:
                act(verb, day, lines[which % len(lines)], amount, seats, customers)
        except Refusal:
            assert Movement.objects.count() == rows  # a refusal leaves everything
        assert balances(known) == before  # nothing of what was known has changed
        check_sums(day)


def check_sums(today):
    """By line, contract, customer and company the ledger says the same, and no line is negative."""
    for day in (today, today + timedelta(days=200), date(2030, 1, 1)):
        by_line = ledger.arr_of_lines(day)
        assert all(minor > 0 for minor in by_line.values()), by_line
        total = ledger.total_on(day).get("CNY", 0)
        assert total == sum(by_line.values())
        assert total == sum(row.get("CNY", 0) for row in ledger.arr_on(day).values())
    assert not any(
        sum(row.arr_minor for row in Movement.objects.filter(kind="transfer", effective_on=day))
        for day in set(Movement.objects.values_list("effective_on", flat=True))
    )
    voided = Line.objects.filter(voided_at__isnull=False)
    for line in voided:
        assert sum(line.movements.values_list("arr_minor", flat=True)) == 0
    for customer in {line.customer for line in Line.objects.select_related("customer")}:
        customer.refresh_from_db()
        assert customer.arr_minor == ledger.arr_of(customer.pk, today).get("CNY", 0)


@given(
    st.integers(1, 10**12),
    st.integers(0, 10**12),
    st.one_of(st.none(), st.integers(0, 10_000)),
    st.one_of(st.none(), st.integers(0, 10_000)),
    st.booleans(),
)
def test_what_changed_adds_up_to_the_difference(old, new, old_seats, new_seats, same):
    before = Sold(1, old, "CNY", 1, old_seats)
    after = Sold(2, new, "CNY", 1 if same else 2, new_seats)
    steps = change(before, after)
    assert sum(part.arr_minor for part in steps) == new - old
    assert all(part.arr_minor for part in steps)
    known = [part.seats_delta for part in steps if part.seats_delta is not None]
    if steps and None not in (old_seats, new_seats):
        assert sum(known) == new_seats - old_seats


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_allocation_loses_nothing(amount, weights):
    shares = allocated(amount, weights)
    assert sum(shares) == amount
    if sum(weights):
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - amount * weight / sum(weights)) <= 1 + abs(amount) * 1e-9


@given(st.dates(date(1990, 1, 1), date(2080, 1, 1)), st.integers(1, 60))
def test_term_of_whole_months_is_recognised(start, months):
    end = term_end(start, months)
    assert whole_months(start, end) == months
    ends = [add_months(start, count) for count in range(4)]
    assert all(a < b for a, b in pairwise(ends))
