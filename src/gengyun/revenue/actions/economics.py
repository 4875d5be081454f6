"""What was spent in a month, and what a customer says it could spend. Both are append-only: a
slip is corrected by a row that is known later."""

from datetime import date, datetime

from django.db import transaction

from gengyun.customers.models import Customer
from gengyun.kernel.errors import Refusal
from gengyun.revenue.models import Spend, SpendKind, WalletBudget
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


class BudgetNegative(Refusal):
    code = "budget_negative"
    message = "A budget cannot be negative."


class BudgetOfNothing(Refusal):
    code = "budget_of_nothing"
    message = "Name the category the budget is for."


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


@transaction.atomic
def state_budget(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    category: str,
    year: int,
    amount_minor: int,
    currency: str = "",
    said_by: str = "",
    said_on: date | None = None,
) -> WalletBudget:
    """The latest statement for a category and year holds; earlier ones stay as what was known."""
    require(actor, "customer.edit")
    if amount_minor < 0:
        raise BudgetNegative
    if not category.strip():
        raise BudgetOfNothing
    row = WalletBudget.objects.create(
        customer=customer,
        category=category.strip()[:80],
        year=year,
        amount_minor=amount_minor,
        currency=currency or customer.currency,
        said_by=said_by.strip()[:120],
        said_on=said_on,
        author=actor,
        known_at=now,
    )
    told = {"amount_minor": [None, amount_minor], "year": [None, year]}
    record(actor=actor, now=now, action="budget.state", obj=row, changes=told)
    return row
