"""What is owed and how customers stand by their contracts, as known on any day."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from factories import NOW, make_customer, make_product
from hypothesis import given
from hypothesis import strategies as st

from gengyun.health.queries.commercial import commercial_inputs
from gengyun.kernel.days import day_of, start_of
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.ending import terminate
from gengyun.revenue.actions.lines import NewLine, append_line
from gengyun.revenue.calc.receivables import Owed, by_customer, spread
from gengyun.revenue.models import Invoice, Payment
from gengyun.revenue.queries import standing
from gengyun.revenue.queries.receivables import overdue_as_of, overdue_invoices

TODAY = day_of(NOW)  # 2026-03-02
LATER = NOW + timedelta(hours=1)


def owed(pk, minor, due=date(2026, 1, 1), currency="CNY", customer=1):
    return Owed(pk, customer, f"INV-{pk}", due, minor, currency)


def invoice(customer, number="INV-1", amount=1_000_000, due=date(2026, 1, 31), **values):
    defaults = {
        "issued_on": date(2026, 1, 1), "due_on": due, "amount_minor": amount,
        "known_at": NOW - timedelta(days=60),
    }  # fmt: skip
    return Invoice.objects.create(customer=customer, number=number, **(defaults | values))


def pay(customer, amount, on=date(2026, 2, 20), **values):
    values = {"known_at": start_of(on) + timedelta(hours=9)} | values
    return Payment.objects.create(customer=customer, amount_minor=amount, received_on=on, **values)


def signed(customer, product, yearly, **values):
    contract = create_contract(
        actor=None, now=NOW, customer=customer, starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31), currency=values.get("currency", "CNY"),
        known_at=values.get("known_at"),
    )  # fmt: skip
    terms = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)} | values
    known_at = terms.pop("known_at", None)
    line = NewLine(product=product, amount_minor=yearly, **terms)
    return append_line(actor=None, now=NOW, contract=contract, line=line, known_at=known_at).line


# --- spreading money over invoices ---------------------------------------------------------------


def test_money_without_an_invoice_pays_the_oldest_of_its_currency():
    rows = [
        owed(1, 500, date(2026, 2, 1)),
        owed(2, 300, date(2026, 1, 1)),
        owed(3, 200, date(2025, 1, 1), "USD"),
    ]
    left = spread(rows, {(1, "CNY"): 400})
    assert [(one.invoice_id, one.unpaid_minor) for one in left] == [(3, 200), (1, 400)]


def test_the_oldest_decides_about_the_days_and_currencies_stand_beside_each_other():
    rows = [owed(1, 500, date(2026, 2, 1)), owed(2, 900, date(2026, 1, 1), "USD")]
    one = by_customer(rows, date(2026, 3, 2))[1]
    assert (one.days, one.oldest.number, one.count) == (60, "INV-2", 2)
    assert one.main == ("USD", 900)


@given(
    amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=8),
    paid=st.integers(0, 10**10),
)
def test_what_stays_unpaid_is_what_was_owed_less_what_came(amounts, paid):
    rows = [owed(i, amount, date(2026, 1, 1 + i)) for i, amount in enumerate(amounts)]
    left = sum(one.unpaid_minor for one in spread(rows, {(1, "CNY"): paid}))
    assert left == max(0, sum(amounts) - paid)
    assert spread(reversed(rows), {(1, "CNY"): paid}) == spread(rows, {(1, "CNY"): paid})


# --- overdue as known then -----------------------------------------------------------------------


@pytest.mark.django_db
def test_overdue_is_told_as_it_was_known_then():
    customer = make_customer()
    first = invoice(customer)
    assert overdue_as_of(date(2026, 1, 31))[customer.pk] is None  # due that very day
    found = overdue_as_of(date(2026, 2, 10))[customer.pk]
    assert (found.days, found.amounts) == (10, {"CNY": 1_000_000})
    pay(customer, 400_000, on=date(2026, 2, 12), invoice=first)
    assert overdue_as_of(date(2026, 2, 13))[customer.pk].amounts == {"CNY": 600_000}
    # booked late: on the 16th nobody knew that the rest had come on the 14th
    pay(customer, 600_000, on=date(2026, 2, 14), known_at=start_of(date(2026, 2, 18)))
    assert overdue_as_of(date(2026, 2, 16))[customer.pk].amounts == {"CNY": 600_000}
    assert overdue_as_of(date(2026, 2, 19))[customer.pk] is None


@pytest.mark.django_db
def test_what_is_not_chased():
    customer = make_customer()
    invoice(customer, "void", status="void")
    invoice(customer, "argued", disputed_since=date(2026, 2, 1))
    invoice(customer, "whenever", due=None)
    invoice(customer, "unknown", known_at=NOW + timedelta(days=1))
    assert overdue_invoices(TODAY) == []
    assert overdue_as_of(TODAY)[customer.pk] is None
    assert make_customer().pk not in overdue_as_of(TODAY)  # no invoices: nothing is known


@pytest.mark.django_db
def test_a_refund_does_not_make_an_invoice_owed_again():
    customer = make_customer()
    first = invoice(customer)
    pay(customer, 1_000_000, invoice=first)
    pay(customer, -200_000, invoice=first)
    assert overdue_as_of(TODAY)[customer.pk] is None


@pytest.mark.django_db
def test_a_few_customers_or_all_give_the_same():
    customers = [make_customer() for _ in range(3)]
    for place, customer in enumerate(customers):
        invoice(customer, f"INV-{place}", due=date(2026, 2, 1 + place))
    every = overdue_as_of(TODAY)
    assert {pk: one.days for pk, one in every.items()} == {
        customer.pk: 29 - place for place, customer in enumerate(customers)
    }
    for customer in customers:
        assert overdue_as_of(TODAY, customer_ids=[customer.pk]) == {customer.pk: every[customer.pk]}


# --- standing ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_overdue_share_needs_one_currency():
    product = make_product()
    plain, dollars = make_customer(), make_customer(currency="USD")
    signed(plain, product, 4_000_000)
    signed(dollars, product, 4_000_000, currency="USD")
    invoice(plain, "a")
    invoice(dollars, "b")  # billed in CNY, sold in USD
    days, shares = standing.overdue(TODAY, moment=LATER)
    assert days == {plain.pk: 30.0, dollars.pk: 30.0}
    assert shares == {plain.pk: 0.25}


@pytest.mark.django_db
def test_growth_discount_and_known_endings():
    product, second = make_product(), make_product("报表", key="bi")
    grown, leaving = make_customer(), make_customer()
    old = {"starts_on": date(2024, 1, 1), "ends_on": date(2026, 12, 31), "paid_months": Decimal(36)}
    signed(grown, product, 3_000_000, **old)
    signed(grown, second, 500_000, list_minor=1_000_000)
    line = signed(leaving, product, 3_000_000, **old)
    assert standing.arr_change(TODAY, moment=LATER) == {
        grown.pk: pytest.approx(0.5), leaving.pk: 0.0,
    }  # fmt: skip
    # half off on a third of the ARR that has a list price
    assert standing.discounts(TODAY, moment=LATER) == {grown.pk: pytest.approx(0.5)}
    assert standing.ending(TODAY, moment=LATER) == {grown.pk: 0.0, leaving.pk: 0.0}
    terminate(
        actor=None, now=NOW, lines=[line], last_day=date(2026, 6, 30), note="不再使用",
    )  # fmt: skip
    assert standing.ending(TODAY, moment=LATER)[leaving.pk] == 1.0
    # what becomes known today was not known before the day
    assert standing.ending(TODAY) == {}


@pytest.mark.django_db
def test_inputs_of_a_score_are_read_only_where_they_are_asked_for(django_assert_num_queries):
    customer = make_customer()
    invoice(customer)
    with django_assert_num_queries(0):
        assert commercial_inputs(TODAY, ["seat_use_30d"]) == {}
    assert commercial_inputs(TODAY, ["days_overdue"]) == {customer.pk: {"days_overdue": 30.0}}
    few = commercial_inputs(TODAY, ["days_overdue"], customer_ids=[customer.pk])
    assert few == commercial_inputs(TODAY, ["days_overdue"])
