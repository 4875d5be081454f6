"""The bow-tie: what comes in on the left, is signed in the middle, and grows on the right.

Each step says what it counts and of what; a share is given only where a step is a part of another.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Q, QuerySet, Sum

from gengyun.customers.models import Customer, StageStay
from gengyun.kernel.days import start_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.revenue.calc.moves import I64, balances, day_number
from gengyun.revenue.calc.policies import Policy
from gengyun.revenue.calc.spans import Span
from gengyun.revenue.calc.waterfall import COLUMNS, column_of, rows_of
from gengyun.revenue.models import Opportunity, OpportunityKind
from gengyun.revenue.queries.book import Book
from gengyun.revenue.queries.due_book import DueBook
from gengyun.revenue.queries.measures import renewal_rates
from gengyun.team.models import User

FIRST_STAGES = ("handover", "kickoff")


@dataclass(frozen=True)
class Step:
    """`of`: the step this one is a part of, "" where it stands for itself. None: not known."""

    key: str
    count: int
    amount_minor: int | None
    of: str = ""


def bow_tie(
    actor: User,
    of: Book,
    due: DueBook,
    *,
    first: date,
    last: date,
    as_of: date,
    policy: Policy,
    among: Q,
) -> list[Step]:
    """From `first` to `last`, both included; health and stage are those of today."""
    created, won = _opportunities(actor, first, last, among)
    new = _units(of, policy, first, last, "new")
    grown = _units(of, policy, first, last, "expansion")
    customers = of.customers[new]
    rows = CustomerSummary.objects.visible_to(actor).filter(pk__in=customers.tolist())
    past = _past_first_stages(rows)
    healthy = rows.filter(band__in=["A", "B"])
    paying = balances(of.moves, [day_number(last)])[:, 0]
    rate = renewal_rates(due, [Span("month", first, last)], as_of, policy)[0]
    return [
        created,
        won,
        Step("new", len(new), int(np.maximum(paying[new], 0).sum())),
        Step("onboarded", past.count(), _arr(past), of="new"),
        Step("healthy", healthy.count(), _arr(healthy), of="new"),
        Step("due", rate.due_count, rate.due),
        Step("renewed", rate.renewed_count, rate.renewed, of="due"),
        Step("paying", int((paying > 0).sum()), int(np.maximum(paying, 0).sum())),
        Step("expanded", len(grown), int(np.maximum(paying[grown], 0).sum()), of="paying"),
    ]


def _opportunities(actor: User, first: date, last: date, among: Q) -> tuple[Step, Step]:
    rows = (
        Opportunity.objects.visible_to(actor)
        .filter(kind=OpportunityKind.NEW, customer__in=Customer.objects.filter(among))
        .filter(created_at__gte=start_of(first))
        .filter(created_at__lt=start_of(date.fromordinal(last.toordinal() + 1)))
    )
    won = rows.filter(stage__is_won=True)
    return (
        Step("created", rows.count(), _amount(rows)),
        Step("won", won.count(), _amount(won), of="created"),
    )


def _amount(rows: QuerySet[Opportunity]) -> int | None:
    """None where amounts are in several currencies: they are not added up."""
    if rows.order_by().values("currency").distinct().count() > 1:
        return None
    return int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def _arr(rows: QuerySet[CustomerSummary]) -> int | None:
    if rows.order_by().values("currency").distinct().count() > 1:
        return None
    return int(rows.aggregate(sum=Sum("arr_minor"))["sum"] or 0)


def _units(of: Book, policy: Policy, first: date, last: date, column: str) -> I64:
    """Places of the customers with such a movement in the days."""
    rows = rows_of(of.moves, [day_number(first) - 1, day_number(last)], policy)
    found = np.unique(rows.unit[column_of(rows) == COLUMNS.index(column)])
    return np.asarray(found)


def _past_first_stages(rows: QuerySet[CustomerSummary]) -> QuerySet[CustomerSummary]:
    """Customers who have been in a stage after kick-off."""
    later = StageStay.objects.exclude(stage__key__in=FIRST_STAGES)
    return rows.filter(pk__in=later.values("customer_id"))
