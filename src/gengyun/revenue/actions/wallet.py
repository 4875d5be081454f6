"""What a customer says it spends a year in a category: who said so and when is kept."""

from datetime import date, datetime

from django.db import transaction

from gengyun.customers.actions.scope import mine
from gengyun.customers.models import Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.kernel.outbox import emit
from gengyun.revenue.calc.opportunities import CURRENCY, MOST_MINOR
from gengyun.revenue.models import WalletBudget
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

YEARS = (2000, 2100)


class BudgetBad(Refusal):
    code = "budget_bad"
    message = "%(field)s: this value cannot be used (%(reason)s)."


@transaction.atomic
def record_budget(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    category: str,
    year: int,
    amount_minor: int,
    currency: str,
    said_by: str,
    said_on: date | None,
) -> WalletBudget:
    """A further statement; the newest of a category and year holds, the older ones stay readable.

    `category` is a product family, or empty for all that could be spent with us.
    """
    require(actor, "opportunity.edit")
    row = mine(actor, customer)
    said_by = " ".join(said_by.split())
    if not said_by:
        raise BudgetBad(field="said_by", reason="missing")
    if len(said_by) > 120 or len(category) > 80:
        raise BudgetBad(field="said_by" if len(said_by) > 120 else "category", reason="long")
    if not YEARS[0] <= year <= YEARS[1]:
        raise BudgetBad(field="year", reason="range")
    if not 0 <= amount_minor <= MOST_MINOR:
        raise BudgetBad(field="amount_minor", reason="range")
    if not CURRENCY.fullmatch(currency):
        raise BudgetBad(field="currency", reason="choice")
    if said_on is not None and said_on > day_of(now):
        raise BudgetBad(field="said_on", reason="future")
    made = WalletBudget.objects.create(
        customer=row,
        category=category.strip(),
        year=year,
        amount_minor=amount_minor,
        currency=currency,
        said_by=said_by,
        said_on=said_on,
        author=actor,
        known_at=now,
    )
    told = {"year": [None, year], "amount_minor": [None, amount_minor], "said_by": [None, said_by]}
    record(actor=actor, now=now, action="budget.record", obj=made, changes=told)
    emit("opportunity.changed", {"customer_ids": [row.pk]}, now=now)
    return made
