"""Steps that stay in the house: tasks, hand-overs, notes, fields and stages."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from gengyun.customers.actions.custom_values import set_values
from gengyun.customers.actions.journeys import move_stage
from gengyun.customers.calc.cells import BadCell
from gengyun.customers.calc.custom import PREFIX, read_cell
from gengyun.customers.models import Contact, Customer, Stage
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.engagement.actions.activities import note_many
from gengyun.engagement.calc.templates import ValueMissing, render_template, slots
from gengyun.engagement.queries.template_facts import facts_for_many
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.sop.calc.effects import FAILED, SUPPRESSED, Due, Told, effect
from gengyun.sop.queries.outcomes import outcomes_from
from gengyun.sop.queries.recipients import contacts_of, customers_of
from gengyun.tasks.actions import NewTask, create_many
from gengyun.tasks.models import Task

UNKNOWN = "—"
GONE = Told(SUPPRESSED, "customer_gone")


def language() -> str:
    """Of what we write to ourselves: the company's."""
    return settings.LANGUAGE_CODE


def told_to_us(
    due: Sequence[Due], customers: Mapping[int, Customer], now: datetime, names: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Key of the step -> the texts of these parameters with their facts. For our own eyes an
    unknown value is a dash, not a reason to stay silent."""
    code = "zh" if language().startswith("zh") else "en"
    here = [one for one in due if one.customer_id in customers]
    texts = {
        one.key: {name: one.step.params.get(name, {}).get(code, "") for name in names}
        for one in here
    }
    # most texts name nothing: nothing is read for them
    naming = [one for one in here if any("{{" in text for text in texts[one.key].values())]
    contacts = contacts_of(naming, "any")
    facts = facts_for_many(
        [(customers[one.customer_id], contacts.get(one.key)) for one in naming],
        today=day_of(now), language=language(),
    )  # fmt: skip
    for one, known in zip(naming, facts, strict=True):
        texts[one.key] = {name: filled(text, known) for name, text in texts[one.key].items()}
    return texts


def filled(text: str, facts: Mapping[str, str | None]) -> str:
    if "{{" not in text:
        return text
    known = {slot.name: facts.get(slot.name) for slot in slots(text)}
    try:
        return render_template(text, known)
    except ValueMissing:
        return render_template(text, {name: value or UNKNOWN for name, value in known.items()})


@effect("task", mixed=True)
def give_task(due: Sequence[Due], now: datetime) -> list[Told]:
    customers = customers_of(due)
    texts = told_to_us(due, customers, now, ("title", "body"))
    return _tasks(
        due, customers, now,
        lambda one: NewTask(
            title=texts[one.key]["title"][:200],
            body=texts[one.key]["body"],
            customer=customers[one.customer_id],
            role=one.step.params["role"],
            due_working_days=one.step.params["due_working_days"],
            source=one.key,
        ),
    )  # fmt: skip


@effect("hand", mixed=True)
def hand_over(due: Sequence[Due], now: datetime) -> list[Told]:
    """From here on a person decides: a task that says so, and the run ends."""
    customers = customers_of(due)
    texts = told_to_us(due, customers, now, ("text",))
    return _tasks(
        due, customers, now,
        lambda one: NewTask(
            title=one.sop_name[:200],
            body=texts[one.key]["text"],
            customer=customers[one.customer_id],
            role=one.step.params["role"],
            due_working_days=1,
            source=one.key,
        ),
    )  # fmt: skip


def _tasks(
    due: Sequence[Due],
    customers: Mapping[int, Customer],
    now: datetime,
    wanted: Callable[[Due], NewTask],
) -> list[Told]:
    here = [one for one in due if one.customer_id in customers]
    # the contact that goes through it; a task about a customer has none
    named = contacts_of([one for one in here if one.contact_id], "any")
    tasks = create_many(actor=None, now=now, wanted=[
        replace(wanted(one), contact=_own(named.get(one.key), one)) for one in here
    ])  # fmt: skip
    made = {one.key: task for one, task in zip(here, tasks, strict=True)}
    return [
        Told(ref=f"task:{made[one.key].pk}",
             facts={"owner": made[one.key].owner_id, "due_on": _iso(made[one.key].due_on)})
        if one.key in made
        else GONE
        for one in due
    ]  # fmt: skip


def _own(contact: Contact | None, one: Due) -> Contact | None:
    """A contact that has moved to another customer meanwhile is no contact of this task."""
    return contact if contact is not None and contact.customer_id == one.customer_id else None


def _iso(day: Any) -> str | None:
    return None if day is None else day.isoformat()


@effect("note", mixed=True)
def write_note(due: Sequence[Due], now: datetime) -> list[Told]:
    customers = customers_of(due)
    texts = told_to_us(due, customers, now, ("text",))
    notes = {
        one.key[:64]: (one.customer_id, texts[one.key]["text"]) for one in due if one.key in texts
    }
    made = note_many(now=now, notes=notes)
    return [
        Told(ref=f"activity:{made[one.key[:64]]}") if one.key[:64] in made else GONE for one in due
    ]


@effect("set")
def set_field(due: Sequence[Due], now: datetime) -> list[Told]:
    customers = customers_of(due)
    return [
        _set(one, customers[one.customer_id], now) if one.customer_id in customers else GONE
        for one in due
    ]


def _set(one: Due, customer: Customer, now: datetime) -> Told:
    """What the field refuses fails the step, and says why; the run goes on."""
    name, value = one.step.params["field"], one.step.params["value"]
    told = {"field": name, "value": value}
    try:
        with transaction.atomic():
            if name == "stage":
                stage = Stage.objects.filter(pk=value).first()
                if stage is None:
                    return Told(FAILED, "stage_gone", told)
                move_stage(actor=None, now=now, customer=customer, stage=stage,
                           reason=one.sop_name[:200])  # fmt: skip
            else:
                field = fields_named([name]).get(name)
                if field is None:
                    return Told(FAILED, "field_gone", told)
                cell = "yes" if value is True else "no" if value is False else value
                found = read_cell(field.definition, cell)
                wanted = {customer.pk: {name.removeprefix(PREFIX): found}}
                set_values(actor=None, now=now, wanted=wanted)
    except Refusal as refusal:
        return Told(FAILED, refusal.code[:40], told)
    except BadCell:
        return Told(FAILED, "value_unfit", told)
    return Told(facts=told)


def _of_tasks(ids: Collection[int]) -> Mapping[int, Collection[str]]:
    """A task that is gone was dropped."""
    rows = Task.objects.filter(pk__in=ids).values_list("pk", "state")
    there = {pk: [state] for pk, state in rows}
    return {pk: there.get(pk, ["dropped"]) for pk in ids}


outcomes_from("task", _of_tasks)
