"""Terms in days and months: when they end, how long they are, what a part of one costs.

Days are inclusive: a year from 2025-03-01 ends on 2026-02-28.
"""

import calendar
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

ChurnDate = Literal["end_of_period", "at_cancel", "day_after_cancel"]
DAY = timedelta(days=1)
YEAR_DAYS = 365


def rounded(amount: Decimal) -> int:
    """Whole minor units; half goes away from zero, as on an invoice."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def term_end(starts_on: date, months: int) -> date:
    """Last day of a term of whole months."""
    return add_months(starts_on, months) - DAY


def whole_months(starts_on: date, ends_on: date) -> int | None:
    """How many months the term has, if it is a whole number of them."""
    after = ends_on + DAY
    months = (after.year - starts_on.year) * 12 + after.month - starts_on.month
    for count in (months, months + 1):
        if count > 0 and add_months(starts_on, count) == after:
            return count
    return None


def term_days(starts_on: date, ends_on: date) -> int:
    return (ends_on - starts_on).days + 1


def next_term_end(starts_on: date, ends_on: date) -> date:
    """End of the following term of the same length: by months where it has whole months."""
    months = whole_months(starts_on, ends_on)
    if months is not None:
        return term_end(ends_on + DAY, months)
    return ends_on + timedelta(days=term_days(starts_on, ends_on))


def extended(ends_on: date, *, months: int = 0, days: int = 0) -> date:
    """The last day after a free extension. An end of a month stays one: 28 February + 2 = 30 April.

    Source: free extension as compensation extends the term and keeps the ARR.
    """
    return add_months(ends_on + DAY, months) - DAY + timedelta(days=days)


def churn_day(cancelled_on: date, paid_through: date, policy: ChurnDate = "end_of_period") -> date:
    """The day on which a cancellation is counted as churn. Real tools differ in this."""
    if policy == "at_cancel":
        return cancelled_on
    if policy == "day_after_cancel":
        return cancelled_on + DAY
    return paid_through


def first_day_without(
    cancelled_on: date, paid_through: date, policy: ChurnDate = "end_of_period"
) -> date:
    """`effective_on` of the churn movement: under `end_of_period` the last paid day still counts"""
    day = churn_day(cancelled_on, paid_through, policy)
    return day + DAY if policy == "end_of_period" else day


def part_of_year(annual: Decimal, days: int, *, year_days: int = YEAR_DAYS) -> Decimal:
    """Daily proration of a yearly price."""
    return annual * days / year_days


def upgrade_credit(old_annual: Decimal, used_days: int, *, year_days: int = YEAR_DAYS) -> Decimal:
    """What is left of a yearly price after `used_days`; daily proration, never below zero."""
    return part_of_year(old_annual, max(0, year_days - used_days), year_days=year_days)


def upgrade_due(
    old_annual: Decimal, used_days: int, new_annual: Decimal, *, year_days: int = YEAR_DAYS
) -> Decimal:
    """To pay for an upgrade that starts a new year (anchor reset): the new price less the credit"""
    return new_annual - upgrade_credit(old_annual, used_days, year_days=year_days)


def coterm_amount(
    annual: Decimal, starts_on: date, ends_on: date, *, year_days: int = YEAR_DAYS
) -> Decimal:
    """Price of an addition that ends with the contract: by months where whole, else by days."""
    months = whole_months(starts_on, ends_on)
    if months is not None:
        return annual * months / 12
    return part_of_year(annual, term_days(starts_on, ends_on), year_days=year_days)


def renewal_booking(starts_on: date, months: int) -> tuple[date, str]:
    """Renewal date of a term and the calendar quarter in which its renewal is booked."""
    due = term_end(starts_on, months)
    return due, f"{due.year}-Q{(due.month + 2) // 3}"
