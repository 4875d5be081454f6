"""Appending lines makes movements, and every ARR figure is their sum."""

from datetime import date

import pytest
from factories import make_customer, make_user
from revenue_rows import DAY, END, add_line, at, ledger_of, make_contract, make_product

from gengyun.revenue.queries import ledger

pytestmark = pytest.mark.django_db


def test_first_lines_are_new_business_and_the_customer_follows():
    contract = make_contract()
    add_line(contract, seats=10)
    add_line(contract, product=make_product("bi"), amount=240_000)
    customer = contract.customer
    assert ledger_of(customer) == [
        ("new", "2025-04-01", 1_200_000),
        ("new", "2025-04-01", 240_000),
    ]
    customer.refresh_from_db()
    assert (customer.arr_minor, customer.seats) == (1_440_000, 10)
    assert (customer.started_on, customer.renews_on) == (date(2025, 4, 1), END)
    assert ledger.arr_of(customer.pk, date(2025, 3, 31)) == {}
    assert ledger.arr_of(customer.pk, END) == {"CNY": 1_440_000}


def test_later_line_is_upsell_of_the_group_and_cross_sell_of_another():
    contract = make_contract()
    add_line(contract)
    add_line(contract, amount=100_000, starts_on=date(2025, 9, 1), ends_on=END)
    add_line(contract, product=make_product("bi"), amount=100_000, starts_on=date(2025, 10, 1))
    kinds = [kind for kind, _, _ in ledger_of(contract.customer)]
    assert kinds == ["new", "upsell", "cross_sell"]


def test_renewal_carries_over_and_says_what_was_due():
    contract = make_contract()
    first = add_line(contract, seats=10).line
    later = make_contract(contract.customer, starts_on=END + DAY, ends_on=date(2027, 3, 31))
    add_line(
        later, seats=12, amount=1_560_000, starts_on=END + DAY, ends_on=date(2027, 3, 31),
        previous=first, signed_on=date(2026, 2, 20),
    )  # fmt: skip
    assert ledger_of(contract.customer) == [
        ("new", "2025-04-01", 1_200_000),
        ("transfer", "2026-04-01", -1_200_000),
        ("renew", "2026-04-01", 0),
        ("transfer", "2026-04-01", 1_200_000),
        ("upsell", "2026-04-01", 240_000),  # two seats at the old price
        ("price_change", "2026-04-01", 120_000),
    ]
    renewed = contract.customer.movements.get(kind="renew")
    assert (renewed.due_on, renewed.due_minor) == (END, 1_200_000)
    assert renewed.signed_on == date(2026, 2, 20)
    by_contract = ledger.arr_of_contracts(END + DAY, customer_id=contract.customer_id)
    assert by_contract == {later.pk: 1_560_000}


def test_line_without_successor_ends_when_the_grace_days_are_over():
    contract = make_contract(starts_on=date(2024, 4, 1), ends_on=date(2025, 3, 31))
    add_line(contract, starts_on=date(2024, 4, 1), ends_on=date(2025, 3, 31))
    assert ledger_of(contract.customer)[1:] == [("churn", "2025-04-01", -1_200_000)]
    contract.customer.refresh_from_db()
    assert contract.customer.arr_minor == 0
    assert contract.customer.renews_on is None


def test_what_is_bought_after_the_grace_days_is_won_back():
    customer = make_customer()
    old = make_contract(customer, starts_on=date(2023, 1, 1), ends_on=date(2023, 12, 31))
    first = add_line(old, starts_on=date(2023, 1, 1), ends_on=date(2023, 12, 31)).line
    add_line(make_contract(customer), previous=first)
    assert [kind for kind, _, _ in ledger_of(customer)] == ["new", "churn", "win_back"]
    assert customer.movements.get(kind="win_back").due_on == date(2023, 12, 31)


def test_late_renewal_within_the_grace_days_is_a_renewal():
    contract = make_contract(starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    first = add_line(
        contract, now=at(date(2025, 1, 2)), starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31)
    ).line
    later = make_contract(contract.customer, starts_on=date(2026, 1, 20), ends_on=None, kind="open")
    add_line(
        later, now=at(date(2026, 1, 25)), starts_on=date(2026, 1, 20), ends_on=None, previous=first
    )
    kinds = [kind for kind, _, _ in ledger_of(contract.customer)]
    assert kinds == ["new", "transfer", "renew", "transfer"]
    assert ledger.arr_of(contract.customer_id, date(2026, 1, 10)) == {"CNY": 1_200_000}


def test_as_known_then():
    contract = make_contract(now=at(date(2025, 4, 1)))
    add_line(contract, now=at(date(2025, 4, 10)))
    pk = contract.customer_id
    assert ledger.arr_of(pk, date(2025, 4, 5), known_by=at(date(2025, 4, 5))) == {}
    assert ledger.arr_of(pk, date(2025, 4, 5), known_by=at(date(2025, 4, 11))) == {"CNY": 1_200_000}


def test_stranger_finds_no_contract():
    from gengyun.kernel.errors import NotFound

    owner, stranger = make_user(), make_user()
    contract = make_contract(make_customer(owner=owner))
    assert ledger.get_contract(owner, contract.pk) == contract
    with pytest.raises(NotFound):
        ledger.get_contract(stranger, contract.pk)
