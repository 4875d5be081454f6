"""Bad input: every rule refuses or flags with its name, and what is refused leaves nothing."""

from datetime import date
from decimal import Decimal

import pytest
from factories import NOW
from revenue_rows import END, START, add_line, make_contract, make_product, new_line

from gengyun.revenue.actions.contracts import create_contract, edit_contract
from gengyun.revenue.actions.lines import append_line
from gengyun.revenue.actions.refusals import KnownLater, RuleBroken
from gengyun.revenue.calc.rules import RULES
from gengyun.revenue.models import Contract, Line, Movement

BY = {"actor": None, "now": NOW}
db = pytest.mark.django_db


@db
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"ends_on": date(2025, 3, 31)}, "end_before_start"),
        ({"ends_on": date(2020, 1, 1), "seats": -1}, "end_before_start"),
        ({"ends_on": date.max}, "day_out_of_range"),
        ({"currency": "XYZ"}, "currency_unknown"),
        ({"currency": "USD"}, "currency_of_contract"),
        ({"seats": -3}, "seats_negative"),
        ({"amount": -1}, "amount_negative"),
        ({"amount": 10**16}, "amount_too_large"),
        ({"discount_bp": 10_001}, "discount_too_large"),
        ({"tax_rate_bp": 20_000}, "tax_too_large"),
        ({"paid_months": Decimal(0)}, "months_not_positive"),
        ({"gift_days": 365}, "gift_too_long"),
        ({"ends_on": None}, "fixed_without_end"),
    ],
)
def test_line_that_cannot_be_is_refused_with_its_rule(values, rule):
    contract = make_contract()
    with pytest.raises(RuleBroken) as refused:
        add_line(contract, **values)
    assert refused.value.code == rule
    assert str(refused.value)  # the sentence takes its parameters
    assert not Line.objects.exists()
    assert not Movement.objects.exists()


@db
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"starts_on": date(2025, 9, 1)}, "overlaps"),
        ({"product": "bi", "starts_on": date(2025, 3, 1)}, "outside_contract"),
        ({"product": "bi", "seats": 0}, "seats_zero"),
        ({"product": "bi", "is_trial": True}, "trial_with_amount"),
        (
            {"product": "bi", "list_minor": 2_000_000, "discount_bp": 1_000},
            "discount_mismatch",
        ),
        ({"product": "bi", "paid_months": Decimal(24)}, "months_beyond_term"),
        ({"product": "bi", "ends_on": date(2039, 1, 1)}, "term_very_long"),
        (
            {"product": "bi", "kind": "maintenance", "maintenance_base_minor": 2_000_000},
            "maintenance_unusual",
        ),
    ],
)
def test_unusual_line_is_written_and_flagged(values, rule):
    contract = make_contract()
    add_line(contract)
    if isinstance(values.get("product"), str):
        values = values | {"product": make_product(values["product"])}
    posted = add_line(contract, **values)
    assert rule in {flag.rule for flag in posted.flags}
    assert Line.objects.count() == 2


@db
def test_the_same_line_twice_is_refused_unless_another_system_tells_them_apart():
    contract = make_contract()
    add_line(contract, seats=5)
    with pytest.raises(RuleBroken) as refused:
        add_line(contract, seats=5)
    assert (refused.value.code, refused.value.params["number"]) == ("line_twice", contract.number)
    add_line(contract, seats=6)
    one = new_line(make_product("bi"), external_id="a")
    append_line(**BY, contract=contract, line=one)
    two = append_line(**BY, contract=contract, line=new_line(make_product("bi"), external_id="b"))
    assert [flag.rule for flag in two.flags] == ["overlaps"]


@db
def test_two_contracts_never_have_one_number():
    first = make_contract(number="HT-1")
    with pytest.raises(RuleBroken) as refused:
        make_contract(number="HT-1")
    assert refused.value.code == "number_taken"
    other = make_contract()
    assert other.number.startswith("HT-2026-")
    with pytest.raises(RuleBroken):
        edit_contract(**BY, contract=other, changes={"number": "HT-1"})
    assert Contract.objects.filter(number="HT-1").get() == first
    other.refresh_from_db()
    assert other.number.startswith("HT-2026-")


@db
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"ends_on": date(2025, 3, 1)}, "end_before_start"),
        ({"ends_on": date(9999, 12, 1)}, "day_out_of_range"),
        ({"currency": "元"}, "currency_unknown"),
        ({"kind": "open"}, "open_with_end"),
    ],
)
def test_contract_that_cannot_be_is_refused(values, rule):
    with pytest.raises(RuleBroken) as refused:
        make_contract(**values)
    assert refused.value.code == rule


@db
def test_nothing_is_known_from_a_moment_to_come():
    contract = make_contract()
    later = NOW.replace(year=2027)
    with pytest.raises(KnownLater):
        append_line(**BY, contract=contract, line=new_line(), known_at=later)
    with pytest.raises(KnownLater):
        create_contract(
            **BY, customer=contract.customer, starts_on=START, ends_on=END, known_at=later
        )


@db
def test_line_used_before_it_was_signed_starts_with_its_first_day():
    contract = make_contract(signed_on=date(2025, 5, 20))
    posted = add_line(contract)
    assert [flag.rule for flag in posted.flags] == ["signed_after_start"]
    [row] = posted.movements
    assert (row.effective_on, row.signed_on) == (START, date(2025, 5, 20))


def test_every_rule_has_a_sentence():
    assert all(sentence.endswith(".") for _, sentence in RULES.values())
