"""Telephone numbers: the answers of libphonenumber, and the Chinese forms that it refuses."""

import json

import pytest
from factories import NOW, make_contact, make_customer

from gengyun.customers.actions import contacts
from gengyun.customers.calc import phones

KINDS = {
    "MOBILE": "mobile",
    "FIXED_LINE": "fixed",
    "SHARED_COST": "shared_cost",
    "TOLL_FREE": "toll_free",
    "FIXED_LINE_OR_MOBILE": "other",
}
# accepted beyond libphonenumber: see `known_gap` in the oracle
ALSO_TAKEN = {
    "95588": "95588",
    "10086": "10086",
    "021-61234567-801": "021 6123 4567 转 801",
    "138 0013 8000转801": "138 0013 8000 转 801",
}


def test_numbers_of_the_oracle(shared):
    cases = json.loads((shared / "oracles" / "phones_cn.json").read_text())["cases"]
    assert len(cases) > 20
    for case in cases:
        phone = phones.parse_phone(case["raw"])
        if case["valid"]:
            assert phone is not None, case
            assert (phone.e164, phone.region, phone.kind) == (
                case["e164"],
                case["region"],
                KINDS[case["type"]],
            )
            if case["region"] == "CN":
                assert phone.shown == case["national"]
        elif case["raw"] in ALSO_TAKEN:
            assert phone is not None
            assert phone.shown == ALSO_TAKEN[case["raw"]]
        else:
            assert phone is None, case


@pytest.mark.parametrize(
    "written, stored",
    [
        ("", ""),
        ("13800138000", "138 0013 8000"),
        ("13800138000/010-62781234", "138 0013 8000 / 010 6278 1234"),
        ("13800138000、+86 138 0013 8000", "138 0013 8000"),
        ("微信同号", None),
        ("13800138000 / 老板", None),
    ],
)
def test_field_holds_one_or_several_numbers(written, stored):
    assert phones.normal_form(written) == stored


def test_normal_form_stays_itself():
    for text in ("021 6123 4567 转 801", "138 0013 8000 / 95588", "+852 2123 4567"):
        assert phones.normal_form(text) == text


def test_same_number_in_another_writing_has_the_same_key():
    assert phones.keys("+8613800138000") == phones.keys("138-0013-8000")
    assert phones.keys("021-61234567-801") != phones.keys("021-61234567")


@pytest.mark.django_db
def test_contact_is_written_with_the_number_in_our_form():
    contact = contacts.create_contact(
        actor=None,
        now=NOW,
        customer=make_customer(),
        values={"name": "周敏", "phone": "02161234567转801"},
    )
    assert contact.phone == "021 6123 4567 转 801"
    with pytest.raises(contacts.PhoneInvalid):
        contacts.edit_contact(actor=None, now=NOW, contact=contact, changes={"phone": "1234"})


@pytest.mark.django_db
def test_number_from_before_does_not_stop_other_changes():
    contact = make_contact(make_customer(), "周敏", phone="问前台")
    changes = {"phone": "问前台", "title": "主管"}
    edited = contacts.edit_contact(actor=None, now=NOW, contact=contact, changes=changes)
    assert (edited.phone, edited.title) == ("问前台", "主管")
