"""New tasks: who gets them, when they are due, and that one source makes one task."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_contact, make_customer

from gengyun.kernel.calc.workdays import working_day_after, working_days_between
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.tasks.actions import NewTask, create, create_many, values
from gengyun.tasks.models import Task, TaskEvent
from gengyun.tasks.queries import stakes
from gengyun.team.models import AuditEntry

TODAY = NOW.date()


@pytest.fixture
def people(db):
    return People()


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2026, 3, 2), 0, date(2026, 3, 2)),  # a Monday works itself
        (date(2026, 3, 7), 0, date(2026, 3, 9)),  # a Saturday: the Monday after
        (date(2026, 3, 6), 1, date(2026, 3, 9)),  # over a weekend
        (date(2026, 2, 14), 0, date(2026, 2, 14)),  # 调休: a Saturday that works
        (date(2026, 2, 13), 2, date(2026, 2, 24)),  # the Saturday counts, then Spring Festival
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
    ],
)
def test_due_days_count_the_days_that_are_worked(start, count, due):
    assert working_day_after(start, count) == due


def test_working_days_between_are_the_inverse_of_counting_on():
    for offset in range(30):
        start = date(2026, 9, 20) + timedelta(days=offset)
        for count in (1, 3, 7):
            assert working_days_between(start, working_day_after(start, count)) == count
    assert working_days_between(date(2026, 3, 4), date(2026, 3, 2)) == -2


def test_one_source_makes_one_task_however_often_it_asks(people):
    customer = make_customer(owner=people.owner)
    given = {"actor": None, "now": NOW, "title": "电话回访", "customer": customer}
    one = create(**given, source="sop:run:1:step:call", role="csm", due_working_days=2)
    Task.objects.filter(pk=one.pk).update(state="done")
    again = create(**given, source="sop:run:1:step:call", role="csm")
    other = create(**given, source="sop:run:2:step:call", role="csm")
    assert one.pk == again.pk != other.pk
    assert again.state == "done"  # what became of it stays
    assert one.due_on == date(2026, 3, 4)
    assert TaskEvent.objects.filter(kind="created").count() == 2
    assert AuditEntry.objects.filter(action="task.created").count() == 2


def test_many_at_once_come_back_in_their_order_and_each_source_once(people):
    customer = make_customer(owner=people.owner)
    before = create(actor=None, now=NOW, title="b", source="b")
    made = create_many(
        actor=None,
        now=NOW,
        wanted=[
            NewTask("a", source="a", customer=customer),
            NewTask("free"),
            NewTask("b again", source="b"),
            NewTask("a again", source="a"),
            NewTask("free too"),
        ],
    )
    assert [task.title for task in made] == ["a", "free", "b", "a", "free too"]
    assert made[0].pk == made[3].pk
    assert made[2].pk == before.pk
    assert Task.objects.count() == 4


def test_a_role_stands_for_who_holds_it_at_the_customer(people):
    customer = make_customer(owner=people.owner)
    made = {
        role: create(actor=None, now=NOW, title=role, customer=customer, role=role)
        for role in ("csm", "leader", "operations")
    }
    assert made["csm"].owner == people.owner
    assert made["leader"].owner == people.leader
    assert made["operations"].owner is None  # waits for anybody of the role
    assert not made["csm"].is_assigned
    nobody = make_customer()
    assert create(actor=None, now=NOW, title="x", customer=nobody, role="csm").owner is None


def test_a_task_is_worth_what_is_at_stake_unless_its_maker_says_otherwise(people, monkeypatch):
    customer = make_customer(owner=people.owner)
    monkeypatch.setattr(stakes, "_providers", [lambda ids: dict.fromkeys(ids, 5_000_00)])
    derived = create(actor=None, now=NOW, title="x", customer=customer)
    said = create(actor=None, now=NOW, title="y", customer=customer, worth_minor=0)
    free = create(actor=None, now=NOW, title="z")
    assert [t.amount_minor for t in (derived, said, free)] == [5_000_00, 0, None]


def test_people_give_tasks_about_customers_they_see_to_people_who_can_do_them(people):
    mine, other = make_customer(owner=people.owner), make_customer(owner=people.stranger)
    task = create(
        actor=people.owner, now=NOW, title=" 约 周敏 ", customer=mine, owner=people.colleague
    )
    assert task.title == "约 周敏"
    assert task.is_assigned
    with pytest.raises(NotFound):
        create(actor=people.owner, now=NOW, title="x", customer=other)
    with pytest.raises(values.TaskOwnerUnfit):
        create(actor=people.owner, now=NOW, title="x", owner=people.viewer)
    with pytest.raises(NotAllowed):
        create(actor=people.viewer, now=NOW, title="x")
    with pytest.raises(values.ContactOfOther):
        create(actor=None, now=NOW, title="x", customer=mine, contact=make_contact(other))
    assert Task.objects.count() == 1


def test_odd_texts_are_refused_or_made_plain(people):
    with pytest.raises(values.TitleMissing):
        create(actor=None, now=NOW, title=" \x00 \n")
    with pytest.raises(values.TaskTextTooLong):
        create(actor=people.owner, now=NOW, title="长" * 201)
    cut = create(actor=None, now=NOW, title="长" * 300, body="a\x00b\ud800c")
    assert len(cut.title) == 200
    assert cut.body == "abc"
    with pytest.raises(values.TaskDayFar):
        create(actor=None, now=NOW, title="x", due_on=date(9999, 1, 1))
    with pytest.raises(values.TaskRoleUnknown):
        create(actor=None, now=NOW, title="x", role="wizard")
    with pytest.raises(values.TaskWorthBad):
        create(actor=None, now=NOW, title="x", worth_minor=-1)
    with pytest.raises(values.TaskPriorityUnknown):
        create(actor=None, now=NOW, title="x", priority=9)
