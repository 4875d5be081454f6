"""Renewals and unpaid invoices of some customers, as facts for what needs a person."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from gengyun.portfolio.calc.needs import RENEWAL_DAYS, OverdueFact, RenewalFact
from gengyun.revenue.models import Category
from gengyun.revenue.queries.due import open_renewals
from gengyun.revenue.queries.receivables import overdue_as_of

INSTANT = timedelta(microseconds=1)  # what was written at this very moment is known


def renewal_facts(
    customer_ids: Sequence[int], *, today: date, now: datetime
) -> dict[int, list[RenewalFact]]:
    """Customer -> its renewals without an outcome that are due within 90 days, or past due."""
    found: dict[int, list[RenewalFact]] = defaultdict(list)
    until = today + timedelta(days=RENEWAL_DAYS)
    rows = open_renewals(today, until=until, moment=now + INSTANT, customer_ids=customer_ids)
    for row in rows:
        found[row.customer_id].append(
            RenewalFact(
                due_on=row.due_on,
                due_minor=row.due_minor,
                currency=row.currency,
                is_judged=row.category != Category.UNJUDGED,
                product_zh=row.product_zh,
                product_en=row.product_en,
            )
        )
    return dict(found)


def overdue_facts(
    customer_ids: Sequence[int], *, today: date, now: datetime
) -> dict[int, OverdueFact]:
    """Customer -> what it has not paid in time."""
    found = {}
    rows = overdue_as_of(today, moment=now + INSTANT, customer_ids=customer_ids)
    for pk, one in rows.items():
        if one is not None:
            currency, amount = one.main
            found[pk] = OverdueFact(
                days=one.days,
                due_on=one.oldest.due_on,
                number=one.oldest.number,
                count=one.count,
                amount_minor=amount,
                currency=currency,
            )
    return found
