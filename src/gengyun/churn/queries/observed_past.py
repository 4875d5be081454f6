"""Rows as they stood on past days: the audit log read backwards from what they are today.

A snapshot of a past day may not show what became of a row later. The row itself holds only today;
each change of it left `field -> [old, new]` in the audit log, in the same transaction. A change is
known from the day on which it was entered, whatever day it names.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import models

from gengyun.kernel.days import day_of
from gengyun.team.models import AuditEntry

Pair = tuple[Any, Any]  # old, new
Change = tuple[date, Mapping[str, Pair]]
Span = tuple[date, date | None, Mapping[str, Any]]  # known on, over on, values


@dataclass(frozen=True)
class Fact:
    customer_id: int
    kind: str
    happened: date
    known: date
    until: date | None = None
    value: float = float("nan")


def changes_of(
    model: type[models.Model],
    fields: set[str],
    *,
    says: Mapping[str, Mapping[str, Pair]] | None = None,
) -> dict[int, list[Change]]:
    """What was changed of rows of a model, by their id, oldest first.

    `says`: what an action means whose entry lists no fields.
    """
    label = model._meta.label_lower  # noqa: SLF001 - Django's documented name
    entries = AuditEntry.objects.filter(object_type=label).exclude(
        # a row begins with what it was given; the entry says only part of that
        action=f"{model._meta.model_name}.create"  # noqa: SLF001
    )
    found: dict[int, list[Change]] = defaultdict(list)
    rows = entries.order_by("at", "pk").values_list("object_id", "at", "action", "changes")
    for object_id, at, action, changes in rows.iterator():
        told = {name: (pair[0], pair[1]) for name, pair in changes.items() if name in fields}
        told |= (says or {}).get(action, {})
        if told:
            found[int(object_id)].append((day_of(at), told))
    return found


def standing(now: Mapping[str, Any], changes: list[Change], since: date) -> Iterator[Span]:
    """The values of a row on each day from `since`, as they were when the day was over."""
    values = dict(now)
    for _day, told in reversed(changes):
        values |= {name: old for name, (old, _new) in told.items()}
    begun = since
    for day, part in groupby(changes, key=itemgetter(0)):
        after = dict(values)
        for _day, told in part:
            after |= {name: new for name, (_old, new) in told.items()}
        if day > begun and after != values:
            yield begun, day, values
            begun = day
        values = after
    yield begun, None, values


def as_day(said: Any) -> date | None:
    """A day as the row or the log (ISO text; empty: none) says it."""
    return date.fromisoformat(said) if isinstance(said, str) and said else said or None
