"""Renewals follow the ledger: made from lines that come due, decided by the movements that answer.

Called while a book is closed, in its transaction. What people said about a renewal stays: a due
date that moved keeps its renewal, one that is gone ends as `merged`, and every change is kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gengyun.customers.models import Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.rows import insert, update
from gengyun.revenue.actions.checkpoint_views import LIVE
from gengyun.revenue.calc import due as calc
from gengyun.revenue.calc.checkpoints import gap
from gengyun.revenue.models import (
    Category,
    Checkpoint,
    CheckpointState,
    Line,
    Movement,
    Renewal,
    RenewalChange,
    RenewalLine,
    RenewalState,
)
from gengyun.team.models import User

BATCH = 1_000
FIELDS = (
    "due_on", "due_minor", "product_id", "state", "category", "forecast_minor", "outcome_minor",
    "decided_on", "successor_id", "cause", "involuntary", "amount_updated_at", "gap",
)  # fmt: skip
TOLD = ("due_on", "due_minor", "state", "category", "forecast_minor", "outcome_minor", "cause")


def follow_renewals(
    customers: Iterable[Customer],
    *,
    rows: Mapping[int, Sequence[Movement]],
    lines: Mapping[int, Sequence[Line]],
    actor: User | None,
    now: datetime,
) -> int:
    """Bring the renewals of these customers in step; returns how many were made or changed."""
    owners = {customer.pk: customer.owner_id for customer in customers}
    work = _Work(now, actor)
    ids = sorted(owners)
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        held: dict[int, dict[calc.Key, Renewal]] = {pk: {} for pk in part}
        present = Renewal.objects.filter(customer_id__in=part).exclude(state=RenewalState.MERGED)
        for renewal in present:
            key = (renewal.group, renewal.due_on, renewal.currency)
            held[renewal.customer_id][key] = renewal
        for pk in part:
            wanted = calc.came_due(lines.get(pk, ()), rows.get(pk, ()))
            _one(work, pk, owners[pk], wanted, held[pk])
    return work.save()


class _Work:
    def __init__(self, now: datetime, actor: User | None) -> None:
        self.now, self.actor = now, actor
        self.made: list[Renewal] = []
        self.changed: dict[int, Renewal] = {}
        self.changes: list[RenewalChange] = []
        self.parts: list[tuple[Renewal, dict[int, int]]] = []
        self.decided: list[Renewal] = []

    def put(self, renewal: Renewal, values: Mapping[str, Any], at: datetime) -> None:
        """Set fields of a row; a saved one keeps what changed."""
        told = {n: getattr(renewal, n) for n, new in values.items() if getattr(renewal, n) != new}
        for name, value in values.items():
            setattr(renewal, name, value)
        if renewal.state == RenewalState.OPEN:
            renewal.gap = gap(renewal.category, renewal.signal)
        else:
            renewal.gap = 0
        if not told or renewal.pk is None:
            return
        self.changed[renewal.pk] = renewal
        self.changes += [
            RenewalChange(
                renewal=renewal, at=at, actor=None, field=name,
                old=_plain(old), new=_plain(values[name]), why="",
            )
            for name, old in told.items()
            if name in TOLD
        ]  # fmt: skip

    def save(self) -> int:
        # first those that move away: a new one may take the due date that they leave
        update(Renewal, list(self.changed.values()), [name.removesuffix("_id") for name in FIELDS])
        insert(self.made)
        insert(self.changes)
        self._save_parts()
        over = [renewal.pk for renewal in self.decided if renewal.pk is not None]
        for start in range(0, len(over), BATCH):
            Checkpoint.objects.filter(
                renewal_id__in=over[start : start + BATCH], state__in=LIVE
            ).update(state=CheckpointState.CLOSED)
        return len(self.made) + len(self.changed)

    def _save_parts(self) -> None:
        ids = [renewal.pk for renewal, _ in self.parts]
        held: dict[int, dict[int, RenewalLine]] = {pk: {} for pk in ids}
        for start in range(0, len(ids), BATCH):
            for row in RenewalLine.objects.filter(renewal_id__in=ids[start : start + BATCH]):
                held[row.renewal_id][row.line_id] = row
        new: list[RenewalLine] = []
        other: list[RenewalLine] = []
        gone: list[int] = []
        for renewal, parts in self.parts:
            before = held[renewal.pk]
            for line_id, minor in parts.items():
                if line_id not in before:
                    new.append(RenewalLine(renewal=renewal, line_id=line_id, due_minor=minor))
                    continue
                row = before.pop(line_id)
                if row.due_minor != minor:
                    row.due_minor = minor
                    other.append(row)
            gone += [row.pk for row in before.values()]
        for start in range(0, len(gone), BATCH):
            RenewalLine.objects.filter(pk__in=gone[start : start + BATCH]).delete()
        insert(new)
        update(RenewalLine, other, ["due_minor"])


def _one(
    work: _Work,
    customer_id: int,
    owner_id: int | None,
    wanted: dict[calc.Key, calc.Due],
    held: dict[calc.Key, Renewal],
) -> None:
    gone = {key: row for key, row in held.items() if key not in wanted}
    for key, due in sorted(wanted.items()):
        renewal = held.get(key) or _moved(work, key, gone)
        if renewal is None:
            renewal = Renewal(
                customer_id=customer_id,
                group=key[0],
                due_on=key[1],
                currency=key[2],
                owner_id=owner_id,
                due_minor=due.due_minor,
                created_at=min(due.known_at or work.now, work.now),
            )
            work.made.append(renewal)
        _fill(work, renewal, due)
        work.parts.append((renewal, due.parts))
    for row in gone.values():
        work.put(row, {"state": RenewalState.MERGED}, work.now)
        work.decided.append(row)


def _moved(work: _Work, key: calc.Key, gone: dict[calc.Key, Renewal]) -> Renewal | None:
    """The due date moved (a free extension, a corrected day): the renewal goes along with it."""
    for old, row in sorted(gone.items(), key=lambda one: abs((one[0][1] - key[1]).days)):
        if old[0] == key[0] and old[2] == key[2] and row.state == RenewalState.OPEN:
            del gone[old]
            work.put(row, {"due_on": key[1]}, work.now)
            return row
    return None


def _fill(work: _Work, renewal: Renewal, due: calc.Due) -> None:
    product_id = next(iter(due.products)) if len(due.products) == 1 else None
    values: dict[str, Any] = {
        "due_minor": due.due_minor,
        "product_id": product_id,
        "state": due.state,
        "outcome_minor": due.outcome_minor,
        "successor_id": due.successor_id if due.state == calc.RENEWED else None,
        "cause": due.cause if due.state == calc.LOST else "",
        "involuntary": due.involuntary and due.state == calc.LOST,
    }
    decided_at = min(due.decided_at or work.now, work.now)
    if due.state == calc.OPEN:
        values |= {"decided_on": None} | _reopened(renewal)
    else:
        is_renewed = due.state == calc.RENEWED
        values |= {
            "category": Category.SIGNED if is_renewed else Category.LOST,
            "forecast_minor": due.outcome_minor,
            "decided_on": (due.signed_on if is_renewed else None) or day_of(decided_at),
        }
        work.decided.append(renewal)
    if values.get("forecast_minor", renewal.forecast_minor) != renewal.forecast_minor:
        values["amount_updated_at"] = decided_at
    at = work.now if due.state == calc.OPEN else max(decided_at, renewal.created_at)
    was_new = renewal.pk is None
    work.put(renewal, values, at)
    if was_new and due.state != calc.OPEN and at > renewal.created_at:
        _remember_opening(work, renewal, at)


def _reopened(renewal: Renewal) -> dict[str, Any]:
    """The outcome was taken back: what was said before it stands again."""
    if renewal.state == RenewalState.OPEN or renewal.pk is None:
        return {}
    said = RenewalChange.objects.filter(renewal=renewal, actor__isnull=False)
    found: dict[str, Any] = {"category": Category.UNJUDGED, "forecast_minor": None}
    # the newest comes last and wins
    for name, new in said.order_by("at", "pk").values_list("field", "new"):
        if name in found:
            found[name] = new
    return found


def _remember_opening(work: _Work, renewal: Renewal, at: datetime) -> None:
    """Made and decided in one go (an import, a renewal signed with its contract): between the day
    it was known and the day it was decided it stood open and unjudged."""
    opening: dict[str, tuple[Any, Any]] = {
        "state": (RenewalState.OPEN, renewal.state),
        "category": (Category.UNJUDGED, renewal.category),
        "forecast_minor": (None, renewal.forecast_minor),
        "outcome_minor": (None, renewal.outcome_minor),
    }
    work.changes += [
        RenewalChange(renewal=renewal, at=at, actor=None, field=name, old=old, new=new)
        for name, (old, new) in opening.items()
    ]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
