"""Book-based retention: ARR at the start of a period, and what became of exactly those customers.

Two ways in: totals or lists that somebody has already added up (the formulas people print), and
movements, from which everything is found. New customers never count in the numerator.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gengyun.revenue.calc.events import events_of
from gengyun.revenue.calc.figure import (
    NO_CUSTOMERS,
    NO_LENGTH,
    NOTHING_AT_START,
    OVER_ALL,
    Figure,
    Number,
    exact,
    known,
    quotient,
    unknown,
)
from gengyun.revenue.calc.moves import I64, Moves, added, balances
from gengyun.revenue.calc.policies import DEFAULT, Policy

NRR = (
    "Net revenue retention (NRR), book-based: ARR at the end of the period from the customers of "
    "its start, divided by their ARR at the start. New customers do not count."
)
GRR = (
    "Gross revenue retention (GRR), book-based: as NRR, but no customer counts with more than at "
    "the start, so that growth elsewhere hides no loss. Never above 100 %."
)
LOGO = (
    "Customer retention: customers of the start who still pay at the end, divided by all of them."
)
LOGO_CHURN = "Customer churn: customers of the start who no longer pay at the end, by all of them."
GROSS_CHURN = "Gross ARR churn: churned and contracted ARR divided by ARR at the start."
NET_CHURN = "Net ARR churn: churned and contracted less expanded ARR, divided by ARR at the start."
SCALED_CHURN = (
    "Churn of a period scaled to another length by compounding: 1 - (1 - c) ^ (to / from)."
)
ACTIVITY_CHURN = (
    "Activity churn: of those active in the window before the start, who was not active in the "
    "window before the end."
)
RETENTION_KEYS = ("method", "returned", "cohort", "level")


@dataclass(frozen=True, slots=True)
class Retention:
    """Figures of one period, and the sums they are made of (minor units, customers)."""

    nrr: Figure
    grr: Figure
    logo: Figure
    start: int
    end: int
    gross_end: int
    churned: int  # ARR at the start of those who left
    contracted: int
    expanded: int
    start_count: int
    left_count: int


# ---- from totals


def nrr_of_totals(
    *,
    start: Number,
    expansion: Number = 0,
    contraction: Number = 0,
    churn: Number = 0,
    win_back: Number = 0,
    policy: Policy = DEFAULT,
) -> Figure:
    """(start + expansion - contraction - churn [+ win-back]) / start. Losses are positive numbers.

    Source: Gainsight, ChurnZero and Baremetrics definitions of NRR.
    """
    back = exact(win_back) if policy.returned == "count" else exact(0)
    kept = exact(start) + exact(expansion) - exact(contraction) - exact(churn) + back
    return quotient(
        kept,
        start,
        definition=NRR,
        reason=NOTHING_AT_START,
        policy=policy.chosen("returned"),
    )


def grr_of_totals(*, start: Number, contraction: Number = 0, churn: Number = 0) -> Figure:
    """(start - contraction - churn) / start, from 0 to 1. Source: SaaS Metrics Board."""
    left = exact(start) - exact(contraction) - exact(churn)
    kept = max(min(left, exact(start)), exact(0))
    return quotient(kept, start, definition=GRR, reason=NOTHING_AT_START)


def gross_churn_of_totals(*, start: Number, contraction: Number = 0, churn: Number = 0) -> Figure:
    """(churn + contraction) / start. Source: ChartMogul, gross MRR churn rate."""
    lost = exact(churn) + exact(contraction)
    return quotient(lost, start, definition=GROSS_CHURN, reason=NOTHING_AT_START)


def net_churn_of_totals(
    *,
    start: Number,
    expansion: Number = 0,
    contraction: Number = 0,
    churn: Number = 0,
    win_back: Number = 0,
    policy: Policy = DEFAULT,
) -> Figure:
    """(churn + contraction - expansion [- win-back]) / start. Source: ChartMogul, net MRR churn."""
    back = exact(win_back) if policy.returned == "count" else exact(0)
    lost = exact(churn) + exact(contraction) - exact(expansion) - back
    return quotient(
        lost,
        start,
        definition=NET_CHURN,
        reason=NOTHING_AT_START,
        policy=policy.chosen("returned"),
    )


def logo_retention_of_totals(*, start: Number, end: Number, new: Number = 0) -> Figure:
    """(customers at the end - new ones) / customers at the start."""
    return quotient(exact(end) - exact(new), start, definition=LOGO, reason=NO_CUSTOMERS)


def logo_churn_of_totals(*, start: Number, left: Number) -> Figure:
    return quotient(left, start, definition=LOGO_CHURN, reason=NO_CUSTOMERS)


def scaled_churn(churn: Number, *, from_days: Number, to_days: Number = 365) -> Figure:
    """1 - (1 - c) ** (to / from): churn compounds, it is not multiplied.

    Source: Gold, Fighting Churn With Data, listing 2.5 (a year of 365 days, a month of 365 / 12).
    """
    kept = 1 - exact(churn)
    if exact(from_days) <= 0 or exact(to_days) <= 0:
        return unknown(NO_LENGTH, definition=SCALED_CHURN)
    if kept < 0:
        return unknown(OVER_ALL, definition=SCALED_CHURN)
    if kept == 0:
        return known(1, definition=SCALED_CHURN, unit="share")
    scaled = 1 - kept ** (exact(to_days) / exact(from_days))
    return known(scaled, definition=SCALED_CHURN, unit="share")


# ---- from lists, one item per customer


def retention_of_lists(
    start: Sequence[Number], end: Sequence[Number], policy: Policy = DEFAULT
) -> Retention:
    """One item per customer of the start; whoever has nothing at the start is new and left out.

    Amounts must be whole minor units or are scaled to ten-thousandths.
    """
    first = np.array([int(exact(value) * 10_000) for value in start], np.int64)
    last = np.array([int(exact(value) * 10_000) for value in end], np.int64)
    return _figures(np.maximum(first, 0), np.maximum(last, 0), None, policy, scale=10_000)


# ---- from movements


def retention_between(
    moves: Moves,
    open_day: int,
    close_day: int,
    policy: Policy = DEFAULT,
    *,
    customer_of: I64 | None = None,
) -> Retention:
    """What became by the end of `close_day` of those with ARR at the end of `open_day`.

    `customer_of`: the customer of each unit, when units are finer than customers: then losses are
    capped per unit, and NRR and customers are still those of whole customers.
    """
    return retention_series(moves, [(open_day, close_day)], policy, customer_of=customer_of)[0]


def retention_series(
    moves: Moves,
    windows: Sequence[tuple[int, int]],
    policy: Policy = DEFAULT,
    *,
    customer_of: I64 | None = None,
    table: I64 | None = None,
) -> list[Retention]:
    """`retention_between` for many windows, reading the movements once.

    `table`: balances of every unit on the rising days of all windows, when they are not the plain
    sums (ARR at the exchange rates of each day).
    """
    found = retention_ends(moves, windows, policy, customer_of=customer_of, table=table)
    return [_figures(one.start, one.end, one.kept, policy) for one in found]


@dataclass(frozen=True, slots=True)
class Ends:
    """Per customer of a window: ARR at its start and end, and what of the start is left in the
    gross sense. New customers have nothing at the start."""

    start: I64
    end: I64
    kept: I64


def retention_ends(
    moves: Moves,
    windows: Sequence[tuple[int, int]],
    policy: Policy = DEFAULT,
    *,
    customer_of: I64 | None = None,
    table: I64 | None = None,
) -> list[Ends]:
    """What the figures of `retention_series` are summed up from, customer by customer."""
    days = sorted({day for window in windows for day in window})
    column = {day: number for number, day in enumerate(days)}
    units = np.arange(moves.units, dtype=np.int64) if customer_of is None else customer_of
    is_fine = customer_of is not None
    table = np.maximum(balances(moves, days) if table is None else table, 0)
    whole = _by_customer(table, units) if is_fine else table
    losses = _losses(moves, days) if policy.method == "movements" else None
    gone = _gone(_customer_moves(moves, units), days) if policy.returned == "exclude" else None
    found = []
    for opened, closed in windows:
        a, b = column[opened], column[closed]
        start, end = whole[:, a], whole[:, b]
        if gone is not None:
            end = np.where(gone[:, b] > gone[:, a], 0, end)
        kept = np.minimum(table[:, a], table[:, b])
        if losses is not None:
            kept = np.maximum(table[:, a] - (losses[:, b] - losses[:, a]), 0)
        if is_fine:
            kept = _by_customer(kept[:, None], units)[:, 0]
        found.append(Ends(start, end, np.minimum(np.minimum(kept, end), start)))
    return found


def _figures(
    start: I64, end: I64, kept: I64 | None, policy: Policy, *, scale: int = 1
) -> Retention:
    """`kept`: what of the start is left in the gross sense; by default the smaller of both ends."""
    counted = (start > 0) & (end > 0) if policy.cohort == "survivors" else start > 0
    first, last = start[counted], end[counted]
    gross = np.minimum(first, last) if kept is None else np.minimum(kept[counted], first)
    total, left = int(first.sum()), int((last <= 0).sum())
    stays = last > 0
    chosen = policy.chosen(*RETENTION_KEYS)

    def share(part: int, whole: int, definition: str, reason: str, unit: int) -> Figure:
        return quotient(
            exact(part) / unit,
            exact(whole) / unit,
            definition=definition,
            reason=reason,
            policy=chosen,
        )

    return Retention(
        nrr=share(int(last.sum()), total, NRR, NOTHING_AT_START, scale),
        grr=share(int(gross.sum()), total, GRR, NOTHING_AT_START, scale),
        logo=share(int(stays.sum()), len(first), LOGO, NO_CUSTOMERS, 1),
        start=total // scale,
        end=int(last.sum()) // scale,
        gross_end=int(gross.sum()) // scale,
        churned=int(first[~stays].sum()) // scale,
        contracted=int((first - gross)[stays].sum()) // scale,
        expanded=int((last - gross)[stays].sum()) // scale,
        start_count=len(first),
        left_count=left,
    )


def _by_customer(table: I64, customer_of: I64) -> I64:
    """Rows of one customer summed up; the customers keep their numbers."""
    width = table.shape[1]
    size = int(customer_of.max(initial=-1)) + 1
    cell = customer_of[:, None] * width + np.arange(width)
    return added(cell.ravel(), table.ravel(), size * width).reshape(size, width)


def _customer_moves(moves: Moves, customer_of: I64) -> Moves:
    size = int(customer_of.max(initial=-1)) + 1
    return Moves(customer_of[moves.unit], moves.day, moves.amount, moves.kind, size)


def _losses(moves: Moves, days: Sequence[int]) -> I64:
    """What each unit lost up to each day, by its events of a day, as positive amounts."""
    events = events_of(moves, grouping_days=1)
    down = events.amount < 0
    return balances(
        Moves(
            events.unit[down],
            events.day[down],
            -events.amount[down],
            np.zeros(int(down.sum()), np.int8),
            moves.units,
        ),
        days,
    )


def _gone(moves: Moves, days: Sequence[int]) -> I64:
    """How often each customer's ARR had ended up to each day."""
    events = events_of(moves, grouping_days=1)
    ends = (events.before > 0) & (events.after <= 0)
    count = int(ends.sum())
    return balances(
        Moves(
            events.unit[ends],
            events.day[ends],
            np.ones(count, np.int64),
            np.zeros(count, np.int8),
            moves.units,
        ),
        days,
    )


# ---- from activity


def activity_churn(
    who: I64, day: I64, *, opened: int, closed: int, open_from: int, close_from: int
) -> Figure:
    """Of those active in (open_from, opened], the share not active in (close_from, closed].

    For products without contracts. Source: Gold, Fighting Churn With Data, listing 2.3.
    """
    at_start = np.unique(who[(day > open_from) & (day <= opened)])
    at_end = np.unique(who[(day > close_from) & (day <= closed)])
    lost = int((~np.isin(at_start, at_end)).sum())
    return quotient(lost, len(at_start), definition=ACTIVITY_CHURN, reason=NO_CUSTOMERS)
