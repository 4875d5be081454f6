"""Invoices, payments, exchange rates, usage, lines that go to another legal entity."""

from datetime import date
from decimal import Decimal

import pytest
from factories import NOW, make_customer, make_user
from revenue_rows import END, START, add_line, make_contract, make_product

from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.revenue.actions import billing, entities, rates, settings, usage_lines
from gengyun.revenue.actions.refusals import DayOutsideLine, RuleBroken
from gengyun.revenue.calc import fx
from gengyun.revenue.models import ExchangeRate, Invoice, Movement
from gengyun.revenue.queries import ledger
from gengyun.revenue.queries.rates import rates_to

pytestmark = pytest.mark.django_db
BY = {"actor": None, "now": NOW}


def invoice(customer, number="FP-1", **values):
    defaults = {"issued_on": START, "amount_minor": 1_272_000, "due_on": date(2025, 5, 1)}
    return billing.create_invoice(**BY, customer=customer, number=number, **(defaults | values))


def test_invoice_number_is_taken_once_and_payments_change_no_arr():
    customer = make_customer()
    one = invoice(customer, tax_minor=72_000)
    with pytest.raises(billing.InvoiceNumberTaken):
        invoice(make_customer())
    billing.record_payment(
        **BY, customer=customer, invoice=one, received_on=END, amount_minor=1_000_000
    )
    billing.record_payment(**BY, customer=customer, received_on=END, amount_minor=-5_000)
    assert sum(row.amount_minor for row in customer.payments.all()) == 995_000
    assert not Movement.objects.exists()


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"number": " "}, billing.NumberMissing),
        ({"due_on": date(2025, 3, 31)}, billing.DueBeforeIssued),
        ({"tax_minor": 2_000_000}, billing.TaxLargerThanAmount),
        ({"currency": "XQX"}, RuleBroken),
    ],
)
def test_invoice_that_cannot_be_is_refused(values, refusal):
    with pytest.raises(refusal):
        invoice(make_customer(), **values)
    assert not Invoice.objects.exists()


def test_payment_for_the_wrong_invoice_is_refused():
    one = invoice(make_customer())
    pay = {"received_on": END, "amount_minor": 1}
    with pytest.raises(billing.OfAnotherCustomer):
        billing.record_payment(**BY, customer=make_customer(), invoice=one, **pay)
    with pytest.raises(billing.CurrencyOfInvoice):
        billing.record_payment(**BY, customer=one.customer, invoice=one, currency="USD", **pay)
    with pytest.raises(billing.AmountZero):
        billing.record_payment(
            **BY, customer=one.customer, invoice=one, **(pay | {"amount_minor": 0})
        )
    void = billing.void_invoice(**BY, invoice=one, why="重开")
    with pytest.raises(billing.InvoiceVoid):
        billing.record_payment(**BY, customer=one.customer, invoice=void, **pay)


def test_who_does_not_see_the_customer_finds_no_invoice_and_viewers_write_none():
    one = invoice(make_customer(owner=make_user()))
    with pytest.raises(NotFound):
        billing.void_invoice(actor=make_user(), now=NOW, invoice=one)
    with pytest.raises(NotAllowed):
        billing.void_invoice(actor=make_user("viewer"), now=NOW, invoice=one)


def test_rate_holds_until_the_next_and_a_correction_is_known_later():
    pair = {"currency": "usd", "base": "CNY"}
    rates.set_rate(**BY, **pair, on=START, rate=Decimal("7.20"))
    rates.set_rate(**BY, **pair, on=START, rate=Decimal("7.20"))
    assert ExchangeRate.objects.count() == 1
    later = NOW.replace(hour=5)
    rates.set_rate(actor=None, now=later, **pair, on=START, rate=Decimal("7.10"))
    assert rates_to("CNY", known_by=NOW).on("USD", END) == Decimal("7.20")
    assert rates_to("CNY").on("USD", END) == Decimal("7.10")
    assert rates_to("CNY").on("USD", date(2025, 3, 31)) is None
    assert rates_to("USD").converted(7_100, "CNY", END) == 1_000
    with pytest.raises(rates.RateNotPositive):
        rates.set_rate(**BY, **pair, on=END, rate=Decimal(0))
    with pytest.raises(RuleBroken):
        rates.set_rate(**BY, currency="ABC", base="CNY", on=END, rate=Decimal(1))


