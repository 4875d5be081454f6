"""Contacts: who they are, that they left, what is refused."""

from datetime import date

import pytest
from factories import NOW, make_contact, make_customer, make_user

from gengyun.customers.actions import contacts as actions
from gengyun.customers.actions import fields
from gengyun.customers.models import Contact
from gengyun.customers.queries import customers as queries
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user("csm")


@pytest.fixture
def customer(owner):
    return make_customer(owner=owner)


def test_contact_is_created_with_what_is_known(owner, customer):
    values = {"name": " 周  敏 ", "title": "信息总监", "part": "decider", "email": "Zhou@Qinghe.CN"}
    contact = actions.create_contact(actor=owner, now=NOW, customer=customer, values=values)
    assert (contact.name, contact.email, contact.phone) == ("周 敏", "zhou@qinghe.cn", "")
    assert AuditEntry.objects.get().action == "contact.create"


@pytest.mark.parametrize(
    "values, refusal",
    [
        ({"name": ""}, fields.FieldMissing),
        ({"name": "x" * 81}, fields.FieldTooLong),
        ({"name": "周敏", "email": "zhou"}, fields.FieldInvalid),
        ({"name": "周敏", "part": "king"}, fields.FieldInvalid),
        ({"name": "周敏", "customer_id": 1}, fields.FieldUnknown),
    ],
)
def test_bad_contact_is_refused(owner, customer, values, refusal):
    with pytest.raises(refusal):
        actions.create_contact(actor=owner, now=NOW, customer=customer, values=values)
    assert not Contact.objects.exists()
    assert not AuditEntry.objects.exists()


def test_those_who_left_stand_last_and_can_come_back(owner, customer):
    gone, here = make_contact(customer, "安"), make_contact(customer, "白")
    actions.mark_left(actor=owner, now=NOW, contact=gone, left_on=date(2026, 2, 1))
    assert [c.name for c in queries.contacts_of(owner, customer)] == [here.name, gone.name]
    actions.mark_left(actor=owner, now=NOW, contact=gone, left_on=None)
    assert [c.name for c in queries.contacts_of(owner, customer)] == [gone.name, here.name]


def test_edit_and_delete_are_told(owner, customer):
    contact = make_contact(customer, "周敏", title="经理")
    changes = {"title": "总监", "name": "周敏"}
    actions.edit_contact(actor=owner, now=NOW, contact=contact, changes=changes)
    actions.delete_contact(actor=owner, now=NOW, contact=contact)
    told = list(AuditEntry.objects.order_by("pk").values_list("action", "changes"))
    assert told == [
        ("contact.edit", {"title": ["经理", "总监"]}),
        ("contact.delete", {"customer": [customer.name, None]}),
    ]
