"""What people do with tasks: one press on one or many, undone as one; comments; owners follow."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer

from gengyun.customers.actions.customers import assign_owner
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.tasks.actions import comments, create, owners, pressing, undoing, work
from gengyun.tasks.actions.values import TaskDayFar, TaskOwnerUnfit
from gengyun.tasks.calc import when
from gengyun.tasks.models import Task, TaskEvent
from gengyun.tasks.queries import lists, stakes
from gengyun.tasks.queries.lists import Filters
from gengyun.tasks.queries.outcomes import outcomes_of
from gengyun.team.models import AuditEntry

TODAY = NOW.date()
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def people(db):
    return People()


def make_task(owner=None, **values):
    return create(actor=None, now=NOW, **({"title": "电话回访", "owner": owner} | values))


def shape(task):
    return Task.objects.filter(pk=task.pk).values().exclude(pk=None).get() | {"updated_at": None}


def test_every_verb_is_taken_back_as_one_press(people):
    customer = make_customer(owner=people.owner)
    tasks = [make_task(people.owner, customer=customer, due_on=TODAY) for _ in range(3)]
    ids = [task.pk for task in tasks]
    given = {"actor": people.owner, "now": LATER, "task_ids": ids}
    verbs = [
        lambda: work.finish(result="已约到周四", **given),
        lambda: work.drop(reason="客户改用别家", **given),
        lambda: work.assign(owner=people.colleague, **given),
        lambda: work.move(due_on=TODAY + timedelta(days=3), **given),
        lambda: work.snooze(until=TODAY + timedelta(days=3), **given),
        lambda: work.start(**given),
        lambda: work.edit(
            actor=people.owner, now=LATER, task=tasks[0], changes={"title": "x", "priority": 1}
        ),
    ]
    before = [shape(task) for task in tasks]
    for do in verbs:
        batch = do()
        assert [shape(task) for task in tasks] != before
        undoing.undo(actor=people.owner, now=LATER, batch=batch)
        assert [shape(task) for task in tasks] == before
        with pytest.raises(NotFound):  # once is enough
            undoing.undo(actor=people.owner, now=LATER, batch=batch)
    assert TaskEvent.objects.filter(kind="undone").count() == 6 * 3 + 1
    assert AuditEntry.objects.filter(action="task.undone").count() == 6 * 3 + 1


def test_a_bulk_press_does_all_or_nothing(people):
    mine = make_task(people.owner)
    closed = make_task(people.owner)
    work.finish(actor=people.owner, now=LATER, task_ids=[closed.pk])
    with pytest.raises(pressing.TaskClosed):
        work.finish(actor=people.owner, now=LATER, task_ids=[mine.pk, closed.pk])
    theirs = make_task(people.stranger)
    with pytest.raises(NotFound):
        work.finish(actor=people.owner, now=LATER, task_ids=[mine.pk, theirs.pk])
    with pytest.raises(NotAllowed):
        work.finish(actor=people.viewer, now=LATER, task_ids=[mine.pk])
    mine.refresh_from_db()
    assert mine.state == "open"


def test_what_happened_since_stands_in_the_way_of_an_undo(people):
    task = make_task(people.owner)
    given = {"actor": people.owner, "now": LATER}
    first = work.move(due_on=TODAY, task_ids=[task.pk], **given)
    comments.comment(task=task, body="问过了", **given)  # harmless
    second = work.start(task_ids=[task.pk], **given)
    with pytest.raises(undoing.CannotUndoTask):
        undoing.undo(batch=first, **given)
    undoing.undo(batch=second, **given)
    undoing.undo(batch=first, **given)
    task.refresh_from_db()
    assert (task.due_on, task.started_at) == (None, None)
    with pytest.raises(NotFound):  # another's press is not theirs to take back
        undoing.undo(actor=people.colleague, now=LATER, batch=second)


def test_a_task_that_was_just_made_is_dropped_by_its_undo(people):
    task = create(actor=people.owner, now=NOW, title="x", owner=people.owner)
    batch = task.events.get().batch
    undoing.undo(actor=people.owner, now=LATER, batch=batch)
    task.refresh_from_db()
    assert task.state == "dropped"


def test_given_away_out_of_sight_it_can_still_be_taken_back(people):
    task = make_task(people.owner)
    batch = work.assign(actor=people.owner, now=LATER, task_ids=[task.pk], owner=people.stranger)
    assert not Task.objects.visible_to(people.owner).exists()
    undoing.undo(actor=people.owner, now=LATER, batch=batch)
    assert Task.objects.visible_to(people.owner).exists()


def test_refusals_leave_everything_as_it_was(people):
    task = make_task(people.owner, due_on=TODAY)
    before = shape(task)
    given = {"actor": people.owner, "now": LATER, "task_ids": [task.pk]}
    for refusal, do in [
        (work.DropReasonMissing, lambda: work.drop(reason="  ", **given)),
        (work.TaskSnoozeDayBad, lambda: work.snooze(until=TODAY, **given)),
        (work.TaskSnoozeDayBad, lambda: work.snooze(until=TODAY + timedelta(days=91), **given)),
        (TaskDayFar, lambda: work.move(due_on=date(1, 1, 1), **given)),
        (TaskOwnerUnfit, lambda: work.assign(owner=people.viewer, **given)),
        (pressing.TaskNotClosed, lambda: work.reopen(**given)),
        (
            work.TaskFieldUnknown,
            lambda: work.edit(actor=None, now=NOW, task=task, changes={"state": "done"}),
        ),
    ]:
        with pytest.raises(refusal):
            do()
    assert shape(task) == before


def test_the_log_says_what_changed_and_the_result_stays_when_it_is_opened_again(people):
    task = make_task(people.owner)
    given = {"actor": people.owner, "now": LATER, "task_ids": [task.pk]}
    work.finish(result="约到周四", **given)
    work.reopen(**given)
    log = list(task.events.values_list("kind", "detail"))
    assert log[1] == ("done", {"state": ["open", "done"], "result": ["", "约到周四"]})
    assert log[2][1]["result"] == ["约到周四", ""]


def test_starting_what_is_nobodys_makes_it_ones_own(people):
    task = make_task(customer=make_customer(), role="operations")
    work.start(actor=people.operations, now=LATER, task_ids=[task.pk])
    task.refresh_from_db()
    assert task.owner == people.operations


def test_tasks_of_a_role_go_along_with_the_customer_and_those_given_by_hand_stay(people):
    customer = make_customer(owner=people.owner)
    by_role = make_task(customer=customer, role="csm")
    by_hand = make_task(people.owner, customer=customer)
    done = make_task(customer=customer, role="csm")
    work.finish(actor=None, now=NOW, task_ids=[done.pk])
    with_commit = {"actor": people.leader, "now": LATER}
    assign_owner(customers=[customer], owner=people.colleague, **with_commit)
    owners.follow_owners(customer_ids=[customer.pk], now=LATER)
    for task, owner in [
        (by_role, people.colleague),
        (by_hand, people.owner),
        (done, people.owner),
    ]:
        task.refresh_from_db()
        assert task.owner == owner
    assert owners.follow_owners(customer_ids=[customer.pk], now=LATER) == 0


@pytest.mark.django_db(transaction=True)
def test_the_event_of_the_customer_moves_them_by_itself():
    people = People()
    customer = make_customer(owner=people.owner)
    task = make_task(customer=customer, role="csm")
    assign_owner(actor=None, now=LATER, customers=[customer], owner=people.colleague)
    task.refresh_from_db()
    assert task.owner == people.colleague


def test_what_is_at_stake_is_worked_out_anew_every_day(people, monkeypatch):
    customer = make_customer(owner=people.owner)
    task = make_task(people.owner, customer=customer)
    assert task.stake_minor is None
    monkeypatch.setattr(stakes, "_providers", [lambda ids: dict.fromkeys(ids, 700)])
    assert owners.refresh_stakes(now=NOW) == 1
    assert owners.refresh_stakes(now=NOW) == 0
    task.refresh_from_db()
    assert task.stake_minor == 700
    monkeypatch.setattr(stakes, "_providers", [lambda ids: {}])  # no longer known
    owners.refresh_stakes(now=NOW)
    task.refresh_from_db()
    assert task.stake_minor is None


def test_sops_read_what_became_of_their_tasks(people):
    make_task(people.owner, source="sop:1:a:0")
    done = make_task(people.owner, source="sop:1:b:0")
    work.finish(actor=people.owner, now=LATER, task_ids=[done.pk], result="好")
    found = outcomes_of(["sop:1:a:0", "sop:1:b:0", "sop:9:z:0", ""])
    assert {source: (one.state, one.result) for source, one in found.items()} == {
        "sop:1:a:0": ("open", ""),
        "sop:1:b:0": ("done", "好"),
    }


# --- who sees what, and in what order ------------------------------------------------------------


def test_who_sees_a_task(people):
    customer = make_customer(owner=people.owner)
    about = make_task(people.colleague, customer=customer)
    free = make_task(people.owner, title="自己的事")
    pool = make_task(role="leader", title="给组长")
    seen = {
        name: set(Task.objects.visible_to(getattr(people, name)).values_list("pk", flat=True))
        for name in vars(people)
        if name not in {"north", "south"}
    }
    everything = {about.pk, free.pk, pool.pk}
    assert seen["owner"] == {about.pk, free.pk}
    assert seen["colleague"] == {about.pk}
    assert seen["leader"] == everything
    assert seen["stranger"] == {pool.pk}
    assert seen["operations"] == seen["viewer"] == seen["admin"] == everything


def test_the_list_stands_by_deadline_and_then_by_worth(people):
    monday = TODAY  # 2 March 2026
    made = {
        name: make_task(people.owner, title=name, due_on=due, worth_minor=worth, priority=priority)
        for name, due, worth, priority in [
            ("next week", monday + timedelta(days=7), 9, 2),
            ("small", monday, 1, 2),
            ("large", monday, 5, 2),
            ("unknown", monday, None, 2),
            ("urgent", monday, None, 1),
            ("late", monday - timedelta(days=1), 0, 3),
            ("friday", monday + timedelta(days=4), 100, 2),
            ("someday", None, 100, 1),
            ("far", monday + timedelta(days=30), 100, 1),
        ]
    }
    rows = list(lists.listing(people.owner, filters=Filters(), now=NOW))
    assert [row.title for row in rows] == [
        "late", "urgent", "large", "small", "unknown", "friday", "next week", "far", "someday",
    ]  # fmt: skip
    assert [when.BUCKETS[row.place] for row in rows] == [
        when.bucket(row.due_on, TODAY) for row in rows
    ]
    by_worth = lists.listing(people.owner, filters=Filters(), sort="worth", now=NOW)
    assert [row.title for row in by_worth][:4] == ["friday", "far", "someday", "next week"]
    counts = lists.counts(people.owner, filters=Filters(), now=NOW)
    assert (counts.late, counts.today, counts.worth_minor) == (1, 4, 6)
    morning = lists.due_now(people.owner, scope="mine", now=NOW, limit=4)
    assert [task.title for task in morning.tasks] == ["large", "small", "late", "urgent"]
    assert (morning.total, morning.due_count) == (7, 5)
    assert made["far"].pk not in {task.pk for task in morning.tasks}


def test_tabs_and_filters(people):
    customer = make_customer("云杉科技", owner=people.owner)
    mine = make_task(people.owner, title="mine", due_on=TODAY, customer=customer)
    asleep = make_task(people.owner, title="asleep", source="sop:1:a:0")
    work.snooze(actor=people.owner, now=NOW, task_ids=[asleep.pk], until=TODAY + timedelta(days=2))
    given = create(actor=people.owner, now=NOW, title="given", owner=people.colleague)
    done = make_task(people.owner, title="done")
    work.finish(actor=people.owner, now=NOW, task_ids=[done.pk])

    def titles(tab="open", now=NOW, **asked):
        rows = lists.listing(people.owner, tab=tab, filters=Filters(**asked), now=now)
        return {row.title for row in rows}

    assert titles() == {"mine"}
    assert titles("later") == {"asleep"}
    assert titles("made") == {"given"}
    assert titles("closed") == {"done"}
    assert titles(now=NOW + timedelta(days=2)) == {"mine", "asleep"}  # it is back by itself
    assert titles(scope="team") == {"mine", "given"}
    assert titles(text="云杉") == {"mine"}
    assert titles("later", origin="sop") == {"asleep"}
    assert titles(origin="hand") == {"mine"}
    assert titles(when="today") == {"mine"}
    assert titles(when="never") == set()
    assert titles(owner_id=people.colleague.pk) == {"given"}
    assert titles(customer_id=customer.pk) == {"mine"}
    assert lists.counts(people.owner, filters=Filters(), now=NOW).tabs == {
        "open": 1, "later": 1, "made": 1,
    }  # fmt: skip
    assert lists.get(people.owner, mine.pk) == mine
    with pytest.raises(NotFound):
        lists.get(people.stranger, given.pk)


def test_putting_a_task_into_a_part_of_the_board_gives_it_a_day_of_that_part():
    for offset in range(400):
        today = date(2026, 1, 1) + timedelta(days=offset)
        for name in (when.TODAY, when.NEXT, when.AFTER, when.NEVER):
            assert when.bucket(when.day_for(name, today), today) == name
        # on a Sunday nothing is left of the week but today
        assert when.bucket(when.day_for(when.WEEK, today), today) in {when.WEEK, when.TODAY}
    with pytest.raises(ValueError, match="late"):
        when.day_for(when.LATE, TODAY)


# --- comments -------------------------------------------------------------------------------------


def test_comments_belong_to_who_wrote_them(people):
    task = make_task(people.owner, customer=make_customer(owner=people.owner))
    one = comments.comment(actor=people.owner, now=NOW, task=task, body=" 客户在休假 \x00")
    assert one.body == "客户在休假"
    comments.edit_comment(actor=people.owner, now=LATER, comment=one, body="客户下周回来")
    with pytest.raises(NotFound):
        comments.comment(actor=people.colleague, now=NOW, task=task, body="x")
    with pytest.raises(comments.CommentEmpty):
        comments.comment(actor=people.owner, now=NOW, task=task, body=" ")
    theirs = comments.comment(actor=people.leader, now=NOW, task=task, body="抓紧")
    with pytest.raises(NotAllowed):
        comments.delete_comment(actor=people.owner, now=LATER, comment=theirs)
    comments.delete_comment(actor=people.leader, now=LATER, comment=one)  # who leads may
    one.refresh_from_db()
    assert one.deleted_at == LATER
    comments.restore_comment(actor=people.owner, now=LATER, comment=one)
    one.refresh_from_db()
    assert (one.deleted_at, one.body, one.edited_at) == (None, "客户下周回来", LATER)
