"""On leave: who stands in, what they see and have to do meanwhile, and that it ends by itself."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer, make_user
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.models import Customer
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.queries.today import need_list
from gengyun.tasks.actions import create, work
from gengyun.tasks.models import Task
from gengyun.tasks.queries import lists
from gengyun.tasks.queries.lists import Filters
from gengyun.team.actions.leave import (
    DeputyIsSelf,
    DeputyUnfit,
    LeaveDaysBad,
    LeaveTooLong,
    end_leave,
    set_leave,
)
from gengyun.team.calc.leave import Leave, covers, stand_in
from gengyun.team.models import AuditEntry, User

DAY = date(2026, 3, 2)
days = st.integers(0, 20).map(lambda n: DAY + timedelta(days=n))


def week(user_id, deputy_id, first=DAY, length=7):
    return Leave(user_id, first, first + timedelta(days=length - 1), deputy_id)


def test_the_deputy_of_a_deputy_who_is_away_too_stands_in():
    leaves = [week(1, 2), week(2, 3, first=DAY + timedelta(days=3))]
    assert stand_in(1, leaves, DAY) == 2
    assert stand_in(1, leaves, DAY + timedelta(days=3)) == 3
    assert stand_in(1, leaves, DAY + timedelta(days=7)) == 1  # back
    assert stand_in(9, leaves, DAY) == 9
    assert covers(leaves) == {
        2: [(1, DAY, DAY + timedelta(days=6))],
        3: [
            (1, DAY + timedelta(days=3), DAY + timedelta(days=6)),
            (2, DAY + timedelta(days=3), DAY + timedelta(days=9)),
        ],
    }


def test_nobody_stands_in_where_all_of_the_chain_are_away():
    assert stand_in(1, [week(1, None)], DAY) is None
    assert stand_in(1, [week(1, 2), week(2, 1)], DAY) is None  # each names the other


@given(
    st.dictionaries(
        st.integers(1, 5), st.tuples(days, days, st.none() | st.integers(1, 5)), max_size=5
    ),
    days,
)
def test_whoever_stands_in_also_may_see(drawn, day):
    leaves = [
        Leave(pk, min(a, b), max(a, b), deputy)
        for pk, (a, b, deputy) in drawn.items()
        if deputy != pk
    ]
    seen = covers(leaves)
    for user in range(1, 6):
        found = stand_in(user, leaves, day)
        if found in {None, user}:
            continue
        assert any(whom == user and a <= day <= b for whom, a, b in seen[found])


@pytest.fixture
def people(db):
    return People()


def test_a_deputy_sees_and_does_the_work_until_the_leave_is_over(people):
    now = utc_now()  # what one may see is decided by the clock on the wall
    today = day_of(now)
    customer = make_customer(owner=people.owner, next_step="回电", next_step_on=today)
    task = create(actor=None, now=now, title="x", customer=customer, role="csm", due_on=today)
    assert not Task.objects.visible_to(people.colleague).exists()
    set_leave(
        actor=people.owner,
        now=now,
        user=people.owner,
        first=today,
        last=today + timedelta(days=4),
        deputy=people.colleague,
    )
    deputy = User.objects.get(pk=people.colleague.pk)
    assert Customer.objects.visible_to(deputy).get() == customer
    assert lists.listing(deputy, filters=Filters(), now=now).get() == task
    assert lists.listing(people.owner, filters=Filters(), now=now).get() == task  # still theirs
    work.finish(actor=deputy, now=now, task_ids=[task.pk])
    assert not Customer.objects.visible_to(people.stranger).exists()
    # on Today, too, beside the deputy's own
    refresh_summaries(now=now, customer_ids=[customer.pk])
    needs = need_list(deputy, scope="mine", today=today)
    assert [item.summary.pk for item in needs.items] == [customer.pk]
    assert need_list(people.stranger, scope="mine", today=today).total == 0
    back = now + timedelta(days=5)
    assert not deputy.covered_ids(day_of(back))
    end_leave(actor=people.owner, now=now, user=people.owner)
    deputy.refresh_from_db()
    assert not Customer.objects.visible_to(deputy).exists()
    assert AuditEntry.objects.filter(action="user.leave").count() == 2


def test_a_leave_that_has_not_begun_or_is_over_shows_nothing(people):
    today = day_of(utc_now())
    make_customer(owner=people.owner)
    people.colleague.covers = [
        [people.owner.pk, (today + timedelta(days=1)).isoformat(), "2099-01-01"],
        [people.owner.pk, "2020-01-01", (today - timedelta(days=1)).isoformat()],
    ]
    assert not Customer.objects.visible_to(people.colleague).exists()


def test_leave_is_ones_own_or_that_of_those_one_leads(people):
    asked = {"now": NOW, "user": people.owner, "first": DAY, "last": DAY, "deputy": None}
    set_leave(actor=people.leader, **asked)
    set_leave(actor=people.admin, **asked)
    for other in (people.colleague, people.stranger):
        with pytest.raises(NotFound):
            set_leave(actor=other, **asked)
    with pytest.raises(NotAllowed):
        set_leave(actor=people.viewer, **(asked | {"user": people.viewer}))
    people.owner.refresh_from_db()
    assert people.owner.is_away(DAY)
    assert not people.owner.is_away(DAY + timedelta(days=1))


def test_impossible_leaves_are_refused(people):
    asked = {
        "actor": people.owner,
        "now": NOW,
        "user": people.owner,
        "first": DAY,
        "last": DAY,
        "deputy": people.colleague,
    }
    for refusal, changed in [
        (LeaveDaysBad, {"last": DAY - timedelta(days=1)}),
        (LeaveDaysBad, {"first": date(2020, 1, 1), "last": date(2020, 1, 2)}),
        (LeaveTooLong, {"last": DAY + timedelta(days=400)}),
        (LeaveTooLong, {"first": date(2999, 1, 1), "last": date(2999, 1, 2)}),
        (DeputyIsSelf, {"deputy": people.owner}),
        (DeputyUnfit, {"deputy": people.viewer}),
        (DeputyUnfit, {"deputy": make_user("csm", is_active=False)}),
    ]:
        with pytest.raises(refusal):
            set_leave(**(asked | changed))
    people.owner.refresh_from_db()
    assert people.owner.away_from is None
