"""The company's own working calendar, learned from the use of all its customers.

c(d) = base(d) x learned(d). base is the published table (`workdays`). learned is what all customers
did on the day over what they would have done on it by their own mean of the 56 effective days
before, shrunk towards 1 by n / (n + 8) (science.md 5.1). Only days before d decide about d: what
was learned for a day does not change when later days come.

Industries have seasons of their own (a school year, a sales festival): where groups are given, each
group's calendar is learned in the same way and shrunk towards that of all.

A day on which nearly everybody stood still although it was no rest day is an outage (ours or the
data's): it counts for nobody, and is one incident of the whole company.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from gengyun.kernel.calc.workdays import Workdays, workdays

Floats = npt.NDArray[np.float64]

WINDOW = 56  # days of the own mean
SHRINK = 8.0  # customers that the published table is worth
GROUP_SHRINK = 3.0  # customers of a group that the calendar of all is worth
SETTLED = 14  # days after first use before a customer teaches the calendar
LARGEST_SHARE = 0.05  # no customer counts for more than this share of all
FILLING = 5  # steps towards that share; each brings what is left of the largest nearer
# an outage: less than a quarter of the use that was due, with at least this much due, of at least
# so many customers, and nearly all of them below half
OUTAGE_RATIO, OUTAGE_EXPECTED, OUTAGE_CUSTOMERS, OUTAGE_BREADTH = 0.25, 20.0, 5, 0.85


@dataclass(frozen=True)
class Outage:
    """Days [first, last] on which the whole company stood still."""

    first: date
    last: date
    expected: float  # events that were due
    observed: float
    customers: int  # that were usually active
    is_announced: bool  # False: may be a holiday that is not in the table yet

    @property
    def ratio(self) -> float:
        return self.observed / self.expected


@dataclass(frozen=True)
class Calendar:
    """`factor[d]`: the share of an ordinary working day; 0 on days that count for nobody."""

    start: date
    factor: Floats  # of all customers
    by_group: Floats  # [groups, days]; one row, `factor`, where no groups were given
    groups: npt.NDArray[np.int64]  # row of `by_group` per customer
    base: Floats
    learned: Floats  # what use says over what the table says; 1: nothing learned
    outages: tuple[Outage, ...]
    unannounced_from: date | None  # from here on only the weekday pattern is known

    def days(self) -> list[date]:
        return [self.start + timedelta(days=k) for k in range(len(self.factor))]


@dataclass
class _Day:
    """What all customers together say about one day."""

    ratio: float
    weight: float  # how many customers' worth of evidence
    expected: float
    observed: float
    customers: int
    breadth: float  # share of the usually active that stayed below half


def learn(
    usage: npt.ArrayLike,
    *,
    start: date,
    base: Workdays | None = None,
    groups: npt.ArrayLike | None = None,
) -> Calendar:
    """The calendar of the days of `usage` [customers, days], the first of them `start`.

    Numbers per customer and day: events or active users. A customer counts from two weeks after its
    first use. Without customers the calendar is the published table. `groups`: a number from 0 per
    customer (its industry); negative: none, the calendar of all.
    """
    use = np.asarray(usage)
    customers, count = use.shape
    base = base or workdays(start, count)
    mine = np.zeros(customers, np.int64) if groups is None else np.asarray(groups, np.int64) + 1
    rows = 1 + max(0, int(mine.max(initial=0)))  # row 0: everybody
    # nobody has used anything before `began`: sums up to there are 0
    began = np.where(use.any(axis=1), (use > 0).argmax(axis=1), count) if count else mine
    began = began.astype(np.int64)
    heaped = np.zeros((count + 1, customers))  # sums of use up to each day, without outages
    effective = np.zeros((rows, count + 1))  # sums of factor
    factor, learned = np.tile(base.base, (rows, 1)), np.ones(count)
    outages: list[tuple[int, _Day]] = []
    for d in range(count):
        today = use[:, d].astype(np.float64)
        first = max(0, d - WINDOW)
        worth = effective[mine, d] - effective[mine, np.clip(began, first, d)]
        is_settled = (began <= d - SETTLED) & (worth >= 1)
        mean = np.zeros(customers)
        np.divide(heaped[d] - heaped[first], worth, out=mean, where=is_settled)
        expected = mean * base.base[d]
        seen = _see(expected, today)
        if _is_outage(seen, base, d, after=bool(outages) and outages[-1][0] == d - 1):
            outages.append((d, seen))
            factor[:, d] = learned[d] = today[:] = 0.0
        else:
            learned[d] = (seen.weight * seen.ratio + SHRINK) / (seen.weight + SHRINK)
            factor[:, d] = base.base[d] * learned[d]
            if rows > 1:
                factor[1:, d] = base.base[d] * _of_groups(
                    expected, today, mine, rows, float(learned[d])
                )
        heaped[d + 1] = heaped[d] + today
        effective[:, d + 1] = effective[:, d] + factor[:, d]
    return Calendar(
        start=start,
        factor=factor[0],
        by_group=factor,
        groups=mine,
        base=base.base,
        learned=learned,
        outages=_joined(outages, start, base),
        unannounced_from=base.unannounced_from,
    )


def _of_groups(
    expected: Floats, observed: Floats, mine: npt.NDArray[np.int64], rows: int, of_all: float
) -> Floats:
    """What each group says over the table, shrunk towards what all say; without row 0."""
    total = np.bincount(mine, expected, rows)
    # as for all: no customer is more than its share of the group
    allowed = np.maximum(LARGEST_SHARE, 2 / np.maximum(np.bincount(mine, expected > 0, rows), 1))
    most = total
    if (expected > (allowed * total)[mine]).any():
        for _ in range(FILLING):
            most = allowed * np.bincount(mine, np.minimum(expected, most[mine]), rows)
    share = np.minimum(expected, most[mine])
    scale = share / np.where(expected > 0, expected, 1.0)
    summed = np.bincount(mine, share, rows)
    seen = np.bincount(mine, observed * scale * (expected > 0), rows)
    squares = np.bincount(mine, share**2, rows)
    customers = np.divide(summed**2, squares, out=np.zeros(rows), where=squares > 0)
    weight = np.minimum(customers, total)
    ratio = np.divide(seen, summed, out=np.ones(rows), where=summed > 0)
    return np.asarray(((weight * ratio + GROUP_SHRINK * of_all) / (weight + GROUP_SHRINK))[1:])


def _see(expected: Floats, observed: Floats) -> _Day:
    active = expected > 0
    expected, observed = expected[active], observed[active]
    total = float(expected.sum())
    if not total:
        return _Day(1.0, 0.0, 0.0, float(observed.sum()), 0, 0.0)
    # the largest customers are scaled down, so that one of them is not the calendar of all
    most, allowed = total, max(LARGEST_SHARE, 2 / len(expected))
    if float(expected.max()) > allowed * total:
        for _ in range(FILLING):
            most = allowed * float(np.minimum(expected, most).sum())
    share = np.minimum(expected, most)
    scale = share / expected
    customers = float(share.sum() ** 2 / (share**2).sum())
    usual = expected >= 2
    return _Day(
        ratio=float((observed * scale).sum() / share.sum()),
        weight=min(customers, total),
        expected=total,
        observed=float(observed.sum()),
        customers=int(usual.sum()) or len(expected),
        breadth=float((observed < expected / 2)[usual].mean()) if usual.any() else 0.0,
    )


def _is_outage(seen: _Day, base: Workdays, d: int, *, after: bool) -> bool:
    """Rest days only belong to an outage that began before them: they are quiet anyway."""
    if base.is_rest[d] and not after:
        return False
    return (
        seen.ratio < OUTAGE_RATIO
        and seen.customers >= OUTAGE_CUSTOMERS
        and seen.expected >= (OUTAGE_EXPECTED if not base.is_rest[d] else 1.0)
        and (seen.breadth >= OUTAGE_BREADTH or base.is_rest[d])
    )


def _joined(days: list[tuple[int, _Day]], start: date, base: Workdays) -> tuple[Outage, ...]:
    """Days that follow each other are one outage; a rest day between two does not part them."""
    runs: list[list[tuple[int, _Day]]] = []
    for d, seen in days:
        if runs and bool(base.is_rest[runs[-1][-1][0] + 1 : d].all()):
            runs[-1].append((d, seen))
        else:
            runs.append([(d, seen)])
    return tuple(
        Outage(
            first=start + timedelta(days=run[0][0]),
            last=start + timedelta(days=run[-1][0]),
            expected=sum(seen.expected for _, seen in run),
            observed=sum(seen.observed for _, seen in run),
            customers=max(seen.customers for _, seen in run),
            is_announced=all(bool(base.is_announced[d]) for d, _ in run),
        )
        for run in runs
    )
