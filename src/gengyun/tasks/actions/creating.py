"""New tasks, by a person or by the system; one source makes one task, however often it asks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import uuid4

from django.db import IntegrityError, transaction

from gengyun.customers.models import Contact, Customer
from gengyun.kernel import rows as written
from gengyun.kernel.calc.workdays import working_day_after
from gengyun.kernel.days import day_of
from gengyun.tasks.actions import values
from gengyun.tasks.actions.telling import tell
from gengyun.tasks.models import Task, TaskEvent
from gengyun.tasks.queries.roles import holders
from gengyun.tasks.queries.stakes import stakes_of
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require


@dataclass(frozen=True)
class NewTask:
    """What is to be made. Give `owner`, or a `role` whose holder at the customer gets it."""

    title: str
    body: str = ""
    customer: Customer | None = None
    contact: Contact | None = None
    owner: User | None = None
    role: str = ""
    due_on: date | None = None
    due_working_days: int | None = None  # from today; 0: today, or the next day that works
    source: str = ""
    worth_minor: int | None = None
    priority: int = Task.Priority.NORMAL


def create(
    *,
    actor: User | None,
    now: datetime,
    title: str,
    body: str = "",
    customer: Customer | None = None,
    contact: Contact | None = None,
    owner: User | None = None,
    role: str = "",
    due_on: date | None = None,
    due_working_days: int | None = None,
    source: str = "",
    worth_minor: int | None = None,
    priority: int = Task.Priority.NORMAL,
) -> Task:
    """One task; with a `source` that has made one already, that one, whatever became of it."""
    wanted = NewTask(
        title=title,
        body=body,
        customer=customer,
        contact=contact,
        owner=owner,
        role=role,
        due_on=due_on,
        due_working_days=due_working_days,
        source=source,
        worth_minor=worth_minor,
        priority=priority,
    )
    return create_many(actor=actor, now=now, wanted=[wanted])[0]


def create_many(*, actor: User | None, now: datetime, wanted: Sequence[NewTask]) -> list[Task]:
    """All of them in their order, in a few statements however many."""
    require(actor, "task.work")
    try:
        with transaction.atomic():
            return _create(actor, now, wanted)
    except IntegrityError:
        # another worker made one of them at the same moment: it is found now
        with transaction.atomic():
            return _create(actor, now, wanted)


def _create(actor: User | None, now: datetime, wanted: Sequence[NewTask]) -> list[Task]:
    places = _places(wanted)
    there = _by_source([one.source for _, one in places if one.source])
    fresh: dict[str, Task] = {}  # by source, or by place where there is none
    held = _held([one for _, one in places if one.source not in there])
    stakes = stakes_of(
        [one.customer.pk for _, one in places if one.customer and one.source not in there]
    )
    for place, one in places:
        if one.source and one.source in there:
            continue
        fresh[place] = _row(actor, now, one, held, stakes)
    rows = list(fresh.values())
    written.insert(rows)
    batch = uuid4().hex if actor is not None else ""
    written.insert_values(
        TaskEvent,
        ("task_id", "at", "actor_id", "kind", "detail", "batch"),
        [
            (row.pk, now, actor.pk if actor is not None else None, TaskEvent.Kind.CREATED,
             {"source": row.source} if row.source else {}, batch)
            for row in rows
        ],
    )  # fmt: skip
    told = [(row, {"title": [None, row.title], "owner": [None, row.owner_id]}) for row in rows]
    record_many(actor=actor, now=now, action="task.created", changes=told)
    tell(rows, now=now)
    found = there | fresh
    keys = [one.source[: values.SOURCE] or f"#{n}" for n, one in enumerate(wanted)]
    return [found[key] for key in keys]


def _places(wanted: Sequence[NewTask]) -> list[tuple[str, NewTask]]:
    """Each source once; what has none is told apart by its place."""
    found: dict[str, NewTask] = {}
    for n, one in enumerate(wanted):
        source = one.source[: values.SOURCE]
        found.setdefault(source or f"#{n}", replace(one, source=source))
    return list(found.items())


def _by_source(sources: Iterable[str]) -> dict[str, Task]:
    rows = Task.objects.filter(source__among=sorted(set(sources))).exclude(source="").order_by()
    return {row.source: row for row in rows}


def _held(wanted: Iterable[NewTask]) -> dict[str, Mapping[int, int | None]]:
    """Role -> customer -> who holds it there."""
    asked: dict[str, set[int]] = {}
    for one in wanted:
        if one.owner is None and one.role and one.customer is not None:
            asked.setdefault(values.clean_role(one.role), set()).add(one.customer.pk)
    return {role: holders(role, ids) for role, ids in asked.items()}


def _row(
    actor: User | None,
    now: datetime,
    one: NewTask,
    held: Mapping[str, Mapping[int, int | None]],
    stakes: Mapping[int, int],
) -> Task:
    today = day_of(now)
    if actor is not None:  # the system names only what it has looked up itself
        values.check_customer(actor, one.customer)
        values.check_owner(one.owner)
    customer_id = one.customer.pk if one.customer is not None else None
    values.check_contact(one.contact, customer_id)
    role = values.clean_role(one.role)
    owner_id = one.owner.pk if one.owner is not None else None
    if owner_id is None and role and customer_id is not None:
        owner_id = held[role].get(customer_id)
    due_on = one.due_on
    if due_on is None and one.due_working_days is not None:
        due_on = working_day_after(today, one.due_working_days)
    return Task(
        title=values.clean_title(one.title, cut=actor is None),
        body=values.clean_text(one.body),
        customer_id=customer_id,
        contact_id=one.contact.pk if one.contact is not None else None,
        owner_id=owner_id,
        role=role,
        is_assigned=one.owner is not None,
        is_new=values.is_news(owner_id, actor),
        due_on=values.clean_day(due_on, today=today),
        source=one.source,
        worth_minor=values.clean_worth(one.worth_minor),
        stake_minor=stakes.get(customer_id) if customer_id is not None else None,
        priority=values.clean_priority(one.priority),
        created_at=now,
        created_by=actor,
        updated_at=now,
    )
