"""The facts behind the four questions, gathered from all packages; owners; the weekly snapshot."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_activity, make_contact, make_customer
from test_revenue_renewals import WAN, make_renewal

from gengyun.portfolio.actions.renewal_checks import check_renewals
from gengyun.portfolio.queries.renewal_facts import facts_of
from gengyun.revenue.actions.renewal_snapshots import take_snapshot
from gengyun.revenue.actions.renewals import follow_owners
from gengyun.revenue.models import (
    Checkpoint,
    Invoice,
    Renewal,
    RenewalChange,
    RenewalSnapshot,
    SelfCheck,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)


@pytest.fixture
def people():
    return People()


@pytest.fixture
def customer(people):
    return make_customer("云启科技", owner=people.owner)


def known(customer):
    return facts_of([customer.pk], as_of=TODAY, now=NOW)[customer.pk]


def test_nothing_recorded_is_nothing_known(customer):
    facts = known(customer)
    assert (facts.band, facts.has_terms, facts.overdue_days, facts.used_share) == (None,) * 4
    assert (facts.deciders, facts.decider_talk_days, facts.solved) == (0, None, 0)


def test_the_decider_who_left_and_nobody_in_the_place(customer):
    make_contact(customer, "周敏", part="decider", left_on=TODAY - timedelta(days=40))
    assert known(customer).decider_left == "周敏"
    new = make_contact(customer, "何嘉", part="decider")
    assert (known(customer).decider_left, known(customer).deciders) == ("", 1)
    talk = make_activity(customer, happened_at=NOW - timedelta(days=12))
    talk.contacts.add(new)
    assert known(customer).decider_talk_days == 12
    note = make_activity(customer, kind="note", happened_at=NOW - timedelta(days=1))
    note.contacts.add(new)
    assert known(customer).decider_talk_days == 12, "a note to ourselves is no talk"


def test_problems_left_unsolved_until_one_was_solved(customer):
    make_activity(customer, happened_at=NOW - timedelta(days=30), outcome="not")
    assert (known(customer).unsolved, known(customer).solved) == (1, 0)
    make_activity(customer, happened_at=NOW - timedelta(days=20), outcome="solved")
    assert (known(customer).unsolved, known(customer).solved) == (0, 1)
    make_activity(customer, happened_at=NOW - timedelta(days=10), outcome="partly")
    assert known(customer).unsolved == 1
    make_activity(customer, happened_at=NOW - timedelta(days=200), outcome="not")
    assert known(customer).unsolved == 1, "half a year ago is long ago"


def test_money_that_is_late_and_invoices_in_dispute(customer):
    common = {"customer": customer, "issued_on": date(2026, 1, 1), "known_at": NOW - timedelta(60)}
    Invoice.objects.create(number="a", due_on=date(2026, 1, 15), amount_minor=5 * WAN, **common)
    Invoice.objects.create(
        number="b", due_on=date(2026, 1, 10), amount_minor=WAN,
        disputed_since=date(2026, 2, 1), **common,
    )  # fmt: skip
    facts = known(customer)
    assert (facts.overdue_days, facts.overdue_minor, facts.disputed) == (46, 5 * WAN, 1)


def test_a_next_step_that_is_late(customer):
    customer.next_step, customer.next_step_on = "约周敏", TODAY - timedelta(days=9)
    customer.save()
    assert known(customer).step_late_days == 9


def test_the_day_fills_questions_and_opens_the_checkpoint(customer):
    renewal = make_renewal(customer)
    make_contact(customer, "周敏", part="decider", left_on=TODAY - timedelta(days=40))
    assert check_renewals(as_of=TODAY, now=NOW) > 0
    renewal.refresh_from_db()
    assert renewal.signal == "risk"
    assert SelfCheck.objects.get(question=3).auto_answer == "no"
    assert Checkpoint.objects.get().days == 90
    assert check_renewals(as_of=TODAY, now=NOW) == 0


def test_a_renewal_far_away_is_left_alone(customer):
    make_renewal(customer, TODAY + timedelta(days=181))
    assert check_renewals(as_of=TODAY, now=NOW) == 0


def test_the_weekly_snapshot_is_taken_once(customer, people):
    renewal = make_renewal(customer)
    make_renewal(customer, TODAY + timedelta(days=500), group="far")
    assert take_snapshot(as_of=TODAY + timedelta(days=3)) == 1
    assert take_snapshot(as_of=TODAY + timedelta(days=4)) == 0
    found = RenewalSnapshot.objects.get()
    assert (found.as_of, found.renewal, found.owner) == (TODAY, renewal, people.owner)


def test_open_renewals_go_with_the_customer(customer, people):
    renewal = make_renewal(customer)
    done = make_renewal(customer, TODAY - timedelta(days=9), state="renewed")
    customer.owner = people.colleague
    customer.save()
    assert follow_owners(customer_ids=[customer.pk], now=NOW) == 1
    assert Renewal.objects.get(pk=renewal.pk).owner == people.colleague
    assert Renewal.objects.get(pk=done.pk).owner == people.owner
    assert RenewalChange.objects.get(field="owner").new == people.colleague.pk
