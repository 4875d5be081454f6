"""`__among` finds what `__in` finds."""

import pytest
from factories import make_contact, make_customer

from gengyun.customers.models import Contact, Customer

pytestmark = pytest.mark.django_db


def test_among_is_in(django_assert_num_queries):
    customers = [make_customer(name) for name in ("甲", 'it\'s "b"', "c\\,{}")]
    contacts = [make_contact(one) for one in customers for _ in range(2)]
    ids, names = [one.pk for one in customers], [one.name for one in customers]
    with django_assert_num_queries(7):
        assert set(Customer.objects.filter(pk__among=ids[:2])) == set(customers[:2])
        assert set(Customer.objects.filter(name__among=names[1:])) == set(customers[1:])
        assert set(Customer.objects.exclude(name__among=names[1:])) == {customers[0]}
        assert set(Contact.objects.filter(customer__among=ids[1:])) == set(contacts[2:])
        assert set(Contact.objects.filter(customer_id__among=ids[:1])) == set(contacts[:2])
        assert set(Contact.objects.filter(customer__name__among=names[:1])) == set(contacts[:2])
        assert Customer.objects.filter(pk__among=range(1, 200_000)).count() == 3


def test_what_no_column_holds_is_among_nothing():
    customer = make_customer()
    assert list(Customer.objects.filter(pk__among=[customer.pk, 2**63])) == [customer]
    assert not Customer.objects.filter(name__among=["{}", "NULL", "", "\\"]).exists()


def test_nothing_is_among_none(django_assert_num_queries):
    customer = make_customer()
    with django_assert_num_queries(0):
        assert list(Customer.objects.filter(pk__among=[])) == []
    assert list(Customer.objects.exclude(pk__among=[])) == [customer]
