"""What an action would write, without writing it: it runs and is taken back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from gengyun.revenue.calc.rules import Fault
from gengyun.revenue.models import Line, Movement
from gengyun.revenue.queries.ledger import arr_of


@dataclass(frozen=True)
class Would:
    """ARR by currency before and after, today and when everything scheduled has happened."""

    movements: list[Movement]
    lines: list[Line]
    before: dict[str, int]
    now: dict[str, int]
    later: dict[str, int]
    flags: list[Fault] = field(default_factory=list)


def would(customer_id: int, run: Callable[[], list[Fault]], *, today: date) -> Would:
    """Runs the action inside a transaction that is rolled back. Refusals come through.

    `run` returns the rules that were broken but do not refuse.
    """
    with transaction.atomic():
        before = arr_of(customer_id, today)
        last_row = _last(Movement.objects.filter(customer_id=customer_id))
        last_line = _last(Line.objects.filter(customer_id=customer_id))
        flags = run()
        rows = Movement.objects.filter(customer_id=customer_id, pk__gt=last_row)
        lines = Line.objects.filter(customer_id=customer_id, pk__gt=last_line)
        found = Would(
            list(rows.select_related("product").order_by("effective_on", "pk")),
            list(lines.select_related("product", "edition").order_by("pk")),
            before,
            arr_of(customer_id, today),
            arr_of(customer_id, date.max),
            flags,
        )
        transaction.set_rollback(True)
    return found


def _last(rows: QuerySet[Any]) -> int:
    newest: int | None = rows.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0
