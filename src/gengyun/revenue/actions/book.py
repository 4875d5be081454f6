"""The ledger of some customers in memory, while an action writes to it.

Every action on lines loads a book, posts movements and closes the book: then the movements are
inserted, the customers' own fields follow (`customer_fields`), audit rows and the event are
written. All inside the action's transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import models

from gengyun.customers.models import Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.outbox import emit
from gengyun.kernel.rows import insert
from gengyun.revenue.actions.customer_fields import follow
from gengyun.revenue.actions.renewals_sync import follow_renewals
from gengyun.revenue.models import Line, Movement
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User

FEW = 2_000


class Book:
    def __init__(
        self,
        *,
        actor: User | None,
        now: datetime,
        customers: Iterable[Customer],
        known_at: datetime | None = None,
    ) -> None:
        self.actor, self.now, self.known_at = actor, now, known_at or now
        self.customers = {customer.pk: customer for customer in customers}
        self.rows: dict[int, list[Movement]] = defaultdict(list)
        self.lines: dict[int, Line] = {}
        self.of_customer: dict[int, list[Line]] = defaultdict(list)
        self.posted: list[Movement] = []
        self._audit: list[tuple[str, models.Model, Mapping[str, Any]]] = []
        ids = sorted(self.customers)
        for start in range(0, len(ids), FEW):
            self._load(ids[start : start + FEW])

    def _load(self, ids: list[int]) -> None:
        lines = Line.objects.filter(customer_id__in=ids, voided_at__isnull=True)
        for line in lines.select_related("contract", "product").order_by("pk"):
            self.add(line)
        found = Movement.objects.filter(customer_id__in=ids).order_by("effective_on", "pk")
        for row in found:
            self.rows[row.customer_id].append(row)

    def add(self, line: Line) -> None:
        self.lines[line.pk] = line
        self.of_customer[line.customer_id].append(line)

    def drop(self, line: Line) -> None:
        """A line that was voided."""
        self.lines.pop(line.pk, None)
        self.of_customer[line.customer_id] = [
            other for other in self.of_customer[line.customer_id] if other.pk != line.pk
        ]

    def of_line(self, line: Line) -> list[Movement]:
        return [row for row in self.rows[line.customer_id] if row.line_id == line.pk]

    def balance(self, line: Line, on: date | None = None) -> int:
        """ARR of a line on a day; without a day: when everything scheduled has happened."""
        return sum(
            row.arr_minor for row in self.of_line(line) if on is None or row.effective_on <= on
        )

    def paused(self, line: Line) -> int:
        """ARR that a pause took out and that has not been resumed."""
        kinds = ("pause", "resume")
        return -sum(row.arr_minor for row in self.of_line(line) if row.kind in kinds)

    def post(
        self, line: Line, kind: str, arr_minor: int, effective_on: date, **more: Any
    ) -> Movement:
        row = Movement(
            customer_id=line.customer_id,
            contract_id=line.contract_id,
            line=line,
            product_id=line.product_id,
            group=line.group,
            kind=kind,
            effective_on=effective_on,
            arr_minor=arr_minor,
            currency=more.pop("currency", line.currency),
            known_at=more.pop("known_at", self.known_at),
            created_at=self.now,
            actor=self.actor,
            **more,
        )
        self.rows[line.customer_id].append(row)
        self.posted.append(row)
        return row

    def take_back(self, row: Movement, *, known_at: datetime, note: str = "") -> None:
        """A correction of the same day that undoes a movement, and what it said of a due date."""
        if row.pk is None:  # posted in this very book: nobody has known of it
            self.posted.remove(row)
            self.rows[row.customer_id].remove(row)
            return
        line = self.lines.get(row.line_id or 0) or row.line
        if line is None:
            raise AssertionError
        self.post(
            line,
            "correction",
            -row.arr_minor,
            row.effective_on,
            corrects=row,
            due_on=row.due_on,
            due_minor=None if row.due_minor is None else -row.due_minor,
            seats_delta=None if row.seats_delta is None else -row.seats_delta,
            note=note,
            known_at=known_at,
        )

    def tell(
        self, action: str, obj: models.Model, changes: Mapping[str, Any] | None = None
    ) -> None:
        """An audit row, written when the book is closed."""
        self._audit.append((action, obj, changes or {}))

    def close(self) -> list[Movement]:
        """Insert what was posted and let everything follow. Returns the new movements."""
        insert(self.posted)
        by_action: dict[str, list[tuple[models.Model, Mapping[str, Any]]]] = defaultdict(list)
        for action, obj, changes in self._audit:
            by_action[action].append((obj, changes))
        for action, told in by_action.items():
            record_many(actor=self.actor, now=self.now, action=action, changes=told)
        follow(
            self.customers.values(),
            rows=self.rows,
            lines=self.of_customer,
            today=day_of(self.now),
            actor=self.actor,
            now=self.now,
        )
        follow_renewals(
            self.customers.values(),
            rows=self.rows,
            lines=self.of_customer,
            actor=self.actor,
            now=self.now,
        )
        if self._audit or self.posted:
            emit("contract.changed", {"customer_ids": sorted(self.customers)}, now=self.now)
        return self.posted