def test_exchange_effect_is_its_own_line():
    table = fx.Rates.of("CNY", [("USD", START, Decimal("7.2")), ("USD", END, Decimal("7.1"))])
    found = fx.effect({"USD": 1_000_000}, [], START, END, table)
    assert found == fx.Effect(start=7_200_000, moved=0, effect=-100_000, end=7_100_000)
    moved = fx.effect({"USD": 1_000_000}, [("USD", date(2025, 6, 1), 500)], START, END, table)
    assert moved.start + moved.moved + moved.effect == moved.end
    assert fx.effect({"JPY": 5}, [], START, END, table) is None
    # the yen has no minor unit
    yen = fx.Rates.of("CNY", [("JPY", START, Decimal("0.05"))])
    assert yen.converted(1_000, "JPY", END) == 5_000


def test_customer_in_two_currencies_is_summed_in_the_base_currency_if_rates_are_known():
    customer = make_customer()
    add_line(make_contract(customer))
    dollars = make_contract(customer, currency="USD")
    add_line(dollars, product=make_product("bi"), amount=100_000)
    customer.refresh_from_db()
    assert customer.arr_minor is None  # not known what it is worth
    rates.set_rate(**BY, currency="USD", base="CNY", on=START, rate=Decimal(7))
    add_line(dollars, product=make_product("x"), amount=100_000)
    customer.refresh_from_db()
    assert (customer.arr_minor, customer.currency) == (1_200_000 + 1_400_000, "CNY")


def test_usage_moves_arr_only_where_the_company_counts_it():
    contract = make_contract(kind="open", ends_on=None)
    line = add_line(
        contract, amount=6_000_000, ends_on=None, kind="usage", committed_minor=6_000_000
    ).line
    months = (120_000, 180_000, 210_000)
    given = {"line": line, "usage_minor": months, "on": date(2026, 3, 1)}
    assert usage_lines.measure_usage(**BY, **given) == []
    settings.edit_settings(**BY, changes={"policies": {"arr_usage": "t3m"}})
    [row] = usage_lines.measure_usage(**BY, **given)
    assert (row.kind, row.arr_minor) == ("upsell", 8_040_000 - 6_000_000)
    assert usage_lines.measure_usage(**BY, **given) == []


def test_lines_go_to_another_legal_entity_on_a_day():
    line = add_line(make_contract(), seats=10).line
    other, on = make_customer(), date(2026, 1, 1)
    moved = entities.move_lines(**BY, lines=[line], to=other, on=on)
    assert moved.contract.previous_id == line.contract_id
    assert ledger.arr_on(date(2025, 12, 31)) == {line.customer_id: {"CNY": 1_200_000}}
    assert ledger.arr_on(on) == {other.pk: {"CNY": 1_200_000}}
    other.refresh_from_db()
    assert (other.arr_minor, other.seats, other.renews_on) == (1_200_000, 10, END)
    with pytest.raises(DayOutsideLine):
        entities.move_lines(**BY, lines=moved.lines, to=line.customer, on=date(2025, 12, 1))


def test_part_of_a_line_goes_by_seats():
    line = add_line(make_contract(), seats=10).line
    other, on = make_customer(), date(2026, 1, 1)
    entities.move_lines(**BY, lines=[line], to=other, on=on, seats={line.pk: 3})
    assert ledger.arr_on(on) == {
        line.customer_id: {"CNY": 840_000},
        other.pk: {"CNY": 360_000},
    }
    line.customer.refresh_from_db()
    assert line.customer.seats == 7
    assert sum(due.due_minor for due in ledger.unanswered_lines(until=END)) == 1_200_000
