"""Risks that people note: dated facts with a cause, settled or taken back, as known then."""

from datetime import timedelta

import pytest
from factories import NOW, make_customer, make_user

from gengyun.engagement.actions.risks import (
    RiskCauseMissing,
    RiskDayBad,
    RiskOver,
    end_risk,
    note_risk,
    resume_risk,
)
from gengyun.engagement.models import Risk
from gengyun.engagement.queries.risks import of_customer, risks_at
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.kernel.models import OutboxEvent
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
TODAY = day_of(NOW)


@pytest.fixture
def owner():
    return make_user("csm")


@pytest.fixture
def customer(owner):
    return make_customer("青禾科技", owner=owner)


def noted(owner, customer, **values):
    given = {"cause": "competitor", "happened_on": TODAY - timedelta(days=3), "note": "在看飞鸟"}
    return note_risk(actor=owner, now=NOW, customer=customer, **(given | values))


def test_a_risk_is_noted_told_and_audited(owner, customer):
    risk = noted(owner, customer)
    assert (risk.author, risk.known_at, risk.note) == (owner, NOW, "在看飞鸟")
    assert AuditEntry.objects.get().action == "risk.noted"
    event = OutboxEvent.objects.get()
    assert (event.name, event.payload) == ("risk.changed", {"customer_ids": [customer.pk]})


def test_the_same_is_not_noted_twice(owner, customer):
    first = noted(owner, customer)
    again = noted(owner, customer, happened_on=TODAY, note="报价已给")
    assert (again.pk, again.happened_on, again.note) == (first.pk, first.happened_on, "报价已给")
    end_risk(actor=owner, now=NOW, risk=first)
    assert noted(owner, customer).pk != first.pk


def test_what_was_known_at_a_moment(owner, customer):
    risk = noted(owner, customer)
    later = NOW + timedelta(days=5)
    assert risks_at(NOW) == []  # what happened earlier was not known earlier
    assert risks_at(later, customer_ids=[customer.pk]) == [risk]
    assert risks_at(later, customer_ids=[customer.pk + 1]) == []
    end_risk(actor=owner, now=later, risk=risk)
    assert risks_at(later) == [risk]
    assert risks_at(later + timedelta(seconds=1)) == []
    resume_risk(actor=owner, now=later, risk=risk)
    assert risks_at(later + timedelta(days=1)) == [risk]


def test_a_mistake_is_left_out_of_the_list_what_was_settled_stays(owner, customer):
    settled, mistaken = noted(owner, customer), noted(owner, customer, cause="roi_wrong")
    going = noted(owner, customer, cause="layoff", happened_on=TODAY - timedelta(days=9))
    end_risk(actor=owner, now=NOW, risk=settled)
    end_risk(actor=owner, now=NOW, risk=mistaken, mistaken=True)
    assert of_customer(customer.pk) == [going, settled]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"happened_on": TODAY + timedelta(days=1)}, RiskDayBad),
        ({"happened_on": TODAY - timedelta(days=800)}, RiskDayBad),
        ({"cause": ""}, RiskCauseMissing),
    ],
)
def test_what_cannot_be_noted_leaves_nothing(owner, customer, values, refusal):
    with pytest.raises(refusal):
        noted(owner, customer, **values)
    assert not Risk.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_strangers_and_readers_are_refused(owner, customer):
    risk = noted(owner, customer)
    with pytest.raises(NotFound):
        noted(make_user("csm", email="stranger@example.com"), customer)
    with pytest.raises(NotFound):
        end_risk(actor=make_user("csm", email="other@example.com"), now=NOW, risk=risk)
    with pytest.raises(NotAllowed):
        noted(make_user("viewer", email="reader@example.com"), customer)
    end_risk(actor=owner, now=NOW, risk=risk)
    with pytest.raises(RiskOver):
        end_risk(actor=owner, now=NOW, risk=risk)
