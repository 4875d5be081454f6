"""What is to be foreseen: non-renewal with grace, and silence where there are no contracts
(science.md 4.2).

Nothing is decided before it may be learned: a renewal counts as kept or lost from due + grace on,
both alike. Were early signatures taken as soon as they are known, the newest renewals would be
those that were kept, and every model would be told that things are getting better.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from gengyun.churn.calc.observed import Dues, Observed
from gengyun.churn.calc.table import Days, Flags, Floats, Ints
from gengyun.churn.calc.windows import NO_DAY, Index, numbers, places, total

GRACE = 60  # days after the due date in which a late signature still keeps the customer
GONE = 0.10  # share of the amount up to which what is kept counts as lost
NEAR = 30  # days: an end so shortly before the due date is the non-renewal itself
SILENT = 180
ACTIVE_WITHIN = 90  # days: who has not been there for longer is silent already


@dataclass(frozen=True)
class Outcomes:
    """One per row of Dues, as known before the cut-off."""

    y: Floats  # 1 lost, 0 kept, nan not decided, or not of this kind
    kept_share: Floats  # of the amount, of what was kept: the down-sell ratio; nan: lost or open
    known: Days  # due + grace; NaT: after the cut-off
    is_midterm: Flags  # ended before it came due
    is_open: Flags  # nothing signed, said or ended before the cut-off, and grace not over


def day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def days_of(days: Ints) -> Days:
    return np.asarray(days).astype("datetime64[D]")


def outcomes(
    dues: Dues, *, cutoff: date, grace: int = GRACE, preventable_only: bool = True
) -> Outcomes:
    """science.md 4.2. `preventable_only`: bankruptcies and mergers are left undecided."""
    now = day_number(cutoff)
    due, decided, ended = numbers(dues.due), numbers(dues.decided), numbers(dues.ended)
    months = dues.period_months > 0
    last = due + np.where(months, min(grace, 30), grace)
    signed = (decided != NO_DAY) & (decided < now)
    over = (ended != NO_DAY) & (ended < now)
    is_midterm = over & (ended < due - NEAR) & ~months
    share = np.divide(
        dues.kept_minor,
        dues.amount_minor,
        out=np.where(dues.kept_minor > 0, 1.0, 0.0),
        where=dues.amount_minor > 0,
    )
    kept = signed & ~np.isnan(dues.kept_minor) & (share > GONE) & (decided <= last)
    is_due = (last < now) & ~is_midterm
    y = np.where(is_due, np.where(kept, 0.0, 1.0), np.nan)
    if preventable_only:
        y = np.where((dues.involuntary > 0) & (y == 1), np.nan, y)
    return Outcomes(
        y,
        np.where(y == 0, share, np.nan),
        np.where(is_due, days_of(last), np.datetime64("NaT", "D")),
        is_midterm,
        ~signed & ~over & (last >= now),
    )


def is_undecided(dues: Dues, at: Ints, row: Ints, grace: int = GRACE) -> Flags:
    """Whether row `row` was known to come due, and nobody knew its outcome, on the day `at`."""
    known, starts = numbers(dues.known)[row], numbers(dues.starts)[row]
    decided, ended = numbers(dues.decided)[row], numbers(dues.ended)[row]
    last = numbers(dues.due)[row] + grace
    return np.asarray(
        (known < at)
        & (starts <= at)
        & ((decided == NO_DAY) | (decided >= at))
        & ((ended == NO_DAY) | (ended >= at))
        & (at <= last)
    )


def silence(
    observed: Observed,
    *,
    account: Ints,
    at: Ints,
    cutoff: date,
    days: int = SILENT,
) -> tuple[Floats, Days]:
    """(y, known): 1 where nothing is used in [at, at + days), the substitute event; nan: not over.

    Use counts that was known before the cut-off. Kept and lost are known on the same day.
    """
    now = day_number(cutoff)
    use = observed.use
    place = places(observed.accounts, use.account)
    held = place >= 0
    index = Index.of(place[held], numbers(use.day)[held], numbers(use.known)[held])
    window, _ = index.spans(
        places(observed.accounts, account), at, at + days, np.full(len(at), now)
    )
    used = total(window, None, len(at)) > 0
    over = at + days < now
    y = np.where(over, np.where(used, 0.0, 1.0), np.nan)
    return y, np.where(over, days_of(at + days), np.datetime64("NaT", "D"))


def monthly(
    *,
    starts: date,
    ended: date | None,
    until: date,
) -> list[tuple[date, date, bool]]:
    """(first day, last day, was kept on) of each month of an open-ended contract up to `until`.

    A month is a renewal of its own: the discrete-time hazard of science.md 4.2. The month in which
    it ends is the one that was not renewed.
    """
    found = []
    first, count = starts, 0
    while first < until and (ended is None or first <= ended):
        count += 1
        following = _months_on(starts, count)
        last = date.fromordinal(following.toordinal() - 1)
        found.append((first, last, ended is None or ended > last))
        first = following
    return found


def _months_on(day: date, count: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError(day)
