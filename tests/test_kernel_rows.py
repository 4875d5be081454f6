"""Rows written without the ORM's statements are the rows that the ORM would have written."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, transaction

from gengyun.customers.models import Customer
from gengyun.kernel import rows
from gengyun.portfolio.models import CustomerSummary
from gengyun.tasks.models import Task, TaskEvent
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, 30, 1, 250_000, tzinfo=UTC)
EAST = timezone(timedelta(hours=8))


def _task(n, **values):
    return Task(
        title=f"电话 {n}\t\\N \"x\" {{'a'}}\n", source=f"s:{n}", created_at=NOW.astimezone(EAST),
        updated_at=NOW, **values,
    )  # fmt: skip


def _stored(model):
    return [
        {name: value for name, value in row.items() if name not in {"id", "task_id", "source"}}
        for row in model.objects.order_by("pk").values()
    ]


def test_the_same_rows_as_of_the_orm():
    customer = Customer.objects.create(
        external_id="a", name="甲", known_at=NOW, created_at=NOW, updated_at=NOW
    )
    values = {"customer": customer, "due_on": date(2028, 2, 29), "stake_minor": 2**40,
              "priority": Task.Priority.HIGH, "is_assigned": True,
              "state": Task.State.DONE}  # fmt: skip
    Task.objects.bulk_create([_task(1, **values)])
    made = [_task(1, **values)]
    made[0].source = "s:other"
    rows.insert(made)
    assert made[0].pk is not None
    assert not made[0]._state.adding
    first, second = _stored(Task)
    assert first == second
    assert Task.objects.get(source="s:other") == made[0]

    detail = {"名": [None, "é \" ' \\ \n", 1.5, True], "n": {}}
    of = {"task": made[0], "at": NOW, "kind": TaskEvent.Kind.CREATED}
    every = [{"detail": detail, "before": None}, {"detail": {}, "before": {}},
             {"detail": [], "before": 0}]  # fmt: skip
    TaskEvent.objects.bulk_create([TaskEvent(**of, **one) for one in every])
    rows.insert([TaskEvent(**of, **one) for one in every])
    found = _stored(TaskEvent)
    assert found[:3] == found[3:]
    assert TaskEvent.objects.filter(before__isnull=True).count() == 2


def test_a_row_made_for_one_that_had_no_key_yet_refers_to_it():
    task = _task(1)
    event = TaskEvent(task=task, at=NOW, kind=TaskEvent.Kind.CREATED)
    rows.insert([task])
    rows.insert([event])
    assert TaskEvent.objects.get().task == task


def test_keys_go_on_beside_the_orm():
    rows.insert([_task(n) for n in range(3)])
    Task.objects.create(title="x", created_at=NOW, updated_at=NOW)
    rows.insert([_task(n) for n in range(3, 5)])
    rows.insert([])
    keys = list(Task.objects.order_by("pk").values_list("pk", flat=True))
    assert len(set(keys)) == 6
    entry = AuditEntry(at=NOW, action="x", object_type="y", object_id="1")
    entry.pk = 900_000
    rows.insert([entry])
    assert AuditEntry.objects.get().pk == 900_000


def test_what_is_there_already_is_refused_whole():
    rows.insert([_task(1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert([_task(2), _task(1)])
    assert Task.objects.count() == 1
    rows.insert([_task(2)])


def test_update_gives_each_row_its_own():
    rows.insert([_task(n) for n in range(4)])
    tasks = list(Task.objects.order_by("pk"))
    for n, task in enumerate(tasks[:3]):
        task.title, task.due_on = f"甲 {n} '\"{{}}\\", date(2026, 11, 1 + n) if n else None
        task.done_at, task.priority = (NOW + timedelta(microseconds=n)).astimezone(EAST), 1 + n
        task.body = "not asked for"
    rows.update(Task, tasks[:3], ("title", "due_on", "done_at", "priority"))
    rows.update(Task, [], ("title",))
    for n, row in enumerate(Task.objects.order_by("pk")):
        told = (row.title, row.due_on, row.done_at, row.priority, row.body)
        if n == 3:
            assert told == (tasks[3].title, None, None, 2, "")
        else:
            day = date(2026, 11, 1 + n) if n else None
            at = NOW + timedelta(microseconds=n)
            assert told == (f"甲 {n} '\"{{}}\\", day, at, 1 + n, "")
    event = TaskEvent(task=tasks[0], at=NOW, kind="created", detail={"a": 1}, before=None)
    rows.insert([event])
    event.detail, event.before = {"b": ['"', None]}, {}
    rows.update(TaskEvent, [event], ("detail", "before"))
    event = TaskEvent.objects.get()
    assert (event.detail, event.before) == ({"b": ['"', None]}, {})


def test_put_writes_new_ones_and_the_named_fields_of_those_that_are_there():
    rows.put([_summary(1, "甲", 5), _summary(2, "乙", None)], ("name", "needs"))
    rows.put([], ("name",))
    second = [_summary(2, "丙 '\"", 7), _summary(3, "丁", 1)]
    second[0].updated_at = NOW + timedelta(days=1)
    rows.put(second, ("name", "needs"))
    found = CustomerSummary.objects.order_by("pk")
    assert [(row.name, row.needs, row.arr_minor, row.updated_at) for row in found] == [
        ("甲", [{"code": "甲", "n": 5}], 5, NOW),
        ("丙 '\"", [{"code": "丙 '\"", "n": 7}], None, NOW),
        ("丁", [{"code": "丁", "n": 1}], 1, NOW),
    ]


def _summary(pk, name, arr):
    known = {"known_at": NOW, "created_at": NOW, "updated_at": NOW}
    Customer.objects.get_or_create(pk=pk, defaults={"external_id": f"c{pk}", "name": name, **known})
    return CustomerSummary(
        customer_id=pk, name=name, arr_minor=arr, needs=[{"code": name, "n": arr}],
        renews_on=date(2028, 2, 29), churn=0.1 + 0.2, updated_at=NOW.astimezone(EAST),
    )  # fmt: skip


def test_values_of_some_columns_get_the_defaults_of_the_others():
    task = _task(1)
    rows.insert([task])
    rows.insert_values(
        TaskEvent,
        ("task_id", "kind", "at", "detail"),
        [(task.pk, TaskEvent.Kind.CREATED, NOW, {"n": n}) for n in range(2)],
    )
    rows.insert_values(TaskEvent, ("task_id",), [])
    found = list(TaskEvent.objects.order_by("pk").values_list("task", "kind", "at", "detail"))
    assert found == [(task.pk, "created", NOW, {"n": n}) for n in range(2)]
    rest = TaskEvent.objects.values_list("actor", "batch", "before", "undone_at")
    assert set(rest) == {(None, "", None, None)}
