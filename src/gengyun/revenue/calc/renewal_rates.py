"""Due-based retention: what came due in a period, and what of it renewed.

A due row is one renewal: what comes due when, and what it became. Whether an early or late
signature counts in the period of the due date or of the signature is a policy, and so is whether
a late one is a renewal at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from gengyun.revenue.calc.figure import NOTHING_DUE, Figure, Number, exact, quotient
from gengyun.revenue.calc.moves import I64, Bools, added, day_number
from gengyun.revenue.calc.policies import DEFAULT, NO_LIMIT, Policy

COUNT = "Renewal rate by count, due-based: renewals signed, divided by renewals due in the period."
NET = "Renewal rate by amount, due-based: renewed ARR divided by ARR due in the period."
GROSS = (
    "Gross renewal rate by amount, due-based: renewed ARR, each renewal at most what was due, "
    "divided by ARR due in the period."
)
FORECAST = (
    "Renewal forecast: signed amounts and forecasts of open renewals, each at most what is due."
)
RENEWAL_KEYS = ("attribution", "early", "late", "grace_days", "count_level")
UNSIGNED = -(2**40)


@dataclass(frozen=True, slots=True)
class DueRows:
    """One row per renewal, amounts in minor units. `signed`: day number, UNSIGNED when there is no
    successor; `lost_on`: day number of the loss, UNSIGNED while undecided or renewed."""

    customer: I64
    due_on: I64
    due: I64
    signed: I64
    renewed: I64
    lost_on: I64

    def __len__(self) -> int:
        return len(self.due)

    def only(self, kept: Bools) -> "DueRows":
        return self.at(np.flatnonzero(kept))

    def at(self, places: I64) -> "DueRows":
        return DueRows(
            self.customer[places],
            self.due_on[places],
            self.due[places],
            self.signed[places],
            self.renewed[places],
            self.lost_on[places],
        )


@dataclass(frozen=True, slots=True)
class RenewalRate:
    """`open_count`: due in the period and neither signed nor lost as known on the day asked."""

    count: Figure
    net: Figure
    gross: Figure
    due_count: int
    due: int
    renewed_count: int
    renewed: int
    renewed_capped: int
    open_count: int
    open_due: int
    late_count: int  # signed after the due date and counted
    is_mature: bool  # the period is over, its grace has run out and nothing is open


def due_rows(
    rows: Sequence[tuple[int, date, int, date | None, int]],
) -> DueRows:
    """From (customer, due on, amount due, signed on or None, amount renewed)."""
    return DueRows(
        customer=np.array([row[0] for row in rows], np.int64),
        due_on=np.array([day_number(row[1]) for row in rows], np.int64),
        due=np.array([row[2] for row in rows], np.int64),
        signed=np.array(
            [UNSIGNED if row[3] is None else day_number(row[3]) for row in rows], np.int64
        ),
        renewed=np.array([row[4] for row in rows], np.int64),
        lost_on=np.full(len(rows), UNSIGNED, np.int64),
    )


def renewal_rate(
    rows: DueRows, first: int, after: int, as_of: int, policy: Policy = DEFAULT
) -> RenewalRate:
    """For the half-open period [first, after), as known at the end of the day `as_of`.

    Sources: OPEXEngine (due and signing dates), Gainsight Renewal Center (capped at target).
    """
    signed = (rows.signed != UNSIGNED) & (rows.signed <= as_of)
    due, won = counted_in(rows, first, after, as_of, policy)
    amount = np.where(won, rows.renewed, 0)
    capped = np.minimum(amount, rows.due)
    undecided = due & ~signed & ~((rows.lost_on != UNSIGNED) & (rows.lost_on <= as_of))
    total = int(rows.due[due].sum())
    top, bottom = _counted(rows.customer, due, won, policy)
    chosen = policy.chosen(*RENEWAL_KEYS)
    grace = max(policy.grace_days, 0)
    return RenewalRate(
        count=quotient(top, bottom, definition=COUNT, reason=NOTHING_DUE, policy=chosen),
        net=quotient(int(amount.sum()), total, definition=NET, reason=NOTHING_DUE, policy=chosen),
        gross=quotient(
            int(capped.sum()), total, definition=GROSS, reason=NOTHING_DUE, policy=chosen
        ),
        due_count=int(due.sum()),
        due=total,
        renewed_count=int(won.sum()),
        renewed=int(amount.sum()),
        renewed_capped=int(capped.sum()),
        open_count=int(undecided.sum()),
        open_due=int(rows.due[undecided].sum()),
        late_count=int((won & (rows.signed > rows.due_on)).sum()),
        is_mature=as_of >= after - 1 + grace and not bool(undecided.any()),
    )


def counted_in(
    rows: DueRows, first: int, after: int, as_of: int, policy: Policy = DEFAULT
) -> tuple[Bools, Bools]:
    """Which rows are in the denominator (due in the period), and which in the numerator."""
    signed = (rows.signed != UNSIGNED) & (rows.signed <= as_of)
    counts = signed & _is_renewal(rows, policy)
    credit = credit_days(rows, policy)
    due: Bools = (rows.due_on >= first) & (rows.due_on < after)
    won: Bools = counts & (credit >= first) & (credit < after)
    return due, won


def credit_days(rows: DueRows, policy: Policy = DEFAULT) -> I64:
    """The day whose period a renewal counts in."""
    if policy.attribution == "signed_date":
        return rows.signed
    credit = rows.due_on.copy()
    early, late = rows.signed < rows.due_on, rows.signed > rows.due_on
    if policy.early == "signed_period":
        credit = np.where(early, rows.signed, credit)
    if policy.late == "windfall":
        credit = np.where(late, rows.signed, credit)
    return credit


def _is_renewal(rows: DueRows, policy: Policy) -> Bools:
    """Not so late that it is a new sale."""
    lateness = rows.signed - rows.due_on
    if policy.late == "lost":
        return np.asarray(lateness <= max(policy.grace_days, 0))
    if policy.grace_days == NO_LIMIT:
        return np.ones(len(rows), bool)
    return np.asarray(lateness <= policy.grace_days)


def _counted(customer: I64, due: Bools, won: Bools, policy: Policy) -> tuple[int, int]:
    if policy.count_level == "renewal":
        return int(won.sum()), int(due.sum())
    size = int(customer.max(initial=-1)) + 1
    had = added(customer, due.astype(np.int64), size)
    got = added(customer, won.astype(np.int64), size)
    renewed = (got > 0) if policy.partial == "any" else (got > 0) & (got >= had)
    return int(renewed.sum()), int((had > 0).sum())


# ---- from totals and lists


def count_of_totals(*, due: Number, lost: Number) -> Figure:
    """(due - lost) / due. Source: Planhat, SaaS renewal rate."""
    return quotient(exact(due) - exact(lost), due, definition=COUNT, reason=NOTHING_DUE)


def net_of_totals(
    *, due: Number, renewed: Number, expansion: Number = 0, contraction: Number = 0
) -> Figure:
    """(renewed + expansion - contraction) / due; `renewed` is at the old price."""
    kept = exact(renewed) + exact(expansion) - exact(contraction)
    return quotient(kept, due, definition=NET, reason=NOTHING_DUE)


def gross_of_totals(*, due: Number, renewed: Number, contraction: Number = 0) -> Figure:
    """(renewed - contraction) / due, from 0 to 1, as `retention.grr_of_totals`."""
    kept = max(min(exact(renewed) - exact(contraction), exact(due)), exact(0))
    return quotient(kept, due, definition=GROSS, reason=NOTHING_DUE)


def net_of_lists(due: Sequence[Number], renewed: Sequence[Number]) -> Figure:
    return quotient(_sum(renewed), _sum(due), definition=NET, reason=NOTHING_DUE)


def gross_of_lists(due: Sequence[Number], renewed: Sequence[Number]) -> Figure:
    """Each renewal counts with at most what was due of it."""
    kept = [min(exact(got), exact(was)) for was, got in zip(due, renewed, strict=True)]
    return quotient(_sum(kept), _sum(due), definition=GROSS, reason=NOTHING_DUE)


def count_of_lists(
    customers: Sequence[object],
    due: Sequence[Number],
    renewed: Sequence[Number],
    policy: Policy = DEFAULT,
) -> Figure:
    """Renewals, or customers, of which something was renewed."""
    number = {who: place for place, who in enumerate(dict.fromkeys(customers))}
    who = np.array([number[item] for item in customers], np.int64)
    was = np.array([exact(value) > 0 for value in due], bool)
    got = np.array([exact(value) > 0 for value in renewed], bool)
    top, bottom = _counted(who, was, got, policy)
    return quotient(
        top,
        bottom,
        definition=COUNT,
        reason=NOTHING_DUE,
        policy=policy.chosen("count_level", "partial"),
    )


def capped_forecast(rows: Sequence[tuple[Number, Number]]) -> tuple[Decimal, Decimal]:
    """(what is due, forecast) from (amount due, signed or forecast amount), each capped at due.

    Source: Gainsight, Renewal Center metric calculations.
    """
    due = _sum([row[0] for row in rows])
    return due, _sum([min(exact(was), exact(said)) for was, said in rows])


def _sum(values: Sequence[Number]) -> Decimal:
    return sum((exact(value) for value in values), Decimal(0))
