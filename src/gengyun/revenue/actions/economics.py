"""What was spent in a month. Append-only: a slip is corrected by a row that is known later."""

from datetime import date, datetime

from django.db import transaction

from gengyun.kernel.errors import Refusal
from gengyun.revenue.models import Spend, SpendKind
from gengyun.revenue.queries.settings import current
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require


class SpendKindUnknown(Refusal):
    code = "spend_kind_unknown"
    message = "Spend is one of: sales and marketing, customer success, salary, cost of delivery."


class SalaryOfNobody(Refusal):
    code = "salary_of_nobody"
    message = "A salary belongs to a person."


@transaction.atomic
def record_spend(
    *,
    actor: User | None,
    now: datetime,
    kind: str,
    month: date,
    amount_minor: int,
    currency: str = "",
    user: User | None = None,
    note: str = "",
) -> Spend:
    """Adds to what the month holds already; a negative amount takes back what was too much."""
    require(actor, "settings.edit")
    if kind not in SpendKind.values:
        raise SpendKindUnknown
    if kind == SpendKind.SALARY and user is None:
        raise SalaryOfNobody
    row = Spend.objects.create(
        kind=kind,
        month=month.replace(day=1),
        amount_minor=amount_minor,
        currency=currency or current().base_currency,
        user=user if kind == SpendKind.SALARY else None,
        note=note.strip()[:200],
        known_at=now,
    )
    told = {"amount_minor": [None, amount_minor], "month": [None, row.month]}
    record(actor=actor, now=now, action="spend.record", obj=row, changes=told)
    return row
