"""统一社会信用代码: the public registry's own numbers, and every slip of the hand."""

import json

import pytest
from factories import NOW, make_customer, make_tiers, make_user
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.actions import customers, fields
from gengyun.customers.calc import uscc

ANY_CODE = st.text(alphabet=uscc.ALPHABET, min_size=2, max_size=2).flatmap(
    lambda head: st.tuples(
        st.just(head),
        st.text(alphabet="0123456789", min_size=6, max_size=6),
        st.text(alphabet=uscc.ALPHABET, min_size=9, max_size=9),
    )
)


@pytest.fixture
def oracle(shared):
    return json.loads((shared / "oracles" / "uscc.json").read_text())


def test_registered_numbers_are_valid_and_damaged_ones_are_not(oracle):
    assert [code for code in oracle["valid"] if not uscc.is_valid(code)] == []
    assert [case for case in oracle["invalid"] if uscc.is_valid(case["value"])] == []
    assert len(oracle["valid"]) > 50
    assert len(oracle["invalid"]) > 30


def test_writing_is_brought_into_one_form(oracle):
    for case in oracle["normalise"]:
        assert uscc.normal_form(case["raw"]) == case["normal"]


@given(ANY_CODE, st.integers(0, 16), st.sampled_from(uscc.ALPHABET))
def test_any_single_changed_character_is_found(parts, place, other):
    first = "".join(parts)
    code = first + uscc.check_character(first)
    assert uscc.fault(code) is None
    changed = code[:place] + other + code[place + 1 :]
    assert (uscc.fault(changed) is None) == (changed == code)


def test_fault_is_named():
    assert uscc.fault("9144030071526726X") == "uscc_length"
    assert uscc.fault("9144030071526726OG") == "uscc_characters"
    assert uscc.fault("9144030071526726XH") == "uscc_check"


@pytest.mark.django_db
def test_customer_keeps_the_code_in_its_normal_form_and_refuses_a_wrong_one():
    make_tiers()
    customer = customers.create_customer(
        actor=make_user("admin"), now=NOW, values={"name": "某某", "uscc": "９１440300 71526726-xg"}
    )
    assert customer.uscc == "9144030071526726XG"
    with pytest.raises(fields.UsccInvalid) as refused:
        customers.edit_customer(
            actor=None, now=NOW, customer=customer, changes={"uscc": "9144030071526726XH"}
        )
    assert refused.value.params["field"] == "uscc"
    customer.refresh_from_db()
    assert customer.uscc == "9144030071526726XG"


@pytest.mark.django_db
def test_code_may_be_taken_away():
    customer = make_customer(uscc="9144030071526726XG")
    customers.edit_customer(actor=None, now=NOW, customer=customer, changes={"uscc": ""})
    customer.refresh_from_db()
    assert customer.uscc == ""
